import Foundation
import GRDB
package import Outreach
import Synchronization

/// The whole state of an installation in one SQLite file.
///
/// Overview: implements every store role of Outreach. One writer, whose transactions are durable (`synchronous=FULL`) before a method
/// returns; methods that wait at the same time share one fsync. Readers see the last commit and never wait.
/// After an input or output error of a write every call throws `.io`: the process must exit and start again from the log.
package final class SQLiteStore: Sendable {
    /// What to do about a file that is not there.
    package enum OpenMode: Sendable {
        /// It must be there.
        case existing
        /// Make it, with these 32 random bytes as the installation's seed; a file that is there keeps its own.
        case createIfMissing(seed: [UInt8])
    }

    /// Path of the database file.
    package let path: String
    let pool: DatabasePool
    private let ids: RecordIDs
    private let health: Health
    let committer: GroupCommitter
    let keeper: LogKeeper
    /// Versions of sequences that were read, which never change.
    let versions = Mutex<[SequenceVersion.ID: SequenceVersion]>([:])
    /// Up to which message upkeep has looked for what can be packed.
    let packing = Mutex<Int64>(0)

    /// Opens the file, or makes it as `mode` says.
    ///
    /// A file that is there is never made anew. The file is mode 0600; a folder made for it is 0700.
    ///
    /// - Parameter ids: the process's ids, used for the timeline events that the store writes itself.
    /// - Throws: `unusable` when the file is missing, foreign, of another schema version, or `synchronous=FULL` does not hold; the message
    ///   says what to do.
    package static func open(path: String, mode: OpenMode, ids: RecordIDs) throws(StoreError) -> SQLiteStore {
        let file = StoreFile(path: path)
        if try file.exists() == false {
            guard case .createIfMissing(let seed) = mode else {
                throw StoreError(code: .unusable, message: "\(path): there is no database; 'postrider serve' makes one")
            }
            try file.create(seed: seed)
        }
        try file.checkHeader()
        try file.protect()
        do {
            return try SQLiteStore(path: path, ids: ids)
        } catch {
            throw StoreError(error)
        }
    }

    private init(path: String, ids: RecordIDs) throws {
        self.path = path
        self.ids = ids
        pool = try DatabasePool(path: path, configuration: StoreFile.configuration)
        health = Health()
        keeper = LogKeeper(path: path, health: health)
        committer = GroupCommitter(pool: pool, health: health, keeper: keeper)
        try pool.writeWithoutTransaction { db in
            // The driver sets NORMAL when it turns the log on, after every hook of its configuration.
            try db.execute(sql: "PRAGMA synchronous = FULL")
            try db.execute(sql: "PRAGMA wal_autocheckpoint = \(LogKeeper.backstop)")
            try db.execute(sql: "PRAGMA journal_size_limit = 67108864")
            // What is replaced or moved within a page leaves nothing behind in it; that costs no write more.
            _ = try db.records("PRAGMA secure_delete = FAST")
            for (pragma, value) in [("synchronous", 2), ("foreign_keys", 1), ("user_version", Migration.latest)] {
                let found = try Int.fetchOne(db, sql: "PRAGMA \(pragma)")
                guard found == value else {
                    throw StoreError(
                        code: .unusable, message: "\(path): \(pragma) is \(found ?? -1) and must be \(value); this file is not served")
                }
            }
        }
    }

    /// Closes every connection; called once, when nothing uses the store any more.
    package func close() throws(StoreError) {
        keeper.close()
        do { try pool.close() } catch { throw StoreError(error) }
    }

    /// Runs one method's transaction and returns when it is durable.
    func write<T: Sendable>(_ body: @escaping @Sendable (Ledger) throws -> T) async throws(StoreError) -> T {
        let ids = ids
        return try await committer.write { db in try body(Ledger(db: db, ids: ids)) }
    }

    /// The same with what is deleted or replaced being overwritten, so that it is gone from the pages of the file.
    func cleanly<T: Sendable>(_ body: @escaping @Sendable (Ledger) throws -> T) async throws(StoreError) -> T {
        try await write { ledger in
            // For the writer as a whole; nobody else is on it until this body ends.
            _ = try ledger.db.records("PRAGMA secure_delete = ON")
            defer { _ = try? ledger.db.records("PRAGMA secure_delete = FAST") }
            return try body(ledger)
        }
    }

    /// Reads one snapshot; it cannot be cancelled halfway.
    func read<T: Sendable>(_ body: @escaping @Sendable (Ledger) throws -> T) async throws(StoreError) -> T {
        try health.check()
        let ids = ids
        let result: Result<T, StoreError> = await withCheckedContinuation { continuation in
            pool.asyncRead { access in
                do {
                    let value = try body(Ledger(db: try access.get(), ids: ids))
                    continuation.resume(returning: .success(value))
                } catch {
                    continuation.resume(returning: .failure(StoreError(error)))
                }
            }
        }
        return try result.get()
    }

    /// Runs `body` on the writer outside of any transaction, for what is said to the connection itself.
    func onWriter<T: Sendable>(_ body: @escaping @Sendable (Database) throws -> T) async throws(StoreError) -> T {
        try health.check()
        let result: Result<T, StoreError> = await withCheckedContinuation { continuation in
            pool.asyncWriteWithoutTransaction { db in
                do {
                    continuation.resume(returning: .success(try body(db)))
                } catch {
                    continuation.resume(returning: .failure(StoreError(error)))
                }
            }
        }
        return try result.get()
    }

    /// Reads on the writer: it has the pages at hand that each commit takes from the readers, so who reads behind every commit waits for it
    /// rather than for them. Each statement sees the last commit by then.
    func readOnWriter<T: Sendable>(_ body: @escaping @Sendable (Ledger) throws -> T) async throws(StoreError) -> T {
        let ids = ids
        return try await onWriter { db in try body(Ledger(db: db, ids: ids)) }
    }

    /// The 32 random bytes from which this installation's chances are drawn; the same for ever.
    package func installationSeed() async throws(StoreError) -> [UInt8] {
        try await read { ledger in
            guard let seed = try ledger.db.record("SELECT seed FROM installation")?.bytes("seed") else {
                throw StoreError(code: .unusable, message: "the database has no installation seed; run 'postrider db check'")
            }
            return seed
        }
    }

    /// A number that changes when another process has committed, and only then.
    package func dataVersion() async throws(StoreError) -> Int {
        try await onWriter { db in try db.record("PRAGMA data_version")?.count("data_version") ?? 0 }
    }
}
