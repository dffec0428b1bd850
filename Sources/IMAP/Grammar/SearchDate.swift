/// A calendar day as `SEARCH SINCE` takes it, without time or zone (RFC 9051 §6.4.4).
package struct SearchDate: Hashable, Sendable {
    package let year: Int
    package let month: Int
    package let day: Int

    /// Takes a day of the years 1 through 9999, or gives nil when the calendar has no such day.
    package init?(year: Int, month: Int, day: Int) {
        guard (1...9999).contains(year), (1...12).contains(month), day >= 1, day <= CivilCalendar.days(inMonth: month, of: year)
        else { return nil }
        self.year = year
        self.month = month
        self.day = day
    }

    /// The UTC day that holds the moment, in milliseconds since 1970; nil outside the years 1 through 9999.
    package init?(millisecondsSince1970: Int64) {
        let (days, rest) = millisecondsSince1970.quotientAndRemainder(dividingBy: 86_400_000)
        guard let date = CivilCalendar.date(daysSince1970: rest < 0 ? days - 1 : days) else { return nil }
        self.init(year: date.year, month: date.month, day: date.day)
    }

    /// The day as a command writes it: `1-Feb-1994`.
    var encoded: [UInt8] {
        var text = ASCII.decimal(UInt32(day))
        text.append(UInt8(ascii: "-"))
        text += CivilCalendar.monthNames[month - 1]
        text.append(UInt8(ascii: "-"))
        let digits = ASCII.decimal(UInt32(year))
        text += [UInt8](repeating: UInt8(ascii: "0"), count: 4 - digits.count)
        return text + digits
    }
}

/// The proleptic Gregorian calendar in integers.
enum CivilCalendar {
    static let monthNames: [[UInt8]] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        .map { (name: StaticString) in ASCII.bytes(name) }

    static func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

    static func days(inMonth month: Int, of year: Int) -> Int {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days from 1 January 1970 to the given day; negative before it.
    static func daysSince1970(year: Int, month: Int, day: Int) -> Int {
        let past = year - 1
        var days = past * 365 + past / 4 - past / 100 + past / 400 - 719_162
        for earlier in 1..<month { days += Self.days(inMonth: earlier, of: year) }
        return days + day - 1
    }

    /// The day that many days after 1 January 1970; nil outside the years 1 through 9999.
    static func date(daysSince1970 days: Int64) -> (year: Int, month: Int, day: Int)? {
        guard (-719_162...2_932_896).contains(days) else { return nil }
        var rest = Int(days) + 719_162
        var year = rest / 366 + 1
        while true {
            let next = daysSince1970(year: year + 1, month: 1, day: 1) + 719_162
            if next > rest { break }
            year += 1
        }
        rest -= daysSince1970(year: year, month: 1, day: 1) + 719_162
        var month = 1
        while rest >= Self.days(inMonth: month, of: year) {
            rest -= Self.days(inMonth: month, of: year)
            month += 1
        }
        return (year, month, rest + 1)
    }
}
