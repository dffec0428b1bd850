import GRDB

extension Database {
    /// Runs a statement that is kept prepared; how many rows it changed.
    @discardableResult
    func run(_ sql: String, _ arguments: StatementArguments = StatementArguments()) throws -> Int {
        try cachedStatement(sql: sql).execute(arguments: arguments)
        return changesCount
    }

    /// All rows of a statement that is kept prepared.
    func records(_ sql: String, _ arguments: StatementArguments = StatementArguments()) throws -> [Record] {
        try Row.fetchAll(cachedStatement(sql: sql), arguments: arguments).map(Record.init(row:))
    }

    /// The first row; nil when there is none.
    func record(_ sql: String, _ arguments: StatementArguments = StatementArguments()) throws -> Record? {
        try Row.fetchOne(cachedStatement(sql: sql), arguments: arguments).map(Record.init(row:))
    }

    /// Whether there is a row.
    func exists(_ sql: String, _ arguments: StatementArguments = StatementArguments()) throws -> Bool {
        try record(sql, arguments) != nil
    }
}
