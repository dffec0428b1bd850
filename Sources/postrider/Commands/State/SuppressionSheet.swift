import Outreach

/// A file of suppressions: a table with a header, or one subject a line.
struct SuppressionSheet {
    struct Row {
        let line: Int
        let subject: String
        /// nil: seen from the subject.
        let kind: String?
        let scope: String?
        let reason: String?
        let note: String?
        let expiry: String?
        /// Of a hash: the mark of the installation whose it is; see ``OpenState/hashMark``.
        let mark: String?

        /// Whom the row names.
        ///
        /// - Parameter own: the mark of this installation. A hash of another one is made with its key and would be nobody's here.
        func named(own: String) throws(Failure) -> Suppression.Subject {
            guard kind?.utf8.elementsEqual("hash".utf8) == true else {
                // What people write says what it is; the column must not say something else.
                let found = try SuppressionWords.subject(subject)
                guard kind.map({ $0.utf8.elementsEqual(found.kind.utf8) }) ?? true else {
                    throw Failure(
                        .badInput,
                        "'\(TerminalText.line(subject))' is of the kind \(found.kind), and the column 'kind' says '\(TerminalText.line(kind ?? ""))'"
                    )
                }
                return found
            }
            guard let hash = Suppression.Subject(kind: "hash", text: subject) else {
                throw Failure(.badInput, "'\(TerminalText.line(subject))' is no hash; it has 64 digits of 0-9 and a-f")
            }
            guard let mark, mark.utf8.elementsEqual(own.utf8) else {
                let whose = mark == nil ? "it is not said whose hash this is (column 'installation')" : "the hash is another installation's"
                throw Failure(
                    .badInput,
                    "\(whose); hashes are made with a key of each installation and match nobody elsewhere: suppress the address itself"
                )
            }
            return hash
        }
    }

    let rows: [Row]
    /// Titles of columns that mean nothing here, as they are written.
    let unknown: [String]

    init(_ bytes: [UInt8], file: String) throws(Failure) {
        let table: CSVTable
        do throws(CSVFault) {
            table = try CSVTable(parsing: bytes)
        } catch {
            throw Failure(.badInput, "\(file):\(error)")
        }
        let header = table.header.map { title in
            // `Expires at` and `expires-at` are `expires_at`.
            let bytes = CSVCell.trimmed(title).utf8.map { byte -> UInt8 in
                if byte == 32 || byte == UInt8(ascii: "-") { return UInt8(ascii: "_") }
                return byte >= 65 && byte <= 90 ? byte | 0x20 : byte
            }
            return String(decoding: bytes, as: UTF8.self)
        }
        func isOne(_ title: String, of names: [String]) -> Bool { names.contains { $0.utf8.elementsEqual(title.utf8) } }
        func column(_ names: [String]) -> Int? { header.firstIndex { isOne($0, of: names) } }
        let subject = column(["subject", "email", "e_mail", "email_address", "address", "domain"])
        let first = table.header.first.map(CSVCell.trimmed) ?? ""
        guard subject != nil || (try? Suppression.Subject.read(first)) != nil else {
            throw Failure(
                .badInput, "\(file):1: no column 'subject'; name the columns in the first line, or list one address or domain a line")
        }
        func other(_ names: [String]) -> Int? { subject == nil ? nil : column(names) }
        let (reason, note) = (other(["reason"]), other(["note", "notes", "comment"]))
        let expiry = other(["expires_at", "expires", "expires_on", "expiry", "expiry_date", "expiration", "expiration_date", "until"])
        let (kind, scope, mark) = (other(["kind"]), other(["scope"]), other(["installation"]))
        // Where an exported one came from and when is not that of the import.
        let understood = [subject, reason, note, expiry, kind, scope, mark, other(["source"]), other(["at"])]
        unknown =
            subject == nil
            ? [] : header.indices.filter { !header[$0].utf8.isEmpty && !understood.contains($0) }.map { CSVCell.trimmed(table.header[$0]) }
        func cell(_ cells: [String], _ column: Int?) -> String? {
            guard let column, cells.indices.contains(column) else { return nil }
            let text = CSVCell.read(CSVCell.trimmed(cells[column]))
            return text.utf8.isEmpty ? nil : text
        }
        let all = (subject == nil ? [(line: 1, cells: table.header)] : []) + table.rows.map { (line: $0.line, cells: $0.cells) }
        rows = all.map { row in
            Row(
                line: row.line, subject: cell(row.cells, subject ?? 0) ?? "", kind: cell(row.cells, kind), scope: cell(row.cells, scope),
                reason: cell(row.cells, reason), note: cell(row.cells, note),
                expiry: cell(row.cells, expiry), mark: cell(row.cells, mark))
        }
    }
}
