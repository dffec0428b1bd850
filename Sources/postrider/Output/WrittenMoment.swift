import InternetMessage
import Outreach

/// A day or a moment as a person writes it.
enum WrittenMoment {
    /// `2027-03-01` (its first moment), `2027-03-01T08:30`, `2027-03-01T08:30:15`, or one of the last two with a `Z` for UTC; nil for
    /// anything else.
    ///
    /// - Parameter zone: whose wall clock is meant where there is no `Z`; nil is UTC.
    static func read(_ text: String, in zone: LocalZone?) -> Timestamp? {
        var bytes = Array(text.utf8)[...]
        let isUTC = bytes.last == UInt8(ascii: "Z") && bytes.count > 10
        if isUTC { bytes.removeLast() }
        guard let date = date(&bytes) else { return nil }
        var (minute, second) = (0, 0)
        if !bytes.isEmpty {
            guard skip("T", &bytes), let hours = number(&bytes, 2), skip(":", &bytes), let minutes = number(&bytes, 2), hours < 24,
                minutes < 60
            else { return nil }
            minute = hours * 60 + minutes
            if !bytes.isEmpty {
                guard skip(":", &bytes), let seconds = number(&bytes, 2), seconds < 60, bytes.isEmpty else { return nil }
                second = seconds
            }
        }
        guard let zone, !isUTC else { return date.startOfDayUTC + .seconds(minute * 60 + second) }
        return zone.moment(date, minuteOfDay: minute) + .seconds(second)
    }

    /// `2027-03-01`; nil for anything else.
    static func day(_ text: String) -> CivilDate? {
        var bytes = Array(text.utf8)[...]
        guard let date = date(&bytes), bytes.isEmpty else { return nil }
        return date
    }

    private static func date(_ bytes: inout ArraySlice<UInt8>) -> CivilDate? {
        guard let year = number(&bytes, 4), skip("-", &bytes), let month = number(&bytes, 2), skip("-", &bytes),
            let day = number(&bytes, 2)
        else { return nil }
        return CivilDate(year: year, month: month, day: day)
    }

    private static func skip(_ character: Unicode.Scalar, _ bytes: inout ArraySlice<UInt8>) -> Bool {
        bytes.popFirst() == UInt8(ascii: character)
    }

    private static func number(_ bytes: inout ArraySlice<UInt8>, _ count: Int) -> Int? {
        guard bytes.count >= count else { return nil }
        var value = 0
        for byte in bytes.prefix(count) {
            guard byte >= 48, byte <= 57 else { return nil }
            value = value * 10 + Int(byte - 48)
        }
        bytes.removeFirst(count)
        return value
    }
}
