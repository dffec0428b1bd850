package import InternetMessage

/// The hours of a person's day: when it begins and ends and when lunch is, a little different each day.
///
/// What a day is like is drawn from the identity and the date, so that a rehearsal sees the same days.
package struct Workday: Sendable, Hashable {
    /// Minutes since local midnight between which the day begins.
    package let start: ClosedRange<Int>
    /// Minutes since local midnight between which it ends.
    package let end: ClosedRange<Int>
    /// Minutes since local midnight within which lunch lies; nil: there is none.
    package let lunch: ClosedRange<Int>?
    /// How many minutes lunch takes.
    package let lunchLength: ClosedRange<Int>

    /// nil when the day may end before it begins, or lunch does not lie in it.
    package init?(start: ClosedRange<Int>, end: ClosedRange<Int>, lunch: ClosedRange<Int>?, lunchLength: ClosedRange<Int>) {
        guard start.lowerBound >= 0, end.upperBound <= 1440, start.upperBound < end.lowerBound, lunchLength.lowerBound >= 0 else {
            return nil
        }
        if let lunch {
            guard lunch.lowerBound >= start.upperBound, lunch.upperBound <= end.lowerBound,
                lunchLength.upperBound <= lunch.upperBound - lunch.lowerBound
            else { return nil }
        }
        self.start = start
        self.end = end
        self.lunch = lunch
        self.lunchLength = lunchLength
    }

    /// The spans of one day in which an identity works, in minutes since local midnight.
    package func spans(of identity: String, on date: CivilDate, chance: Chance) -> [Range<Int>] {
        func roll(_ what: String, _ range: ClosedRange<Int>) -> Int {
            let share = chance.fraction("workday \(what)", [identity, date.iso8601])
            return range.lowerBound + min(range.count - 1, Int(share * Double(range.count)))
        }
        let begins = roll("start", start)
        let ends = roll("end", end)
        guard let lunch else { return [begins..<ends] }
        let length = roll("lunch length", lunchLength)
        let away = roll("lunch", lunch.lowerBound...(lunch.upperBound - length))
        return [begins..<away, (away + length)..<ends].filter { !$0.isEmpty }
    }
}
