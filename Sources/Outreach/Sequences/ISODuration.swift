/// A duration in ISO 8601 form: weeks, days, hours, minutes and seconds (`P3D`, `PT90M`, `P1W`).
///
/// Years and months are refused: they differ in length. Days are 24 hours here, and calendar days where there is a zone (`LocalZone.adding`).
package struct ISODuration: Sendable, Hashable, Codable, CustomStringConvertible {
    package let seconds: Int64
    package let description: String
    /// The weeks and days of it, in days.
    package let days: Int64

    package var duration: Duration { .seconds(seconds) }

    /// nil when the text is not such a duration or is longer than ten years.
    package init?(_ text: String) {
        var bytes = Array(text.utf8)[...]
        guard bytes.popFirst() == UInt8(ascii: "P"), !bytes.isEmpty else { return nil }
        var inTime = false
        var rank = 0
        var total: Int64 = 0
        var days: Int64 = 0
        while let byte = bytes.first {
            if byte == UInt8(ascii: "T") {
                guard !inTime, bytes.count > 1 else { return nil }
                inTime = true
                rank = max(rank, 2)
                bytes.removeFirst()
                continue
            }
            var number: Int64 = 0
            var digits = 0
            while let digit = bytes.first, digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") {
                digits += 1
                guard digits <= 9 else { return nil }
                number = number * 10 + Int64(digit - UInt8(ascii: "0"))
                bytes.removeFirst()
            }
            guard digits > 0, let unit = bytes.popFirst(), let (place, factor) = Self.unit(unit, inTime: inTime), place >= rank else {
                return nil
            }
            rank = place + 1
            total += number * factor
            if !inTime { days += number * factor / 86_400 }
        }
        guard total <= 10 * 366 * 86_400 else { return nil }
        seconds = total
        self.days = days
        description = text
    }

    /// - Parameter seconds: less than a day.
    init(seconds: Int64, description: String) {
        self.seconds = seconds
        days = 0
        self.description = description
    }

    private static func unit(_ letter: UInt8, inTime: Bool) -> (place: Int, seconds: Int64)? {
        switch (letter, inTime) {
        case (UInt8(ascii: "W"), false): (0, 604_800)
        case (UInt8(ascii: "D"), false): (1, 86_400)
        case (UInt8(ascii: "H"), true): (2, 3_600)
        case (UInt8(ascii: "M"), true): (3, 60)
        case (UInt8(ascii: "S"), true): (4, 1)
        default: nil
        }
    }

    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let value = ISODuration(text) else {
            throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "not an ISO 8601 duration: \(text)"))
        }
        self = value
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
