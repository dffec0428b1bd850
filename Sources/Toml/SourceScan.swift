/// Finds where each key, table and list element stands, because the parser does not tell.
///
/// It knows just enough of the grammar to step over values. On valid documents it finds every key; where it meets
/// something it does not understand it stops, says where, and leaves the verdict to the parser. It runs before the
/// parser, so that nothing deep or large ever reaches it.
struct SourceScan {
    struct Mark {
        var position: TomlPosition
        /// The order of first mention, for tables that keep the order of the source.
        var order: Int
    }

    struct Stop: Error {
        var offset: Int
        var line: Int
        var code: TomlError.Code
        var message: String
    }

    private let source: [UInt8]
    private let limits: TomlDocument.Limits
    private var offset = 0
    private var line = 1
    private var lineStart = 0
    private(set) var marks: [PathBytes: Mark] = [:]
    private var elementCounts: [PathBytes: Int] = [:]

    init(_ source: [UInt8], limits: TomlDocument.Limits) {
        self.source = source
        self.limits = limits
    }

    mutating func run() throws(Stop) {
        if source.starts(with: [0xEF, 0xBB, 0xBF]) { offset = 3 }
        var table = PathBytes()
        while true {
            try skipBlank(newlines: true)
            guard let byte = peek() else { return }
            if byte == UInt8(ascii: "[") {
                table = try header()
            } else {
                try keyValue(in: table)
            }
            try skipBlank(newlines: false)
            if let byte = peek(), byte != 0x0A, byte != 0x0D { throw stop("expected the end of the line") }
        }
    }

    // MARK: Headers and keys

    private mutating func header() throws(Stop) -> PathBytes {
        advance()
        let isElement = take(UInt8(ascii: "["))
        let keys = try dottedKey()
        guard take(UInt8(ascii: "]")), !isElement || take(UInt8(ascii: "]")) else { throw stop("expected ']'") }
        var path = PathBytes()
        for (number, (key, position)) in keys.enumerated() {
            let isLast = number == keys.count - 1
            path = path.appending(key: key)
            try mark(path, position, explicit: isLast)
            if isLast, isElement {
                let index = elementCounts[path] ?? 0
                elementCounts[path] = index + 1
                path = path.appending(index: index)
                try mark(path, position, explicit: true)
            } else if let count = elementCounts[path] {
                path = path.appending(index: count - 1)
            }
        }
        return path
    }

    private mutating func keyValue(in table: PathBytes) throws(Stop) {
        var path = table
        for (key, position) in try dottedKey() {
            path = path.appending(key: key)
            try mark(path, position, explicit: false)
        }
        guard take(UInt8(ascii: "=")) else { throw stop("expected '='") }
        try skipBlank(newlines: false)
        try value(at: path)
    }

    private mutating func dottedKey() throws(Stop) -> [([UInt8], TomlPosition)] {
        var keys: [([UInt8], TomlPosition)] = []
        repeat {
            try skipBlank(newlines: false)
            let position = TomlPosition(line: line, column: offset - lineStart + 1)
            keys.append((try simpleKey(), position))
            guard keys.count <= limits.depth else { throw limit("keys nested more than \(limits.depth) deep") }
            try skipBlank(newlines: false)
        } while take(UInt8(ascii: "."))
        return keys
    }

    private mutating func simpleKey() throws(Stop) -> [UInt8] {
        guard let first = peek() else { throw stop("expected a key") }
        if first == UInt8(ascii: "\"") || first == UInt8(ascii: "'") { return try quoted(multiline: false) }
        let start = offset
        while let byte = peek(), Self.isBareKey(byte) { advance() }
        guard offset > start else { throw stop("expected a key") }
        return Array(source[start..<offset])
    }

