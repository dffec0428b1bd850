/// When the server took the message in (RFC 9051 §2.3.3).
package struct InternalDate: Hashable, Sendable {
    /// The moment in milliseconds since 1970, UTC; whole seconds.
    package let millisecondsSince1970: Int64

    package init(millisecondsSince1970: Int64) {
        self.millisecondsSince1970 = millisecondsSince1970
    }

    /// Reads `17-Jul-1996 02:44:25 -0700`, the day also with a leading space or as one digit; nil when it is anything else.
    init?(parsing text: [UInt8]) {
        var reader = DigitReader(text)
        reader.skipSpaces()
        guard let day = reader.number(digits: 1...2), reader.take("-"), let month = reader.month(), reader.take("-"),
            let year = reader.number(digits: 4...4), reader.take(" "),
            let hour = reader.number(digits: 1...2), reader.take(":"), let minute = reader.number(digits: 2...2), reader.take(":"),
            let second = reader.number(digits: 2...2), reader.take(" "), let sign = reader.sign(),
            let zone = reader.number(digits: 4...4), reader.isAtEnd,
            let date = SearchDate(year: year, month: month, day: day),
            hour < 24, minute < 60, second <= 60, zone % 100 < 60
        else { return nil }
        let days = CivilCalendar.daysSince1970(year: date.year, month: date.month, day: date.day)
        let offset = sign * (zone / 100 * 3600 + zone % 100 * 60)
        millisecondsSince1970 = Int64(days * 86_400 + hour * 3600 + minute * 60 + second - offset) * 1000
    }
}

/// Reads the fixed fields of a date.
private struct DigitReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    mutating func skipSpaces() { while position < bytes.count, bytes[position] == UInt8(ascii: " ") { position += 1 } }

    mutating func take(_ byte: Unicode.Scalar) -> Bool {
        guard position < bytes.count, bytes[position] == UInt8(ascii: byte) else { return false }
        position += 1
        return true
    }

    mutating func sign() -> Int? { take("+") ? 1 : take("-") ? -1 : nil }

    mutating func number(digits: ClosedRange<Int>) -> Int? {
        var value = 0
        var count = 0
        while count < digits.upperBound, position < bytes.count, let digit = ASCII.digit(bytes[position]) {
            value = value * 10 + digit
            count += 1
            position += 1
        }
        return count >= digits.lowerBound ? value : nil
    }

    mutating func month() -> Int? {
        guard position + 3 <= bytes.count else { return nil }
        let name = bytes[position..<position + 3]
        guard let index = CivilCalendar.monthNames.firstIndex(where: { ASCII.equalFolded($0[...], name) }) else { return nil }
        position += 3
        return index + 1
    }
}
