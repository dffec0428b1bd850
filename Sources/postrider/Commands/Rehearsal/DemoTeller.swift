import InternetMessage
import Outreach
import Rehearsal
import SQLiteStore
import Synchronization

/// Brings what happened since the last time, in the world and in Postrider, to the report in the order of time.
final class DemoTeller: Sendable {
    private let store: SQLiteStore
    private let world: RehearsalWorld
    private let report: DemoReport
    private let seen = Mutex((timeline: TimelineEvent.ID?.none, world: 0))
    private let names = Mutex<[Contact.ID: String]>([:])

    init(store: SQLiteStore, world: RehearsalWorld, report: DemoReport) {
        self.store = store
        self.world = world
        self.report = report
    }

    /// Called while everything is at rest, so that no event with a lower id can come later.
    func tell() async throws {
        let seen = seen.withLock { $0 }
        let timeline = try await store.timeline(after: seen.timeline, limit: 10_000)
        let events = world.events(from: seen.world)
        self.seen.withLock { $0 = (timeline.last?.id ?? seen.timeline, seen.world + events.count) }
        if names.withLock({ $0.isEmpty }) {
            let contacts = try await store.contacts(workspace: .default, after: nil, limit: 1000)
            names.withLock { names in for contact in contacts { names[contact.id] = contact.address.text } }
        }
        let names = names.withLock { $0 }
        var lines = events.map { event in
            DemoReport.Event(
                at: event.at, isWorld: true, kind: event.kind.rawValue, contact: event.contact, summary: event.summary, facts: [:])
        }
        lines += timeline.map { event in
            DemoReport.Event(
                at: event.at, isWorld: false, kind: event.kind.rawValue, contact: event.contact.flatMap { names[$0] } ?? "",
                summary: event.summary, facts: event.facts)
        }
        // Stable: what happened in the same millisecond keeps its order, the world first.
        let order = lines.indices.sorted { lines[$0].at == lines[$1].at ? $0 < $1 : lines[$0].at < lines[$1].at }
        for index in order { report.event(lines[index]) }
    }
}
