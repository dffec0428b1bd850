import InternetMessage
import Logging
import Outreach
import SQLiteStore
import TestKit
import Testing

@testable import Mailroom

@Suite("Upkeep over the services")
struct CaretakerTests {
    @Test("what left is packed at once and dropped in its time; a late answer still finds its conversation", .timeLimit(.minutes(4)))
    func tidies() async throws {
        let office = try Office()
        let caretaker = Caretaker(
            store: office.store,
            retention: Swappable(.init(messages: .seconds(30 * 86_400), replies: .seconds(400 * 86_400), events: .seconds(400 * 86_400))),
            clock: office.clock, logger: Logger(label: "tests") { _ in NotedLog(note: { _ in }) })
        let enrollment = try await office.enroll("ann@one.example.net")
        #expect(try await office.dispatcher.dispatchDue() == 1)
        #expect(try await caretaker.tidy() == 0, "what waits is left alone")
        _ = try await office.delivering { try await office.settled(enrollment, as: [.sent]) }
        let message = try #require(try await office.store.messages(enrollment: enrollment.id).first)
        #expect(try await caretaker.tidy() == 1)
        #expect(try await office.store.message(id: message.id) == message)
        #expect(try await office.store.attempts(of: message.id).allSatisfy { !$0.transcript.isEmpty })
        office.clock.wind(.seconds(31 * 86_400))
        while try await caretaker.tidy() > 0 {}
        #expect(try await office.store.message(id: message.id)?.bytes == [])
        let sent = try #require(office.sink.messages.first)
        try await office.reply(to: sent, "Yes, please call me on Monday.")
        #expect(try await office.current(enrollment).state == .stopped)
        let replies = try await office.store.replies(
            workspace: nil, contact: enrollment.contact, owner: nil, waiting: false, copies: true, limit: 9)
        #expect(replies.map(\.outbox) == [message.id] && replies.first?.certainty != .low)
        while try await office.store.countEvents(before: nil, limit: 100) > 0 {}
        office.clock.wind(.seconds(401 * 86_400))
        while try await caretaker.tidy() > 0 {}
        #expect(try await office.store.timeline(contact: enrollment.contact).isEmpty)
        #expect(try await office.store.reply(try #require(replies.first).intake)?.reading.text == "")
        let tally = try await office.store.statistics(workspace: .default, sequenceName: "2 steps", by: .all, since: nil).first?.tally
        #expect(tally?[.accepted] == 1 && tally?[.replied] == 1 && tally?[.contacted] == 1)
        #expect(try await office.store.verifyStatistics() == [])
    }
}
