/// The moment a Date field names, with the offset from UTC that it was written in (RFC 5322 §3.3).
package struct MessageDate: Hashable, Sendable {
    /// The moment in UTC.
    package let timestamp: Timestamp
    /// Minutes east of UTC, within ±1439. The zones `-0000` and the military letters count as 0 (RFC 5322 §4.3).
    package let offsetMinutes: Int

    /// A moment to be written at an offset from UTC; an offset beyond ±23:59 is drawn to that edge.
    package init(timestamp: Timestamp, offsetMinutes: Int) {
        self.timestamp = timestamp
        self.offsetMinutes = max(-1439, min(1439, offsetMinutes))
    }

    /// Reads a date as it stands in a header field: RFC 5322 with its obsolete forms, and the other spellings seen in mail
    /// (asctime, ISO 8601, dashes between day and month, a missing zone). Nil when no day, month and year can be found.
    package init?(parsing bytes: ArraySlice<UInt8>) {
        var parser = DateParser(bytes)
        guard let date = parser.parse() else { return nil }
        self = date
    }

    /// Reads a date from text; the same rules as for bytes.
    package init?(_ text: String) {
        self.init(parsing: ArraySlice(text.utf8))
    }

    /// The date in the form of RFC 5322 §3.3, for example `Wed, 04 Mar 2026 09:45:18 +0100`.
    package var formatted: String {
        let (date, second) = local
        let weekday = Self.weekdayNames[date.weekday - 1]
        let month = Self.monthNames[date.month - 1]
        return "\(weekday), \(padded(date.day, 2)) \(month) \(padded(date.year, 4)) \(clock(second)) \(zone(separator: ""))"
    }

    /// The date as ISO 8601 with its offset, for example `2026-03-04T09:45:18+01:00`.
    package var iso8601: String { iso8601(utcAsZ: false) }

    func iso8601(utcAsZ: Bool) -> String {
        let (date, second) = local
        return "\(date.iso8601)T\(clock(second))\(utcAsZ && offsetMinutes == 0 ? "Z" : zone(separator: ":"))"
    }

    private var local: (date: CivilDate, secondOfDay: Int) {
        let date = CivilDate(timestamp, offsetMinutes: offsetMinutes)
        let seconds = (timestamp + .seconds(offsetMinutes * 60)).seconds % 86_400
        return (date, Int((seconds + 86_400) % 86_400))
    }

    private func clock(_ second: Int) -> String {
        "\(padded(second / 3600, 2)):\(padded(second / 60 % 60, 2)):\(padded(second % 60, 2))"
    }

    private func zone(separator: String) -> String {
        let size = abs(offsetMinutes)
        return "\(offsetMinutes < 0 ? "-" : "+")\(padded(size / 60, 2))\(separator)\(padded(size % 60, 2))"
    }

    static let monthNames = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    static let weekdayNames = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
}
