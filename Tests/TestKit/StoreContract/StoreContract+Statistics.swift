import InternetMessage
package import Outreach

extension StoreContract {
    static var statistics: [Self] {
        [
            .init("each event is counted once, by step, identity, provider and day, and for its contact by hour") { world in
                let store = world.store
                let (enrollment, message) = try await world.claimed("ann@gmail.com")
                try await world.tell(.queued, of: message, at: 0)
                try await world.tell(.deferred, of: message, at: 10)
                var attempt = world.attempt(message, .accepted)
                attempt.provider = "google"
                let result = try await store.record(
                    attempt, claim: message.claim, state: .sent, nextAttemptAt: nil,
                    consequence: Consequence(timeline: [world.event(.delivered, of: message, at: 86_400)]))
                try expect(result, .committed, "an attempt is recorded")
                try await store.countAllEvents()
                try expect(try await store.countEvents(before: nil, limit: 10), 0, "what is counted is not counted again")
                let all = try await store.statistics(workspace: .default, sequenceName: "hello", by: .all, since: nil)
                try expect(all.map(\.value), [.all], "there is one tally of all")
                try expect(
                    all.first?.tally, world.tally([.queued: 1, .deferred: 1, .accepted: 1, .contacted: 1]), "each event counts once")
                let expected: [(StatisticsSplit, StatisticsPart.Value, [Tally.Count: Int])] = [
                    (.step, .step(enrollment.sequence, 0), [.queued: 1, .deferred: 1, .accepted: 1, .contacted: 1]),
                    (.identity, .named("sales"), [.queued: 1, .deferred: 1, .accepted: 1, .contacted: 1]),
                    (.provider, .named("google"), [.deferred: 1, .accepted: 1, .contacted: 1]),
                ]
                for (split, value, counts) in expected {
                    let parts = try await store.statistics(workspace: .default, sequenceName: "hello", by: split, since: nil)
                    try expect(parts, [StatisticsPart(value: value, tally: world.tally(counts))], "by \(split.rawValue)")
                }
                let days = try await store.statistics(workspace: .default, sequenceName: "hello", by: .day, since: nil)
                let both: [StatisticsPart.Value] = [.day(try world.day(21)), .day(try world.day(22))]
                try expect(days.map(\.value), both, "days are told apart")
                let later = try await store.statistics(
                    workspace: .default, sequenceName: "hello", by: .all, since: try world.day(22))
                try expect(later.first?.tally, world.tally([.accepted: 1, .contacted: 1]), "days before the first one do not count")
                let tenant = try await store.statistics(workspace: .default, sequenceName: nil, by: .all, since: nil)
                try expect(tenant, all, "a workspace is the sum of its sequences")
                let hours = try await store.statistics(contact: enrollment.contact)
                try expect(hours.map(\.tally[.accepted]), [0, 1], "a contact has its hours")
                try expect(try await store.verifyStatistics(), [], "a count from the beginning gives the same")
            },
            .init("an event that is stored behind those that were counted is counted") { world in
                let (_, message) = try await world.claimed("ann@example.com")
                let early = world.event(.deferred, of: message, at: 1)
                try await world.tell(.queued, of: message, at: 2)
                try await world.store.countAllEvents()
                _ = try await world.store.apply(Consequence(timeline: [early]))
                try await world.store.countAllEvents()
                let all = try await world.store.statistics(workspace: .default, sequenceName: "hello", by: .all, since: nil)
                try expect(all.first?.tally, world.tally([.queued: 1, .deferred: 1]), "the late event is counted")
                try expect(try await world.store.countEvents(before: nil, limit: 10), 0, "and once")
            },
            .init("events that are not old enough wait") { world in
                let (_, message) = try await world.claimed("ann@example.com")
                try await world.tell(.queued, of: message, at: 2)
                try expect(try await world.store.countEvents(before: StoreWorld<Store>.start, limit: 10), 0, "it is not counted yet")
                try expect(
                    try await world.store.countEvents(before: StoreWorld<Store>.start + .seconds(1), limit: 10) > 0, "it is counted later")
            },
            .init("what a person says of a reply changes what it counts as") { world in
                let store = world.store
                let (enrollment, message) = try await world.claimed("ann@example.com")
                try await world.tell(.delivered, of: message, at: 1)
                func answer(_ word: String, certainty: String = "high") async throws -> IncomingMessage.ID {
                    let intake = try world.incoming()
                    try await store.accept(intake)
                    try await world.say(.correlated, ["certainty": certainty], intake.id, message)
                    try await world.say(.classified, ["class": word], intake.id, message)
                    return intake.id
                }
                func counted() async throws -> [Tally.Count: Int] {
                    try await store.countAllEvents()
                    let tally = try await store.statistics(workspace: .default, sequenceName: "hello", by: .all, since: nil).first?.tally
                    return Dictionary(uniqueKeysWithValues: Tally.Count.allCases.map { ($0, tally?[$0] ?? 0) }).filter { $0.value != 0 }
                }
                let first = try await answer("positive")
                try expect(try await counted(), [.accepted: 1, .contacted: 1, .replied: 1, .positive: 1], "a reply counts")
                let second = try await answer("positive")
                try expect(try await counted(), [.accepted: 1, .contacted: 1, .replied: 1, .positive: 1], "a person counts once")
                try await world.say(.classified, ["class": "negative", "by": "bo"], first, message)
                try expect(
                    try await counted(), [.accepted: 1, .contacted: 1, .replied: 1, .positive: 1, .negative: 1], "a label counts instead")
                try await world.say(.classified, ["class": "auto_acknowledgement", "by": "bo"], second, message)
                try expect(
                    try await counted(), [.accepted: 1, .contacted: 1, .replied: 1, .negative: 1], "what is no reply counts no more")
                let doubtful = try await answer("question", certainty: "low")
                try expect(try await counted()[.question], nil, "what may answer something else does not count")
                try await world.say(.correlated, ["certainty": "high", "by": "bo"], doubtful, message)
                try expect(try await counted()[.question], 1, "confirmed it does")
                _ = try await store.apply(
                    Consequence(timeline: [world.event(.unsubscribed, of: message, at: 9), world.event(.unsubscribed, of: message, at: 9)]))
                try expect(try await counted()[.unsubscribed], 1, "a way out that is taken twice counts once")
                try expect(try await store.verifyStatistics(), [], "a count from the beginning gives the same")
                let states = try await store.enrollmentCounts(workspace: .default, sequenceName: "hello")
                try expect(states, [EnrollmentCount(state: .sending, cause: nil, count: 1)], "the enrollment counts where it stands")
                _ = try await store.apply(
                    Consequence(
                        transition: world.transition(try await world.current(enrollment), to: .stopped, cause: .replied),
                        timeline: [world.event(.transition, contact: enrollment.contact, enrollment: enrollment.id)]))
                try await store.countAllEvents()
                try expect(
                    try await store.enrollmentCounts(workspace: .default, sequenceName: "hello"),
                    [EnrollmentCount(state: .stopped, cause: .replied, count: 1)], "and where it stands later")
            },
            .init("what was counted of somebody who is erased stays counted") { world in
                let store = world.store
                let (_, message) = try await world.claimed("ann@gmail.com")
                try await world.tell(.queued, of: message, at: 0)
                _ = try await store.record(
                    world.attempt(message, .rejected), claim: message.claim, state: .bounced, nextAttemptAt: nil,
                    consequence: Consequence(
                        timeline: [world.event(.rejected, of: message, at: 1, facts: ["class": "invalid_recipient", "rule": "a:1"])]))
                try await store.countAllEvents()
                let before = try await store.statistics(workspace: .default, sequenceName: "hello", by: .provider, since: nil)
                try expect(before.map(\.value), [.named("google")], "the domain says whose mailbox it is")
                try expect(before.first?.tally[.bouncedHard], 1, "its failure is a hard bounce")
                _ = try await store.erase(
                    Erasure(workspace: .default, address: try world.address("ann@gmail.com"), person: "bo", at: world.later(9)))
                try expect(try await store.verifyStatistics(), [], "a count from the beginning gives the same")
                try expect(
                    try await store.statistics(workspace: .default, sequenceName: "hello", by: .provider, since: nil), before,
                    "nothing else is counted")
            },
        ]
    }
}

