package import InternetMessage

/// Decides for a batch of messages, in their order, which of them all their limits let through.
///
/// A message takes from every limit that counts for it, or from none. One that must wait is told when to come back: those that wait for the
/// same even rate get times one after the other, so that they do not all come at once, and whoever comes later does not overtake them. It
/// gets a time in each of its even rates, and comes back at the latest of them: then it is expected in all, whichever it was told of.
/// The levels come from the store and go back to it in the same transaction.
package struct Admission: Sendable {
    package enum Verdict: Sendable, Equatable {
        case admitted([TakenBudget])
        /// Not before `until`, because of that limit; `because` says it in words for a person.
        case wait(until: Timestamp, limit: String, because: String)
    }

    /// Those that changed are to be stored.
    package private(set) var changed: [String: LimitLevel] = [:]
    private let stored: [String: LimitLevel]
    private let now: Timestamp
    private let microseconds: Int64

    /// - Parameter levels: by `SendingLimit.id`; a limit that has none is empty.
    package init(levels: [String: LimitLevel], at now: Timestamp) {
        stored = levels
        self.now = now
        microseconds = now.microseconds
    }

    /// - Parameter awaited: the limit that the message waited for until now; nil when it comes for the first time.
    package mutating func decide(_ limits: [SendingLimit], awaited: String?) -> Verdict {
        var binding: (until: Int64, limit: SendingLimit)?
        // Whoever waited for an even rate has had a time in all of them; who waited for a new day has none yet.
        let isExpected = limits.contains { $0.interval != nil && $0.id == awaited }
        for limit in limits {
            let free = earliest(limit, isExpected: isExpected)
            if free > microseconds, free > binding?.until ?? .min { binding = (free, limit) }
        }
        guard let binding else { return .admitted(limits.map { take($0) }) }
        var until = binding.until
        if !isExpected, binding.limit.interval != nil {
            for limit in limits where limit.interval != nil {
                until = max(until, book(limit, at: max(microseconds, earliest(limit, isExpected: false))))
            }
        }
        return .wait(
            until: Timestamp(microsecondsUp: until), limit: binding.limit.id, because: "limit of \(binding.limit.words) is reached")
    }

    /// The microsecond at which the limit has room for one more.
    private func earliest(_ limit: SendingLimit, isExpected: Bool) -> Int64 {
        let level = level(limit)
        guard let interval = limit.interval else {
            return level.level < Int64(limit.rate.count) ? microseconds : max(limit.nextDay.microseconds, microseconds + 1)
        }
        // Of a rate by the second its second's worth may leave together: no queue works by the microsecond.
        let free = level.level - (limit.rate.period == .second ? max(0, 1_000_000 - interval) : 0)
        return isExpected || level.booked <= microseconds ? free : max(free, level.booked + interval)
    }

    private mutating func book(_ limit: SendingLimit, at moment: Int64) -> Int64 {
        guard let interval = limit.interval else { return moment }
        var level = level(limit)
        let booked = max(moment, level.booked > microseconds ? level.booked + interval : moment)
        level.booked = booked
        level.until = max(level.until, Timestamp(microsecondsUp: booked))
        changed[limit.id] = level
        return booked
    }

    private mutating func take(_ limit: SendingLimit) -> TakenBudget {
        var level = level(limit)
        let step: Int64
        if let interval = limit.interval {
            step = interval
            level.level = max(level.level, microseconds) + interval
            level.until = max(level.until, Timestamp(microsecondsUp: level.level))
        } else {
            step = 1
            level.level += 1
            // A day after the date's end, wherever on earth the sender is.
            level.until = limit.date.adding(days: 3).startOfDayUTC
        }
        changed[limit.id] = level
        return TakenBudget(limit: limit.id, step: step)
    }

    private func level(_ limit: SendingLimit) -> LimitLevel {
        changed[limit.id] ?? stored[limit.id] ?? LimitLevel(level: 0, booked: 0, until: now)
    }
}

extension SendingLimit {
    /// Microseconds between two messages, rounded up; nil for a rate by the day.
    var interval: Int64? { rate.period.microseconds.map { ($0 + Int64(rate.count) - 1) / Int64(rate.count) } }
}

extension Timestamp {
    var microseconds: Int64 {
        let (product, overflow) = milliseconds.multipliedReportingOverflow(by: 1000)
        return overflow ? (milliseconds < 0 ? .min / 2 : .max / 2) : product
    }

    /// The first millisecond that is not before that microsecond.
    init(microsecondsUp value: Int64) { self.init(milliseconds: value / 1000 + (value % 1000 > 0 ? 1 : 0)) }
}
