/// The groups of fields in a machine-readable report (RFC 3464 §2.1.1), read more tolerantly than a header.
///
/// Empty lines separate groups. A line that is neither a field nor indented continues the field before it, because servers
/// write the lines of a multi-line reply into Diagnostic-Code as they got them.
struct ReportFields {
    struct Field {
        var name: [UInt8]
        var value: [UInt8]

        /// The value as one line of text.
        var text: String { EncodedWord.decode(value[...].trimmed) }

        /// The value without `<type>;` in front (`rfc822;`, `dns;`, `smtp;`), as text.
        var untypedText: String { EncodedWord.decode(untyped) }

        /// The value without its type and without angle brackets, its xtext or utf-8 encoding undone; nil when nothing is left.
        var address: String? {
            var bytes = untyped
            if bytes.first == ASCII.less, let close = bytes.firstIndex(of: ASCII.greater) { bytes = bytes[(bytes.startIndex + 1)..<close] }
            bytes = bytes.trimmed
            bytes = isOfType("utf-8") ? XText.decodingUnicode(bytes) : XText.decodedIfCertain(bytes, isAddress: true)
            return bytes.isEmpty ? nil : EncodedWord.decode(bytes)
        }

        /// The first word of the value in lower case: letters, digits and hyphens; nil when there is none.
        var word: String? {
            let word = value[...].trimmed.prefix { $0.isLetter || $0.isDigit || $0 == ASCII.hyphen }
            return word.isEmpty ? nil : word.asciiLowercased.utf8Text
        }

        /// The value as a date; nil when it is none.
        var date: MessageDate? { MessageDate(parsing: value[...]) }

        private func isOfType(_ type: String) -> Bool {
            value[...].trimmed.hasPrefix(ignoringCase: type + ";")
        }

        private var untyped: ArraySlice<UInt8> {
            let bytes = value[...].trimmed
            guard let semicolon = bytes.firstIndex(of: ASCII.semicolon), semicolon - bytes.startIndex <= 30,
                bytes[..<semicolon].trimmed.allSatisfy({ $0.isLetter || $0.isDigit || $0 == ASCII.hyphen || $0 == ASCII.underscore })
            else { return bytes }
            return bytes[(semicolon + 1)...].trimmed
        }
    }

    private(set) var groups: [[Field]] = []

    init(_ bytes: [UInt8], limit: Int = ReportLimits.default.fields) {
        var group: [Field] = []
        var count = 0
        var i = 0
        while i < bytes.count, count < limit {
            var end = i
            while end < bytes.count, bytes[end] != ASCII.lf { end += 1 }
            let line = bytes[i..<end]
            i = end + 1
            if line.allSatisfy(\.isWhitespace) {
                if !group.isEmpty { groups.append(group) }
                group = []
            } else if let first = line.first, !first.isBlank, let colon = Self.colon(in: line) {
                group.append(Field(name: line[..<colon].trimmed.asciiLowercased, value: Array(line[(colon + 1)...].trimmed)))
                count += 1
            } else if !group.isEmpty {
                group[group.count - 1].value.append(ASCII.space)
                group[group.count - 1].value += line.trimmed
            }
        }
        if !group.isEmpty { groups.append(group) }
    }

    private static func colon(in line: ArraySlice<UInt8>) -> Int? {
        guard let first = line.first, first.isLetter, let colon = line.prefix(80).firstIndex(of: ASCII.colon),
            line[..<colon].trimmed.allSatisfy({ $0.isLetter || $0.isDigit || $0 == ASCII.hyphen || $0 == ASCII.underscore })
        else { return nil }
        return colon
    }
}
