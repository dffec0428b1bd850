import GRDB
import GRDBSQLite
import Glibc

extension Database {
    /// Runs a statement that is kept prepared, with a value for each name in it; how many rows it changed.
    @discardableResult
    func run(_ sql: String, _ arguments: Arguments = [:]) throws -> Int {
        try perform(sql, arguments) { _ in }
        return Int(sqlite3_changes(sqliteConnection))
    }

    /// All rows of a statement that is kept prepared.
    func records(_ sql: String, _ arguments: Arguments = [:]) throws -> [Record] {
        var records: [Record] = []
        try perform(sql, arguments) { statement in
            records.append(Record(columns: statement.columnNames, values: Self.values(of: statement.sqliteStatement)))
        }
        return records
    }

    /// The first row; nil when there is none.
    func record(_ sql: String, _ arguments: Arguments = [:]) throws -> Record? {
        var first: Record?
        try perform(sql, arguments, onlyFirst: true) { statement in
            if first == nil {
                first = Record(columns: statement.columnNames, values: Self.values(of: statement.sqliteStatement))
            }
        }
        return first
    }

    /// Whether there is a row.
    func exists(_ sql: String, _ arguments: Arguments = [:]) throws -> Bool {
        var found = false
        try perform(sql, arguments, onlyFirst: true) { _ in found = true }
        return found
    }

    // The library keeps the connection and its prepared statements; values go in and come out here without its rows and arguments, which
    // cost more than the statements themselves.

    private func perform(_ sql: String, _ arguments: Arguments, onlyFirst: Bool = false, row: (Statement) -> Void) throws {
        let prepared = try cachedStatement(sql: sql)
        let statement = prepared.sqliteStatement
        defer {
            sqlite3_reset(statement)
            sqlite3_clear_bindings(statement)
        }
        try bind(arguments, to: statement)
        // A statement that writes is always run to its end.
        let stops = onlyFirst && sqlite3_stmt_readonly(statement) != 0
        while true {
            switch sqlite3_step(statement) {
            case SQLITE_ROW:
                row(prepared)
                if stops { return }
            case SQLITE_DONE: return
            default: throw failure()
            }
        }
    }

    private func bind(_ arguments: Arguments, to statement: SQLiteStatement) throws {
        let count = Int(sqlite3_bind_parameter_count(statement))
        // Mostly they are given in the order in which the statement names them.
        var next = 0
        for index in 0..<count {
            let parameter = CInt(index + 1)
            guard let name = sqlite3_bind_parameter_name(statement, parameter), let place = arguments.place(of: name + 1, from: next)
            else {
                throw DatabaseError(resultCode: .SQLITE_MISUSE, message: "a statement was given no value for its parameter \(index + 1)")
            }
            next = place + 1
            let result =
                switch arguments.pairs[place].1?.storedValue ?? .null {
                case .null: sqlite3_bind_null(statement, parameter)
                case .integer(let value): sqlite3_bind_int64(statement, parameter, value)
                case .real(let value): sqlite3_bind_double(statement, parameter, value)
                case .text(var text):
                    // A base address of nil would be NULL, and not the empty text.
                    text.utf8.isEmpty
                        ? sqlite3_bind_text(statement, parameter, "", 0, Self.copied)
                        : text.withUTF8 { bytes in
                            bytes.withMemoryRebound(to: CChar.self) {
                                sqlite3_bind_text64(
                                    statement, parameter, $0.baseAddress, UInt64($0.count), Self.copied, UInt8(SQLITE_UTF8))
                            }
                        }
                case .bytes(let bytes):
                    bytes.withUnsafeBytes {
                        $0.isEmpty
                            ? sqlite3_bind_zeroblob(statement, parameter, 0)
                            : sqlite3_bind_blob64(statement, parameter, $0.baseAddress, UInt64($0.count), Self.copied)
                    }
                }
            guard result == SQLITE_OK else { throw failure() }
        }
    }

    private func failure() -> DatabaseError {
        DatabaseError(
            resultCode: ResultCode(rawValue: sqlite3_extended_errcode(sqliteConnection)), message: lastErrorMessage)
    }

    private static func values(of statement: SQLiteStatement) -> [StoredValue] {
        (0..<sqlite3_column_count(statement)).map { column in
            switch sqlite3_column_type(statement, column) {
            case SQLITE_INTEGER: return .integer(sqlite3_column_int64(statement, column))
            case SQLITE_FLOAT: return .real(sqlite3_column_double(statement, column))
            case SQLITE_TEXT:
                let start = sqlite3_column_text(statement, column)
                let count = Int(sqlite3_column_bytes(statement, column))
                return .text(String(decoding: UnsafeBufferPointer(start: start, count: start == nil ? 0 : count), as: UTF8.self))
            case SQLITE_BLOB:
                let start = sqlite3_column_blob(statement, column)
                let count = Int(sqlite3_column_bytes(statement, column))
                return .bytes([UInt8](UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count)))
            default: return .null
            }
        }
    }

    /// Tells SQLite to copy what it is given at once (`SQLITE_TRANSIENT`).
    private static var copied: sqlite3_destructor_type { unsafeBitCast(-1, to: sqlite3_destructor_type.self) }
}

extension Arguments {
    /// Where the value of that name stands; looked for from `start` on, and then before it.
    fileprivate func place(of name: UnsafePointer<CChar>, from start: Int) -> Int? {
        let length = strlen(name)
        func isNamed(_ place: Int) -> Bool {
            let own = pairs[place].0
            guard own.utf8.count == length else { return false }
            return own.utf8.withContiguousStorageIfAvailable { $0.baseAddress.map { memcmp($0, name, length) == 0 } ?? false } ?? false
        }
        let first = min(start, pairs.count)
        return (first..<pairs.count).first(where: isNamed) ?? (0..<first).first(where: isNamed)
    }
}
