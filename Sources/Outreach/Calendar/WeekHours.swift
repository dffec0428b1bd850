/// The open spans of each day of a week, in minutes since local midnight.
package struct WeekHours: Sendable, Hashable {
    /// In the order of `Weekday`; the spans of a day in order, apart from each other.
    private let days: [[Range<Int>]]

    /// Spans that touch or overlap are one. nil when no day has any, or a span is not within 0...1440.
    package init?(_ spans: [Weekday: [Range<Int>]]) {
        guard spans.values.joined().allSatisfy({ !$0.isEmpty && $0.lowerBound >= 0 && $0.upperBound <= 1440 }),
            spans.values.contains(where: { !$0.isEmpty })
        else { return nil }
        days = Weekday.allCases.map { Self.joined(spans[$0] ?? []) }
    }

    package func spans(on day: Weekday) -> [Range<Int>] { days[day.rawValue] }

    /// The days that have hours at all.
    package var openDays: Set<Weekday> { Set(Weekday.allCases.filter { !days[$0.rawValue].isEmpty }) }

    /// What is left of spans outside a part of the day; a part that ends before it begins goes over midnight.
    static func outside(_ quiet: Range<Int>, of spans: [Range<Int>]) -> [Range<Int>] {
        spans.flatMap { span in
            [span.clamped(to: 0..<max(0, quiet.lowerBound)), span.clamped(to: min(1440, quiet.upperBound)..<1440)].filter { !$0.isEmpty }
        }
    }

    private static func joined(_ spans: [Range<Int>]) -> [Range<Int>] {
        var joined: [Range<Int>] = []
        for span in spans.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = joined.last, last.upperBound >= span.lowerBound {
                joined[joined.count - 1] = last.lowerBound..<max(last.upperBound, span.upperBound)
            } else {
                joined.append(span)
            }
        }
        return joined
    }
}
