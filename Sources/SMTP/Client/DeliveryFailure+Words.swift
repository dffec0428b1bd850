/// What a failure says to a person: what happened, where, and what can be done about it.
extension DeliveryFailure {
    /// One sentence, without the reply (`reply` has the peer's own words).
    ///
    /// - Parameter host: the peer as it is to be called; nil: "the server".
    package func words(at host: String? = nil) -> String {
        let host = host ?? "the server"
        let sentence = cause.words(at: host, stage)
        guard stage == .finalDot else { return sentence }
        return "\(sentence); it may have taken the message, so look for the Message-ID there before it is sent again"
    }
}

extension DeliveryFailure.Cause {
    fileprivate func words(at host: String, _ stage: Stage) -> String {
        switch self {
        case .replyCode: "\(host) refused \(stage.words)"
        case .routing: "no host takes mail for the recipient's domain"
        case .unasked: "no server was asked"
        case .protocolError(let fault): "\(fault.words(at: host)) \(stage.words); that is no mail server in order"
        case .connectionLost: "the connection to \(host) was lost \(stage.words)"
        case .timeout: "\(host) did not answer in time \(stage.words)"
        case .tlsUnavailable: "\(host) offers no STARTTLS, and mail in clear is not allowed here; check the port and the TLS mode"
        case .tlsFailed: "the TLS handshake with \(host) failed; check its certificate, its name and the authorities that are trusted"
        case .authenticationFailed: "the login at \(host) was not accepted; check user, password and mechanism"
        case .authenticationUnavailable: "\(host) offers no login that may be used here; check the port and the TLS mode"
        case .extensionMissing(let missing): missing.words(at: host)
        case .refusedForSafety(let refusal): refusal.words(at: host)
        }
    }
}

extension DeliveryFailure.ProtocolFault {
    fileprivate func words(at host: String) -> String {
        switch self {
        case .unreadable: "\(host) sent what is no reply"
        case .unexpectedReply: "\(host) sent a reply that has no place"
        case .unsolicitedInput: "\(host) spoke out of turn"
        case .malformedChallenge: "\(host) sent a challenge that cannot be read"
        }
    }
}

extension DeliveryFailure.MissingExtension {
    fileprivate func words(at host: String) -> String {
        switch self {
        case .smtpUTF8: "\(host) does not offer SMTPUTF8, which an address of the message needs"
        case .eightBitMIME: "\(host) does not offer 8BITMIME, which the message needs"
        case .size(let limit): "the message is larger than the \(limit) octets that \(host) takes"
        }
    }
}

extension DeliveryFailure.SafetyRefusal {
    fileprivate func words(at host: String) -> String {
        switch self {
        case .unsafeCommand: "an address, a name or the content cannot be written in SMTP without breaking out of its line"
        case .credentialsNeedVerifiedTLS: "the password is not sent to \(host) without TLS and a certificate that verifies"
        case .abandoned: "the message was taken back before it left"
        case .sessionNotReady: "a transaction was begun at the wrong moment; please report this"
        }
    }
}

extension Stage {
    /// Where in the dialogue, as a person says it.
    package var words: String {
        switch self {
        case .connect: "while connecting"
        case .greeting: "before its greeting"
        case .hello: "at EHLO"
        case .startTLS: "at STARTTLS"
        case .tls: "in the TLS handshake"
        case .authentication: "in the login"
        case .mail: "at MAIL FROM"
        case .recipient: "at RCPT TO"
        case .data: "at DATA"
        case .content: "within the content"
        case .finalDot: "after the final dot"
        case .reset: "at RSET"
        case .quit: "at QUIT"
        }
    }
}
