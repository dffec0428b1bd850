import InternetMessage
import Outreach
import Synchronization

/// The line of each identity, for as long as its pacing stays the same; where it ends is asked of the store once.
final class SendingLines: Sendable {
    /// So many turns tell how many leave before the last one on its date.
    private static let known = 10_000

    private let lines = Mutex<[String: (policy: PacingGate.Policy, line: SendingLine)]>([:])

    /// The moment for one who waits for what the identity may send; see `SendingLine.place`.
    ///
    /// - Parameter sent: messages of the identity on the date of `now`.
    func place(
        of identity: SenderIdentity, free: Timestamp, sent: Int, hasWaited: Bool, gate: PacingGate, at now: Timestamp,
        store: any SequenceStore
    ) async throws(StoreError) -> Timestamp {
        let known = lines.withLock { $0[identity.name] }
        var line = known?.line ?? SendingLine()
        if known == nil {
            let turns = try await store.turns(identity: identity.name, after: now, limit: Self.known)
            line = SendingLine(turns: turns, sent: sent, at: now, gate: gate)
        } else if known?.policy != identity.pacing {
            // With another conf everybody who waits is due again and placed anew.
            line = SendingLine()
        }
        let today = gate.budgetDate(at: free) == gate.budgetDate(at: now)
        let place = line.place(free: free, sent: today ? sent : 0, hasWaited: hasWaited, gate: gate)
        lines.withLock { $0[identity.name] = (identity.pacing, line) }
        return place
    }
}
