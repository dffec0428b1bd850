/// Byte-level words for reading and writing protocol text.
enum ASCII {
    static let cr = UInt8(ascii: "\r")
    static let lf = UInt8(ascii: "\n")
    static let space = UInt8(ascii: " ")

    static func bytes(_ text: StaticString) -> [UInt8] { Array(text.description.utf8) }

    /// The byte with `a`…`z` raised to `A`…`Z`; every other byte unchanged.
    static func upper(_ byte: UInt8) -> UInt8 { byte >= 0x61 && byte <= 0x7A ? byte &- 32 : byte }

    static func upper(_ bytes: some Sequence<UInt8>) -> [UInt8] { bytes.map { upper($0) } }

    /// Whether both are the same but for the case of ASCII letters.
    static func equalFolded(_ a: ArraySlice<UInt8>, _ b: ArraySlice<UInt8>) -> Bool {
        guard a.count == b.count else { return false }
        return zip(a, b).allSatisfy { upper($0) == upper($1) }
    }

    static func digit(_ byte: UInt8) -> Int? { byte >= 0x30 && byte <= 0x39 ? Int(byte &- 0x30) : nil }

    /// The number written in nothing but digits; nil when empty, otherwise written, or above 2^64-1.
    static func uint64(_ digits: ArraySlice<UInt8>) -> UInt64? {
        guard !digits.isEmpty else { return nil }
        var value: UInt64 = 0
        for byte in digits {
            guard let digit = digit(byte) else { return nil }
            let (product, over) = value.multipliedReportingOverflow(by: 10)
            let (sum, carried) = product.addingReportingOverflow(UInt64(digit))
            guard !over, !carried else { return nil }
            value = sum
        }
        return value
    }

    /// The number written in nothing but digits; nil when empty, otherwise written, or above 2^32-1.
    static func uint32(_ digits: ArraySlice<UInt8>) -> UInt32? { uint64(digits).flatMap(UInt32.init(exactly:)) }

    static func decimal(_ value: UInt32) -> [UInt8] { Array(String(value).utf8) }
}

/// Lets a `switch` over bytes name its cases as words.
func ~= (word: StaticString, bytes: [UInt8]) -> Bool { bytes.elementsEqual(word.description.utf8) }
