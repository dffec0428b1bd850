package import InternetMessage

/// When sequence mail may leave: some days of the week, between two times of day, in one zone.
package struct SendingWindow: Sendable, Hashable {
    package let days: Set<Weekday>
    /// Minutes since local midnight; `opens` is before `closes`, which may be 1440.
    package let opens: Int
    package let closes: Int
    package let zone: LocalZone

    /// nil when no day is given or the times are not 0 ≤ opens < closes ≤ 1440.
    package init?(days: Set<Weekday>, opens: Int, closes: Int, zone: LocalZone) {
        guard !days.isEmpty, opens >= 0, opens < closes, closes <= 1440 else { return nil }
        self.days = days
        self.opens = opens
        self.closes = closes
        self.zone = zone
    }

    package func isOpen(at moment: Timestamp) -> Bool {
        guard days.contains(Weekday(of: zone.date(at: moment))) else { return false }
        let minute = zone.minuteOfDay(at: moment)
        return minute >= opens && minute < closes
    }

    /// `moment` itself when the window is open, else the next moment at which it opens.
    package func nextOpen(from moment: Timestamp) -> Timestamp {
        if isOpen(at: moment) { return moment }
        return opening(onOrAfter: zone.date(at: moment), notBefore: moment)
    }

    /// The opening on the first of its days after the local date of `moment`.
    package func nextDay(after moment: Timestamp) -> Timestamp {
        let date = zone.date(at: moment)
        return opening(onOrAfter: date.adding(days: 1), notBefore: moment)
    }

    private func opening(onOrAfter date: CivilDate, notBefore moment: Timestamp) -> Timestamp {
        var day = date
        for _ in 0..<15 {
            let candidate = zone.moment(day, minuteOfDay: opens)
            if days.contains(Weekday(of: day)), candidate >= moment { return candidate }
            day = day.adding(days: 1)
        }
        return zone.moment(day, minuteOfDay: opens)
    }
}
