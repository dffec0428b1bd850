package import InternetMessage
import Synchronization

/// Hands out record ids to everybody of one process, in time order.
package final class RecordIDs: Sendable {
    private let source = Mutex(RecordIDSource())
    private let now: @Sendable () -> Timestamp
    private let random: @Sendable () -> UInt8

    /// - Parameters:
    ///   - now: the clock that ids follow.
    ///   - random: a byte that keeps the ids of two processes apart.
    package init(now: @escaping @Sendable () -> Timestamp, random: @escaping @Sendable () -> UInt8) {
        self.now = now
        self.random = random
    }

    package func next<Record>() -> RecordID<Record> {
        let moment = now()
        let byte = random()
        return RecordID(rawValue: source.withLock { $0.next(now: moment, random: byte) })
    }
}
