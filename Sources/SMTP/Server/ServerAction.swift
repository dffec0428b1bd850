package import struct NIOCore.ByteBuffer

/// What a server session asks of its driver. Actions are to be done in the order in which they are returned.
///
/// An action that wants an answer is the last of its list, so a driver may answer at once, while it does the list; only `close` can stand
/// behind it, and then no answer is wanted any more. Octets in it are foreign or secret: never log an action.
package enum ServerAction: Sendable, Hashable {
    /// Write these octets.
    case send(ByteBuffer)
    /// Begin the TLS handshake once what was sent is flushed; the input is proven empty. Answer `tlsEstablished()` or `tlsFailed()`.
    case startTLS
    /// Wait this long, then call `resumed()`; input may still be given and waits.
    case pause(Duration)
    /// Is this address ours? Answer `recipientVerdict(_:)`; `index` is the number of recipients accepted before it.
    case validateRecipient([UInt8], index: Int)
    /// Content begins.
    case beginMessage(ReceivedEnvelope)
    /// The next piece of content, with dot-stuffing undone.
    case messageChunk(ByteBuffer)
    /// The content is complete; make it durable and answer `deliveryVerdict(_:)` or `deliveryVerdicts(_:)`.
    case deliver(ReceivedEnvelope)
    /// Drop what was gathered since `beginMessage`: the message will not be delivered.
    case discardMessage
    /// Close the connection once what was sent is flushed; nothing more will be asked.
    case close(CloseReason)
}

/// Why a server session ended, for the log.
package enum CloseReason: Sendable, Hashable {
    /// The client said QUIT.
    case quit
    /// No command came in full, no octet came, or the session took too long.
    case commandTimeout, idleTimeout, sessionTimeout
    /// Content came slower than the limit.
    case tooSlow
    /// The client talked before the greeting, or ahead of a reply that it had to await.
    case talkedTooEarly
    /// A bare CR, a bare LF or NUL, in a command or in content.
    case strayControl
    case commandTooLong
    /// The client speaks another protocol.
    case foreignProtocol
    /// Octets stood behind STARTTLS, or came during the handshake in clear.
    case injectedBeforeTLS
    case tlsFailed
    case tooManyErrors
    case tooManyIdleCommands
    case tooManyMessages
    /// Too much input while an answer was owed, or content far beyond the size limit.
    case tooMuchInput
    /// The listener has no room for the connection, or is shutting down.
    case unavailable
}

/// The answer to `validateRecipient`.
package enum RecipientVerdict: Sendable, Hashable {
    case accepted
    /// 550 5.1.1.
    case unknownMailbox
    /// 550 5.7.1: the domain is not ours.
    case relayDenied
    /// 451 4.3.0: cannot be told now.
    case unavailable
    /// 452 4.2.2: no room for this mailbox now.
    case mailboxFull
    /// 451 4.7.1: come again later.
    case greylisted
}

/// The answer to `deliver`.
package enum DeliveryVerdict: Sendable, Hashable {
    /// The message is on stable storage under this id; octets that cannot stand in a reply are left out of it.
    case stored(id: String)
    /// 451 4.3.0.
    case unavailable
    /// 452 4.3.1.
    case insufficientStorage
    /// 554 5.6.0: the content is not acceptable.
    case unacceptable
    /// 550 5.7.1: local policy.
    case refusedByPolicy
}

extension DeliveryVerdict: CustomStringConvertible {
    /// For the log.
    package var description: String {
        switch self {
        case .stored(let id): "stored as \(id)"
        case .unavailable: "unavailable"
        case .insufficientStorage: "insufficient storage"
        case .unacceptable: "unacceptable"
        case .refusedByPolicy: "refused by policy"
        }
    }
}
