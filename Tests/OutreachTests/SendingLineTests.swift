import InternetMessage
import Testing

@testable import Outreach

/// Places in the line of those who wait for one identity, held against the gate that lets them out in the end.
@Suite("sending line")
struct SendingLineTests {
    private let monday = Timestamp(seconds: 1_772_442_000)  // 2026-03-02T09:00:00Z

    private func gate(daily: Int? = nil, hourly: Int? = nil, gap: Int = 600, jitter: Int = 300, warmUp: WarmUp? = nil) throws -> PacingGate
    {
        let zone = try #require(LocalZone("UTC"))
        let window = try #require(SendingWindow(days: Weekday.business, opens: 9 * 60, closes: 12 * 60, zone: zone))
        return PacingGate(
            identity: "anna",
            policy: .init(
                dailyLimit: daily, hourlyLimit: hourly, minimumGap: .seconds(gap), gapJitter: .seconds(jitter), window: window,
                warmUp: warmUp), chance: Chance(seed: [7]))
    }

    /// What the identity has sent, as the store would tell it.
    private func usage(_ sent: [Timestamp], at now: Timestamp, _ gate: PacingGate) -> IdentityUsage {
        let hour = sent.filter { $0 > now - .seconds(3600) }
        return IdentityUsage(
            countOnDate: sent.count { gate.budgetDate(at: $0) == gate.budgetDate(at: now) }, lastAt: sent.last, countInHour: hour.count,
            lifting: hour.first)
    }

    @Test(
        "everybody who is due at once gets the moment at which the gate will let it out, and is looked at twice",
        arguments: [
            (8, Int?.none, 600, 300), (40, nil, 300, 120), (5, nil, 0, 0), (100, 6, 60, 0), (100, 4, 0, 0), (1000, 7, 400, 333),
        ])
    func turns(daily: Int, hourly: Int?, gap: Int, jitter: Int) throws {
        let gate = try gate(daily: daily, hourly: hourly, gap: gap, jitter: jitter)
        var line = SendingLine()
        var due = (0..<60).map { (who: $0, at: monday, hasWaited: false) }
        var sent: [Timestamp] = []
        var order: [Int] = []
        var looks = 0
        while let next = due.min(by: { ($0.at, $0.who) < ($1.at, $1.who) }) {
            due.removeAll { $0.who == next.who }
            looks += 1
            let usage = usage(sent, at: next.at, gate)
            switch gate.verdict(at: next.at, usage: usage, enrollment: .init(rawValue: 1)) {
            case .leave:
                sent.append(next.at)
                order.append(next.who)
            case .wait(let until, _):
                due.append((next.who, until, true))
            case .line(let free, _):
                let count = gate.budgetDate(at: free) == gate.budgetDate(at: next.at) ? usage.countOnDate : 0
                let place = line.place(free: free, sent: count, hasWaited: next.hasWaited, gate: gate)
                #expect(place >= free && place > next.at)
                due.append((next.who, place, true))
            }
            try #require(looks < 100_000)
        }
        // The hour of the gate slides with what left, so neighbours may change places under an hourly limit.
        let slack = hourly == nil ? 0 : 4
        #expect(order.sorted() == Array(0..<60) && order.enumerated().allSatisfy { abs($0.offset - $0.element) <= slack }, "\(order)")
        // 60 who leave and 59 who were told to wait; each hour's or day's end may tell a few once more.
        #expect(looks <= (hourly == nil ? 125 : 240), "\(looks)")
    }

    @Test("who has waited goes before who is new, and who is new goes behind all who wait")
    func order() throws {
        let gate = try gate(gap: 600, jitter: 0)
        var line = SendingLine()
        let free = monday + .seconds(600)
        func place(_ hasWaited: Bool, _ free: Timestamp) -> Int {
            Int((line.place(free: free, sent: 1, hasWaited: hasWaited, gate: gate) - monday).components.seconds / 60)
        }
        #expect([place(false, free), place(false, free), place(false, free)] == [10, 20, 30])
        // The second's turn came a little early: it waits for its gap alone.
        let later = monday + .seconds(1201)
        #expect([place(true, later), place(true, later)] == [20, 30])
        #expect(place(false, later) == 40)
        // Somebody left in between, so the front is made up anew.
        #expect(place(true, monday + .seconds(1800)) == 30)
    }

    @Test("a process that begins anew goes on behind those who wait in the store, on a date that is partly used up as well")
    func resuming() throws {
        let gate = try gate(daily: 4, gap: 600, jitter: 120)
        var line = SendingLine()
        let turns = (0..<7).map { _ in line.place(free: monday + .seconds(900), sent: 1, hasWaited: false, gate: gate) }
        for count in 1...7 {
            var resumed = SendingLine(turns: turns.prefix(count).reversed(), sent: 1, at: monday, gate: gate)
            let later = (count..<7).map { _ in resumed.place(free: monday + .seconds(900), sent: 1, hasWaited: false, gate: gate) }
            #expect(later == Array(turns.dropFirst(count)), "after \(count)")
        }
        var empty = SendingLine(turns: [], sent: 1, at: monday, gate: gate)
        #expect(empty.place(free: monday + .seconds(900), sent: 1, hasWaited: false, gate: gate) == turns[0])
    }

    @Test("a warm-up that has not come yet is taken at its most, so that nobody comes too late")
    func warmUp() throws {
        let gate = try gate(daily: 100, gap: 0, jitter: 0, warmUp: WarmUp(start: 2, increase: 2, ceiling: 6))
        var line = SendingLine()
        let tuesday = monday + .seconds(86_400)
        let places = (0..<8).map { _ in line.place(free: tuesday, sent: 0, hasWaited: false, gate: gate) }
        #expect(places == Array(repeating: tuesday, count: 6) + Array(repeating: tuesday + .seconds(86_400), count: 2))
    }

    @Test("the words name the daily limit for those whose turn comes on a later day")
    func words() throws {
        let gate = try gate(daily: 8)
        let free = monday + .seconds(600)
        #expect(gate.words("minimum gap of identity anna", waitingFor: free, at: monday + .seconds(1200)) == "minimum gap of identity anna")
        #expect(
            gate.words("minimum gap of identity anna", waitingFor: free, at: monday + .seconds(86_400))
                == "daily limit of 8 for identity anna is reached by those before")
    }
}
