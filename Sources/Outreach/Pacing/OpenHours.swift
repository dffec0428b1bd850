package import InternetMessage

/// When one identity may send: the window of the conf, and within it the hours of its workday where it has one.
package struct OpenHours: Sendable {
    let identity: String
    let window: SendingWindow
    let workday: Workday?
    let chance: Chance

    /// `moment` itself when the identity may send then, else the next moment at which it may.
    package func nextOpen(from moment: Timestamp) -> Timestamp {
        first(onOrAfter: window.zone.date(at: moment), from: moment)
    }

    /// When it may send first on a date after the local one of `moment`.
    package func nextDay(after moment: Timestamp) -> Timestamp {
        first(onOrAfter: window.zone.date(at: moment).adding(days: 1), from: moment)
    }

    private func first(onOrAfter date: CivilDate, from moment: Timestamp) -> Timestamp {
        var day = date
        // A window has a day in each week; two weeks are enough even where a workday leaves nothing of one day.
        for _ in 0..<15 {
            for span in spans(on: day) {
                let opens = window.zone.moment(day, minuteOfDay: span.lowerBound)
                let closes = window.zone.moment(day, minuteOfDay: span.upperBound)
                if moment < closes, opens < closes { return max(opens, moment) }
            }
            day = day.adding(days: 1)
        }
        return window.zone.moment(day, minuteOfDay: window.opens)
    }

    private func spans(on date: CivilDate) -> [Range<Int>] {
        guard window.days.contains(Weekday(of: date)) else { return [] }
        let open = window.opens..<window.closes
        guard let workday else { return [open] }
        return workday.spans(of: identity, on: date, chance: chance).map { $0.clamped(to: open) }.filter { !$0.isEmpty }
    }
}
