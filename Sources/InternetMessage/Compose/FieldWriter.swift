/// Writes header fields: encoded where needed, folded once at 78 columns, never beyond 998.
enum FieldWriter {
    static let preferredLine = 78
    static let longestLine = 998

    /// A field whose value is free text.
    static func unstructured(_ name: String, _ value: String) throws(ComposeError) -> HeaderField {
        try check(name: name)
        try check(value, field: name)
        let bytes = Array(value.utf8)[...].trimmed
        var tokens: [[UInt8]] = []
        // Text that looks like an encoded word, or a word no fold can shorten, is encoded so that it arrives as it is.
        let words = bytes.split(separator: ASCII.space, omittingEmptySubsequences: false).map(Array.init)
        if bytes.isASCII, bytes.index(of: Array("=?".utf8), from: bytes.startIndex) == nil, words.allSatisfy({ $0.count <= 900 }),
            !words.contains(where: \.isEmpty) || bytes.count + name.utf8.count + 2 <= preferredLine
        {
            tokens = words
        } else {
            tokens = EncodedWord.encode(bytes.utf8Text)
        }
        return folded(name, tokens)
    }

    /// A field from tokens that are legal as they are; between two tokens stands a space or a fold.
    static func folded(_ name: String, _ tokens: [[UInt8]]) -> HeaderField {
        var line = Array(name.utf8) + [ASCII.colon]
        var column = line.count
        for (position, token) in tokens.enumerated() {
            if position > 0, column + 1 + token.count > preferredLine, column > 1 {
                line += [ASCII.cr, ASCII.lf]
                column = 0
            }
            line.append(ASCII.space)
            line += token
            column += 1 + token.count
        }
        line += [ASCII.cr, ASCII.lf]
        return HeaderField(written: line, nameCount: name.utf8.count)
    }

    static func check(name: String) throws(ComposeError) {
        guard (1...76).contains(name.utf8.count), name.utf8.allSatisfy(\.isFieldNameByte) else {
            throw ComposeError(.fieldName, field: "", "not a header field name")
        }
    }

    /// Refuses what could end a line or hide in one: C0 and C1 controls, DEL, and the line and paragraph separators of Unicode.
    static func check(_ value: String, field: String) throws(ComposeError) {
        for scalar in value.unicodeScalars {
            switch scalar.value {
            case 0..<0x20, 0x7F...0x9F, 0x2028, 0x2029:
                let code = String(scalar.value, radix: 16, uppercase: true)
                let number = String(repeating: "0", count: max(0, 4 - code.utf8.count)) + code
                throw ComposeError(.controlCharacter, field: field, "the value holds the control character U+\(number)")
            default: break
            }
        }
    }
}
