/// A day of the week, as conf writes it.
package enum Weekday: String, Sendable, CaseIterable {
    case monday = "mon"
    case tuesday = "tue"
    case wednesday = "wed"
    case thursday = "thu"
    case friday = "fri"
    case saturday = "sat"
    case sunday = "sun"
}

/// A part of a day, in minutes since midnight; `start` is inside, `end` is not, and `start` is smaller.
package struct HourRange: Sendable, Hashable, CustomStringConvertible {
    package var startMinute: Int
    package var endMinute: Int

    package init(startMinute: Int, endMinute: Int) {
        self.startMinute = startMinute
        self.endMinute = endMinute
    }

    package var description: String { "\(Self.text(startMinute))-\(Self.text(endMinute))" }

    private static func text(_ minute: Int) -> String {
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(two(minute / 60)):\(two(minute % 60))"
    }
}
