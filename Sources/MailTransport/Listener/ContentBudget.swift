import Synchronization

/// How much content all listeners of a process may hold in memory at the same time, from its first octet until the desk has answered.
///
/// Invariant: what is held never exceeds the limit. From three quarters of it on no new message is begun.
package final class ContentBudget: Sendable {
    /// The one of this process.
    package static let process = ContentBudget(limit: 192 << 20)

    private let limit: Int
    private let held = Mutex(0)

    /// - Parameter limit: octets.
    package init(limit: Int) { self.limit = limit }

    /// Whether new messages are to be turned away.
    var isUnderPressure: Bool { held.withLock { $0 } >= limit / 4 * 3 }

    /// Takes so many octets more; false, and nothing taken, when there is no room for them.
    func take(_ count: Int) -> Bool {
        held.withLock { held in
            guard held + count <= limit else { return false }
            held += count
            return true
        }
    }

    func giveBack(_ count: Int) { held.withLock { $0 -= count } }
}
