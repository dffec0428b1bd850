import InternetMessage
import TestKit
import Testing

@testable import Outreach

@Suite("the first gate: identities")
struct FirstGateTests {
    private func moment(_ iso: String) throws -> Timestamp {
        let digits = iso.split { "-T:Z".contains($0) }.compactMap { Int($0) }
        let date = try #require(CivilDate(year: digits[0], month: digits[1], day: digits[2]))
        return date.startOfDayUTC + .seconds(digits[3] * 3600 + digits[4] * 60)
    }

    private func window(_ zone: String, _ opens: Int = 8 * 60, _ closes: Int = 18 * 60) throws -> SendingWindow {
        let zone = try #require(LocalZone(zone))
        return try #require(
            SendingWindow(days: [.monday, .tuesday, .wednesday, .thursday, .friday], opens: opens, closes: closes, zone: zone))
    }

    private func workday() throws -> Workday {
        try #require(Workday(start: 543...567, end: 1038...1076, lunch: 720...810, lunchLength: 30...60))
    }

    @Test("a workday is drawn from identity and date: the same again, another each day, always within its bounds")
    func rolled() throws {
        let day = try workday()
        let chance = Chance(seed: [1])
        let monday = try #require(CivilDate(year: 2026, month: 3, day: 2))
        var seen: Set<[Range<Int>]> = []
        for offset in 0..<60 {
            let date = monday.adding(days: offset)
            let spans = day.spans(of: "anna", on: date, chance: chance)
            #expect(spans == day.spans(of: "anna", on: date, chance: Chance(seed: [1])))
            #expect(spans.count == 2)
            #expect((543...567).contains(spans[0].lowerBound) && (1038...1076).contains(spans[1].upperBound))
            #expect(spans[0].upperBound >= 720 && spans[1].lowerBound <= 810)
            #expect((30...60).contains(spans[1].lowerBound - spans[0].upperBound))
            seen.insert(spans)
        }
        #expect(seen.count > 50)
        #expect(day.spans(of: "anna", on: monday, chance: chance) != day.spans(of: "bo", on: monday, chance: chance))
        #expect(Workday(start: 543...567, end: 560...1076, lunch: nil, lunchLength: 0...0) == nil)
        #expect(Workday(start: 543...567, end: 1038...1076, lunch: 500...810, lunchLength: 0...0) == nil)
        #expect(Workday(start: 543...567, end: 1038...1076, lunch: 720...740, lunchLength: 30...60) == nil)
    }

    @Test(
        "open hours stay on the wall clock over changes of summer time and in zones far away",
        arguments: [
            // zone, from, earliest, latest opening: 09:03 to 09:27 local, next working day
            ("Europe/Berlin", "2026-03-27T19:00Z", "2026-03-30T07:03Z", "2026-03-30T07:27Z"),
            ("Europe/Berlin", "2026-10-23T19:00Z", "2026-10-26T08:03Z", "2026-10-26T08:27Z"),
            ("America/New_York", "2026-03-06T23:00Z", "2026-03-09T13:03Z", "2026-03-09T13:27Z"),
            ("Pacific/Auckland", "2026-04-03T10:00Z", "2026-04-05T21:03Z", "2026-04-05T21:27Z"),
            ("Asia/Kathmandu", "2026-06-05T14:00Z", "2026-06-08T03:18Z", "2026-06-08T03:42Z"),
        ])
    func openHours(zone: String, from: String, earliest: String, latest: String) throws {
        let hours = OpenHours(identity: "anna", window: try window(zone), workday: try workday(), chance: Chance(seed: [3]))
        let opens = hours.nextOpen(from: try moment(from))
        let bounds = try moment(earliest)...moment(latest)
        #expect(bounds.contains(opens), "\(opens.iso8601)")
        #expect(hours.nextOpen(from: opens) == opens)
        #expect(hours.nextDay(after: opens) > opens + .seconds(20 * 3600))
    }

    @Test("a window that a change of summer time skips is open at its far side, or not at all")
    func skipped() throws {
        let zone = try #require(LocalZone("Europe/Berlin"))
        let window = try #require(SendingWindow(days: [.sunday], opens: 120, closes: 180, zone: zone))
        let hours = OpenHours(identity: "anna", window: window, workday: nil, chance: Chance(seed: [1]))
        // On 2026-03-29 there is no 02:00 to 03:00.
        #expect(hours.nextOpen(from: try moment("2026-03-28T12:00Z")) == (try moment("2026-04-05T00:00Z")))
        // On 2026-10-25 it is there twice; the window lasts from the first 02:00 to the only 03:00.
        #expect(hours.nextOpen(from: try moment("2026-10-24T12:00Z")) == (try moment("2026-10-25T00:00Z")))
    }

    @Test("lunch is no time to send")
    func lunch() throws {
        let hours = OpenHours(identity: "anna", window: try window("UTC"), workday: try workday(), chance: Chance(seed: [5]))
        let date = try #require(CivilDate(year: 2026, month: 3, day: 3))
        let spans = try workday().spans(of: "anna", on: date, chance: Chance(seed: [5]))
        let noon = date.startOfDayUTC + .seconds(spans[0].upperBound * 60)
        #expect(hours.nextOpen(from: noon) == date.startOfDayUTC + .seconds(spans[1].lowerBound * 60))
        let gate = PacingGate(
            identity: "anna",
            policy: .init(dailyLimit: nil, minimumGap: .zero, gapJitter: .zero, window: try window("UTC"), workday: try workday()),
            chance: Chance(seed: [5]))
        guard
            case .wait(_, let why) = gate.verdict(at: noon, usage: .init(countOnDate: 0, lastAt: nil), enrollment: .init(rawValue: 1))
        else { Issue.record("sent at lunch"); return }
        #expect(why.contains("working hours of anna"))
    }

    @Test(
        "a preferred hour counts on days on which both can still meet after it, and keeps nobody waiting for ever",
        arguments: [
            // at, whose clock the recipient has, leaves at (nil: now); Berlin is an hour, Tokyo nine, London none before UTC
            ("2026-01-12T07:00Z", "Europe/Berlin", "2026-01-12T09:00Z"), ("2026-01-12T07:00Z", "Asia/Tokyo", "2026-01-12T08:00Z"),
            ("2026-01-12T08:30Z", "Asia/Tokyo", nil), ("2026-01-12T08:30Z", "Europe/London", "2026-01-12T09:00Z"),
            ("2026-01-12T09:30Z", "Asia/Tokyo", "2026-01-13T08:00Z"), ("2026-01-12T17:00Z", "Europe/London", "2026-01-13T09:00Z"),
        ] as [(String, String, String?)])
    func preferredHour(at: String, theirs: String, leaves: String?) throws {
        let zones = ZoneBook(
            countries: try ContactSheetTests.builtin("countries.txt"), phonePrefixes: try ContactSheetTests.builtin("phone-zones.txt"))
        let own = try window("Europe/Berlin", 9 * 60, 17 * 60)
        let gate = PacingGate(
            identity: "anna",
            policy: .init(
                dailyLimit: nil, minimumGap: .zero, gapJitter: .zero,
                window: SendingWindow(week: own.week, zone: own.zone, preferredHour: 10),
                recipients: RecipientHours(
                    week: try window("UTC").week, quietHours: nil, preferredHour: nil, certainty: .medium, zones: zones,
                    holidays: HolidayBook(parsing: []))), chance: Chance(seed: [1]))
        let contact = Contact(
            id: .init(rawValue: 1), address: try #require(EmailAddress("ann@acme.com")), timeZone: theirs, createdAt: Timestamp(seconds: 0))
        let verdict = gate.verdict(
            at: try moment(at), usage: .init(countOnDate: 0, lastAt: nil), enrollment: .init(rawValue: 1), contact: contact)
        guard let leaves else { return #expect(verdict == .leave) }
        guard case .wait(let until, _) = verdict else { Issue.record("\(verdict)"); return }
        #expect(until == (try moment(leaves)))
    }

    @Test("the hourly cap lifts when the first of the hour is an hour old")
    func hourly() throws {
        let open = try moment("2026-03-02T10:00Z")
        let gate = PacingGate(
            identity: "anna",
            policy: .init(dailyLimit: 100, hourlyLimit: 3, minimumGap: .zero, gapJitter: .zero, window: try window("UTC")),
            chance: Chance(seed: [1]))
        let usage = IdentityUsage(countOnDate: 9, lastAt: open - .seconds(60), countInHour: 3, lifting: open - .seconds(1800))
        #expect(
            gate.verdict(at: open, usage: usage, enrollment: .init(rawValue: 1))
                == .line(until: open + .seconds(1800), because: "hourly limit of 3 for identity anna is reached"))
        let free = IdentityUsage(countOnDate: 9, lastAt: open - .seconds(60), countInHour: 2, lifting: open - .seconds(1800))
        #expect(gate.verdict(at: open, usage: free, enrollment: .init(rawValue: 1)) == .leave)
    }

    @Test(
        "a warm-up grows with sending days, and steps back on bad signals once there are enough of them",
        arguments: [
            (0, 0, 0, 0, 10), (1, 10, 0, 0, 15), (7, 200, 0, 0, 45), (8, 200, 0, 0, 50), (400, 9000, 0, 0, 50),
            (8, 40, 40, 0, 50),  // too few to judge
            (8, 100, 6, 0, 30),  // more than 5 % bounces: as after four days
            (8, 100, 5, 0, 50), (8, 1000, 0, 2, 10), (8, 1000, 60, 2, 10), (8, 1000, 0, 1, 50),
        ])
    func ramp(days: Int, sent: Int, bounced: Int, complained: Int, limit: Int) throws {
        let ramp = try #require(WarmUp(start: 10, increase: 5, ceiling: 50))
        let history = SendingHistory(days: days, sent: sent, bounced: bounced, complained: complained)
        #expect(ramp.limit(after: history).count == limit)
        #expect(WarmUp(start: 60, increase: 5, ceiling: 50) == nil && WarmUp(start: 0, increase: 1, ceiling: 5) == nil)
    }

    @Test("a warm-up binds below the daily limit and says so")
    func rampBinds() throws {
        let open = try moment("2026-03-02T10:00Z")
        let policy = PacingGate.Policy(
            dailyLimit: 100, minimumGap: .zero, gapJitter: .zero, window: try window("UTC"),
            warmUp: WarmUp(start: 10, increase: 5, ceiling: 50))
        let gate = PacingGate(identity: "anna", policy: policy, chance: Chance(seed: [1]))
        let history = SendingHistory(days: 2, sent: 25, bounced: 0, complained: 0)
        let usage = IdentityUsage(countOnDate: 20, lastAt: nil)
        #expect(
            gate.verdict(at: open, usage: usage, history: history, enrollment: .init(rawValue: 1))
                == .line(
                    until: try moment("2026-03-03T08:00Z"),
                    because: "daily limit of 20 for identity anna is reached (warm-up, sending day 3)"))
        #expect(
            gate.verdict(at: open, usage: .init(countOnDate: 19, lastAt: nil), history: history, enrollment: .init(rawValue: 1)) == .leave)
    }
}
