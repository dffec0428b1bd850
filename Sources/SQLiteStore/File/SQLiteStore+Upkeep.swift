import Foundation
import GRDB
import Glibc
package import Outreach

/// Size and shape of the file.
package struct StoreStatistics: Sendable, Equatable {
    package let fileBytes: Int64
    /// Size of the log that is not checkpointed into the file yet; it grows while a reader stays in an old snapshot.
    package let logBytes: Int64
    package let pageBytes: Int
    package let pages: Int
    /// Pages that hold nothing and can be given back.
    package let freePages: Int
    package let schemaVersion: Int
    package let sqliteVersion: String
}

extension SQLiteStore {
    /// Every fault that SQLite finds in the file, one line each; empty when it is sound. Reads the whole file.
    package func check() async throws(StoreError) -> [String] {
        try await read { ledger in
            let integrity = try ledger.db.records("PRAGMA integrity_check").map { try $0.text("integrity_check") }
            let references = try ledger.db.records("PRAGMA foreign_key_check").map { fault in
                "row \(fault.integerOrNil("rowid") ?? 0) of \(try fault.text("table")) names a row of \(try fault.text("parent")) that is not there"
            }
            return integrity.filter { Array($0.utf8) != Array("ok".utf8) } + references
        }
    }

    package func statistics() async throws(StoreError) -> StoreStatistics {
        let path = path
        return try await read { ledger in
            func pragma(_ name: String) throws -> Int { try ledger.db.record("PRAGMA \(name)")?.count(name) ?? 0 }
            return StoreStatistics(
                fileBytes: Self.size(of: path), logBytes: Self.size(of: path + "-wal"), pageBytes: try pragma("page_size"),
                pages: try pragma("page_count"), freePages: try pragma("freelist_count"), schemaVersion: try pragma("user_version"),
                sqliteVersion: try ledger.db.record("SELECT sqlite_version() AS version")?.text("version") ?? "")
        }
    }

    /// Writes a compact copy of one moment's state, on the disk when it returns; writers go on meanwhile.
    ///
    /// - Throws: `cannotCreate` when no file can be made at `target`, or there is something already; a copy that failed is taken away.
    package func backup(to target: String) async throws(StoreError) {
        let descriptor = Glibc.open(target, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            let reason = String(cString: strerror(errno))
            throw StoreError(
                code: .cannotCreate, message: "\(target): cannot be made: \(reason); name a new file in a folder that is there")
        }
        Glibc.close(descriptor)
        do {
            try await copy(to: target)
            try StoreFile.synchronize(target)
            let folder = (target as NSString).deletingLastPathComponent
            try StoreFile.synchronize(folder.utf8.isEmpty ? "." : folder)
        } catch {
            unlink(target)
            throw error
        }
    }

    /// On a connection of its own, so that neither the writer nor the readers wait.
    private func copy(to target: String) async throws(StoreError) {
        let path = path
        let result: Result<Void, StoreError> = await withCheckedContinuation { continuation in
            DispatchQueue.global(qos: .utility).async {
                do {
                    let queue = try DatabaseQueue(path: path, configuration: StoreFile.configuration)
                    defer { try? queue.close() }
                    try queue.writeWithoutTransaction { db in try db.execute(sql: "VACUUM INTO ?", arguments: [target]) }
                    continuation.resume(returning: .success(()))
                } catch {
                    continuation.resume(returning: .failure(StoreError(error)))
                }
            }
        }
        try result.get()
    }

    /// Brings an older schema up to date; the versions before and after. Called with the `ServeLock` held and no store open on the file.
    package static func migrate(path: String) throws(StoreError) -> (from: Int, to: Int) {
        try migrate(path: path, migrations: Migration.all)
    }

    static func migrate(path: String, migrations: [Migration]) throws(StoreError) -> (from: Int, to: Int) {
        guard try StoreFile(path: path).exists() else { throw StoreError(code: .unusable, message: "\(path): there is no database") }
        do {
            let queue = try DatabaseQueue(path: path, configuration: StoreFile.configuration)
            defer { try? queue.close() }
            return try queue.writeWithoutTransaction { db in
                guard try Int32.fetchOne(db, sql: "PRAGMA application_id") == StoreFile.applicationID else {
                    throw StoreError(code: .unusable, message: "\(path) is not a postrider database")
                }
                try db.execute(sql: "PRAGMA synchronous = FULL")
                let before = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
                try Migrator(migrations: migrations).run(on: db)
                return (before, migrations.last?.number ?? before)
            }
        } catch {
            throw StoreError(error)
        }
    }

    private static func size(of path: String) -> Int64 {
        var status = stat()
        return stat(path, &status) == 0 ? Int64(status.st_size) : 0
    }
}
