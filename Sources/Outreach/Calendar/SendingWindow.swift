package import InternetMessage

/// When sequence mail may leave: hours of the week in one zone, without quiet hours and holidays, from a preferred hour on.
package struct SendingWindow: Sendable, Hashable {
    /// What kept a moment from being the one.
    package enum Binding: Sendable, Hashable {
        /// The day of the week has no hours.
        case day(Weekday)
        /// It is before, between or after the hours of the day.
        case hours
        case quietHours
        case holiday(String)
        /// The day's preferred hour is still to come.
        case preferredHour(Int)

        /// For a person.
        package var words: String {
            switch self {
            case .day(let day): "sending window is closed on \(day.shortName)"
            case .hours: "sending window is closed"
            case .quietHours: "quiet hours"
            case .holiday(let name): "holiday: \(name)"
            case .preferredHour(let hour): "preferred hour is \(hour):00"
            }
        }
    }

    /// A moment at which mail may leave, and what kept it from leaving before, in order; empty when nothing did.
    package struct Opening: Sendable, Hashable {
        package let at: Timestamp
        package let because: [Binding]

        /// For a person; empty when nothing kept it back.
        package var words: String { because.map(\.words).joined(separator: ", ") }
    }

    package let week: WeekHours
    package let zone: LocalZone
    /// A part of each day, in minutes; one that ends before it begins goes over midnight. nil: none.
    package let quietHours: QuietHours?
    package let holidays: Holidays
    /// The local hour from which on mail leaves on days that have hours after it; nil: as soon as the window is open. A day on which it is over
    /// already is used all the same.
    package let preferredHour: Int?

    /// A part of the day, in minutes since local midnight.
    package struct QuietHours: Sendable, Hashable {
        package let start: Int
        package let end: Int

        /// nil when a time is not within 0...1440, or they are the same.
        package init?(start: Int, end: Int) {
            guard (0...1440).contains(start), (0...1440).contains(end), start != end else { return nil }
            self.start = start
            self.end = end
        }

        package func contains(_ minute: Int) -> Bool {
            start < end ? minute >= start && minute < end : minute >= start || minute < end
        }
    }

    /// How far ahead a moment is looked for: a year with its holidays.
    private static let horizon = 370

    package init(
        week: WeekHours, zone: LocalZone, quietHours: QuietHours? = nil, holidays: Holidays = .none, preferredHour: Int? = nil
    ) {
        self.week = week
        self.zone = zone
        self.quietHours = quietHours
        self.holidays = holidays
        self.preferredHour = preferredHour
    }

    /// The same hours on some days. nil when no day is given or the times are not 0 ≤ opens < closes ≤ 1440.
    package init?(days: Set<Weekday>, opens: Int, closes: Int, zone: LocalZone) {
        guard opens < closes, let week = WeekHours(Dictionary(uniqueKeysWithValues: days.map { ($0, [opens..<closes]) })) else {
            return nil
        }
        self.init(week: week, zone: zone)
    }

    /// The same window from its first minute on.
    package var withoutPreferredHour: SendingWindow {
        SendingWindow(week: week, zone: zone, quietHours: quietHours, holidays: holidays)
    }

    /// The same window where another clock hangs.
    package func moved(to zone: LocalZone, holidays: Holidays) -> SendingWindow {
        SendingWindow(
            week: week, zone: zone, quietHours: quietHours, holidays: self.holidays.joined(with: holidays), preferredHour: preferredHour)
    }

    /// The open spans of a date, in minutes since local midnight.
    package func spans(on date: CivilDate) -> [Range<Int>] {
        let open = hours(on: date)
        guard let preferredHour else { return open }
        let preferred = open.map { $0.clamped(to: preferredHour * 60..<1440) }.filter { !$0.isEmpty }
        return preferred.isEmpty ? open : preferred
    }

    /// As `spans`, whatever hour is preferred.
    private func hours(on date: CivilDate) -> [Range<Int>] {
        guard holidays.name(on: date) == nil else { return [] }
        let spans = week.spans(on: Weekday(of: date))
        guard let quiet = quietHours else { return spans }
        if quiet.start < quiet.end { return WeekHours.outside(quiet.start..<quiet.end, of: spans) }
        return spans.map { $0.clamped(to: quiet.end..<quiet.start) }.filter { !$0.isEmpty }
    }

    package func isOpen(at moment: Timestamp) -> Bool {
        let minute = zone.minuteOfDay(at: moment)
        return spans(on: zone.date(at: moment)).contains { $0.contains(minute) }
    }

    /// The first moment at or after `moment` at which mail may leave, with what bound it; nil when there is none within a year.
    package func next(onOrAfter moment: Timestamp) -> Opening? {
        guard let at = zone.first(onOrAfter: moment, days: Self.horizon, in: spans) else { return nil }
        guard at > moment else { return Opening(at: at, because: []) }
        var because: [Binding] = []
        func add(_ binding: Binding) { if !because.contains(binding) { because.append(binding) } }
        let (first, last) = (zone.date(at: moment), zone.date(at: at))
        add(binding(on: first, minute: zone.minuteOfDay(at: moment)))
        // Of the days between only holidays are worth a word; that there are no hours on a Sunday is no surprise.
        var day = first.adding(days: 1)
        while day <= last {
            if day < last, let name = holidays.name(on: day), !week.spans(on: Weekday(of: day)).isEmpty { add(.holiday(name)) }
            day = day.adding(days: 1)
        }
        return Opening(at: at, because: because)
    }

    /// What keeps a moment that is not open from being so.
    private func binding(on date: CivilDate, minute: Int) -> Binding {
        let spans = week.spans(on: Weekday(of: date))
        if let name = holidays.name(on: date), !spans.isEmpty { return .holiday(name) }
        if spans.isEmpty { return .day(Weekday(of: date)) }
        if let preferredHour, hours(on: date).contains(where: { $0.contains(minute) }) { return .preferredHour(preferredHour) }
        if let quietHours, quietHours.contains(minute), spans.contains(where: { $0.contains(minute) }) { return .quietHours }
        return .hours
    }

    /// `moment` itself when the window is open, else the next moment at which it opens; a year later when it never does.
    package func nextOpen(from moment: Timestamp) -> Timestamp {
        zone.first(onOrAfter: moment, days: Self.horizon, in: spans) ?? moment + .seconds(Self.horizon * 86_400)
    }

    /// When it opens first on a date after the local one of `moment`.
    package func nextDay(after moment: Timestamp) -> Timestamp {
        nextOpen(from: zone.moment(zone.date(at: moment).adding(days: 1), minuteOfDay: 0))
    }

    /// The first moment at or after `moment` at which all of the windows are open, with what bound it last; nil when there is none within a
    /// year.
    package static func next(onOrAfter moment: Timestamp, in windows: [SendingWindow]) -> Opening? {
        var opening = Opening(at: moment, because: [])
        // Each round moves ahead to an opening; two windows whose hours never meet do so twice a day.
        for _ in 0..<4 * horizon {
            var moved = false
            for window in windows {
                guard let next = window.next(onOrAfter: opening.at) else { return nil }
                if next.at > opening.at {
                    opening = next
                    moved = true
                }
            }
            if !moved { return opening }
            if opening.at > moment + .seconds(horizon * 86_400) { return nil }
        }
        return nil
    }
}
