package import InternetMessage

/// A day or a moment as a person, or another program, writes it (ISO 8601).
package enum WrittenMoment {
    /// `2027-03-01` (its first moment), `2027-03-01T08:30`, `2027-03-01 08:30:15`, with fractions of a second or without; behind a time `Z`, or how
    /// far its clock is from UTC (`+01:00`); nil for anything else. Fractions are dropped.
    ///
    /// - Parameter zone: whose wall clock is meant where neither is said; nil is UTC.
    package static func read(_ text: String, in zone: LocalZone?) -> Timestamp? {
        var bytes = Array(text.utf8)[...]
        guard let date = date(&bytes) else { return nil }
        var (minute, second) = (0, 0)
        var offset: Int?
        if skip("T", &bytes) || skip("t", &bytes) || skip(" ", &bytes) {
            guard let time = time(&bytes) else { return nil }
            (minute, second) = (time.minute, time.second)
            offset = offsetMinutes(&bytes)
        }
        if offset == nil, skip("Z", &bytes) || skip("z", &bytes) { offset = 0 }
        guard bytes.isEmpty else { return nil }
        if let offset { return date.startOfDayUTC + .seconds((minute - offset) * 60 + second) }
        guard let zone else { return date.startOfDayUTC + .seconds(minute * 60 + second) }
        return zone.moment(date, minuteOfDay: minute) + .seconds(second)
    }

    /// `2027-03-01`; nil for anything else.
    package static func day(_ text: String) -> CivilDate? {
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

    private static func time(_ bytes: inout ArraySlice<UInt8>) -> (minute: Int, second: Int)? {
        guard let hours = number(&bytes, 2), skip(":", &bytes), let minutes = number(&bytes, 2), hours < 24, minutes < 60 else { return nil }
        guard skip(":", &bytes) else { return (hours * 60 + minutes, 0) }
        guard let seconds = number(&bytes, 2), seconds < 60 else { return nil }
        if skip(".", &bytes) {
            guard number(&bytes, 1) != nil else { return nil }
            while number(&bytes, 1) != nil {}
        }
        return (hours * 60 + minutes, seconds)
    }

    /// Minutes east of UTC as `+01:00`, `+0100` or `+01`; nil, and nothing is taken, for anything else.
    private static func offsetMinutes(_ bytes: inout ArraySlice<UInt8>) -> Int? {
        var rest = bytes
        let isWest = skip("-", &rest)
        guard isWest || skip("+", &rest), let hours = number(&rest, 2), hours < 24 else { return nil }
        let isLong = skip(":", &rest)
        let minutes = number(&rest, 2)
        guard !isLong || minutes != nil, minutes.map({ $0 < 60 }) ?? true else { return nil }
        bytes = rest
        return (isWest ? -1 : 1) * (hours * 60 + (minutes ?? 0))
    }

    private static func skip(_ character: Unicode.Scalar, _ bytes: inout ArraySlice<UInt8>) -> Bool {
        guard bytes.first == UInt8(ascii: character) else { return false }
        bytes.removeFirst()
        return true
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
