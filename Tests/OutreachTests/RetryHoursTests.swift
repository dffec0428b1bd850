import InternetMessage
import Testing

@testable import Outreach

@Suite("retries and the hours")
struct RetryHoursTests {
    /// Friday 6 March 2026, 16:59 in Berlin: a minute before the office closes.
    private static let friday = Timestamp(seconds: 1_772_812_740)

    private func decided(
        attempt number: Int, after elapsed: Duration, lifetime: Duration = .seconds(5 * 86_400), hours: Bool = true,
        machine: SequenceMachine? = nil
    ) throws
        -> DeliveryDecision
    {
        let zone = try #require(LocalZone("Europe/Berlin"))
        let office = try #require(SendingWindow(days: Weekday.business, opens: 8 * 60, closes: 17 * 60, zone: zone))
        let waits: [Duration] = [.seconds(300), .seconds(900), .seconds(1800), .seconds(3600), .seconds(7200), .seconds(14_400)]
        let retry = try #require(RetrySchedule(waits: waits, jitter: 0, lifetime: lifetime))
        let ids = RecordIDs(now: { Self.friday }, random: { 0 })
        let decider = DeliveryDecider(retry: retry, onUncertain: .hold, chance: Chance(seed: [1]), ids: ids)
        let address = try #require(EmailAddress("bo@example.net"))
        var message = OutboxMessage(
            id: .init(rawValue: 9), workspace: .default, enrollment: .init(rawValue: 3), contact: .init(rawValue: 4), step: 0,
            occurrence: 0,
            identity: "anna", route: "out", reversePath: .null, recipient: address, messageID: try #require(MessageID("a@example.com")),
            subject: "s", bytes: [], createdAt: Self.friday, budgetDate: CivilDate(Self.friday, offsetMinutes: 60),
            nextAttemptAt: Self.friday)
        message.attempts = number - 1
        let now = Self.friday + elapsed
        let attempt = DeliveryAttempt(
            outbox: message.id, startedAt: now, endedAt: now, outcome: .deferred, stage: "recipient", replyCode: 450, enhancedStatus: nil,
            text: "450 greylisted", remoteMTA: nil, tls: nil, transcript: "")
        return decider.decide(attempt, of: message, machine: machine, judgement: nil, hours: hours ? [office] : [])
    }

    @Test("a greylisted message comes back within minutes though the office closed meanwhile, and all of the first four hours")
    func soon() throws {
        #expect(try decided(attempt: 1, after: .zero).nextAttemptAt == Self.friday + .seconds(300))
        #expect(try decided(attempt: 4, after: .seconds(3 * 3600)).nextAttemptAt == Self.friday + .seconds(4 * 3600))
    }

    @Test("what still waits later is tried again when the office opens, not at night nor on a Sunday")
    func later() throws {
        let monday = Timestamp(seconds: 1_773_039_600)
        #expect(try decided(attempt: 5, after: .seconds(4 * 3600)).nextAttemptAt == monday)
        #expect(try decided(attempt: 5, after: .seconds(4 * 3600), hours: false).nextAttemptAt == Self.friday + .seconds(6 * 3600))
        // In the hours it goes on as it was.
        let noon = monday + .seconds(4 * 3600)
        #expect(try decided(attempt: 5, after: noon - Self.friday).nextAttemptAt == noon + .seconds(7200))
    }

    @Test("a message is tried once more when the plan has waited for long enough, and not for that before or after")
    func deferredWay() throws {
        let file = try SequenceFile(
            parsing: Array(
                """
                name = "x"
                [[step]]
                name = "a"
                subject = "s"
                text = "t"
                [[step.transition]]
                on = "deferred"
                after = "PT100M"
                to = "z"
                [[step]]
                type = "stop"
                name = "z"
                """.utf8), file: "x.toml")
        let machine = SequenceMachine(
            enrollment: Enrollment(
                id: .init(rawValue: 3), workspace: .default, contact: .init(rawValue: 4), sequence: .init(rawValue: 5), identity: "anna",
                state: .sending, cause: nil, reason: "", nextStep: 0, dueAt: nil, heldBy: nil, version: 1, createdAt: Self.friday),
            plan: file.plan, zone: try #require(LocalZone("Europe/Berlin")))
        func next(_ attempt: Int, _ minutes: Int64) throws -> Duration? {
            try decided(attempt: attempt, after: .seconds(minutes * 60), machine: machine).nextAttemptAt.map { $0 - Self.friday }
        }
        #expect(try next(1, 0) == .seconds(300))
        #expect(try next(4, 50) == .seconds(6000) + .milliseconds(1))
        let left = try decided(attempt: 5, after: .seconds(6000) + .milliseconds(1), machine: machine)
        #expect(left.consequence.transition?.reason.contains("goes to z") == true)
    }

    @Test("nobody is given up for the hours")
    func lifetime() throws {
        let decision = try decided(attempt: 5, after: .seconds(4 * 3600), lifetime: .seconds(86_400))
        #expect(decision.state == .deferred && decision.nextAttemptAt == Self.friday + .seconds(6 * 3600))
    }
}
