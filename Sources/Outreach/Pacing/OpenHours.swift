package import InternetMessage

/// When one identity may send: the window of the conf, and within it the hours of its workday where it has one.
package struct OpenHours: Sendable {
    let identity: String
    let window: SendingWindow
    let workday: Workday?
    let chance: Chance

    /// The same hours from their first minute on.
    var withoutPreferredHour: OpenHours {
        OpenHours(identity: identity, window: window.withoutPreferredHour, workday: workday, chance: chance)
    }

    /// `moment` itself when the identity may send then, else the next moment at which it may; a year later when it never may.
    package func nextOpen(from moment: Timestamp) -> Timestamp {
        window.zone.first(onOrAfter: moment, days: Self.horizon, in: spans) ?? moment + .seconds(Self.horizon * 86_400)
    }

    /// When it may send first on a date after the local one of `moment`.
    package func nextDay(after moment: Timestamp) -> Timestamp {
        nextOpen(from: max(moment, window.zone.moment(window.zone.date(at: moment).adding(days: 1), minuteOfDay: 0)))
    }

    /// A year with its holidays.
    private static let horizon = 370
    /// From then on `nextOpen` stands for never.
    static let never = Duration.seconds(horizon * 86_400)

    private func spans(on date: CivilDate) -> [Range<Int>] {
        let open = window.spans(on: date)
        guard let workday, !open.isEmpty else { return open }
        let worked = workday.spans(of: identity, on: date, chance: chance)
        return open.flatMap { span in worked.map { $0.clamped(to: span) }.filter { !$0.isEmpty } }
    }
}
