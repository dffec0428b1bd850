import InternetMessage
import Outreach
import SQLiteStore
import TestKit
import Testing

@testable import Mailroom

/// What becomes of waiting mail when nothing ran for longer than the lifetime of a message.
@Suite("a service that was down")
struct DowntimeTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let route: String
        let refusal: String?
        /// How the messages stand when the service ran again.
        let after: [OutboxMessage.State]
    }

    static let cases = [
        Case(testDescription: "behind a limit", route: "dead", refusal: nil, after: [.deferred, .sent, .sent, .sent]),
        Case(testDescription: "behind a paused route", route: "login", refusal: nil, after: [.deferred, .deferred, .deferred, .deferred]),
        Case(
            testDescription: "deferred by its server", route: "sink", refusal: "451 4.7.1 later",
            after: [.sent, .sent, .sent, .sent]),
    ]

    @Test("what only waited is not given up when nothing ran for longer than its lifetime", .timeLimit(.minutes(4)), arguments: cases)
    func down(_ test: Case) async throws {
        var policy = DeliveryPolicy()
        policy.rests = [.seconds(3600)]
        policy.limits.routes = ["dead": [try #require(Rate("1/h"))]]
        let office = try Office(policy: policy)
        let addresses = (0..<4).map { "m\($0)@one.example.net" }
        if let refusal = test.refusal { for address in addresses { office.sink.script(address, .refuse(refusal)) } }
        for address in addresses { try await office.queue(address, route: test.route) }
        func all() async throws -> [OutboxMessage] { try await office.store.list(OutboxSelection(), after: nil, limit: 9) }
        try await office.delivering {
            _ = try await eventually("each was looked at") {
                try await all().allSatisfy { $0.state == .sent || $0.state == .deferred } ? true : nil
            }
        }
        // Longer than the lifetime of five days, twice.
        for _ in 0..<2 {
            office.wind(.seconds(6 * 86_400))
            try await office.delivering {
                _ = try await eventually("each was looked at again") {
                    try await all().allSatisfy { $0.state.isFinal || $0.nextAttemptAt ?? office.clock.now() > office.clock.now() }
                        ? true : nil
                }
                // The sweep comes once more.
                office.wind(.seconds(61))
                try await Task.sleep(for: .milliseconds(300))
            }
            let left = try await all()
            #expect(left.allSatisfy { $0.state != .expired }, "\(left.map(\.reason))")
        }
        #expect(try await all().map(\.state.rawValue).sorted() == test.after.map(\.rawValue).sorted())
    }

    @Test("what cannot be delivered has one more attempt before it is given up", .timeLimit(.minutes(4)))
    func last() async throws {
        let office = try Office()
        let address = "late@one.example.net"
        office.sink.script(address, then: .refuse("451 4.7.1 later"))
        try await office.queue(address, route: "sink")
        func only() async throws -> OutboxMessage {
            try #require(try await office.store.list(OutboxSelection(), after: nil, limit: 9).first)
        }
        try await office.delivering {
            _ = try await eventually("deferred") { try await only().state == .deferred ? true : nil }
        }
        office.wind(.seconds(6 * 86_400))
        try await office.delivering {
            let tried = try await eventually("tried once more") { try await only().attempts == 2 ? try await only() : nil }
            #expect(tried.state == .deferred, "the time in which nothing ran does not count")
        }
    }

    @Test("what was tried in time all along is given up after its lifetime, by an attempt that failed", .timeLimit(.minutes(4)))
    func lived() async throws {
        let office = try Office()
        office.sink.script("old@one.example.net", then: .refuse("451 4.7.1 later"))
        let id: OutboxMessage.ID = office.ids.next()
        let created = office.clock.now() - .seconds(5 * 86_400 - 900)
        let message = OutboxMessage(
            id: id, workspace: .default, enrollment: nil, contact: nil, step: 0, occurrence: 0, identity: "anna", route: "sink",
            reversePath: .null, recipient: try Office.address("old@one.example.net"),
            messageID: try #require(MessageID("\(id)@out.example.com")), subject: "Hi", bytes: Array("Subject: Hi\r\n\r\nHi\r\n".utf8),
            createdAt: created, budgetDate: CivilDate(daysSinceEpoch: 20_000), nextAttemptAt: office.clock.now())
        _ = try await office.store.dispatch(message, with: Consequence())
        func only() async throws -> OutboxMessage {
            try #require(try await office.store.list(OutboxSelection(), after: nil, limit: 9).first)
        }
        try await office.delivering {
            for _ in 0..<20 where try await !only().state.isFinal {
                _ = try await eventually("it was looked at") {
                    let message = try await only()
                    let waits = message.state == .deferred && (message.nextAttemptAt ?? Office.start) > office.clock.now()
                    return message.state.isFinal || waits ? true : nil
                }
                office.wind(.seconds(150))
            }
        }
        let end = try await only()
        #expect(end.state == .expired && (3...6).contains(end.attempts), "\(end.state) \(end.attempts)")
    }
}
