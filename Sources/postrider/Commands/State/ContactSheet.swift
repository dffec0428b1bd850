import InternetMessage
import Outreach

/// A CSV file of contacts, read row by row: a contact or the reason why not.
struct ContactSheet {
    struct Row {
        let line: Int
        /// The address as the file has it, for the verdict.
        let written: String
        let reading: Reading
    }

    enum Reading {
        case contact(address: EmailAddress, name: String?, timeZone: String?, fields: [String: String])
        case refused(String)
    }

    let rows: [Row]
    /// Names of the template fields that the columns give, in the order of the file.
    let fields: [String]

    private enum Column {
        case address
        case name
        case timeZone
        case field(String)
        /// A column without a name; it must be empty.
        case unnamed
    }

    /// Names that every message sets by itself.
    private static let reserved = ["sender_email", "sender_name", "unsubscribe_url"]

    /// - Throws: `badInput` when the table or its header cannot be used.
    init(_ bytes: [UInt8], file: String) throws(Failure) {
        let table: CSVTable
        do throws(CSVTable.Fault) {
            table = try CSVTable(parsing: bytes)
        } catch {
            throw Failure(.badInput, "\(file):\(error)")
        }
        let columns = try Self.columns(table.header, file: file)
        fields = columns.compactMap { if case .field(let name) = $0 { name } else { nil } }
        var seen: [String: Int] = [:]
        var rows: [Row] = []
        for row in table.rows {
            var reading = Self.read(row, columns)
            if case .contact(let address, _, _, _) = reading {
                if let first = seen[address.suppressionKey] {
                    reading = .refused("the same address as line \(first); keep one of the two")
                } else {
                    seen[address.suppressionKey] = row.line
                }
            }
            let written = zip(row.cells, columns).first { if case .address = $0.1 { true } else { false } }?.0 ?? ""
            rows.append(Row(line: row.line, written: Self.trimmed(written), reading: reading))
        }
        self.rows = rows
    }

    private static func columns(_ header: [String], file: String) throws(Failure) -> [Column] {
        var columns: [Column] = []
        var seen: Set<String> = []
        for (index, title) in header.enumerated() {
            let name = fieldName(CSVCell.read(trimmed(title)))
            guard let name else {
                columns.append(.unnamed)
                continue
            }
            let key = String(decoding: name.utf8.map(lowercased), as: UTF8.self)
            let column: Column =
                switch key {
                case "email", "e-mail", "e_mail", "address", "email_address": .address
                case "name": .name
                case "time_zone", "timezone": .timeZone
                default: .field(name)
                }
            var identity = name
            switch column {
            case .address: identity = "email"
            case .name, .timeZone: identity = key
            default: break
            }
            guard seen.insert(identity).inserted else {
                throw Failure(.badInput, "\(file):1: column \(index + 1) is '\(identity)' a second time; rename or remove one of them")
            }
            if reserved.contains(where: { $0.utf8.elementsEqual(key.utf8) }) {
                throw Failure(.badInput, "\(file):1: '\(key)' is set by every message itself; rename the column")
            }
            columns.append(column)
        }
        guard seen.contains("email") else {
            throw Failure(.badInput, "\(file):1: no column 'email'; the first line must name the columns, for instance email,name,company")
        }
        return columns
    }

    /// The tag name for a column title: letters, digits, `-` and `_` stay; a title with anything else is lowered and gets `_` for it.
    private static func fieldName(_ title: String) -> String? {
        let bytes = Array(trimmed(title).utf8)
        guard !bytes.isEmpty else { return nil }
        func isLegal(_ byte: UInt8) -> Bool {
            (byte >= 48 && byte <= 57) || (byte | 0x20 >= 97 && byte | 0x20 <= 122) || byte == UInt8(ascii: "-")
                || byte == UInt8(ascii: "_")
        }
        if bytes.allSatisfy(isLegal) { return String(decoding: bytes.prefix(64), as: UTF8.self) }
        var name: [UInt8] = []
        for byte in bytes.map(lowercased) {
            if isLegal(byte) {
                name.append(byte)
            } else if name.last != UInt8(ascii: "_") {
                name.append(UInt8(ascii: "_"))
            }
        }
        return String(decoding: name.prefix(64), as: UTF8.self)
    }

    private static func read(_ row: CSVTable.Row, _ columns: [Column]) -> Reading {
        if row.cells.count > columns.count {
            return .refused("\(row.cells.count) cells under \(columns.count) columns; put quotes around a cell that holds the delimiter")
        }
        var address: EmailAddress?
        var name: String?
        var timeZone: String?
        var fields: [String: String] = [:]
        for (cell, column) in zip(row.cells, columns) {
            let value = CSVCell.read(trimmed(cell))
            switch column {
            case .address:
                guard !value.utf8.isEmpty else { return .refused("no address") }
                guard let read = EmailAddress(value) else { return .refused("'\(value)' is not an email address") }
                address = read
            case .name:
                if value.utf8.contains(where: { $0 < 32 || $0 == 127 }) { return .refused("a name is one line without control characters") }
                if !value.utf8.isEmpty { name = value }
            case .timeZone:
                guard !value.utf8.isEmpty else { continue }
                guard LocalZone(value) != nil else {
                    return .refused("'\(value)' is not a time zone; write for instance Europe/Berlin")
                }
                timeZone = value
            case .field(let field):
                if value.utf8.contains(0) { return .refused("a NUL in '\(field)'") }
                if !value.utf8.isEmpty { fields[field] = value }
            case .unnamed:
                if !value.utf8.isEmpty { return .refused("'\(value)' stands in a column without a name") }
            }
        }
        guard let address else { return .refused("no address") }
        return .contact(address: address, name: name, timeZone: timeZone, fields: fields)
    }

    static func trimmed(_ text: String) -> String {
        let bytes = Array(text.utf8)
        let isBlank: (UInt8) -> Bool = { $0 == 32 || $0 == 9 || $0 == 10 || $0 == 13 }
        guard let start = bytes.firstIndex(where: { !isBlank($0) }), let end = bytes.lastIndex(where: { !isBlank($0) }) else { return "" }
        return String(decoding: bytes[start...end], as: UTF8.self)
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 { byte >= 65 && byte <= 90 ? byte | 0x20 : byte }
}
