package import struct NIOCore.ByteBuffer

/// What a client session asks of its driver. Actions are to be done in the order in which they are returned.
///
/// An action that wants an answer is the last of its list, so a driver may answer at once, while it does the list.
/// Actions may hold credentials and addresses: never log one.
package enum ClientAction: Sendable, Hashable {
    /// Write these octets.
    case send(ByteBuffer)
    /// Write these octets and keep them out of transcripts and logs: they hold credentials.
    case sendSecret(ByteBuffer)
    /// Begin the TLS handshake now; the input is proven empty. Answer `tlsEstablished(verified:)` or `tlsFailed()`.
    case startTLS
    /// Choose one of the offered mechanisms; answer `authenticationResponse(mechanism:initial:)` or `cancelAuthentication()`.
    case startAuthentication(offered: [String])
    /// A decoded challenge; answer `saslStep(_:)` or `cancelAuthentication()`.
    case saslChallenge([UInt8])
    /// The server reports success. Answer `authenticationConfirmed(_:)`: true only when the mechanism is complete on our side too, for a
    /// server that never proved itself must not be believed (SCRAM).
    case confirmAuthentication
    /// The session can take a transaction now.
    case ready(Capabilities)
    /// Write the content, encoded by `DotStuffing` to its end; then call `contentSent()`. After each block, call `contentProgressed()`.
    case sendContent
    /// Make durable that the final dot is about to be written; then call `finalDotDurable()`, or `abandon()` to take the message back.
    case announceFinalDot
    /// Start the timer of this stage; it replaces the running one. Call `timedOut(_:)` when `Timeouts` says so.
    case startTimer(Stage)
    /// Stop the stage timer.
    case cancelTimer
    /// Start the deadline of a transaction, which runs beside the stage timer; call `deadlineExpired()` when it passes.
    case startDeadline
    /// Stop the deadline.
    case cancelDeadline
    /// The transaction is over: one outcome for each recipient of the envelope, in its order. `ready` or `close` follows, now or later.
    case transactionFinished([RecipientOutcome])
    /// The session is over and no transaction was under way. Always a deferral: nothing here speaks of a message or a recipient.
    case sessionFailed(DeliveryFailure)
    /// Close the connection; nothing more will be asked.
    case close
}
