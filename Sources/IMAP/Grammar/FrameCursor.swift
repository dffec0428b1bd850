/// Walks over one frame, taking its pieces; each method either takes a whole piece or gives nil.
struct FrameCursor {
    private let frame: Frame
    private let toleratesExtraSpaces: Bool
    private(set) var position = 0
    private var literal = 0

    init(_ frame: Frame, quirks: Quirks) {
        self.frame = frame
        toleratesExtraSpaces = quirks.extraSpaces
    }

    /// The next byte; nil at the end and in front of a literal.
    var peek: UInt8? {
        guard position < frame.text.count, !isAtLiteral else { return nil }
        return frame.text[position]
    }

    private var isAtLiteral: Bool { literal < frame.literals.count && frame.literals[literal].offset == position }

    /// Whether nothing is left, but for spaces where those are tolerated.
    var isAtEnd: Bool {
        guard literal == frame.literals.count else { return false }
        guard toleratesExtraSpaces else { return position == frame.text.count }
        return frame.text[position...].allSatisfy { $0 == ASCII.space }
    }

    /// All the text from here on, literals left out.
    var rest: ArraySlice<UInt8> { frame.text[position...] }

    mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        position += 1
        return true
    }

    mutating func skipSpaces() {
        while take(ASCII.space) {}
    }

    /// Takes the space between two pieces.
    mutating func space() -> Bool {
        guard take(ASCII.space) else { return false }
        // Quirk(Exchange, Courier, qq.com): more than one space; QuirksTests "extra spaces".
        if toleratesExtraSpaces { skipSpaces() }
        return true
    }

    /// Takes bytes up to a space, a parenthesis, a bracket, a quote or a literal; nil when there are none.
    mutating func word() -> ArraySlice<UInt8>? {
        let start = position
        let end = literal < frame.literals.count ? frame.literals[literal].offset : frame.text.count
        while position < end, !Self.endsWord(frame.text[position]) { position += 1 }
        return position > start ? frame.text[start..<position] : nil
    }

    private static func endsWord(_ byte: UInt8) -> Bool {
        switch byte {
        case ASCII.space, UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "\""): true
        default: false
        }
    }

    /// The words from here on, up to anything that is not one.
    mutating func words() -> [ArraySlice<UInt8>] {
        var words: [ArraySlice<UInt8>] = []
        skipSpaces()
        while let word = word() {
            words.append(word)
            skipSpaces()
        }
        return words
    }

    /// Takes a parenthesized list of words.
    mutating func wordList() -> [[UInt8]]? {
        guard take(UInt8(ascii: "(")) else { return nil }
        let list = words().map { Array($0) }
        return take(UInt8(ascii: ")")) ? list : nil
    }

    /// Takes a quoted string, a literal or `NIL`.
    mutating func nstring() -> NString? {
        if isAtLiteral {
            literal += 1
            switch frame.literals[literal - 1].content {
            case .bytes(let bytes): return .bytes(bytes)
            case .oversized(let size): return .oversized(size)
            }
        }
        if peek == UInt8(ascii: "\"") { return quoted().map { .bytes($0) } }
        let start = position
        guard let word = word(), ASCII.equalFolded(word, ASCII.bytes("NIL")[...]) else {
            position = start
            return nil
        }
        return .absent
    }

    /// Takes a string or a bare word.
    mutating func astring() -> [UInt8]? {
        if isAtLiteral || peek == UInt8(ascii: "\"") {
            guard case .bytes(let bytes) = nstring() else { return nil }
            return bytes
        }
        let start = position
        // A mailbox name may hold brackets: [Gmail]/Spam.
        while let byte = peek, byte != ASCII.space, byte != UInt8(ascii: "("), byte != UInt8(ascii: ")"), byte != UInt8(ascii: "\"") {
            position += 1
        }
        return position > start ? Array(frame.text[start..<position]) : nil
    }

    private mutating func quoted() -> [UInt8]? {
        guard take(UInt8(ascii: "\"")) else { return nil }
        var bytes: [UInt8] = []
        while let byte = peek {
            position += 1
            if byte == UInt8(ascii: "\"") { return bytes }
            if byte == UInt8(ascii: "\\") {
                guard let escaped = peek else { return nil }
                position += 1
                bytes.append(escaped)
            } else {
                bytes.append(byte)
            }
        }
        return nil
    }

    /// Goes past the next such byte that is not inside quotes; literals on the way are passed over.
    mutating func skipPast(_ byte: UInt8) -> Bool {
        while true {
            if isAtLiteral {
                literal += 1
                continue
            }
            guard let next = peek else { return false }
            if next == UInt8(ascii: "\""), next != byte {
                guard quoted() != nil else { return false }
                continue
            }
            position += 1
            if next == byte { return true }
        }
    }

    /// Goes past one value of any shape: word, string, literal or list. Depth is counted, so nesting costs no stack.
    mutating func skipValue() -> Bool {
        var depth = 0
        let start = position
        while true {
            if isAtLiteral {
                literal += 1
                if depth == 0 { return true }
                continue
            }
            switch peek {
            case nil:
                return depth == 0 && position > start
            case UInt8(ascii: "("):
                depth += 1
                position += 1
            case UInt8(ascii: ")"):
                if depth == 0 { return position > start }
                depth -= 1
                position += 1
                if depth == 0 { return true }
            case UInt8(ascii: "\""):
                guard quoted() != nil else { return false }
                if depth == 0 { return true }
            case ASCII.space:
                if depth == 0 { return position > start }
                position += 1
            default:
                position += 1
            }
        }
    }
}

/// A string that may be absent, or too large to have been kept.
enum NString: Equatable, Sendable {
    /// `NIL`.
    case absent
    case bytes([UInt8])
    case oversized(UInt64)
}
