/// What a run of bytes looks like when it is read as UTF-8 (RFC 3629: no surrogates, no overlong forms).
struct UTF8Check {
    /// Well-formed sequences of two bytes and more.
    private(set) var multibyte = 0
    /// Bytes that belong to no well-formed sequence.
    private(set) var malformed = 0

    init(_ bytes: ArraySlice<UInt8>) {
        var i = bytes.startIndex
        let end = bytes.endIndex
        while i < end {
            if bytes[i] < 0x80 {
                i += 1
                continue
            }
            let length = UTF8Check.sequenceLength(bytes, i, end)
            if length == 0 { malformed += 1 } else if length > 1 { multibyte += 1 }
            i += max(1, length)
        }
    }

    /// Whether the text is UTF-8 with damage, rather than another charset.
    var isMostlyRight: Bool { multibyte >= malformed }

    static func isValid(_ bytes: ArraySlice<UInt8>) -> Bool {
        var i = bytes.startIndex
        let end = bytes.endIndex
        while i < end {
            if bytes[i] < 0x80 {
                i += 1
                continue
            }
            let length = sequenceLength(bytes, i, end)
            if length == 0 { return false }
            i += length
        }
        return true
    }

    /// The length of the well-formed sequence at `i`, 0 when there is none.
    static func sequenceLength(_ bytes: ArraySlice<UInt8>, _ i: Int, _ end: Int) -> Int {
        func isTail(_ offset: Int) -> Bool { i + offset < end && bytes[i + offset] & 0xC0 == 0x80 }
        let lead = bytes[i]
        switch lead {
        case 0..<0x80: return 1
        case 0xC2...0xDF: return isTail(1) ? 2 : 0
        case 0xE0...0xEF:
            guard isTail(1), isTail(2) else { return 0 }
            if lead == 0xE0, bytes[i + 1] < 0xA0 { return 0 }
            if lead == 0xED, bytes[i + 1] > 0x9F { return 0 }
            return 3
        case 0xF0...0xF4:
            guard isTail(1), isTail(2), isTail(3) else { return 0 }
            if lead == 0xF0, bytes[i + 1] < 0x90 { return 0 }
            if lead == 0xF4, bytes[i + 1] > 0x8F { return 0 }
            return 4
        default: return 0
        }
    }
}
