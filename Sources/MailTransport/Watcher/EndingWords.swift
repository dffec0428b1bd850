import IMAP

extension MailboxWatcher.Ending {
    /// Why the session ended, for a person; `\r`, `\n` and other control characters of the server are left out.
    package var words: String {
        let mine = note.map { ": \($0)" } ?? ""
        guard let reason else { return note ?? "no connection stood" }
        switch reason {
        case .loggedOut: return "as asked"
        case .loginRefused(let text): return "login refused: \(Self.shown(text))"
        case .loginUnavailable: return "the server offers no login that we may use here\(mine)"
        case .safety(let fault): return "refused for our own safety: \(fault.words)\(mine)"
        case .throttled(let text): return "the server asks for patience: \(Self.shown(text))"
        case .unavailable(let text), .fetchRefused(let text): return "the server cannot serve now: \(Self.shown(text))"
        case .bye(let text): return "the server said goodbye: \(Self.shown(text))"
        case .protocolError(let fault): return "the server breaks the protocol: \(fault.words)\(mine)"
        case .bodyWithheld: return "the server does not give a message that it has\(mine)"
        case .timedOut: return "the server was silent for too long\(mine)"
        case .connectionLost: return "the connection was lost\(mine)"
        }
    }

    fileprivate static func shown(_ text: [UInt8]) -> String {
        String(decoding: text.prefix(1000).filter { $0 >= 32 && $0 != 127 }, as: UTF8.self)
    }
}

extension ClientSession.ProtocolFault {
    /// For a person.
    var words: String {
        switch self {
        case .badGreeting: "its first line is no greeting of IMAP; check the port"
        case .framing: "it sent a size that cannot be followed"
        case .unknownTag: "it answered a command that was never given"
        case .earlyAnswer: "it answered a command before it had it"
        case .commandRefused(let text):
            "it refused a command that every server must take: \(MailboxWatcher.Ending.shown(text))"
        case .unexpectedContinuation: "it asked for more where nothing was to come"
        case .badChallenge: "its challenge in the login cannot be read"
        case .unstableUIDValidity: "the mailbox changes its UIDVALIDITY again and again"
        case .tooMuch: "it named more than can be held"
        }
    }
}

extension ClientSession.SafetyFault {
    /// For a person.
    var words: String {
        switch self {
        case .preauthenticatedWithoutTLS: "the server logged us in without TLS"
        case .startTLSNotOffered: "the server offers no STARTTLS; use implicit TLS and its port"
        case .startTLSRefused: "the server refused STARTTLS"
        case .injectedBeforeTLS: "something was said in clear behind STARTTLS"
        case .unprotectedCredentials: "the password does not travel without TLS and a certificate that verifies"
        }
    }
}
