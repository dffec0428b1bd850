/// Splits Swift source into what is code and what is a string literal, and drops comments.
///
/// It knows nested comments, raw and multi-line strings, and code inside interpolations, because a rule about code must not fire on
/// a comment that names what is forbidden. Regular expression literals are read as code.
struct SwiftLexer {
    /// A token or a string literal, and the line it starts on (from 1).
    struct Piece: Equatable {
        let text: String
        let line: Int
        /// True for a token that follows the one before without a space: `try!` is one thing, `try !done` another.
        var isGlued = false
    }

    private struct OpenString {
        let hashes: Int
        let isMultiline: Bool
        let line: Int
        var bytes: [UInt8] = []
        /// Open parentheses of the interpolation we are inside of; nil while we read the string's own text.
        var interpolationDepth: Int?
    }

    private let bytes: [UInt8]
    private var at = 0
    private var line = 1
    private var strings: [OpenString] = []
    private(set) var tokens: [Piece] = []
    /// In the order in which they end; an interpolation stands as `\()` in the text.
    private(set) var literals: [Piece] = []

    static func lex(_ source: String) -> (tokens: [Piece], literals: [Piece]) {
        var lexer = SwiftLexer(bytes: Array(source.utf8))
        lexer.run()
        return (lexer.tokens, lexer.literals)
    }

    /// True for identifiers, keywords and numbers.
    static func isWord(_ text: String) -> Bool { text.utf8.first.map(isWordByte) ?? false }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private mutating func run() {
        while at < bytes.count {
            if let string = strings.last, string.interpolationDepth == nil { readText(of: string) } else { readCode() }
        }
        while strings.last != nil { closeString() }
    }

    private mutating func readCode() {
        let byte = bytes[at]
        if starts("//") {
            while at < bytes.count, bytes[at] != newline { at += 1 }
        } else if starts("/*") {
            skipBlockComment()
        } else if byte == newline {
            line += 1
            at += 1
        } else if byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r") {
            at += 1
        } else if byte == quote || byte == hash, let hashes = hashesBeforeQuote() {
            at += hashes
            let isMultiline = starts("\"\"\"")
            at += isMultiline ? 3 : 1
            strings.append(OpenString(hashes: hashes, isMultiline: isMultiline, line: line))
        } else if Self.isWordByte(byte) {
            let start = at
            while at < bytes.count, Self.isWordByte(bytes[at]) { at += 1 }
            append(start..<at)
        } else {
            readPunctuation(byte)
        }
    }

    private mutating func append(_ range: Range<Int>) {
        let isGlued = range.lowerBound > 0 && ![UInt8(ascii: " "), UInt8(ascii: "\t"), newline].contains(bytes[range.lowerBound - 1])
        tokens.append(Piece(text: String(decoding: bytes[range], as: UTF8.self), line: line, isGlued: isGlued))
    }

    private mutating func readPunctuation(_ byte: UInt8) {
        at += 1
        if let depth = strings.last?.interpolationDepth {
            if byte == UInt8(ascii: ")"), depth == 1 {
                strings[strings.count - 1].interpolationDepth = nil
                return
            }
            let change = byte == UInt8(ascii: "(") ? 1 : byte == UInt8(ascii: ")") ? -1 : 0
            strings[strings.count - 1].interpolationDepth = depth + change
        }
        append(at - 1..<at)
    }

    private mutating func readText(of string: OpenString) {
        let byte = bytes[at]
        let hashes = String(repeating: "#", count: string.hashes)
        if starts((string.isMultiline ? "\"\"\"" : "\"") + hashes) {
            at += (string.isMultiline ? 3 : 1) + string.hashes
            closeString()
        } else if starts("\\" + hashes + "(") {
            at += 2 + string.hashes
            strings[strings.count - 1].bytes += Array("\\()".utf8)
            strings[strings.count - 1].interpolationDepth = 1
        } else if byte == newline {
            // A one-line string ends with its line at the latest, so a stray quote costs one line only.
            if string.isMultiline { strings[strings.count - 1].bytes.append(byte) } else { closeString() }
            line += 1
            at += 1
        } else {
            let length = starts("\\" + hashes) ? min(2 + string.hashes, bytes.count - at) : 1
            let escapesNewline = bytes[at..<at + length].last == newline
            strings[strings.count - 1].bytes += bytes[at..<at + (escapesNewline ? length - 1 : length)]
            at += escapesNewline ? length - 1 : length
        }
    }

    private mutating func closeString() {
        let string = strings.removeLast()
        literals.append(Piece(text: String(decoding: string.bytes, as: UTF8.self), line: string.line))
    }

    private mutating func skipBlockComment() {
        var depth = 0
        repeat {
            if starts("/*") {
                depth += 1
                at += 2
            } else if starts("*/") {
                depth -= 1
                at += 2
            } else {
                if bytes[at] == newline { line += 1 }
                at += 1
            }
        } while depth > 0 && at < bytes.count
    }

    /// The number of `#` here before a quote; nil when no string starts here.
    private func hashesBeforeQuote() -> Int? {
        let end = bytes[at...].firstIndex { $0 != hash } ?? bytes.count
        return end < bytes.count && bytes[end] == quote ? end - at : nil
    }

    private func starts(_ text: String) -> Bool { bytes[at...].starts(with: text.utf8) }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "_"), 0x80...:
            return true
        default:
            return false
        }
    }

    private let newline = UInt8(ascii: "\n")
    private let quote = UInt8(ascii: "\"")
    private let hash = UInt8(ascii: "#")
}
