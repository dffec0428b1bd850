import Foundation
import InternetMessage
import Outreach
import Synchronization
import TestKit
import Testing

@testable import Mailroom
@testable import SQLiteStore

/// What must not end a service, nor send a message twice, nor keep others waiting.
@Suite("services go on")
struct SteadinessTests {
    static let bo = "bo@customers.example.net"
    static let cy = "cy@customers.example.net"

    /// Runs the dispatcher while `body` runs; throws what ended it.
    private func dispatching(_ office: Office, _ body: () async throws -> Void) async throws {
        let dispatcher = office.dispatcher
        let running = Task { try await dispatcher.run() }
        do { try await body() } catch {
            running.cancel()
            throw error
        }
        running.cancel()
        try await running.value
    }

    @Test("an absence note to a message that may have left keeps its step with the person, for ever", .timeLimit(.minutes(4)))
    func absentWhileAmbiguous() async throws {
        let office = try Office()
        office.sink.script(Self.bo, .dropAfterDot)
        let enrollment = try await office.enroll(Self.bo)
        try await office.delivering {
            #expect(try await office.dispatcher.dispatchDue() == 1)
            try await office.settled(enrollment, as: [.hold])
            let sent = try #require(office.sink.messages.first)
            #expect(try await office.current(enrollment).cause == .uncertainDelivery)
            try await office.reply(
                to: sent, "I am out of the office with limited access to email.", header: "Auto-Submitted: auto-replied\r\n")
        }
        let held = try await office.current(enrollment)
        #expect(held.state == .sending && held.cause == .uncertainDelivery && held.dueAt == nil && held.reason.contains("out of office"))
        office.wind(.seconds(30 * 86_400))
        #expect(try await office.dispatcher.dispatchDue() == 0)
        #expect(try await office.store.messages(enrollment: enrollment.id).map(\.state) == [.hold])
    }

    @Test("a due step whose ambiguous message is still there is not queued again, and the next enrollment is", .timeLimit(.minutes(4)))
    func dueWhileAmbiguous() async throws {
        let office = try Office()
        office.sink.script(Self.bo, .dropAfterDot)
        let enrollment = try await office.enroll(Self.bo)
        try await office.delivering {
            #expect(try await office.dispatcher.dispatchDue() == 1)
            try await office.settled(enrollment, as: [.hold])
        }
        // As an older program left it.
        let now = try await office.current(enrollment)
        let due = Transition(
            enrollment: now.id, expectedVersion: now.version, at: office.clock.now(), state: .held, cause: .outOfOffice, reason: "away",
            nextStep: 0, dueAt: office.clock.now())
        #expect(try await office.store.apply(Consequence(transition: due)) == .committed)
        let other = try await office.enroll(Self.cy)
        #expect(try await office.dispatcher.dispatchDue() == 2)
        let back = try await office.current(enrollment)
        #expect(back.state == .sending && back.cause == .uncertainDelivery && back.dueAt == nil)
        #expect(try await office.store.messages(enrollment: enrollment.id).map(\.state) == [.hold])
        #expect(try await office.current(other).state == .sending)
    }

    @Test("an enrollment that the store refuses is postponed with the reason, and the others go on", .timeLimit(.minutes(4)))
    func refusedEnrollment() async throws {
        let office = try Office()
        _ = try await office.store.onWriter { db in
            try db.run(
                "CREATE TRIGGER no_bo BEFORE INSERT ON outbox WHEN NEW.recipient = '\(Self.bo)' BEGIN SELECT RAISE(ABORT, 'not bo'); END")
        }
        let bo = try await office.enroll(Self.bo)
        let cy = try await office.enroll(Self.cy)
        try await dispatching(office) {
            _ = try await eventually("the other one is queued") { try await office.current(cy).state == .sending ? true : nil }
        }
        let postponed = try await office.current(bo)
        #expect(postponed.heldBy?.contains("not bo") == true && postponed.dueAt == office.clock.now() + .seconds(3600))
        #expect(postponed.state == .active)
    }

    @Test("a write lock that another process keeps longer than the busy timeout ends no service", .timeLimit(.minutes(5)))
    func locked() async throws {
        let lines = Mutex<[String]>([])
        let office = try Office(notes: { line in lines.withLock { $0.append(line) } })
        let other = try SQLiteStore.open(path: office.store.path, mode: .existing, ids: office.ids)
        let enrollment = try await office.enroll(Self.bo, steps: 1)
        let release = DispatchSemaphore(value: 0)
        let taken = Bell()
        let holding = Task {
            try await other.onWriter { db in
                try db.run("BEGIN IMMEDIATE")
                taken.ring()
                release.wait()
                try db.run("ROLLBACK")
            }
        }
        await taken.wait()
        try await office.delivering {
            try await dispatching(office) {
                let error = await #expect(throws: StoreError.self) {
                    try await office.store.setStop(reason: nil, at: office.clock.now())
                }
                #expect(error?.code == .busy)
                try await eventually("both services noticed") {
                    ["dispatch", "delivery"].allSatisfy { name in
                        lines.withLock { $0.contains { $0.contains("the store cannot be used now") && $0.contains("service=\(name)") } }
                    }
                }
                release.signal()
                try await office.settled(enrollment, as: [.sent])
            }
        }
        _ = try await holding.value
        let warnings = lines.withLock { $0.filter { $0.contains("the store cannot be used now") } }
        #expect(warnings.count { $0.contains("service=dispatch") } == 1 && warnings.count { $0.contains("service=delivery") } == 1)
    }

    @Test(
        "a route that never answers takes nothing from the others; as many as it has places stand ready behind them",
        .timeLimit(.minutes(4)))
    func deadRoute() async throws {
        let office = try Office()
        for number in 0..<7 {
            let address = "dead\(number)@customers.example.net"
            office.slow.script(address, then: .holdReply)
            try await office.queue(address, route: "dead")
        }
        office.wind(.seconds(1))
        let other = try await office.enroll(Self.cy, steps: 1)
        try await office.delivering {
            _ = try await eventually("the dead route is full") { try await office.store.counts()[.active] == 4 ? true : nil }
            #expect(try await office.dispatcher.dispatchDue() == 1)
            try await office.settled(other, as: [.sent])
            #expect(try await office.store.counts()[.active] == 4)
            #expect(office.slow.connections == 2)
        }
    }

    @Test(
        "the log tells what was decided", .timeLimit(.minutes(4)),
        arguments: [
            ("550 5.7.1 Your IP is on a blocklist", OutboxMessage.State.deferred, "deferred"),
            ("550 5.1.1 No such user", .bounced, "bounced"),
        ])
    func decidedInTheLog(reply: String, state: OutboxMessage.State, word: String) async throws {
        let lines = Mutex<[String]>([])
        let office = try Office(notes: { line in lines.withLock { $0.append(line) } })
        office.sink.script(Self.bo, then: .refuse(reply))
        let enrollment = try await office.enroll(Self.bo, steps: 1)
        try await office.delivering {
            _ = try await office.dispatcher.dispatchDue()
            try await office.settled(enrollment, as: [state])
            _ = try await eventually("a line") { lines.withLock { $0.contains { $0.hasPrefix("delivery ") } } ? true : nil }
        }
        let line = lines.withLock { $0.first { $0.hasPrefix("delivery ") } }
        #expect(line?.contains(" status=\(word) ") == true, "\(line ?? "")")
    }
}
