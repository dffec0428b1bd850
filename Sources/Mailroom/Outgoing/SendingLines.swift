import InternetMessage
import Outreach
import Synchronization

/// The line of each identity, as long as one look at all who are due lasts.
final class SendingLines: Sendable {
    private let lines = Mutex<[String: SendingLine]>([:])

    /// When one who waits for what the identity may send is looked at again; see `SendingLine.place`.
    func place(of identity: String, free: Timestamp, gate: PacingGate) -> Timestamp {
        lines.withLock { $0[identity, default: SendingLine()].place(free: free, gate: gate) }
    }

    /// Nobody is due any more.
    func clear() { lines.withLock { $0 = [:] } }
}