    private static func isBareKey(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    // MARK: Values

    // The depth of the path bounds the recursion.
    private mutating func value(at path: PathBytes) throws(Stop) {
        guard let first = peek() else { throw stop("expected a value") }
        switch first {
        case UInt8(ascii: "'") where source[offset...].starts(with: [first, first, first]): try literal()
        case UInt8(ascii: "\""), UInt8(ascii: "'"): _ = try quoted(multiline: true)
        case UInt8(ascii: "["): try array(at: path)
        case UInt8(ascii: "{"): try inlineTable(at: path)
        default:
            let start = offset
            while let byte = peek(), !Self.endsBareValue(byte) { advance() }
            guard offset > start else { throw stop("expected a value") }
        }
    }

    private static func endsBareValue(_ byte: UInt8) -> Bool {
        [0x0A, 0x0D, UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}"), UInt8(ascii: "#")].contains(byte)
    }

    private mutating func array(at path: PathBytes) throws(Stop) {
        advance()
        var index = 0
        while true {
            try skipBlank(newlines: true)
            if take(UInt8(ascii: "]")) { return }
            let element = path.appending(index: index)
            try mark(element, TomlPosition(line: line, column: offset - lineStart + 1), explicit: true)
            try value(at: element)
            index += 1
            try skipBlank(newlines: true)
            if take(UInt8(ascii: "]")) { return }
            guard take(UInt8(ascii: ",")) else { throw stop("expected ',' or ']'") }
        }
    }

    private mutating func inlineTable(at path: PathBytes) throws(Stop) {
        advance()
        try skipBlank(newlines: true)
        if take(UInt8(ascii: "}")) { return }
        while true {
            try keyValue(in: path)
            try skipBlank(newlines: true)
            if take(UInt8(ascii: "}")) { return }
            guard take(UInt8(ascii: ",")) else { throw stop("expected ',' or '}'") }
            try skipBlank(newlines: true)
        }
    }

    /// Steps over a literal string of several lines, in which nothing is escaped.
    private mutating func literal() throws(Stop) {
        let start = (offset: offset, line: line)
        let quote = UInt8(ascii: "'")
        offset += 3
        while offset < source.count {
            let byte = source[offset]
            offset += 1
            if byte == 0x0A {
                line += 1
                lineStart = offset
            } else if byte == quote, offset + 1 < source.count, source[offset] == quote, source[offset + 1] == quote {
                offset += 2
                // Up to two quotes may stand right before the closing three.
                for _ in 0..<2 where peek() == quote { offset += 1 }
                return
            }
        }
        throw Stop(offset: offset, line: start.line, code: .syntax, message: "this string has no end")
    }

    /// Steps over a string of any of the four kinds and returns its content (exact for keys, good enough for values).
    private mutating func quoted(multiline: Bool) throws(Stop) -> [UInt8] {
        let start = (offset: offset, line: line)
        let quote = source[offset]
        let isBasic = quote == UInt8(ascii: "\"")
        let triple = [quote, quote, quote]
        let isMultiline = multiline && source[offset...].starts(with: triple)
        offset += isMultiline ? 3 : 1
        var content: [UInt8] = []
        while let byte = peek() {
            if byte == quote {
                if !isMultiline {
                    advance()
                    return content
                }
                if source[offset...].starts(with: triple) {
                    // Up to two quotes may stand right before the closing three.
                    offset += 3
                    for _ in 0..<2 where peek() == quote { advance() }
                    return content
                }
            }
            if byte == 0x0A, !isMultiline { break }
            if isBasic, byte == UInt8(ascii: "\\") {
                advance()
                try escape(into: &content)
            } else {
                content.append(byte)
                advance()
            }
        }
        throw Stop(offset: offset, line: start.line, code: .syntax, message: "this string has no end")
    }

    private mutating func escape(into content: inout [UInt8]) throws(Stop) {
        guard let letter = peek() else { return }
        advance()
        let digits: Int
        switch letter {
        case UInt8(ascii: "b"): return content.append(0x08)
        case UInt8(ascii: "t"): return content.append(0x09)
        case UInt8(ascii: "n"): return content.append(0x0A)
        case UInt8(ascii: "f"): return content.append(0x0C)
        case UInt8(ascii: "r"): return content.append(0x0D)
        case UInt8(ascii: "e"): return content.append(0x1B)
        case UInt8(ascii: "x"): digits = 2
        case UInt8(ascii: "u"): digits = 4
        case UInt8(ascii: "U"): digits = 8
        default: return content.append(letter)
        }
        var scalar: UInt32 = 0
        for _ in 0..<digits {
            guard let byte = peek(), let digit = Self.hexadecimal(byte) else { throw stop("expected \(digits) hexadecimal digits") }
            scalar = scalar << 4 | digit
            advance()
        }
        guard scalar != 0 else {
            throw Stop(offset: offset, line: line, code: .encoding, message: "a string may not contain NUL; remove the escape")
        }
        guard let unicode = Unicode.Scalar(scalar) else { throw stop("not a Unicode scalar value") }
        content.append(contentsOf: String(Character(unicode)).utf8)
    }

    private static func hexadecimal(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A") + 10)
        default: nil
        }
    }

    // MARK: Bytes

    private func peek() -> UInt8? { offset < source.count ? source[offset] : nil }

    private mutating func advance() {
        if source[offset] == 0x0A {
            line += 1
            lineStart = offset + 1
        }
        offset += 1
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek() == byte else { return false }
        advance()
        return true
    }

    private mutating func skipBlank(newlines: Bool) throws(Stop) {
        while let byte = peek() {
            switch byte {
            case 0x20, 0x09: advance()
            case 0x0A, 0x0D:
                guard newlines else { return }
                advance()
            case UInt8(ascii: "#"):
                while let byte = peek(), byte != 0x0A { _ = byte; advance() }
            default: return
            }
        }
    }

    private mutating func mark(_ path: PathBytes, _ position: TomlPosition, explicit: Bool) throws(Stop) {
        guard path.depth <= limits.depth else { throw limit("values nested more than \(limits.depth) deep") }
        if let known = marks[path] {
            if explicit { marks[path] = Mark(position: position, order: known.order) }
            return
        }
        guard marks.count < limits.marks else { throw limit("more than \(limits.marks) keys and list elements") }
        marks[path] = Mark(position: position, order: marks.count)
    }

    private func stop(_ message: String) -> Stop { Stop(offset: offset, line: line, code: .syntax, message: message) }
    private func limit(_ message: String) -> Stop { Stop(offset: offset, line: line, code: .limit, message: message) }
}
