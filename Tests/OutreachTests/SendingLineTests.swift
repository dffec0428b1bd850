import InternetMessage
import Testing

@testable import Outreach

/// The line of those who wait for one identity, played against the gate that lets them out in the end.
@Suite("sending line")
struct SendingLineTests {
    private static let monday = Timestamp(seconds: 1_772_442_000)  // 2026-03-02T09:00:00Z

    /// Something that befalls those who wait, at a moment after the beginning.
    enum Event: Sendable {
        /// Everybody who waits is due, in the order in which they would have come.
        case reload
        /// Nothing is decided for so long.
        case standstill(Duration)
        /// Every second of those who wait drops out.
        case dropOuts
        /// So many come new.
        case arrivals(Int)
    }

    /// The dispatcher and its store, reduced to moments: rounds over all who are due, in the order of moment and number.
    private struct Play {
        let gate: PacingGate
        /// How much later than its moment a step is decided.
        let latency = Duration.milliseconds(5)
        var due: [Int: Timestamp] = [:]
        var sent: [(who: Int, at: Timestamp)] = []
        var looks = 0
        var born = 0
        var blockedUntil = SendingLineTests.monday

        mutating func enroll(_ count: Int, at moment: Timestamp) {
            for _ in 0..<count {
                due[born] = moment
                born += 1
            }
        }

        private func usage(at now: Timestamp) -> IdentityUsage {
            var (today, hour) = (0, [Timestamp]())
            for one in sent.reversed() {
                if gate.budgetDate(at: one.at) == gate.budgetDate(at: now) { today += 1 } else { break }
                if one.at > now - .seconds(3600) { hour.append(one.at) }
            }
            return IdentityUsage(countOnDate: today, lastAt: sent.last?.at, countInHour: hour.count, lifting: hour.last)
        }

        /// One look at all who are due at `now`.
        mutating func round(at now: Timestamp) {
            var line = SendingLine(front: SendingLineTests.front)
            for (who, _) in due.filter({ $0.value <= now }).sorted(by: { ($0.value, $0.key) < ($1.value, $1.key) }) {
                looks += 1
                let usage = usage(at: now)
                switch gate.verdict(at: now, usage: usage, enrollment: .init(rawValue: 1)) {
                case .leave:
                    sent.append((who, now))
                    due[who] = nil
                case .wait(let until, _): due[who] = until
                case .line(let free, _): due[who] = line.place(free: free, gate: gate)
                }
            }
        }

        /// Until nobody waits any more, or the looks run out.
        mutating func run(_ events: [(after: Duration, event: Event)]) {
            var events = events.map { (at: SendingLineTests.monday + $0.after, event: $0.event) }
            while looks < 200_000, let next = due.values.min() {
                if let first = events.first, first.at <= max(next, blockedUntil) {
                    events.removeFirst()
                    befall(first.event, at: first.at)
                    continue
                }
                round(at: max(next, blockedUntil) + latency)
            }
        }

        private mutating func befall(_ event: Event, at moment: Timestamp) {
            switch event {
            case .standstill(let length): blockedUntil = moment + length
            case .dropOuts: for who in due.keys.sorted().enumerated() where who.offset % 2 == 0 { due[who.element] = nil }
            case .arrivals(let count): enroll(count, at: moment)
            case .reload:
                let order = due.sorted { ($0.value, $0.key) < ($1.value, $1.key) }.map(\.key)
                for (place, who) in order.enumerated() { due[who] = moment - .milliseconds(Int64(order.count - 1 - place)) }
            }
        }
    }

    private static func gate(daily: Int?, hourly: Int? = nil, gap: Int, jitter: Int) throws -> PacingGate {
        let zone = try #require(LocalZone("UTC"))
        let window = try #require(SendingWindow(days: Weekday.business, opens: 9 * 60, closes: 17 * 60, zone: zone))
        return PacingGate(
            identity: "anna",
            policy: .init(
                dailyLimit: daily, hourlyLimit: hourly, minimumGap: .seconds(gap), gapJitter: .seconds(jitter), window: window),
            chance: Chance(seed: [7]))
    }

    /// Few, so that a small line has somebody behind them.
    private static let front = 40
    private static let hour = Duration.seconds(3600)

