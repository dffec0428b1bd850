import Foundation
import Outreach
import TestKit
import Testing

@testable import SQLiteStore

@Suite("Upkeep of the file")
struct UpkeepTests {
    let folder = StoreFolder()

    @Test("a backup is a store of its own with the same content")
    func backup() async throws {
        let store = try folder.open()
        let world = StoreWorld(store: store)
        let contact = try await world.savedContact("ann@example.com")
        let target = folder.url.appending(path: "copy.db").path
        try await store.backup(to: target)
        #expect(try StoreFolder.mode(of: target) == 0o600)
        _ = try await world.savedContact("bob@example.com")
        let copy = try SQLiteStore.open(path: target, mode: .existing, ids: StoreFolder.ids)
        #expect(try await copy.contacts(workspace: .default, after: nil, limit: 9) == [contact])
        #expect(try await copy.installationSeed() == StoreFolder.seed)
        #expect(try await copy.check() == [])
    }

    @Test("a backup never overwrites")
    func backupRefuses() async throws {
        let store = try folder.open()
        let target = folder.url.appending(path: "copy.db")
        try Data("mine".utf8).write(to: target)
        let error = await #expect(throws: StoreError.self) { try await store.backup(to: target.path) }
        #expect(error?.code == .cannotCreate)
        #expect(try Data(contentsOf: target) == Data("mine".utf8))
    }

    @Test("a check names broken references")
    func check() async throws {
        let store = try folder.open()
        let enrollment = try await StoreWorld(store: store).enrolled("ann@example.com")
        #expect(try await store.check() == [])
        try await store.onWriter { db in
            try db.run("PRAGMA foreign_keys = OFF")
            try db.run("DELETE FROM contact")
        }
        #expect(try await store.check() == ["row \(enrollment.id.rawValue) of enrollment names a row of contact that is not there"])
    }

    @Test("the statistics are those of the file")
    func statistics() async throws {
        let store = try folder.open()
        let found = try await store.statistics()
        #expect(found.schemaVersion == Migration.latest)
        #expect(found.fileBytes == Int64(try folder.bytes().count))
        #expect(found.pages > 10)
        #expect(found.sqliteVersion.hasPrefix("3."))
    }
}
