import Foundation

/// Text as a terminal may see it: foreign control characters must not move its cursor or make one line two.
enum TerminalText {
    /// One line; control characters and what turns the direction of text are shown as `\x1b` or `\u{202e}`.
    static func line(_ text: String) -> String { shown(text, keepingLines: false) }

    /// Several lines, each as `line`.
    static func lines(_ text: String) -> String { shown(text, keepingLines: true) }

    private static func shown(_ text: String, keepingLines: Bool) -> String {
        var out = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x0A where keepingLines: out.append(scalar)
            case 0x0D where keepingLines: continue
            case 0x09: out.append(" ")
            case 0x0A, 0x0D: out.append(" ")
            case 0..<0x20, 0x7F...0x9F: out += "\\x\(String(scalar.value, radix: 16))".unicodeScalars
            case 0x2028, 0x2029, 0x202A...0x202E, 0x2066...0x2069: out += "\\u{\(String(scalar.value, radix: 16))}".unicodeScalars
            default: out.append(scalar)
            }
        }
        return String(out)
    }
}

/// Lines under column names, for people; machines ask for `--json`.
struct Table {
    struct Column {
        let title: String
        var isNumber = false
        /// Longer text is cut and ends in `…`; nil: shown whole.
        var limit: Int?

        init(_ title: String, number: Bool = false, limit: Int? = nil) {
            self.title = title
            isNumber = number
            self.limit = limit
        }
    }

    private let columns: [Column]
    private var rows: [[String]] = []
    /// Of what is written already; nil before the column names are.
    private var widths: [Int]?

    init(_ columns: [Column]) { self.columns = columns }

    /// Whether it has had no row so far.
    var isEmpty: Bool { rows.isEmpty && widths == nil }

    mutating func add(_ cells: [String]) {
        rows.append(
            zip(cells, columns).map { cell, column in
                let text = TerminalText.line(cell)
                guard let limit = column.limit, text.count > limit else { return text }
                return text.prefix(limit - 1) + "…"
            })
    }

    /// Writes the rows added since the last time, before the first ones the column names; the last column is not padded.
    ///
    /// A table of unknown length is written in parts: columns grow with their content and never become narrower.
    mutating func write() {
        let part = widths == nil ? [columns.map(\.title)] + rows : rows
        let written = widths ?? columns.map { _ in 0 }
        let widths = columns.indices.map { column in max(written[column], part.map { $0[column].count }.max() ?? 0) }
        for row in part {
            let cells = row.indices.map { index in
                let blanks = String(repeating: " ", count: widths[index] - row[index].count)
                if columns[index].isNumber { return blanks + row[index] }
                return index == row.count - 1 ? row[index] : row[index] + blanks
            }
            Console.out(cells.joined(separator: "  "))
        }
        self.widths = widths
        rows.removeAll(keepingCapacity: true)
    }

    /// Writes the rows when a few hundred have come together.
    mutating func writeWhenLong() {
        if rows.count >= 500 { write() }
    }
}

/// `name: value` lines, for people.
enum FactSheet {
    static func write(_ facts: [(String, String?)]) {
        let given = facts.compactMap { name, value in value.map { (name, $0) } }
        let width = given.map(\.0.count).max() ?? 0
        for (name, value) in given {
            Console.out(name + ": " + String(repeating: " ", count: width - name.count) + TerminalText.line(value))
        }
    }
}
