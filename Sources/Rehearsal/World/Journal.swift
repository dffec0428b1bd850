package import InternetMessage
import Synchronization

/// One thing that the world outside did, for the person who watches.
package struct WorldEvent: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        /// The mail exchanger took a message.
        case arrived
        /// The mail exchanger refused a recipient, for now or for good.
        case turnedAway = "turned_away"
        /// Somebody wrote an answer, or a server a report.
        case wrote
        /// Somebody pressed the unsubscribe button of the mail program.
        case pressed
        /// Something that must not happen.
        case fault
    }

    package let at: Timestamp
    package let kind: Kind
    /// The address that the recipient was imported with.
    package let contact: String
    package let summary: String
}

/// What the world did, in order.
final class Journal: Sendable {
    private let clock: RehearsalClock
    private let events = Mutex<[WorldEvent]>([])

    init(clock: RehearsalClock) { self.clock = clock }

    func note(_ kind: WorldEvent.Kind, _ contact: String, _ summary: String) {
        let event = WorldEvent(at: clock.now(), kind: kind, contact: contact, summary: summary)
        events.withLock { $0.append(event) }
    }

    /// Those from `first` on.
    func events(from first: Int) -> [WorldEvent] { events.withLock { Array($0.dropFirst(first)) } }

    var faults: [WorldEvent] { events.withLock { $0.filter { $0.kind == .fault } } }
}
