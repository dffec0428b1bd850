import InternetMessage
import Testing

@testable import Outreach

@Suite("the second gate: limits of delivery")
struct DeliveryLimitTests {
    static let start = Timestamp(seconds: 1_790_000_000)

    private func limit(_ subject: String, _ rate: String) throws -> SendingLimit {
        SendingLimit(
            subject: subject, rate: try #require(Rate(rate)), date: CivilDate(Self.start), nextDay: Self.start + .seconds(36_000))
    }

    /// Runs moments through one limit as a store does it; those that were let through.
    private func admitted(_ rate: String, at moments: [Duration]) throws -> [Duration] {
        let limit = try limit("site a", rate)
        var levels: [String: LimitLevel] = [:]
        var passed: [Duration] = []
        for moment in moments {
            var admission = Admission(levels: levels, at: Self.start + moment)
            if case .admitted = admission.decide([limit], awaited: limit.id) { passed.append(moment) }
            levels.merge(admission.changed) { $1 }
        }
        return passed
    }

    @Test(
        "rates are read or refused",
        arguments: [
            ("20/min", 20, Rate.Period.minute), ("1/s", 1, .second), ("400/day", 400, .day), ("200/h", 200, .hour), ("0/h", nil, .hour),
            ("20", nil, .hour), ("20/", nil, .hour), ("/h", nil, .hour), ("-1/h", nil, .hour), ("20/hour", nil, .hour),
            ("99999999999999999999/h", nil, .hour), ("1/h/h", nil, .hour), ("", nil, .hour),
        ] as [(String, Int?, Rate.Period)])
    func rates(text: String, count: Int?, period: Rate.Period) {
        #expect(Rate(text)?.count == count)
        if count != nil { #expect(Rate(text)?.period == period && Rate(text)?.description == text) }
    }

    @Test(
        "no span of the period sees more than the rate, whenever messages come",
        arguments: [("10/min", 60), ("20/min", 60), ("100/min", 60), ("7/h", 3600), ("1/s", 1)])
    func never(rate: String, seconds: Int) throws {
        let count = try #require(Rate(rate)).count
        // Every 50 ms for a span, then in bursts.
        let steps = min(20_000, seconds * 40)
        let moments = (0..<steps).map { Duration.milliseconds(Int64($0) * 50 * Int64(max(1, seconds * 40 / steps))) }
        let passed = try admitted(rate, at: moments)
        #expect(passed.count > count / 2)
        for (place, moment) in passed.enumerated() {
            #expect(passed[place...].prefix { $0 - moment < .seconds(seconds) }.count <= count)
        }
    }

    @Test("a rate by the second lets its second's worth go at once")
    func burst() throws {
        let passed = try admitted("50/s", at: Array(repeating: .zero, count: 80))
        #expect(passed.count == 50)
    }

    @Test("those that wait for one rate are told times one after the other, and who comes new comes behind them")
    func appointments() throws {
        let limit = try limit("site a", "10/min")
        var admission = Admission(levels: [:], at: Self.start)
        #expect(admission.decide([limit], awaited: nil) == .admitted([TakenBudget(limit: "site a/min", step: 6_000_000)]))
        func wait(_ verdict: Admission.Verdict) -> Duration? {
            if case .wait(let until, "site a/min", "limit of 10/min for site a is reached") = verdict { until - Self.start } else { nil }
        }
        var waits: [Duration?] = []
        for _ in 0..<4 { waits.append(wait(admission.decide([limit], awaited: nil))) }
        #expect(waits == [6, 12, 18, 24].map { .seconds($0) })
        let levels = admission.changed

        var later = Admission(levels: levels, at: Self.start + .seconds(6))
        #expect(wait(later.decide([limit], awaited: nil)) == .seconds(30), "a new one comes behind the four")
        if case .wait = later.decide([limit], awaited: limit.id) { Issue.record("the first of the four was sent away again") }
        #expect(wait(later.decide([limit], awaited: limit.id)) == .seconds(12), "who waited is told the next free time, not the last")
    }

    @Test("a message takes from all of its limits or from none, and is told the one that binds longest")
    func together() throws {
        let day = try limit("route office", "1/day")
        let minute = try limit("site a", "1/min")
        let free = try limit("the instance", "500/day")
        var admission = Admission(levels: [:], at: Self.start)
        #expect(
            admission.decide([free, day, minute], awaited: nil)
                == .admitted([
                    TakenBudget(limit: free.id, step: 1), TakenBudget(limit: day.id, step: 1),
                    TakenBudget(limit: "site a/min", step: 60_000_000),
                ]))
        let before = admission.changed
        #expect(
            admission.decide([free, day, minute], awaited: nil)
                == .wait(until: day.nextDay, limit: day.id, because: "limit of 1/day for route office is reached"))
        #expect(admission.changed == before, "a deferral eats no budget")
        var next = Admission(levels: before, at: Self.start + .seconds(60))
        #expect(
            next.decide([free, minute], awaited: nil)
                == .admitted([TakenBudget(limit: free.id, step: 1), TakenBudget(limit: "site a/min", step: 60_000_000)]))
    }

    @Test("two even rates that overlap use every turn: nobody who has waited for the one is sent to the end of the other")
    func overlapping() throws {
        let all = try limit("the instance", "100/h")
        let some = try limit("site a", "30/h")
        var levels: [String: LimitLevel] = [:]
        // Every second message is for the site; each comes back when it was told to.
        var waiting = (0..<400).map { (due: Self.start, isSome: $0 % 2 == 0, awaited: String?.none) }
        var left: [(at: Duration, isSome: Bool)] = []
        while let next = waiting.indices.min(by: { waiting[$0].due < waiting[$1].due }) {
            let message = waiting.remove(at: next)
            var admission = Admission(levels: levels, at: message.due)
            switch admission.decide(message.isSome ? [all, some] : [all], awaited: message.awaited) {
            case .admitted: left.append((message.due - Self.start, message.isSome))
            case .wait(let until, let limit, _):
                try #require(until > message.due)
                waiting.append((until, message.isSome, limit))
            }
            levels.merge(admission.changed) { $1 }
        }
        // 200 for the site at 30 an hour take 6.6 hours; a turn that the other rate spoils is lost now and then.
        #expect(left.count == 400)
        let site = left.filter(\.isSome).map(\.at)
        #expect(site[1] < .seconds(600) && (site.last ?? .zero) < .seconds(7 * 3600 + 1800), "\(site[1]), \(site.last ?? .zero)")
        let gaps = zip(site, site.dropFirst()).map { $1 - $0 }
        #expect(gaps.max() ?? .zero < .seconds(900), "the site stood idle for \(gaps.max() ?? .zero)")
    }

    @Test("a day's count is that of the sender's date")
    func days() throws {
        let today = try limit("the instance", "1/day")
        let tomorrow = SendingLimit(
            subject: "the instance", rate: today.rate, date: today.date.adding(days: 1), nextDay: today.nextDay + .seconds(86_400))
        var admission = Admission(levels: [:], at: Self.start)
        guard case .admitted = admission.decide([today], awaited: nil), case .wait = admission.decide([today], awaited: nil),
            case .admitted = admission.decide([tomorrow], awaited: nil)
        else { Issue.record("dates share a count"); return }
    }

    @Test("a clock that is set back opens nothing, one that is set forward floods nothing")
    func clock() throws {
        let limit = try limit("site a", "1/min")
        var admission = Admission(levels: [:], at: Self.start)
        _ = admission.decide([limit], awaited: nil)
        var back = Admission(levels: admission.changed, at: Self.start - .seconds(3600))
        guard case .wait = back.decide([limit], awaited: limit.id) else { Issue.record("let through"); return }
        var forward = Admission(levels: admission.changed, at: Self.start + .seconds(400 * 86_400))
        guard case .admitted = forward.decide([limit], awaited: limit.id), case .wait = forward.decide([limit], awaited: limit.id) else {
            Issue.record("a forward jump let two through at once"); return
        }
    }

    @Test("every subject that counts is named, each rate of it once and the lowest of a period")
    func subjects() throws {
        var policy = DeliveryLimits()
        func rates(_ texts: String...) throws -> [Rate] { try texts.map { try #require(Rate($0)) } }
        policy.instance = try rates("500/day", "400/day")
        policy.workspace = try rates("1000/day")
        policy.identity = try rates("30/h")
        policy.recipientDomain = try rates("200/h")
        policy.routes = ["office": try rates("25/min", "1500/day")]
        policy.sources = ["out1": try rates("400/day")]
        policy.sourceOfRoute = ["office": "out1"]
        let candidate = OutboxCandidate(
            id: .init(rawValue: 1), workspace: .default, identity: "anna", route: "office",
            recipient: try #require(EmailAddress("bo@example.net")), domain: "example.net", awaits: nil)
        let zone = try #require(LocalZone("Pacific/Auckland"))
        let window = try #require(SendingWindow(days: Set(Weekday.allCases), opens: 540, closes: 1020, zone: zone))
        let evening = try #require(Self.evening)
        let limits = policy.limits(
            for: candidate, site: ("google", try rates("10/min")), window: window, at: evening)
        #expect(
            limits.map(\.words) == [
                "400/day for the instance", "1000/day for workspace 1", "30/h for identity anna", "25/min for route office",
                "1500/day for route office", "400/day for source out1", "200/h for domain example.net", "10/min for site google",
            ])
        // 13:00 UTC is 02:00 of the next day there in summer time; its next day opens at 09:00.
        #expect(limits.allSatisfy { $0.date.iso8601 == "2026-01-16" && $0.nextDay.iso8601 == "2026-01-16T20:00:00Z" })
        #expect(policy.limits(for: candidate, site: nil, window: nil, at: Self.start).count == 7)
        // What servers bear bounds what goes to people of ours as well; what people are written does not.
        let forward = OutboxCandidate(
            id: .init(rawValue: 1), workspace: .default, identity: "anna", route: "office", recipient: candidate.recipient,
            domain: "example.net", awaits: nil, isToOurs: true)
        let left = policy.limits(for: forward, site: ("google", try rates("10/min")), window: window, at: evening)
        #expect(left.map(\.words) == limits.dropFirst(3).map(\.words))
    }

    static let evening = CivilDate(year: 2026, month: 1, day: 15).map { $0.startOfDayUTC + .seconds(13 * 3600) }

    @Test("what [safety] does not allow is refused, on whole addresses and on bytes")
    func safety() throws {
        let safety = SendingSafety(allowed: [try BytePattern(#".*@example\.com"#), try BytePattern("ann@a.example")])
        for (text, allowed) in [
            ("ann@example.com", true), ("ANN@EXAMPLE.COM", true), ("ann@example.com.evil.example", false), ("ann@a.example", true),
            ("joann@a.example", false), ("ann@a.example.net", false), ("ann@examplexcom", false),
        ] {
            #expect(safety.allows(try #require(EmailAddress(text))) == allowed, "\(text)")
        }
        #expect(SendingSafety().allows(try #require(EmailAddress("x@y.example"))))
        #expect(SendingSafety(isDryRun: true).refusal(of: try #require(EmailAddress("x@y.example")))?.contains("dry run") == true)
        #expect(throws: (any Error).self) { try BytePattern("(") }
        #expect(try BytePattern("^a.b$").occurs(in: [0x61, 0xFF, 0x62]), "one byte is one character")
        #expect(try BytePattern(#"a\r\nb"#).covers([0x61, 0x0D, 0x0A, 0x62]), "CR and LF are two")
    }
}
