extension AuthenticationResults {
    private static let mostOctets = 65_536
    private static let mostEntries = 100
    private static let mostProperties = 50

    /// Reads the value of a field; what cannot be read of it is passed over up to the next semicolon.
    ///
    /// Nil when it does not even begin as one, or has more than 64 KiB.
    package init?(parsing value: ArraySlice<UInt8>) {
        guard value.count <= Self.mostOctets else { return nil }
        var reader = ResultsReader(value)
        reader.skipSpace()
        guard let first = reader.value(), !first.isEmpty else { return nil }
        reader.skipSpace()
        var entries: [Entry] = []
        if reader.next == UInt8(ascii: "=") || reader.next == UInt8(ascii: "/") {
            // Quirk(Exchange Online): no authserv-id, results at once.
            authservID = ""
            reader = ResultsReader(value)
        } else {
            authservID = first.text
            reader.skipToSemicolon()
        }
        while entries.count < Self.mostEntries, !reader.isAtEnd {
            if let entry = Self.entry(&reader) { entries.append(entry) }
            reader.skipToSemicolon()
        }
        self.entries = entries
    }

    private static func entry(_ reader: inout ResultsReader) -> Entry? {
        reader.skipSpace()
        guard let method = reader.token() else { return nil }
        reader.skipSpace()
        if reader.take(UInt8(ascii: "/")) {
            reader.skipSpace()
            _ = reader.token()
            reader.skipSpace()
        }
        guard reader.take(UInt8(ascii: "=")) else { return nil }
        reader.skipSpace()
        guard let result = reader.token() else { return nil }
        var entry = Entry(method: method.lowercased.text, result: result.lowercased.text)
        reader.skipSpace()
        entry.comment = reader.comment?.text
        while entry.properties.count < mostProperties, let name = reader.token() {
            reader.skipSpace()
            var type = ArraySlice<UInt8>()
            var property = name
            if reader.take(UInt8(ascii: ".")) {
                reader.skipSpace()
                guard let second = reader.token() else { return entry }
                (type, property) = (name, second)
                reader.skipSpace()
            }
            guard reader.take(UInt8(ascii: "=")) else { return entry }
            reader.skipSpace()
            guard let value = reader.value() else { return entry }
            reader.skipSpace()
            if type.isEmpty, property.isWord("reason") {
                entry.reason = value.text
            } else {
                entry.properties.append(Property(type.lowercased.text, property.lowercased.text, value.text))
            }
        }
        return entry
    }
}

/// Takes the pieces of a structured value off its front; comments and folding count as space (RFC 5322 §3.2.2).
private struct ResultsReader {
    private var rest: ArraySlice<UInt8>
    /// The text of the first comment of the last space.
    private(set) var comment: [UInt8]?

    private static let deepest = 32

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    var isAtEnd: Bool { rest.isEmpty }
    var next: UInt8? { rest.first }

    mutating func take(_ byte: UInt8) -> Bool {
        guard rest.first == byte else { return false }
        rest = rest.dropFirst()
        return true
    }

    mutating func skipSpace() {
        comment = nil
        while let byte = rest.first {
            if byte.isFoldingSpace {
                rest = rest.dropFirst()
            } else if byte == UInt8(ascii: "(") {
                let text = takeComment()
                if comment == nil { comment = text }
            } else {
                return
            }
        }
    }

    /// Nested comments are counted; one that does not end, or goes too deep, is all that is left.
    private mutating func takeComment() -> [UInt8] {
        var depth = 0
        var text: [UInt8] = []
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\") {
                if let escaped = rest.popFirst() { text.append(escaped) }
                continue
            }
            if byte == UInt8(ascii: "(") {
                depth += 1
                if depth > Self.deepest {
                    rest = []
                    return text
                }
                if depth == 1 { continue }
            } else if byte == UInt8(ascii: ")") {
                depth -= 1
                if depth == 0 { return text }
            }
            if byte != 13, byte != 10 { text.append(byte) }
        }
        return text
    }

    /// Letters, digits, `-` and `_`: names of methods, results and properties.
    mutating func token() -> ArraySlice<UInt8>? {
        let token = rest.prefix { $0.isLetterOrDigit || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
        rest = rest.dropFirst(token.count)
        return token.isEmpty ? nil : token
    }

    /// A quoted string without its quotes, or all up to white space, `;`, `(` or `=`; an address may hold a quoted local part.
    mutating func value() -> [UInt8]? {
        var value: [UInt8] = []
        if take(UInt8(ascii: "\"")) {
            while let byte = rest.popFirst() {
                if byte == UInt8(ascii: "\"") {
                    guard rest.first == UInt8(ascii: "@") else { return value }
                    break
                }
                if byte == UInt8(ascii: "\\") {
                    if let escaped = rest.popFirst() { value.append(escaped) }
                } else if byte != 13, byte != 10 {
                    value.append(byte)
                }
            }
        }
        let plain = rest.prefix { !$0.isFoldingSpace && !";(\"".utf8.contains($0) && ($0 != UInt8(ascii: "=") || !value.isEmpty) }
        rest = rest.dropFirst(plain.count)
        value += plain
        return value.isEmpty ? nil : value
    }

    /// Behind the next semicolon that stands in no comment and no quotes.
    mutating func skipToSemicolon() {
        while let byte = rest.first {
            switch byte {
            case UInt8(ascii: ";"):
                rest = rest.dropFirst()
                return
            case UInt8(ascii: "("): _ = takeComment()
            case UInt8(ascii: "\""):
                rest = rest.dropFirst()
                while let quoted = rest.popFirst(), quoted != UInt8(ascii: "\"") {
                    if quoted == UInt8(ascii: "\\") { rest = rest.dropFirst() }
                }
            default: rest = rest.dropFirst()
            }
        }
    }
}
