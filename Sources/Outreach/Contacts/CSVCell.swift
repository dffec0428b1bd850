/// Cells as spreadsheets take them: what would be a formula to them has an apostrophe before it.
package enum CSVCell {
    /// The text of a cell without the apostrophe that `written` put before it.
    package static func read(_ text: String) -> String {
        guard text.utf8.first == UInt8(ascii: "'"), isFormula(text.utf8) else { return text }
        return String(decoding: text.utf8.dropFirst(), as: UTF8.self)
    }

    /// The text without blanks and line ends around it.
    package static func trimmed(_ text: String) -> String {
        func isBlank(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 || byte == 10 || byte == 13 }
        guard let first = text.utf8.first, let last = text.utf8.last, isBlank(first) || isBlank(last) else { return text }
        let bytes = Array(text.utf8)
        guard let start = bytes.firstIndex(where: { !isBlank($0) }), let end = bytes.lastIndex(where: { !isBlank($0) }) else { return "" }
        return String(decoding: bytes[start...end], as: UTF8.self)
    }

    /// A cell as RFC 4180 writes it, with an apostrophe before what a spreadsheet would take for a formula.
    package static func written(_ text: String) -> String {
        let text = isFormula(text.utf8) ? "'\(text)" : text
        let special: [UInt8] = [UInt8(ascii: "\""), UInt8(ascii: ","), UInt8(ascii: ";"), 9, 10, 13]
        guard text.utf8.contains(where: special.contains) else { return text }
        var out = [UInt8(ascii: "\"")]
        for byte in text.utf8 {
            if byte == UInt8(ascii: "\"") { out.append(byte) }
            out.append(byte)
        }
        return String(decoding: out + [UInt8(ascii: "\"")], as: UTF8.self)
    }

    /// Whether the text begins as a formula does, apostrophes before it left aside: what is written with one more is read with one less.
    private static func isFormula(_ text: String.UTF8View) -> Bool {
        guard let first = text.first(where: { $0 != UInt8(ascii: "'") }) else { return false }
        return "=+-@\t\r".utf8.contains(first)
    }
}
