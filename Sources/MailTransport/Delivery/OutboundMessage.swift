package import InternetMessage
package import SMTP

/// A signed message for one recipient, ready for the wire.
package struct OutboundMessage: Sendable {
    package let reversePath: ReversePath
    package let recipient: EmailAddress
    /// CRLF line ends, before dot-stuffing.
    package let content: [UInt8]
    /// Given as ENVID, so that a report can name it.
    package let envelopeID: String
    /// How often it was tried before.
    package let earlierAttempts: Int
    /// The recipient's domain did not exist at the attempt before, as the attempt's record says; the courier remembers it by itself while it
    /// lives.
    package let domainWasMissing: Bool
    /// How many messages the recipient's provider takes on one connection; nil: as many as the route says.
    package let messagesPerConnection: Int?

    package init(
        reversePath: ReversePath, recipient: EmailAddress, content: [UInt8], envelopeID: String, earlierAttempts: Int = 0,
        domainWasMissing: Bool = false, messagesPerConnection: Int? = nil
    ) {
        self.reversePath = reversePath
        self.recipient = recipient
        self.content = content
        self.envelopeID = envelopeID
        self.earlierAttempts = earlierAttempts
        self.domainWasMissing = domainWasMissing
        self.messagesPerConnection = messagesPerConnection
    }

    var envelope: Envelope {
        var needsUTF8 = recipient.needsSMTPUTF8
        if case .address(let address) = reversePath, address.needsSMTPUTF8 { needsUTF8 = true }
        let recipient = Envelope.Recipient(recipient.wireBytes, notify: [.failure], originalRecipient: recipient.wireBytes)
        return Envelope(
            reversePath: reversePath.wireBytes, recipients: [recipient], envelopeID: Array(envelopeID.utf8), returnContent: .headers,
            needsSMTPUTF8: needsUTF8, isEightBit: content.contains { $0 > 127 }, size: UInt64(content.count))
    }
}

/// What is asked of the outbox while a message leaves.
package struct DeliveryChecks: Sendable {
    /// Right before MAIL FROM: is it still wanted? Asked before each transaction, of which an attempt may have more than one.
    package let mayLeave: @Sendable () async -> Bool
    /// Makes "the final dot is about to be written" durable; false takes the message back.
    package let finalDot: @Sendable () async -> Bool

    package init(mayLeave: @escaping @Sendable () async -> Bool, finalDot: @escaping @Sendable () async -> Bool) {
        self.mayLeave = mayLeave
        self.finalDot = finalDot
    }
}

/// What came of an attempt, with the facts to keep.
package struct DeliveryReport: Sendable {
    package enum Result: Sendable {
        case outcome(DeliveryOutcome)
        /// A check said no: nothing left.
        case withdrawn
    }

    package let result: Result
    /// `host[address]:port`; nil when no connection stood.
    package let remoteMTA: String?
    /// TLS version, cipher and whether the peer was verified; nil: in clear.
    package let tls: String?
    /// The dialogue, credentials masked and content left out.
    package internal(set) var transcript: String
    /// Our own words where the peer said none: why no connection stood, which certificate fault, ...
    package let note: String?
    /// Whether TLS failed because we did not accept the peer (its certificate, its protocol), and not because the connection broke.
    package let isPeerRefused: Bool
    /// Whether a server greeted.
    let isSession: Bool
    /// The outbox keeps durably that the dot was about to be written, whatever came of it.
    var isDotAnnounced = false
    /// Why there were no credentials for the login that the route asks for; nil when it did not come to that. Somebody must see to the route
    /// when the remedy is a person.
    package internal(set) var loginTrouble: LoginTrouble?
    /// The credentials that the server refused for good; nil when it did not.
    var refusedLogin: Login?

    package init(
        result: Result, remoteMTA: String? = nil, tls: String? = nil, transcript: String = "", note: String? = nil,
        isPeerRefused: Bool = false, isSession: Bool = false
    ) {
        self.result = result
        self.remoteMTA = remoteMTA
        self.tls = tls
        self.transcript = transcript
        self.note = note
        self.isPeerRefused = isPeerRefused
        self.isSession = isSession
    }
}
