import Outreach

/// A file of suppressions: a table with a header, or one subject a line.
struct SuppressionSheet {
    struct Row {
        let line: Int
        let subject: String
        let reason: String?
        let note: String?
        let expiry: String?
    }

    let rows: [Row]

    init(_ bytes: [UInt8], file: String) throws(Failure) {
        let table: CSVTable
        do throws(CSVTable.Fault) {
            table = try CSVTable(parsing: bytes)
        } catch {
            throw Failure(.badInput, "\(file):\(error)")
        }
        let header = table.header.map { title in
            String(decoding: ContactSheet.trimmed(title).utf8.map { $0 >= 65 && $0 <= 90 ? $0 | 0x20 : $0 }, as: UTF8.self)
        }
        func column(_ names: [String]) -> Int? { header.firstIndex { title in names.contains { $0.utf8.elementsEqual(title.utf8) } } }
        let subject = column(["subject", "email", "e-mail", "address", "domain"])
        let first = table.header.first.map(ContactSheet.trimmed) ?? ""
        guard subject != nil || Suppression.Subject(written: first) != nil else {
            throw Failure(
                .badInput, "\(file):1: no column 'subject'; name the columns in the first line, or list one address or domain a line")
        }
        let (reason, note, expiry) =
            subject == nil ? (nil, nil, nil) : (column(["reason"]), column(["note"]), column(["expires_at", "until"]))
        func cell(_ cells: [String], _ column: Int?) -> String? {
            guard let column, cells.indices.contains(column) else { return nil }
            let text = CSVCell.read(ContactSheet.trimmed(cells[column]))
            return text.utf8.isEmpty ? nil : text
        }
        let all = (subject == nil ? [(line: 1, cells: table.header)] : []) + table.rows.map { (line: $0.line, cells: $0.cells) }
        rows = all.map { row in
            Row(
                line: row.line, subject: cell(row.cells, subject ?? 0) ?? "", reason: cell(row.cells, reason), note: cell(row.cells, note),
                expiry: cell(row.cells, expiry))
        }
    }
}

enum CSVCell {
    /// The text of a cell without the apostrophe that `written` put before it.
    static func read(_ text: String) -> String {
        guard text.utf8.first == UInt8(ascii: "'"), isFormula(text.utf8) else { return text }
        return String(decoding: text.utf8.dropFirst(), as: UTF8.self)
    }

    /// Whether the text begins as a formula does, apostrophes before it left aside: what is written with one more is read with one less.
    private static func isFormula(_ text: String.UTF8View) -> Bool {
        guard let first = text.first(where: { $0 != UInt8(ascii: "'") }) else { return false }
        return "=+-@\t\r".utf8.contains(first)
    }

    /// A cell as RFC 4180 writes it, with an apostrophe before what a spreadsheet would take for a formula.
    static func written(_ text: String) -> String {
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
}
