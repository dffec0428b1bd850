import InternetMessage
import Outreach
import Synchronization

/// The line of each identity, for as long as the process and the identity's pacing stay the same.
///
/// A process that begins anew has lost where the lines end: who is new is then placed among those who wait, and one of two who have the same
/// moment is placed again.
final class SendingLines: Sendable {
    private let lines = Mutex<[String: (policy: PacingGate.Policy, line: SendingLine)]>([:])

    /// The moment for one who waits for what the identity may send; see `SendingLine.place`.
    func place(of identity: SenderIdentity, free: Timestamp, sent: Int, hasWaited: Bool, gate: PacingGate) -> Timestamp {
        lines.withLock { lines in
            var known = lines[identity.name] ?? (identity.pacing, SendingLine())
            if known.policy != identity.pacing { known = (identity.pacing, SendingLine()) }
            defer { lines[identity.name] = known }
            return known.line.place(free: free, sent: sent, hasWaited: hasWaited, gate: gate)
        }
    }
}
