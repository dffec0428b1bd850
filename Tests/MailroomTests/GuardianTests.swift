import InternetMessage
import Logging
import Outreach
import SQLiteStore
import Synchronization
import TestKit
import Testing

@testable import Mailroom

/// Guardrails over a real store, real connections and a clock that is wound by hand.
@Suite("Guardrails over the services")
struct GuardianTests {
    private static func rule(_ scope: GuardrailRule.Scope, lasts: Duration? = nil) -> GuardrailRule {
        GuardrailRule(
            name: "bounce", origin: "built in", metric: .bounce, comparison: .above, threshold: 0.05, minimumSends: 2, days: 7,
            scopes: [scope], action: .pause, lasts: lasts)
    }

    private func guardian(_ office: Office, _ rule: GuardrailRule, notes: @escaping @Sendable (String) -> Void = { _ in }) -> Guardian {
        Guardian(
            store: office.store, rules: Swappable([rule]), clock: office.clock, bell: Bell(), resumed: { office.outboxBell.ring() },
            logger: Logger(label: "tests") { _ in NotedLog(note: notes) })
    }

    /// Two messages of a sequence that were refused for good.
    private func fail(_ office: Office) async throws {
        for name in ["x", "y"] {
            let enrollment = try await office.enroll("\(name)@one.example.net")
            #expect(try await office.dispatcher.dispatchDue() == 1)
            let message = try #require(try await office.store.messages(enrollment: enrollment.id).first)
            let claimed = try #require(
                try await office.store.claimDeliverable(
                    now: office.clock.now(), limit: 9, lease: Lease(owner: "x", until: office.clock.now() + .seconds(60))
                ).first { $0.id == message.id })
            let attempt = DeliveryAttempt(
                outbox: message.id, startedAt: office.clock.now(), endedAt: office.clock.now(), outcome: .rejected, stage: "RCPT TO",
                replyCode: 550, enhancedStatus: nil, text: "550 no", remoteMTA: nil, tls: nil, transcript: "")
            let event = TimelineEvent(
                id: office.ids.next(), at: office.clock.now(), kind: .rejected, contact: enrollment.contact, enrollment: enrollment.id,
                outbox: message.id, summary: "refused", facts: ["class": "invalid_recipient"])
            let result = try await office.store.record(
                attempt, claim: claimed.claim, state: .bounced, nextAttemptAt: nil, consequence: Consequence(timeline: [event]))
            #expect(result == .committed)
        }
    }

    @Test(
        "bad figures pause their sequence, identity or instance: steps are postponed, queued mail waits, and a person lets both go",
        .timeLimit(.minutes(4)),
        arguments: [
            (GuardrailRule.Scope.sequence, SendingPause.Subject.sequence("2 steps")), (.identity, .identity("anna")),
            (.instance, .instance),
        ])
    func pauses(_ scope: GuardrailRule.Scope, _ subject: SendingPause.Subject) async throws {
        let lines = Mutex<[String]>([])
        let office = try Office()
        let guardian = guardian(office, Self.rule(scope)) { line in lines.withLock { $0.append(line) } }
        _ = try await guardian.look()
        try await fail(office)
        let waiting = try await office.enroll("w@one.example.net")
        #expect(try await office.dispatcher.dispatchDue() == 1)
        let next = try await guardian.look()
        #expect(next == office.clock.now() + .seconds(900))
        #expect(try await office.store.pauses().map(\.subject) == [subject])
        #expect(lines.withLock { $0.contains { $0.contains("is paused") && $0.contains("bounce rate 100.00 % (2 of 2 in 7 days)") } })

        office.wind(.seconds(2))
        let late = try await office.enroll("l@one.example.net")
        #expect(try await office.dispatcher.dispatchDue() == 1)
        let held = try await office.current(late)
        #expect(held.heldBy?.hasPrefix("\(subject.kind) \(subject.name) is paused until a person ends it: bounce rate") == true)
        #expect(held.state == .active && held.nextStep == 0)
        try await office.delivering {
            let message = try await eventually("it waits") {
                try await office.store.messages(enrollment: waiting.id).first { $0.awaits == OutboxMessage.awaiting(subject) }
            }
            #expect(message.state == .deferred && message.attempts == 0 && message.reason == held.heldBy)
            // What belongs to no sequence is nobody's campaign.
            if scope != .identity {
                try await office.queue("free@one.example.net", route: "sink")
                office.outboxBell.ring()
                _ = try await office.sink.waitForMessages(1)
            }
            #expect(office.sink.messages.allSatisfy { $0.recipients == ["free@one.example.net"] })
            let override = GuardrailOverride(subject: subject, reason: "seen to (bo)", at: office.clock.now(), until: nil)
            #expect(try await office.store.override(override))
            office.outboxBell.ring()
            try await office.settled(waiting, as: [.sent])
        }
        #expect(try await office.dispatcher.dispatchDue() == 1)
        let gone = try await office.current(late)
        #expect(gone.nextStep == 0 && gone.state == .sending)
        // The same figures do not pause it again.
        _ = try await guardian.look()
        #expect(try await office.store.pauses().isEmpty)
    }

    @Test("a pause that lasts for a time is looked at again when that is over, and ends when its figures have left the window")
    func ends() async throws {
        let office = try Office()
        let guardian = guardian(office, Self.rule(.sequence, lasts: .seconds(600)))
        try await fail(office)
        let next = try await guardian.look()
        #expect(next == office.clock.now() + .seconds(600))
        office.clock.wind(.seconds(600))
        _ = try await guardian.look()
        #expect(try await office.store.pauses().first?.renewals == 1)
        office.clock.wind(.seconds(8 * 86_400))
        _ = try await guardian.look()
        #expect(try await office.store.pauses().isEmpty)
    }
}
