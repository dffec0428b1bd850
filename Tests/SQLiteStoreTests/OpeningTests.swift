import Foundation
import Outreach
import TestKit
import Testing

@testable import SQLiteStore

@Suite("Opening the file")
struct OpeningTests {
    let folder = StoreFolder()

    private func refusal(_ mode: SQLiteStore.OpenMode = .createIfMissing(seed: StoreFolder.seed)) -> StoreError? {
        do {
            _ = try SQLiteStore.open(path: folder.path, mode: mode, ids: StoreFolder.ids)
            return nil
        } catch {
            return error
        }
    }

    @Test("the live writer waits for the disk at every commit")
    func fullSynchronous() async throws {
        let store = try folder.open()
        #expect(try await store.number("PRAGMA synchronous", "synchronous") == 2)
        #expect(try await store.number("PRAGMA foreign_keys", "foreign_keys") == 1)
        #expect(try await store.number("PRAGMA wal_autocheckpoint", "wal_autocheckpoint") == LogKeeper.backstop)
        #expect(try await store.onWriter { db in try db.record("PRAGMA journal_mode")?.text("journal_mode") } == "wal")
        // Still so after a write.
        try await store.setStop(reason: "x", at: StoreWorld<SQLiteStore>.start)
        #expect(try await store.number("PRAGMA synchronous", "synchronous") == 2)
    }

    @Test("only its owner may read it")
    func permissions() throws {
        let store = try folder.open()
        #expect(try StoreFolder.mode(of: (folder.path as NSString).deletingLastPathComponent) == 0o700)
        #expect(try StoreFolder.mode(of: folder.path) == 0o600)
        #expect(try StoreFolder.mode(of: folder.path + "-wal") == 0o600)
        try store.close()
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: folder.path)
        _ = try folder.open()
        #expect(try StoreFolder.mode(of: folder.path) == 0o600)
    }

    @Test("it keeps its seed from the first opening on")
    func seed() async throws {
        try folder.open().close()
        let again = try SQLiteStore.open(
            path: folder.path, mode: .createIfMissing(seed: Array(repeating: 9, count: 32)), ids: StoreFolder.ids)
        #expect(try await again.installationSeed() == StoreFolder.seed)
        await #expect(throws: StoreError.self) { try await again.execute("UPDATE installation SET seed = zeroblob(32)") }
    }

    @Test("a missing file is made only when that is said")
    func missing() {
        #expect(refusal(.existing)?.code == .unusable)
        #expect(!FileManager.default.fileExists(atPath: folder.path))
        #expect(refusal(.createIfMissing(seed: [1]))?.code == .constraint)
        #expect(!FileManager.default.fileExists(atPath: folder.path))
    }

    @Test("what is not a postrider database is refused and left as it is", arguments: [0, 5, 99, 100, 4096])
    func foreignFile(size: Int) throws {
        try folder.open().close()
        try FileManager.default.removeItem(atPath: folder.path)
        let content = Data(repeating: 65, count: size)
        try content.write(to: URL(filePath: folder.path))
        let error = try #require(refusal())
        #expect(error.code == .unusable)
        #expect(error.message.contains("not a postrider database"))
        #expect(try folder.bytes() == content)
    }

    @Test("another program's database is refused and left as it is")
    func foreignDatabase() async throws {
        let store = try folder.open()
        _ = try await store.onWriter { db in try db.run("PRAGMA application_id = 1") }
        try store.close()
        let before = try folder.bytes()
        #expect(refusal()?.code == .unusable)
        #expect(try folder.bytes() == before)
    }

    @Test("another schema version is refused with what to do", arguments: [(0, "postrider db migrate"), (99, "newer program")])
    func otherSchema(version: Int, advice: String) async throws {
        let store = try folder.open()
        _ = try await store.onWriter { db in try db.run("PRAGMA user_version = \(version)") }
        try store.close()
        let error = try #require(refusal())
        #expect(error.code == .unusable)
        #expect(error.message.contains(advice))
    }

    @Test("a newer schema that stands in the log only is refused too")
    func newerSchemaInTheLog() async throws {
        let store = try folder.open()
        _ = try await store.onWriter { db in try db.run("PRAGMA user_version = 99") }
        let image = try folder.crashImage()
        let error = #expect(throws: StoreError.self) { try image.open() }
        #expect(error?.code == .unusable)
    }

    @Test("a migration runs once, with its number")
    func migrates() async throws {
        try folder.open().close()
        let next = Migration.all + [Migration(number: Migration.latest + 1, sql: "CREATE TABLE extra (id INTEGER PRIMARY KEY) STRICT;")]
        let first = try SQLiteStore.migrate(path: folder.path, migrations: next)
        #expect(first == (from: Migration.latest, to: Migration.latest + 1))
        let second = try SQLiteStore.migrate(path: folder.path, migrations: next)
        #expect(second.from == second.to)
        #expect(throws: StoreError.self) { try SQLiteStore.migrate(path: self.folder.path) }
        let broken =
            next + [
                Migration(
                    number: Migration.latest + 2, sql: "CREATE TABLE more (id INTEGER) STRICT; CREATE TABLE extra (id INTEGER) STRICT;")
            ]
        #expect(throws: StoreError.self) { try SQLiteStore.migrate(path: self.folder.path, migrations: broken) }
        #expect(try SQLiteStore.migrate(path: folder.path, migrations: next) == (from: Migration.latest + 1, to: Migration.latest + 1))
    }

    @Test("a missing file is not migrated into being")
    func migratesNothing() {
        #expect(throws: StoreError.self) { try SQLiteStore.migrate(path: self.folder.path) }
        #expect(!FileManager.default.fileExists(atPath: folder.path))
    }

    @Test("a second serve is refused as long as the first one lives")
    func serveLock() throws {
        try folder.open().close()
        var lock: ServeLock? = try ServeLock(path: folder.path)
        let error = #expect(throws: StoreError.self) { try ServeLock(path: self.folder.path) }
        #expect(error?.code == .busy)
        withExtendedLifetime(lock) {}
        lock = nil
        _ = try ServeLock(path: folder.path)
    }

    @Test("the data version changes with another process's commits and only with them")
    func dataVersion() async throws {
        let store = try folder.open()
        let other = try folder.open()
        let first = try await store.dataVersion()
        try await store.setStop(reason: "own", at: StoreWorld<SQLiteStore>.start)
        #expect(try await store.dataVersion() == first)
        try await other.setStop(reason: "foreign", at: StoreWorld<SQLiteStore>.start)
        #expect(try await store.dataVersion() != first)
        #expect(try await store.stopReason() == "foreign")
    }
}
