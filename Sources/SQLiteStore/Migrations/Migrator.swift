import GRDB
import Outreach

/// Brings a schema up to date, each step in its own transaction together with its number.
struct Migrator {
    let migrations: [Migration]

    /// Runs what is missing.
    ///
    /// - Parameter finish: runs in the transaction of the last step that was missing.
    func run(on db: Database, finish: () throws -> Void = {}) throws {
        let version = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
        let latest = migrations.last?.number ?? 0
        guard version <= latest else {
            throw StoreError(code: .unusable, message: "the database has schema \(version) and this program knows \(latest)")
        }
        for migration in migrations where migration.number > version {
            try db.inTransaction(.immediate) {
                try db.execute(sql: migration.sql)
                try db.execute(sql: "PRAGMA user_version = \(migration.number)")
                if migration.number == latest { try finish() }
                return .commit
            }
        }
    }
}
