/// The octets this grammar speaks of, and comparisons on octets. Nothing here looks at `String` or `Character`: in Swift CRLF is one
/// `Character`, and equality of strings is canonical equivalence.
enum ASCII {
    static let nul: UInt8 = 0x00
    static let lineFeed: UInt8 = 0x0A
    static let carriageReturn: UInt8 = 0x0D
    static let space: UInt8 = 0x20
    static let quote: UInt8 = 0x22
    static let plus: UInt8 = 0x2B
    static let comma: UInt8 = 0x2C
    static let hyphen: UInt8 = 0x2D
    static let dot: UInt8 = 0x2E
    static let colon: UInt8 = 0x3A
    static let lessThan: UInt8 = 0x3C
    static let equals: UInt8 = 0x3D
    static let greaterThan: UInt8 = 0x3E
    static let at: UInt8 = 0x40
    static let openBracket: UInt8 = 0x5B
    static let backslash: UInt8 = 0x5C
    static let closeBracket: UInt8 = 0x5D
    static let delete: UInt8 = 0x7F

    static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

    static func isLetter(_ byte: UInt8) -> Bool {
        let folded = byte | 0x20
        return folded >= 0x61 && folded <= 0x7A
    }

    static func isLetterOrDigit(_ byte: UInt8) -> Bool { isDigit(byte) || isLetter(byte) }

    static func isControl(_ byte: UInt8) -> Bool { byte < space || byte == delete }

    /// Visible US-ASCII, without the space.
    static func isVisible(_ byte: UInt8) -> Bool { byte > space && byte < delete }

    static func uppercased(_ byte: UInt8) -> UInt8 { byte >= 0x61 && byte <= 0x7A ? byte & 0xDF : byte }

    static func uppercased(_ bytes: some Sequence<UInt8>) -> [UInt8] { bytes.map(uppercased) }

    /// Whether `bytes` is `word` when the case of ASCII letters is ignored.
    static func matches(_ bytes: some Sequence<UInt8>, _ word: StaticString) -> Bool {
        bytes.lazy.map(uppercased).elementsEqual(octets(word).lazy.map(uppercased))
    }

    /// Whether `bytes` begins with `word` when the case of ASCII letters is ignored.
    static func begins(_ bytes: some Sequence<UInt8>, with word: StaticString) -> Bool {
        bytes.lazy.map(uppercased).starts(with: octets(word).lazy.map(uppercased))
    }

    /// The decimal number that `digits` spells; nil when it is empty, holds anything but digits, or does not fit.
    static func number<Number: FixedWidthInteger>(_ digits: some Collection<UInt8>, as type: Number.Type = Number.self) -> Number? {
        guard !digits.isEmpty else { return nil }
        var value: Number = 0
        for byte in digits {
            guard isDigit(byte) else { return nil }
            let (shifted, tooWide) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflow) = shifted.addingReportingOverflow(Number(byte - 0x30))
            guard !tooWide, !overflow else { return nil }
            value = sum
        }
        return value
    }

    /// The words of a line: runs of octets without a space.
    static func words(_ line: [UInt8]) -> [[UInt8]] {
        line.split(separator: space, omittingEmptySubsequences: true).map { Array($0) }
    }

    private static func octets(_ word: StaticString) -> [UInt8] { Array(word.description.utf8) }
}
