import InternetMessage
import Testing

@testable import Outreach

private func zone(_ name: String) throws -> LocalZone { try #require(LocalZone(name)) }

private func moment(_ iso: String) throws -> Timestamp {
    // 2026-03-02T08:00:00Z
    let digits = iso.split { "-T:Z".contains($0) }.compactMap { Int($0) }
    try #require(digits.count == 6)
    let date = try #require(CivilDate(year: digits[0], month: digits[1], day: digits[2]))
    return Timestamp(seconds: Int64(date.daysSinceEpoch) * 86_400 + Int64(digits[3] * 3600 + digits[4] * 60 + digits[5]))
}

private func window(_ zoneName: String, _ days: Set<Weekday> = [.monday, .tuesday, .wednesday, .thursday, .friday]) throws -> SendingWindow
{
    try #require(SendingWindow(days: days, opens: 9 * 60, closes: 17 * 60, zone: zone(zoneName)))
}

@Suite("pacing")
struct PacingTests {
    @Test(
        "a closed window opens at its next opening on the wall clock of its zone",
        arguments: [
            ("Europe/Berlin", "2026-03-02T10:00:00Z", "2026-03-02T10:00:00Z"),  // open
            ("Europe/Berlin", "2026-03-02T05:00:00Z", "2026-03-02T08:00:00Z"),
            ("Europe/Berlin", "2026-03-06T16:00:00Z", "2026-03-09T08:00:00Z"),  // Friday 17:00, closed
            ("Europe/Berlin", "2026-03-27T20:00:00Z", "2026-03-30T07:00:00Z"),  // over the change to summer time
            ("America/New_York", "2026-03-02T03:00:00Z", "2026-03-02T14:00:00Z"),
            ("Pacific/Auckland", "2026-03-01T19:00:00Z", "2026-03-01T20:00:00Z"),  // Monday there
        ])
    func opening(zoneName: String, from: String, expected: String) throws {
        #expect(try window(zoneName).nextOpen(from: moment(from)) == moment(expected))
    }

    @Test("a skipped hour is taken after the change, a doubled one the first time")
    func daylightSaving() throws {
        let berlin = try zone("Europe/Berlin")
        let spring = try #require(CivilDate(year: 2026, month: 3, day: 29))
        #expect(try berlin.moment(spring, minuteOfDay: 150) == moment("2026-03-29T01:30:00Z"))
        let autumn = try #require(CivilDate(year: 2026, month: 10, day: 25))
        #expect(try berlin.moment(autumn, minuteOfDay: 150) == moment("2026-10-25T00:30:00Z"))
    }

    @Test(
        "local dates and times agree both ways around the clock in many zones",
        arguments: [
            "UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Pacific/Auckland", "America/Los_Angeles",
        ])
    func roundTrip(name: String) throws {
        let zone = try zone(name)
        for hour in 0..<200 {
            let at = try moment("2026-06-15T00:30:00Z") + .seconds(hour * 3600)
            #expect(zone.moment(zone.date(at: at), minuteOfDay: zone.minuteOfDay(at: at)) == at)
        }
    }

    @Test("the gate names the limit that binds and when it lifts")
    func gate() throws {
        let policy = PacingGate.Policy(dailyLimit: 2, minimumGap: .seconds(90), gapJitter: .seconds(60), window: try window("UTC"))
        let gate = PacingGate(identity: "anna", policy: policy, chance: Chance(seed: [1]))
        let open = try moment("2026-03-02T10:00:00Z")
        let enrollment = Enrollment.ID(rawValue: 1)
        #expect(gate.verdict(at: open, usage: .init(countOnDate: 0, lastAt: nil), enrollment: enrollment) == .leave)
        #expect(
            gate.verdict(at: open, usage: .init(countOnDate: 2, lastAt: nil), enrollment: enrollment)
                == .line(until: try moment("2026-03-03T09:00:00Z"), because: "daily limit of 2 for identity anna is reached"))
        guard case .line(let until, _) = gate.verdict(at: open, usage: .init(countOnDate: 1, lastAt: open), enrollment: enrollment) else {
            Issue.record("the gap did not hold"); return
        }
        #expect(until >= open + .seconds(90) && until <= open + .seconds(150))
        #expect(gate.verdict(at: until, usage: .init(countOnDate: 1, lastAt: open), enrollment: enrollment) == .leave)
        guard
            case .wait(_, let because) = gate.verdict(
                at: try moment("2026-03-02T08:00:00Z"), usage: .init(countOnDate: 0, lastAt: nil), enrollment: enrollment)
        else { Issue.record("the window did not hold"); return }
        #expect(because.contains("window"))
    }

    @Test("a deferred message is tried by the schedule, the last wait repeats, and its lifetime ends it")
    func retries() throws {
        let schedule = try #require(RetrySchedule(waits: [.seconds(300), .seconds(900)], jitter: 0, lifetime: .seconds(3600)))
        let chance = Chance(seed: [1])
        let created = try moment("2026-03-02T10:00:00Z")
        let id = OutboxMessage.ID(rawValue: 9)
        let first = try #require(schedule.next(after: 1, at: created, waitsSince: created, message: id, chance: chance))
        #expect(first == created + .seconds(300))
        #expect(schedule.next(after: 2, at: first, waitsSince: created, message: id, chance: chance) == first + .seconds(900))
        #expect(
            schedule.next(after: 5, at: created + .seconds(2700), waitsSince: created, message: id, chance: chance) == created
                + .seconds(3600))
        // Not given up before its time: once more, a twentieth of the lifetime before the end.
        #expect(
            schedule.next(after: 5, at: created + .seconds(2701), waitsSince: created, message: id, chance: chance) == created
                + .seconds(3420))
        #expect(schedule.next(after: 6, at: created + .seconds(3196), waitsSince: created, message: id, chance: chance) == nil)
        #expect(schedule.next(after: 6, at: created + .seconds(3420), waitsSince: created, message: id, chance: chance) == nil)
        let jittered = try #require(RetrySchedule(waits: [.seconds(1000)], jitter: 0.1, lifetime: .seconds(36_000)))
        let waits = (1...50).compactMap {
            jittered.next(after: $0, at: created, waitsSince: created, message: id, chance: chance).map { $0 - created }
        }
        #expect(waits.allSatisfy { $0 >= .seconds(900) && $0 <= .seconds(1100) })
        #expect(Set(waits).count > 40)
    }

    @Test("chance is the same for the same subjects and keeps subjects apart")
    func chance() {
        let chance = Chance(seed: [1, 2, 3])
        #expect(chance.bits("a", ["b", "c"]) == Chance(seed: [1, 2, 3]).bits("a", ["b", "c"]))
        #expect(chance.bits("a", ["bc"]) != chance.bits("a", ["b", "c"]))
        #expect(chance.bits("a", []) != Chance(seed: [1, 2]).bits("a", []))
        let fractions = (0..<2000).map { chance.fraction("x", ["\($0)"]) }
        #expect(fractions.allSatisfy { (0..<1).contains($0) })
        #expect(abs(fractions.reduce(0, +) / 2000 - 0.5) < 0.03)
    }

    @Test(
        "durations are read or refused",
        arguments: [
            ("P3D", 259_200), ("PT90M", 5_400), ("P1W", 604_800), ("P1DT12H", 129_600), ("PT0S", 0), ("P", nil), ("PT", nil), ("P1M", nil),
            ("P1Y", nil), ("3D", nil), ("P3", nil), ("PT1H1H", nil), ("P1D1W", nil), ("P-1D", nil), ("P99999999999D", nil), ("P1DT", nil),
        ] as [(String, Int64?)])
    func durations(text: String, seconds: Int64?) { #expect(ISODuration(text)?.seconds == seconds) }
}
