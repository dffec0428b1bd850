/// What became of one recipient in one attempt.
package enum DeliveryOutcome: Sendable, Hashable {
    /// A complete 2xx reply to the final dot was read.
    case accepted(Reply)
    /// Nothing was accepted; a later attempt may succeed.
    case deferred(DeliveryFailure)
    /// Refused for good.
    case rejected(DeliveryFailure)
    /// The final dot may have been read by the server and no complete reply came: the message may or may not have been accepted.
    case ambiguous(DeliveryFailure)

    /// What went wrong; nil when accepted.
    package var failure: DeliveryFailure? {
        switch self {
        case .accepted: nil
        case .deferred(let failure), .rejected(let failure), .ambiguous(let failure): failure
        }
    }
}

/// The outcome for one recipient of a transaction.
package struct RecipientOutcome: Sendable, Hashable {
    /// The forward-path as given in the envelope.
    package let forwardPath: [UInt8]
    package let outcome: DeliveryOutcome

    package init(forwardPath: [UInt8], outcome: DeliveryOutcome) {
        self.forwardPath = forwardPath
        self.outcome = outcome
    }
}

/// Why a recipient, a message or a session did not get through. It carries no address; the reply may.
package struct DeliveryFailure: Sendable, Hashable {
    /// What the failure speaks about, and so what a later attempt must avoid.
    package enum Scope: Sendable, Hashable {
        /// This connection, host or route: no verdict on message or recipient. Another host may take the mail.
        case session
        /// The message or its sender.
        case message
        /// This recipient.
        case recipient
    }

    /// The kind of failure.
    package enum Cause: Sendable, Hashable {
        /// The server said so: see the reply.
        case replyCode
        /// DNS decided, no server was asked: the domain takes no mail. The code is ours (RFC 3463), not a server's.
        case routing(EnhancedStatusCode)
        /// No server was asked: what this domain demands of its hosts is not to be had of them, or there is no way to them from here. It says
        /// nothing about the hosts as others use them. The code is ours; nil when there is none for it.
        case unasked(EnhancedStatusCode?)
        /// The server broke the protocol; nothing it says can be trusted any more.
        case protocolError(ProtocolFault)
        case connectionLost
        case timeout
        /// TLS is required and the server does not offer it or refused the command.
        case tlsUnavailable
        /// The handshake failed, or the certificate was not verified where that is required.
        case tlsFailed
        /// The server refused the credentials, or the exchange broke.
        case authenticationFailed
        /// Authentication is required and the server does not offer it.
        case authenticationUnavailable
        /// The message needs what the server does not offer.
        case extensionMissing(MissingExtension)
        /// We declined to go on.
        case refusedForSafety(SafetyRefusal)
    }

    /// In what way the server broke the protocol.
    package enum ProtocolFault: Sendable, Hashable {
        /// The stream of replies cannot be read.
        case unreadable(ReplyParser.Fault)
        /// A complete reply whose code means nothing at this stage.
        case unexpectedReply
        /// Octets came for which no command was outstanding.
        case unsolicitedInput
        /// A SASL challenge that is not base64, or a challenge too many.
        case malformedChallenge
    }

    /// What the message needed.
    package enum MissingExtension: Sendable, Hashable {
        case smtpUTF8
        case eightBitMIME
        /// The message is larger than the size that the server stated.
        case size(limit: UInt64)

        /// Our own code for it: RFC 6531 section 3.2 for SMTPUTF8, RFC 3463 for the others.
        package var status: EnhancedStatusCode? {
            switch self {
            case .smtpUTF8: EnhancedStatusCode(5, 6, 7)
            case .eightBitMIME: EnhancedStatusCode(5, 6, 3)
            case .size: EnhancedStatusCode(5, 3, 4)
            }
        }
    }

    /// Why we declined.
    package enum SafetyRefusal: Sendable, Hashable {
        /// An address, name or parameter could break out of its command line.
        case unsafeCommand
        /// Credentials would have travelled without a verified certificate.
        case credentialsNeedVerifiedTLS
        /// The caller gave the transaction up before the final dot.
        case abandoned
        /// A transaction was asked for while another one, or none yet, was possible.
        case sessionNotReady
    }

    package let stage: Stage
    package let scope: Scope
    package let cause: Cause
    /// The reply that the failure rests on; nil when there was none.
    package let reply: Reply?

    package init(stage: Stage, scope: Scope, cause: Cause, reply: Reply? = nil) {
        self.stage = stage
        self.scope = scope
        self.cause = cause
        self.reply = reply
    }
}
