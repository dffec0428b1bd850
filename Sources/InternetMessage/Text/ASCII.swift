/// Byte values of the characters that the mail grammars give a meaning to.
enum ASCII {
    static let nul: UInt8 = 0x00
    static let tab: UInt8 = 0x09
    static let lf: UInt8 = 0x0A
    static let cr: UInt8 = 0x0D
    static let space: UInt8 = 0x20
    static let quote: UInt8 = 0x22
    static let percent: UInt8 = 0x25
    static let apostrophe: UInt8 = 0x27
    static let openParen: UInt8 = 0x28
    static let closeParen: UInt8 = 0x29
    static let asterisk: UInt8 = 0x2A
    static let plus: UInt8 = 0x2B
    static let comma: UInt8 = 0x2C
    static let hyphen: UInt8 = 0x2D
    static let dot: UInt8 = 0x2E
    static let slash: UInt8 = 0x2F
    static let zero: UInt8 = 0x30
    static let colon: UInt8 = 0x3A
    static let semicolon: UInt8 = 0x3B
    static let less: UInt8 = 0x3C
    static let equals: UInt8 = 0x3D
    static let greater: UInt8 = 0x3E
    static let question: UInt8 = 0x3F
    static let at: UInt8 = 0x40
    static let openBracket: UInt8 = 0x5B
    static let backslash: UInt8 = 0x5C
    static let closeBracket: UInt8 = 0x5D
    static let underscore: UInt8 = 0x5F
    static let backtick: UInt8 = 0x60
    static let delete: UInt8 = 0x7F
}

extension UInt8 {
    /// Space or horizontal tab (WSP of RFC 5234).
    var isBlank: Bool { self == ASCII.space || self == ASCII.tab }

    /// Space, tab, CR or LF: what may stand between tokens of a folded field.
    var isWhitespace: Bool { self == ASCII.space || self == ASCII.tab || self == ASCII.lf || self == ASCII.cr }

    var isDigit: Bool { self &- 0x30 < 10 }

    var isLetter: Bool { (self | 0x20) &- 0x61 < 26 }

    /// A C0 control or DEL.
    var isControl: Bool { self < 0x20 || self == ASCII.delete }

    /// The value of a hexadecimal digit, nil for any other byte.
    var hexValue: UInt8? {
        if isDigit { return self &- 0x30 }
        let letter = (self | 0x20) &- 0x61
        return letter < 6 ? letter + 10 : nil
    }

    /// The letter in lower case; any byte that is not an ASCII letter is returned as it is.
    var lowercased: UInt8 { self &- 0x41 < 26 ? self | 0x20 : self }

    /// atext of RFC 5322 §3.2.3 as widened by RFC 6532 §3.2: any byte from 0x80 counts.
    var isAtext: Bool {
        switch self {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x80...0xFF: true
        case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2F, 0x3D, 0x3F, 0x5E...0x60, 0x7B...0x7E: true
        default: false
        }
    }

    /// A byte that may stand in a header field name (ftext of RFC 5322 §3.6.8).
    var isFieldNameByte: Bool { self > 0x20 && self < 0x7F && self != ASCII.colon }

    /// A token byte of RFC 2045 §5.1.
    var isMIMETokenByte: Bool {
        switch self {
        case 0x21...0x7E:
            switch self {
            case ASCII.openParen, ASCII.closeParen, ASCII.less, ASCII.greater, ASCII.at, ASCII.comma, ASCII.semicolon, ASCII.colon,
                ASCII.backslash, ASCII.quote, ASCII.slash, ASCII.openBracket, ASCII.closeBracket, ASCII.question, ASCII.equals:
                false
            default: true
            }
        default: false
        }
    }
}

extension Collection<UInt8> {
    /// Whether these bytes are `text`, ASCII letters compared without regard to case.
    func matches(_ text: String) -> Bool {
        let other = text.utf8
        guard count == other.count else { return false }
        return zip(self, other).allSatisfy { $0 == $1 || $0.lowercased == $1.lowercased }
    }

    /// Whether these bytes begin with `text`, ASCII letters compared without regard to case.
    func hasPrefix(ignoringCase text: String) -> Bool {
        let other = text.utf8
        guard count >= other.count else { return false }
        return zip(self, other).allSatisfy { $0 == $1 || $0.lowercased == $1.lowercased }
    }

    /// The bytes with ASCII letters in lower case.
    var asciiLowercased: [UInt8] { map(\.lowercased) }

    var isASCII: Bool { allSatisfy { $0 < 0x80 } }
}

extension ArraySlice<UInt8> {
    var isASCII: Bool { span.firstIndexBeyondASCII(from: 0) == count }

    /// The slice without spaces, tabs, CRs and LFs at both ends.
    var trimmed: ArraySlice<UInt8> {
        var low = startIndex
        var high = endIndex
        while low < high, self[low].isWhitespace { low += 1 }
        while high > low, self[high - 1].isWhitespace { high -= 1 }
        return self[low..<high]
    }

    /// The index of the first `byte` at or after `start`, nil when there is none.
    func index(of byte: UInt8, from start: Int) -> Int? {
        let i = span.firstIndex(of: byte, from: start - startIndex) + startIndex
        return i < endIndex ? i : nil
    }

    /// The index of the first occurrence of `needle` at or after `start`, nil when there is none.
    func index(of needle: [UInt8], from start: Int) -> Int? {
        guard let first = needle.first else { return start }
        let bytes = span
        let last = bytes.count - needle.count
        var i = start - startIndex
        while i <= last {
            i = bytes.firstIndex(of: first, from: i)
            guard i <= last else { return nil }
            var j = 1
            while j < needle.count, bytes[i + j] == needle[j] { j += 1 }
            if j == needle.count { return i + startIndex }
            i += 1
        }
        return nil
    }

    /// The bytes read as UTF-8, malformed sequences replaced by U+FFFD.
    var utf8Text: String { String(decoding: self, as: UTF8.self) }
}

extension [UInt8] {
    var utf8Text: String { String(decoding: self, as: UTF8.self) }
}
