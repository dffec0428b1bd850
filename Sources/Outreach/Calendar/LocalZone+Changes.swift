package import InternetMessage

/// What a change of the offset makes of local times: some are skipped, some happen twice.
extension LocalZone {
    /// Every moment at which the wall clock shows that minute on that date: none when a change skips it, two when it happens twice.
    package func moments(_ date: CivilDate, minuteOfDay: Int) -> [Timestamp] {
        let wall = Int64(date.daysSinceEpoch) * 86_400 + Int64(minuteOfDay) * 60
        func at(_ offset: Int) -> Timestamp { Timestamp(seconds: wall - Int64(offset)) }
        let (before, after) = (at(offset(at: Timestamp(seconds: wall - 93_600))), at(offset(at: Timestamp(seconds: wall + 93_600))))
        var candidates = [before, after]
        let around = changes(from: min(before, after) + .seconds(-86_400), to: max(before, after) + .seconds(86_400))
        for change in around { candidates.append(at(offset(at: change))) }
        var found: [Timestamp] = []
        for moment in candidates where offset(at: moment) == Int(wall - moment.seconds) && !found.contains(moment) { found.append(moment) }
        return found.sorted()
    }

    /// The moments after `from`, up to `to`, at which the offset changes, to the second. Two changes within six hours are not told apart.
    package func changes(from: Timestamp, to: Timestamp) -> [Timestamp] {
        var found: [Timestamp] = []
        var (low, before) = (from.seconds, offset(at: from))
        while low < to.seconds {
            let high = min(low + 21_600, to.seconds)
            let after = offset(at: Timestamp(seconds: high))
            if after != before { found.append(change(after: low, upTo: high)) }
            (low, before) = (high, after)
        }
        return found
    }

    private func change(after from: Int64, upTo to: Int64) -> Timestamp {
        var (low, high) = (from, to)
        let before = offset(at: Timestamp(seconds: low))
        while high - low > 1 {
            let middle = low + (high - low) / 2
            if offset(at: Timestamp(seconds: middle)) == before { low = middle } else { high = middle }
        }
        return Timestamp(seconds: high)
    }

    /// The first moment at or after `moment` at which the wall clock stands in one of the spans of its date; nil within `days` there is none.
    ///
    /// What counts is what the clock on the wall shows: a span that a change cuts into is open for what is left of it, and one that happens
    /// twice is open twice.
    ///
    /// - Parameter spans: minutes since local midnight of a date, each within 0...1440.
    package func first(onOrAfter moment: Timestamp, days: Int, in spans: (CivilDate) -> [Range<Int>]) -> Timestamp? {
        func isOpen(_ moment: Timestamp) -> Bool {
            let minute = minuteOfDay(at: moment)
            return spans(date(at: moment)).contains { $0.contains(minute) }
        }
        if isOpen(moment) { return moment }
        var day = date(at: moment)
        for _ in 0...max(0, days) {
            let open = spans(day)
            if !open.isEmpty {
                let (start, end) = (self.moment(day, minuteOfDay: 0), self.moment(day.adding(days: 1), minuteOfDay: 0))
                // It opens where the clock reaches a start, or jumps over it.
                let starts = open.flatMap { moments(day, minuteOfDay: $0.lowerBound) } + changes(from: start + .seconds(-1), to: end)
                if let first = starts.filter({ $0 >= moment && isOpen($0) }).min() { return first }
            }
            day = day.adding(days: 1)
        }
        return nil
    }
}
