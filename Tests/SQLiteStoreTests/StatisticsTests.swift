import Foundation
import InternetMessage
import Outreach
import TestKit
import Testing

@testable import SQLiteStore

@Suite("Rollups")
struct StatisticsTests {
    /// The same numbers in every run.
    private struct Dice: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }

    /// A history that a generator made, told in an order that is not that of its ids, and counted here in the plainest way.
    private struct History {
        struct Told {
            let event: TimelineEvent
            let step: Int
            let identity: String
            let provider: String
        }

        var told: [Told] = []

        /// All counts of a part, from the whole history at once.
        func tally(where holds: (Told) -> Bool = { _ in true }, withQueued: Bool = true) -> Tally {
            var tally = Tally()
            func add(_ count: Tally.Count, _ cause: Told) { if holds(cause) { tally[count] += 1 } }
            for (_, own) in Dictionary(grouping: told, by: { $0.event.enrollment }) {
                let events = own.sorted { $0.event.id < $1.event.id }
                for cause in events {
                    switch cause.event.kind {
                    case .queued: if withQueued { add(.queued, cause) }
                    case .deferred: add(.deferred, cause)
                    case .delivered: add(.accepted, cause)
                    case .expired: add(.expired, cause)
                    case .rejected:
                        add(.refused, cause)
                        add(cause.event.facts["class"] == "invalid_recipient" ? .bouncedHard : .bouncedSoft, cause)
                    default: break
                    }
                }
                if let first = events.first(where: { $0.event.kind == .delivered }) { add(.contacted, first) }
                var answers: [(cause: Told, word: String)] = []
                for intake in Set(events.compactMap(\.event.intake)) {
                    let all = events.filter { $0.event.intake == intake }
                    let certainty = all.last { $0.event.kind == .correlated }?.event.facts["certainty"]
                    let word = all.last { $0.event.kind == .classified && $0.event.facts["class"] != nil }?.event.facts["class"]
                    let isNothing = all.contains { $0.event.facts["duplicate_of"] != nil || $0.event.facts["own"] != nil }
                    guard let first = all.first, let word, let certainty, certainty != "low", !isNothing else { continue }
                    answers.append((first, word))
                }
                answers += events.filter { $0.event.kind == .unsubscribed && $0.event.intake == nil }.map { ($0, "link") }
                answers.sort { $0.cause.event.id < $1.cause.event.id }
                func first(_ count: Tally.Count, _ words: Set<String>) {
                    if let answer = answers.first(where: { words.contains($0.word) }) { add(count, answer.cause) }
                }
                first(.replied, ["positive", "negative", "unsubscribe", "neutral"])
                first(.positive, ["positive"])
                first(.negative, ["negative"])
                first(.neutral, ["neutral"])
                first(.unsubscribed, ["unsubscribe", "link"])
                first(.outOfOffice, ["out_of_office"])
                first(.complained, ["complaint"])
                var bounced: Set<OutboxMessage.ID?> = []
                for answer in answers where answer.word == "bounce" {
                    let failure = events.last { $0.event.intake == answer.cause.event.intake && $0.event.kind == .bounced }
                    guard let failure, bounced.insert(answer.cause.event.outbox).inserted else { continue }
                    add(failure.event.facts["class"] == "invalid_recipient" ? .bouncedHard : .bouncedSoft, answer.cause)
                }
            }
            return tally
        }
    }

    @Test(
        "they are those of a count of everything, whatever the order of commits and wherever the count was interrupted",
        arguments: 1...12 as ClosedRange<UInt64>)
    func random(seed: UInt64) async throws {
        var dice = Dice(state: seed)
        var folders = [StoreFolder()]
        var store = try folders[0].open()
        let now = Moment()
        let ids = RecordIDs(now: { now.value }, random: { 3 })
        let world = StoreWorld(store: store)
        let domains = ["gmail.com", "example.com", "gmx.de"]
        var messages: [OutboxMessage] = []
        for person in 0..<12 {
            let domain = domains[person % domains.count]
            let enrollment = try await world.enrolled("p\(person)@\(domain)", sequence: person % 4 == 0 ? "other" : "hello")
            for step in 0..<3 {
                let message = try world.message(to: "p\(person)@\(domain)", enrollment: enrollment, step: step)
                _ = try await store.dispatch(message, with: Consequence())
                messages.append(message)
            }
        }
        var history = History()
        var held: [TimelineEvent] = []
        var intakes: [(IncomingMessage.ID, OutboxMessage)] = []
        for _ in 0..<300 {
            now.advance(by: .seconds(Int64.random(in: 0...7200, using: &dice)))
            guard let message = messages.randomElement(using: &dice) else { continue }
            var fresh: [TimelineEvent] = []
            func say(
                _ kind: TimelineEvent.Kind, _ message: OutboxMessage, _ facts: [String: String] = [:], _ intake: IncomingMessage.ID? = nil
            ) {
                fresh.append(
                    TimelineEvent(
                        id: ids.next(), at: now.value, kind: kind, contact: message.contact, enrollment: message.enrollment,
                        outbox: message.id, intake: intake, summary: "", facts: facts))
            }
            let failure = ["invalid_recipient", "mailbox_full"].randomElement(using: &dice) ?? ""
            let word =
                ["positive", "negative", "unsubscribe", "neutral", "out_of_office", "complaint", "bounce", "challenge"]
                .randomElement(using: &dice) ?? ""
            switch Int.random(in: 0..<12, using: &dice) {
            case 0, 1: say(.queued, message)
            case 2: say(.deferred, message)
            case 3, 4: say(.delivered, message)
            case 5: say(.rejected, message, ["class": failure])
            case 6: say(.expired, message)
            case 7: say(.unsubscribed, message, ["source": "link"])
            case 8, 9:
                let intake = try world.incoming()
                let copy = IncomingMessage(
                    id: ids.next(), way: .smtp, receivedAt: now.value, reversePath: nil, forwardPaths: [], origin: "", bytes: intake.bytes)
                try await store.accept(copy)
                intakes.append((copy.id, message))
                say(.received, message, [:], copy.id)
                say(.correlated, message, ["certainty": Bool.random(using: &dice) ? "high" : "low"], copy.id)
                if Int.random(in: 0..<8, using: &dice) == 0 {
                    say(.classified, message, ["duplicate_of": "x"], copy.id)
                } else {
                    say(.classified, message, ["class": word, "confidence": "0.9"], copy.id)
                    if word == "bounce" { say(.bounced, message, ["class": failure], copy.id) }
                }
            case 10:
                if let (intake, message) = intakes.randomElement(using: &dice) {
                    say(.classified, message, ["class": word, "by": "bo"], intake)
                }
            default:
                if let (intake, message) = intakes.randomElement(using: &dice) {
                    say(.correlated, message, ["certainty": "high", "by": "bo"], intake)
                }
            }
            for event in fresh {
                let message = try #require(messages.first { $0.id == event.outbox })
                let domain = message.recipient.text.utf8.contains(UInt8(ascii: "@")) ? message.recipient.domain : ""
                history.told.append(
                    .init(
                        event: event, step: message.step, identity: message.identity,
                        provider: RecipientProvider.name(noted: nil, domain: domain)))
            }
            // Some are held back, as by a process that is slow to commit.
            if Int.random(in: 0..<4, using: &dice) == 0 { held += fresh } else { try await store.tell(fresh) }
            if Int.random(in: 0..<6, using: &dice) == 0 {
                try await store.tell(held)
                held = []
            }
            if Int.random(in: 0..<5, using: &dice) == 0 {
                _ = try await store.countEvents(
                    before: Bool.random(using: &dice) ? nil : now.value - .seconds(3600), limit: Int.random(in: 1...20, using: &dice))
            }
            if Int.random(in: 0..<40, using: &dice) == 0 {
                // A count that fails before its end leaves nothing behind.
                try await store.execute(
                    "CREATE TRIGGER trouble BEFORE INSERT ON rollup_contact_hour BEGIN SELECT RAISE(ABORT, 'trouble'); END")
                _ = try? await store.countEvents(before: nil, limit: 50)
                try await store.execute("DROP TRIGGER trouble")
            }
            if Int.random(in: 0..<60, using: &dice) == 0 {
                let image = try #require(folders.last).crashImage()
                folders.append(image)
                store = try image.open()
            }
        }
        try await store.tell(held)
        #expect(try await store.verifyStatistics() == [])

        func parts(_ split: StatisticsSplit) async throws -> [StatisticsPart] {
            try await store.statistics(workspace: .default, sequenceName: nil, by: split, since: nil)
        }
        #expect(try await parts(.all).first?.tally == history.tally())
        for part in try await parts(.identity) { #expect(part.tally == history.tally { part.value == .named($0.identity) }) }
        for part in try await parts(.provider) {
            #expect(part.tally == history.tally(where: { part.value == .named($0.provider) }, withQueued: false))
        }
        for part in try await parts(.day) {
            #expect(part.tally == history.tally { part.value == .day(CivilDate($0.event.at)) }, "\(part)")
        }
        var steps: [Int: Tally] = [:]
        for name in ["hello", "other"] {
            for part in try await store.statistics(workspace: .default, sequenceName: name, by: .step, since: nil) {
                if case .step(_?, let step) = part.value { steps[step, default: Tally()] += part.tally }
            }
        }
        for step in 0..<3 { #expect(steps[step] ?? Tally() == history.tally { $0.step == step }) }
    }

    @Test("a tampered count is found")
    func tampered() async throws {
        let folder = StoreFolder()
        let store = try folder.open()
        let world = StoreWorld(store: store)
        let (_, message) = try await world.claimed("ann@example.com")
        try await store.tell([world.event(.delivered, of: message, at: 1)])
        #expect(try await store.verifyStatistics() == [])
        for sql in [
            "UPDATE rollup_day SET accepted = accepted + 1 WHERE dimension = 'step'", "UPDATE rollup_contact_hour SET accepted = 0",
            "UPDATE rollup_state SET enrollments = 7",
        ] {
            try await store.execute(sql)
            #expect(try await store.verifyStatistics().count > 0, "\(sql)")
        }
    }

    private final class Moment: Sendable {
        private let box = Box()
        var value: Timestamp { box.lock.withLock { box.time } }
        func advance(by duration: Duration) { box.lock.withLock { box.time += duration } }

        // `time` is guarded by `lock`.
        private final class Box: @unchecked Sendable {
            let lock = NSLock()
            var time = Timestamp(seconds: 1_790_000_000)
        }
    }
}

extension SQLiteStore {
    fileprivate func tell(_ events: [TimelineEvent]) async throws(StoreError) { _ = try await apply(Consequence(timeline: events)) }
}
