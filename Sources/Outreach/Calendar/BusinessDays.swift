package import InternetMessage

/// The days on which people work, and times counted in them.
package struct BusinessDays: Sendable, Hashable {
    package let days: Set<Weekday>
    package let holidays: Holidays
    package let zone: LocalZone

    /// nil when no day is given.
    package init?(days: Set<Weekday>, holidays: Holidays = .none, zone: LocalZone) {
        guard !days.isEmpty else { return nil }
        self.days = days
        self.holidays = holidays
        self.zone = zone
    }

    package func contains(_ date: CivilDate) -> Bool { days.contains(Weekday(of: date)) && holidays.name(on: date) == nil }

    /// The first business day on or after `date`; the date itself when none comes within a year.
    package func first(onOrAfter date: CivilDate) -> CivilDate {
        var day = date
        for _ in 0..<370 {
            if contains(day) { return day }
            day = day.adding(days: 1)
        }
        return date
    }

    /// The same time of day that many business days later; a day that is none counts as the one before it.
    ///
    /// A time that is skipped on that day is the moment of the change; of one that happens twice it is the first.
    package func adding(_ count: Int, to moment: Timestamp) -> Timestamp {
        var day = zone.date(at: moment)
        for _ in 0..<max(0, count) { day = first(onOrAfter: day.adding(days: 1)) }
        let minute = zone.minuteOfDay(at: moment)
        let seconds = Duration.milliseconds(((moment.milliseconds % 60_000) + 60_000) % 60_000)
        guard count > 0 else { return moment }
        if let there = zone.moments(day, minuteOfDay: minute).first { return there + seconds }
        let start = zone.moment(day, minuteOfDay: 0)
        return zone.changes(from: start + .seconds(-1), to: start + .seconds(90_000)).first ?? zone.moment(day, minuteOfDay: minute)
    }
}
