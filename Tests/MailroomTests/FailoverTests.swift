import Foundation
import InternetMessage
import Outreach
import SQLiteStore
import TestKit
import Testing

@testable import Mailroom

/// What happens to mail when its route fails as a whole, and what does not.
@Suite("a route that fails")
struct FailoverTests {
    static let bo = "bo@one.example.net"

    private func office(_ fallbacks: [String: String] = [:], rests: [Duration] = [.seconds(300), .seconds(900)]) throws -> Office {
        var policy = DeliveryPolicy()
        policy.fallbacks = RouteFallbacks(fallbacks)
        policy.rests = rests
        return try Office(policy: policy)
    }

    private func only(_ office: Office) async throws -> OutboxMessage {
        let all = try await office.store.list(OutboxSelection(), after: nil, limit: 10)
        return try #require(all.count == 1 ? all.first : nil)
    }

    @Test(
        "a login that does not come about pauses the route; its mail waits beyond its lifetime and leaves when a person ends the pause",
        .timeLimit(.minutes(4)))
    func pause() async throws {
        let office = try office(rests: [.seconds(86_000)])
        try await office.queue(Self.bo, route: "login")
        try await office.delivering {
            _ = try await eventually("paused") { try await office.store.pauses().isEmpty ? nil : true }
            let waiting = try await eventually("put off") { try await only(office).state == .deferred ? try await only(office) : nil }
            #expect(waiting.awaits == "route login" && waiting.attempts == 1 && waiting.route == "login")
            // A second message is not tried at all.
            try await office.queue("cy@one.example.net", route: "login")
            office.wind(.seconds(1))
            _ = try await eventually("told") {
                try await office.store.list(OutboxSelection(), after: nil, limit: 9).last?.awaits == "route login" ? true : nil
            }
            // Long past its lifetime it is still there; the pause was renewed by single tries.
            for _ in 0..<8 {
                let renewals = try #require(try await office.store.pauses().first).renewals
                office.wind(.seconds(86_400))
                _ = try await eventually("renewed") { try await office.store.pauses().first?.renewals ?? 0 > renewals ? true : nil }
                // What was tried is put off by the clock as it stands now.
                _ = try await eventually("put off again") {
                    try await office.store.list(OutboxSelection(states: [.active]), after: nil, limit: 9).isEmpty ? true : nil
                }
            }
            let all = try await office.store.list(OutboxSelection(), after: nil, limit: 9)
            #expect(all.map(\.state) == [.deferred, .deferred], "\(all.map(\.reason))")
            #expect(all.map(\.attempts).reduce(0, +) == 9, "one try for each renewal")
        }
        #expect(office.sink.messages.isEmpty)
        #expect(try await office.store.resume(.route("login"), by: "tests", at: office.clock.now()))
        #expect(try await office.store.list(OutboxSelection(), after: nil, limit: 9).allSatisfy { $0.nextAttemptAt == office.clock.now() })
    }

    @Test("what stands ready for a place is not tried any more once its route is paused", .timeLimit(.minutes(4)))
    func readyBehindPause() async throws {
        let office = try office(rests: [.seconds(86_000)])
        for number in 0..<4 { try await office.queue("c\(number)@one.example.net", route: "login") }
        try await office.delivering {
            let all = try await eventually("all wait for the route") {
                let all = try await office.store.list(OutboxSelection(), after: nil, limit: 9)
                return all.allSatisfy { $0.awaits == "route login" && $0.state == .deferred } ? all : nil
            }
            #expect(all.map(\.attempts).reduce(0, +) <= 2)
        }
        #expect((1...2).contains(office.sink.connections))
    }

    @Test(
        "mail refused for its authentication pauses its identity, and no other; one message tries, and what gets through releases the rest")
    func identity() async throws {
        let office = try office()
        let refusal = "550 5.7.26 This mail has been blocked because the sender is unauthenticated"
        office.sink.script(Self.bo, .refuse(refusal))
        _ = try await office.written(to: Self.bo)
        try await office.delivering {
            let pause = try await eventually("paused") { try await office.store.pauses().first }
            #expect(pause.subject == .identity("anna") && pause.failureClass == "auth_failed")
            #expect(pause.until - office.clock.now() <= .seconds(3600))
            let waiting = try await eventually("put off") { try await only(office).state == .deferred ? try await only(office) : nil }
            // It waits behind the others: the fault may be its own.
            #expect(waiting.awaits == nil && (waiting.nextAttemptAt ?? .init(milliseconds: 0)) > pause.until)
            for number in 0..<3 { try await office.queue("c\(number)@one.example.net", route: "sink") }
            try await office.queue("other@one.example.net", route: "sink", identity: "bert")
            office.wind(.seconds(1))
            _ = try await eventually("the other identity's") { office.sink.messages.count == 1 ? true : nil }
            #expect(office.sink.messages(to: "other@one.example.net").count == 1)
            _ = try await eventually("told") {
                try await office.store.list(OutboxSelection(), after: nil, limit: 9).filter { $0.awaits == "identity anna" }.count == 3
                    ? true : nil
            }
            office.wind(.seconds(3600))
            // One is let through; whichever it is, what gets through ends the pause.
            _ = try await eventually("released") {
                office.wind(.seconds(61))
                return try await office.store.pauses().isEmpty ? true : nil
            }
            _ = try await eventually("all left") { office.sink.messages.count >= 4 ? true : nil }
        }
    }