    @Test(
        "nobody is passed over, no turn stays unused for longer than the line reaches, and few looks are needed, whatever happens",
        arguments: [
            [], [(hour * 4, Event.reload), (hour * 5, .reload)], [(hour, .reload), (hour, .reload), (hour * 2, .reload)],
            [(hour, .dropOuts), (hour * 30, .dropOuts)], [(hour, .standstill(hour))], [(hour, .standstill(.seconds(360)))],
            [(hour / 2, .arrivals(50)), (hour * 26, .arrivals(50))],
            [(hour, .dropOuts), (hour + .seconds(1), .arrivals(40)), (hour * 3, .reload)],
        ] as [[(after: Duration, event: Event)]],
        [(60, Int?.none, 300, 120), (1000, nil, 240, 100), (100, 12, 30, 0), (25, nil, 0, 0)])
    func everything(_ events: [(after: Duration, event: Event)], _ pace: (daily: Int, hourly: Int?, gap: Int, jitter: Int)) throws {
        let gate = try Self.gate(daily: pace.daily, hourly: pace.hourly, gap: pace.gap, jitter: pace.jitter)
        var play = Play(gate: gate)
        play.enroll(200, at: Self.monday)
        play.run(events)
        #expect(play.due.isEmpty, "somebody waits for ever")
        // Those who come back may be some milliseconds before those who wait for the moment, once a while.
        for (place, one) in play.sent.enumerated() {
            let passing = play.sent[..<place].count { $0.who > one.who }
            #expect(passing <= 12, "\(one.who) was passed over by \(passing)")
        }
        // A turn that was free in open hours while somebody waited.
        let standstill = events.compactMap { if case .standstill(let length) = $0.event { length } else { nil } }.reduce(.zero, +)
        var perDay: [CivilDate: Int] = [:]
        for one in play.sent { perDay[gate.budgetDate(at: one.at), default: 0] += 1 }
        for (earlier, later) in zip(play.sent, play.sent.dropFirst()) {
            let date = gate.budgetDate(at: earlier.at)
            guard gate.budgetDate(at: later.at) == date || perDay[date] ?? 0 < pace.daily else { continue }
            let gap = Duration.seconds(pace.hourly == nil ? pace.gap + pace.jitter : 3600)
            let open = gate.hours.nextOpen(from: earlier.at + gap + .seconds(1))
            #expect(later.at - open <= standstill + .seconds(10), "idle from \(open.iso8601) to \(later.at.iso8601)")
        }
        // The front at each turn, all others once for each reach, and everybody once for each event and day.
        let turns = play.sent.count * Self.front
        let rest = gate.leastGap == nil ? 0 : play.born * 10
        let days = perDay.count + events.count + 1
        #expect(play.looks <= turns + days * (play.born + rest), "\(play.looks) looks")
    }

    @Test("the first wait for the moment, the others come back later, within open hours")
    func places() throws {
        let gate = try Self.gate(daily: nil, gap: 600, jitter: 0)
        let free = Self.monday + .seconds(600)
        var line = SendingLine()
        let places = (0..<SendingLine.front + 2).map { _ in line.place(free: free, gate: gate) }
        #expect(places == Array(repeating: free, count: SendingLine.front) + Array(repeating: free + .seconds(4200), count: 2))
        // Somebody left in between: those who are decided after that wait for the next moment.
        #expect(line.place(free: free + .seconds(600), gate: gate) == free + .seconds(600))
        var late = SendingLine()
        let evening = Self.monday + .seconds(7 * 3600 + 3000)
        let last = (0..<SendingLine.front + 1).map { _ in late.place(free: evening, gate: gate) }.last
        #expect(last == Self.monday + .seconds(86_400), "the hour ends after closing time")
        let quick = try Self.gate(daily: nil, gap: 2, jitter: 0)
        var short = SendingLine()
        #expect((0..<SendingLine.front + 1).map { _ in short.place(free: free, gate: quick) }.last == free + .seconds(502))
        let free2 = try Self.gate(daily: 5, gap: 0, jitter: 0)
        var none = SendingLine()
        #expect((0..<SendingLine.front + 1).map { _ in none.place(free: free, gate: free2) }.last == free)
    }
}
