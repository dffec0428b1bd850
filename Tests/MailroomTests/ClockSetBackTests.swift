import InternetMessage
import Outreach
import SQLiteStore
import TestKit
import Testing

@testable import Mailroom

/// A clock that was ahead once, and is right again: nothing waits for the time that it said.
@Suite("a clock that was set back")
struct ClockSetBackTests {
    static let ahead = Duration.seconds(400 * 86_400)

    enum Reason: String, Sendable, CaseIterable, CustomTestStringConvertible {
        case rate, retry, deadSite, pausedRoute

        var testDescription: String { rawValue }
        var route: String {
            switch self {
            case .rate: "dead"
            case .retry: "sink"
            case .deadSite: "gone"
            case .pausedRoute: "login"
            }
        }
    }

    private func office() throws -> Office {
        var policy = DeliveryPolicy()
        policy.limits.routes = ["dead": [try #require(Rate("6/h"))]]
        policy.rests = [.seconds(600)]
        return try Office(policy: policy)
    }

    /// How far it came: a message was sent, or an attempt was made.
    private func progress(_ office: Office) async throws -> Int {
        let all = try await office.store.list(OutboxSelection(), after: nil, limit: 19)
        return all.count { $0.state == .sent } + all.map(\.attempts).reduce(0, +)
    }

    @Test(
        "mail goes on in its usual time, whether the service ran then or was started anew", .timeLimit(.minutes(4)),
        arguments: Reason.allCases, [false, true])
    func waiting(_ reason: Reason, restarted: Bool) async throws {
        let office = try office()
        office.wind(Self.ahead)
        let addresses = (0..<6).map { "m\($0)@one.example.net" }
        for address in addresses {
            if reason == .retry { office.sink.script(address, then: .refuse("451 4.7.1 later")) }
            try await office.queue(address, route: reason.route)
        }
        func settled() async throws -> Bool {
            try await office.store.list(OutboxSelection(), after: nil, limit: 19).allSatisfy {
                $0.state.isFinal || $0.state == .deferred && ($0.nextAttemptAt ?? Office.start) > office.clock.now()
            }
        }
        func right() async throws {
            let before = try await progress(office)
            // By their own retry schedule, rate or rest all of them go on within minutes.
            for _ in 0..<40 where try await progress(office) == before {
                office.wind(.seconds(30))
                try await Task.sleep(for: .milliseconds(50))
            }
            #expect(try await progress(office) > before)
            let left = try await office.store.list(OutboxSelection(states: [.incoming, .deferred]), after: nil, limit: 19)
            #expect(left.allSatisfy { $0.waitsSince < office.clock.now() + .seconds(86_400) }, "their lifetime began")
        }
        if restarted {
            try await office.delivering { _ = try await eventually("all wait") { try await settled() ? true : nil } }
            office.wind(.zero - Self.ahead)
            // What the start of the whole appliance does.
            _ = try await office.store.reconsiderWaiting(now: office.clock.now())
            try await office.delivering { try await right() }
        } else {
            try await office.delivering {
                _ = try await eventually("all wait") { try await settled() ? true : nil }
                office.wind(.zero - Self.ahead)
                try await right()
            }
        }
    }

    @Test("the gap of an identity counts from the last message that was sent in the past")
    func gap() async throws {
        let office = try Office(gap: .seconds(1800))
        office.wind(Self.ahead)
        _ = try await office.enroll("a@one.example.net", steps: 1)
        #expect(try await office.dispatcher.dispatchDue() == 1)
        office.wind(.zero - Self.ahead)
        _ = try await office.enroll("b@one.example.net", steps: 1)
        _ = try await office.enroll("c@one.example.net", steps: 1)
        func queued() async throws -> Int { try await office.store.list(OutboxSelection(), after: nil, limit: 9).count }
        _ = try await office.dispatcher.dispatchDue()
        #expect(try await queued() == 2, "one of the two leaves at once")
        office.wind(.seconds(1799))
        _ = try await office.dispatcher.dispatchDue()
        #expect(try await queued() == 2, "the gap holds")
        office.wind(.seconds(2))
        _ = try await office.dispatcher.dispatchDue()
        #expect(try await queued() == 3)
    }

    @Test("a clock is set back when it says a minute less than before", arguments: [(0, false), (-59, false), (-61, true), (900, false)])
    func watch(by seconds: Int64, isSetBack: Bool) {
        var watch = ClockWatch()
        #expect(watch.isSetBack(at: Office.start) == false)
        #expect(watch.isSetBack(at: Office.start + .seconds(seconds)) == isSetBack)
        #expect(watch.isSetBack(at: Office.start + .seconds(seconds)) == false, "told once")
    }
}
