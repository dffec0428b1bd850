import InternetMessage
import Outreach
import SQLiteStore
import TestKit
import Testing

@testable import Mailroom

/// A peer that is lost after each final dot.
@Suite("resending what may have left")
struct ResendTests {
    @Test(
        "by choice a message is sent again twice at most, then a person decides; by default nobody sends it again", .timeLimit(.minutes(4)),
        arguments: [(DeliveryDecider.OnUncertain.resend, 3), (.hold, 1)])
    func bounded(_ choice: DeliveryDecider.OnUncertain, copies: Int) async throws {
        let office = try Office(onUncertain: choice)
        let address = "bo@one.example.net"
        office.sink.script(address, then: .dropAfterDot)
        try await office.queue(address, route: "sink")
        func only() async throws -> OutboxMessage {
            try #require(try await office.store.list(OutboxSelection(), after: nil, limit: 9).first)
        }
        try await office.delivering {
            for _ in 0..<12 where try await only().state != .hold {
                _ = try await eventually("tried") {
                    let message = try await only()
                    return message.state == .hold
                        || message.state == .deferred && (message.nextAttemptAt ?? Office.start) > office.clock.now()
                        ? true : nil
                }
                office.wind(.seconds(600))
            }
        }
        let held = try await only()
        #expect(held.state == .hold && held.attempts == copies && held.finalDotAt != nil, "\(held.state) \(held.attempts) \(held.reason)")
        // A person who wants one more copy gets one, and is asked again.
        #expect(try await office.store.command(.release(resend: true), on: OutboxSelection(ids: [held.id]), at: office.clock.now()) == 1)
        try await office.delivering {
            _ = try await eventually("tried once more") { try await only().attempts == copies + 1 ? true : nil }
        }
        #expect(try await only().state == .hold)
    }
}
