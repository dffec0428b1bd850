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

    @Test("what is packed or dropped is gone from the file and its log, and its pages are given back")
    func gone() async throws {
        let store = try folder.open()
        let world = StoreWorld(store: store)
        let secret = "the quick brown fox of Wunderstadt"
        for number in 0..<120 {
            let text = "Subject: Hi\r\n\r\n\(secret) \(number)\r\n" + String(repeating: "\(number * 7919) ", count: 3000)
            let message = try world.message(to: "p\(number)@example.com", bytes: Array(text.utf8))
            _ = try await store.dispatch(message, with: Consequence())
        }
        for message in try await store.claimDeliverable(now: world.later(1), limit: 200, lease: world.lease("me")) {
            let attempt = DeliveryAttempt(
                outbox: message.id, startedAt: world.later(1), endedAt: world.later(2), outcome: .accepted, stage: "accepted",
                replyCode: 250,
                enhancedStatus: nil, text: "250 ok", remoteMTA: nil, tls: nil, transcript: "> \(secret)")
            _ = try await store.record(attempt, claim: message.claim, state: .sent, nextAttemptAt: nil, consequence: Consequence())
        }
        let incoming = try world.incoming(bytes: Array("Subject: Re\r\n\r\n\(secret)\r\n".utf8))
        try await store.accept(incoming)
        _ = try await store.file(world.reply(to: incoming), consequences: [], forward: nil)
        func isThere() async throws -> Bool {
            _ = try await store.onWriter { db in try db.records("PRAGMA wal_checkpoint(TRUNCATE)") }
            let log = FileManager.default.contents(atPath: folder.path + "-wal") ?? Data()
            return (try folder.bytes() + log).range(of: Data(secret.utf8)) != nil
        }
        #expect(try await isThere())
        while try await store.packMessages(limit: 20) > 0 {}
        _ = try await store.dropReplies(receivedBefore: world.later(60), limit: 20)
        #expect(try await !isThere(), "what is packed is nowhere in clear")
        let packed = try #require(try await store.list(OutboxSelection(), after: nil, limit: 1).first)
        #expect(String(decoding: try #require(try await store.message(id: packed.id)).bytes, as: UTF8.self).contains(secret))
        while try await store.dropMessages(queuedBefore: world.later(60), limit: 20) > 0 {}
        #expect(try await store.number("SELECT COUNT(*) AS count FROM packed_message", "count") == 0)

        #expect(try await store.number("PRAGMA auto_vacuum", "auto_vacuum") == 2)
        let before = try await store.statistics()
        #expect(before.freePages > 300)
        let given = try await store.giveBackPages(limit: 32)
        #expect(given == 32, "so many at a time")
        while try await store.giveBackPages(limit: 32) > 0 {}
        _ = try await store.onWriter { db in try db.records("PRAGMA wal_checkpoint(TRUNCATE)") }
        let after = try await store.statistics()
        #expect(after.fileBytes < before.fileBytes && after.freePages <= 256)
        #expect(try await store.check() == [])
    }

    @Test("behind a long queue that waits, what is settled is found all the same")
    func longQueue() async throws {
        let store = try folder.open()
        let world = StoreWorld(store: store)
        for number in 0..<1100 {
            _ = try await store.dispatch(try world.message(to: "p\(number)@example.com", due: 9999), with: Consequence())
        }
        let last = try world.message(to: "last@example.com")
        _ = try await store.dispatch(last, with: Consequence())
        _ = try await store.command(.delete, on: OutboxSelection(ids: [last.id]), at: world.later(1))
        var calls = 0
        while try await store.packMessages(limit: 20) == 0, calls < 10 { calls += 1 }
        #expect(calls == 2)
        #expect(try await store.number("SELECT COUNT(*) AS count FROM packed_message", "count") == 1)
        #expect(try await store.message(id: last.id)?.bytes == last.bytes)
    }

    @Test("events that are not counted, or not old, are never dropped")
    func eventsStay() async throws {
        let store = try folder.open()
        let world = StoreWorld(store: store)
        _ = try await store.apply(Consequence(timeline: [world.event(.received, "first"), world.event(.received, "second")]))
        for sql in ["UPDATE timeline_end SET timeline_id = 9223372036854775807", "DELETE FROM timeline"] {
            let error = await #expect(throws: StoreError.self) { try await store.execute(sql) }
            #expect(error?.code == .constraint)
        }
        try await store.countAllEvents()
        let last = try #require(try await store.timeline(after: nil, limit: 9).last)
        try await store.execute("UPDATE timeline_end SET timeline_id = \(last.id.rawValue)")
        try await store.execute("DELETE FROM timeline WHERE summary = 'first'")
        let error = await #expect(throws: StoreError.self) { try await store.execute("DELETE FROM timeline WHERE summary = 'second'") }
        #expect(error?.code == .constraint)
    }
}
