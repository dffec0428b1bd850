package import SMTP

/// Who decides on what a listener is offered, and keeps what it takes.
package protocol InboundDesk: Sendable {
    /// Whether new messages are to be put off with 452; asked often, so it must be cheap.
    var isUnderPressure: Bool { get }

    /// Whether mail for this forward-path is taken. Called for each RCPT, on an event loop: it must not wait for anything.
    func verdict(forwardPath: [UInt8]) -> RecipientVerdict

    /// Keeps a complete message; `stored` only when it is on stable storage. Called on an event loop, which it must not block.
    func accept(_ mail: InboundMail) async -> DeliveryVerdict
}

extension InboundDesk {
    package var isUnderPressure: Bool { false }
}

/// A message as a listener took it, with the envelope and where it came from.
package struct InboundMail: Sendable {
    package let envelope: ReceivedEnvelope
    /// Address of the client, `unix` for a local socket.
    package let peer: String
    /// The content, dot-stuffing undone, CRLF line ends.
    package let content: [UInt8]
}