    @Test("one site that nobody knows does not pause an identity; the second one does")
    func doubt() {
        let board = PauseBoard()
        let now = Office.start
        #expect(!board.isSecondDoubt(about: "anna", of: "mx.one.example", at: now))
        #expect(!board.isSecondDoubt(about: "anna", of: "mx.one.example", at: now + .seconds(60)))
        #expect(!board.isSecondDoubt(about: "bert", of: "mx.two.example", at: now + .seconds(60)))
        #expect(board.isSecondDoubt(about: "anna", of: "mx.two.example", at: now + .seconds(60)))
        #expect(!board.isSecondDoubt(about: "anna", of: "mx.three.example", at: now + .seconds(90_000)))
        #expect(board.tries("anna", at: now) && !board.tries("anna", at: now + .seconds(5)))
        board.hasTried("anna")
        #expect(board.tries("anna", at: now + .seconds(6)))
    }

    @Test("with a fallback the mail goes on at once, and what comes later does not try the paused route", .timeLimit(.minutes(4)))
    func fallback() async throws {
        let office = try office(["login": "dead", "dead": "gone"])
        try await office.queue(Self.bo, route: "login")
        try await office.delivering {
            _ = try await eventually("sent") { office.slow.messages.count == 1 ? true : nil }
            let sent = try await eventually("stored") { try await only(office).state == .sent ? try await only(office) : nil }
            #expect(sent.route == "dead" && sent.firstRoute == "login" && sent.attempts == 2)
            try await office.queue("cy@one.example.net", route: "login")
            office.wind(.seconds(1))
            _ = try await eventually("sent, too") { office.slow.messages.count == 2 ? true : nil }
            let second = try await eventually("stored, too") {
                try await office.store.list(OutboxSelection(states: [.sent]), after: nil, limit: 9).last {
                    $0.recipient.text.hasPrefix("cy@")
                }
            }
            #expect(second.route == "dead" && second.attempts == 1)
        }
        #expect(office.sink.messages.isEmpty)
    }

    @Test("behind the last fallback a message comes back to its first route, in its turn", .timeLimit(.minutes(4)))
    func endOfChain() async throws {
        let office = try office(["login": "gone"])
        try await office.queue(Self.bo, route: "login")
        try await office.delivering {
            let back = try await eventually("both tried") { try await only(office).attempts == 2 ? try await only(office) : nil }
            #expect(back.route == "login" && back.firstRoute == nil && back.state == .deferred)
            #expect(back.nextAttemptAt == office.clock.now() + .seconds(300) && back.awaits == nil)
        }
        let attempts = try await office.store.attempts(of: try await only(office).id)
        #expect(attempts.map(\.stage) == ["authentication", "connect"])
    }

    @Test(
        "what a server says about a message, and what may have left, never goes on by another route", .timeLimit(.minutes(4)),
        arguments: [
            (SinkSMTP.Answer.refuse("451 4.7.1 Greylisted"), OutboxMessage.State.deferred),
            (.refuse("550 5.1.1 no such user"), .bounced), (.refuseData("554 5.7.1 spam"), .bounced),
            (.refuseData("451 4.3.0 later"), .deferred), (.dropAfterDot, .hold), (.dropWithinData, .deferred),
        ])
    func stays(answer: SinkSMTP.Answer, state: OutboxMessage.State) async throws {
        let office = try office(["sink": "dead"])
        office.sink.script(Self.bo, answer)
        try await office.queue(Self.bo, route: "sink")
        try await office.delivering {
            let message = try await eventually("tried") { try await only(office).attempts == 1 ? try await only(office) : nil }
            #expect(message.state == state && message.route == "sink" && message.firstRoute == nil)
        }
        #expect(office.slow.messages.isEmpty && office.slow.refusals.isEmpty)
        #expect(try await office.store.pauses().isEmpty)
    }

    @Test("a dead host's mail goes to the fallback without being tried there", .timeLimit(.minutes(4)))
    func dead() async throws {
        let office = try office(["gone": "sink"])
        for number in 0..<8 { try await office.queue("d\(number)@one.example.net", route: "gone") }
        try await office.delivering {
            _ = try await eventually("the first three") { office.sink.messages.count >= 3 ? true : nil }
            // Some were told to wait while the two were tried.
            _ = try await eventually("all sent") {
                office.wind(.seconds(5))
                return office.sink.messages.count == 8 ? true : nil
            }
            let sent = try await eventually("stored") {
                let sent = try await office.store.list(OutboxSelection(states: [.sent]), after: nil, limit: 9)
                return sent.count == 8 ? sent : nil
            }
            #expect(sent.allSatisfy { $0.route == "sink" && $0.firstRoute == "gone" })
            // Three failures make it dead; two may be under way at once.
            #expect((3...4).contains(sent.count { $0.attempts == 2 }), "\(sent.map(\.attempts))")
        }
        #expect(Set(office.sink.messages.flatMap(\.recipients)).count == 8)
    }
}
