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

    static func text(_ minute: Int) -> String {
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(two(minute / 60)):\(two(minute % 60))"
    }
}

/// A part of each day, in minutes since midnight; one that ends before it starts goes over midnight.
package struct QuietRange: Sendable, Hashable, CustomStringConvertible {
    package var startMinute: Int
    package var endMinute: Int

    package init(startMinute: Int, endMinute: Int) {
        self.startMinute = startMinute
        self.endMinute = endMinute
    }

    package var description: String { "\(HourRange.text(startMinute))-\(HourRange.text(endMinute))" }
}

/// Hours on some days of the week, such as `mon-fri 09:00-12:00`.
package struct WeekSpan: Sendable, Hashable, CustomStringConvertible {
    package var days: [Weekday]
    package var hours: HourRange

    package init(days: [Weekday], hours: HourRange) {
        self.days = days
        self.hours = hours
    }

    package var description: String { "\(days.map(\.rawValue).joined(separator: ",")) \(hours)" }
}