extension StoreWorld {
    package func event(
        _ kind: TimelineEvent.Kind, of message: OutboxMessage, at seconds: Int64, facts: [String: String] = [:]
    ) -> TimelineEvent {
        TimelineEvent(
            id: ids.next(), at: later(seconds), kind: kind, contact: message.contact, enrollment: message.enrollment, outbox: message.id,
            summary: "so it went", facts: facts)
    }

    fileprivate func tell(_ kind: TimelineEvent.Kind, of message: OutboxMessage, at seconds: Int64) async throws {
        _ = try await store.apply(Consequence(timeline: [event(kind, of: message, at: seconds)]))
    }

    fileprivate func say(
        _ kind: TimelineEvent.Kind, _ facts: [String: String], _ intake: IncomingMessage.ID, _ message: OutboxMessage
    ) async throws {
        let event = TimelineEvent(
            id: ids.next(), at: later(5), kind: kind, contact: message.contact, enrollment: message.enrollment, outbox: message.id,
            intake: intake, summary: "so it was read", facts: facts)
        _ = try await store.apply(Consequence(timeline: [event]))
    }

    fileprivate func tally(_ counts: [Tally.Count: Int]) -> Tally {
        var tally = Tally()
        for (count, number) in counts { tally[count] = number }
        return tally
    }
}
