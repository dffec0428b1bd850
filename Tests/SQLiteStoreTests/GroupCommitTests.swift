import Foundation
import Outreach
import TestKit
import Testing

@testable import SQLiteStore

@Suite("Writes that wait share one commit")
struct GroupCommitTests {
    let folder = StoreFolder()

    /// Keeps the writer busy until every message waits to be accepted, then lets them go and gives each one's outcome.
    private func accept(_ messages: [IncomingMessage], together store: SQLiteStore) async -> [StoreError.Code?] {
        let gate = DispatchSemaphore(value: 0)
        let (entered, entrance) = AsyncStream<Void>.makeStream()
        async let blocked: Void? = try? store.onWriter { _ in
            entrance.finish()
            gate.wait()
        }
        for await _ in entered {}
        let outcomes = await withTaskGroup(of: (Int, StoreError.Code?).self) { group in
            for (index, message) in messages.enumerated() {
                group.addTask {
                    do throws(StoreError) {
                        try await store.accept(message)
                        return (index, nil)
                    } catch {
                        return (index, error.code)
                    }
                }
            }
            while store.committer.waiting < messages.count { await Task.yield() }
            gate.signal()
            return await group.reduce(into: [StoreError.Code?](repeating: nil, count: messages.count)) { $0[$1.0] = $1.1 }
        }
        _ = await blocked
        return outcomes
    }

    @Test("many accepted messages cost one write of the log")
    func shares() async throws {
        let store = try folder.open()
        let world = StoreWorld(store: store)
        let messages = try (0..<50).map { _ in try world.incoming() }
        _ = try await store.number("PRAGMA wal_checkpoint(TRUNCATE)", "busy")
        let outcomes = await accept(messages, together: store)
        #expect(outcomes.allSatisfy { $0 == nil })
        #expect(try await store.incoming(state: .received, after: nil, limit: 99).count == 50)
        // Each commit writes at least four pages: 50 of them could not do with so few.
        #expect(try await store.number("PRAGMA wal_checkpoint(PASSIVE)", "log") < 50)
    }

    @Test("the log is brought into the file beside the commits, and begins anew")
    func logBeginsAnew() async throws {
        let store = try folder.open()
        let world = StoreWorld(store: store)
        func accept() async throws {
            var message = try world.incoming()
            message = IncomingMessage(
                id: message.id, way: message.way, receivedAt: message.receivedAt, reversePath: message.reversePath,
                forwardPaths: message.forwardPaths, origin: message.origin, bytes: [UInt8](repeating: 65, count: 1 << 20))
            try await store.accept(message)
        }
        // Three times the length: SQLite's own checkpoint is not due by far.
        for _ in 0..<(3 * LogKeeper.length * 4096 / (1 << 20)) {
            try await eventually("the copy of the log") { !store.keeper.isCopying }
            try await accept()
        }
        #expect(try await store.statistics().logBytes < 3 * LogKeeper.length * 4096 / 2)
        #expect(try await store.incoming(state: .received, after: nil, limit: 99).allSatisfy { $0.bytes.count == 1 << 20 })
        try store.close()
        let again = try folder.open()
        #expect(try await again.check().isEmpty)
    }

    @Test("one that fails is undone alone")
    func failsAlone() async throws {
        let store = try folder.open()
        let world = StoreWorld(store: store)
        let taken = try world.incoming()
        try await store.accept(taken)
        let messages = [try world.incoming(), taken, try world.incoming()]
        let outcomes = await accept(messages, together: store)
        // They may be queued in any order; what counts is each one's own fate.
        #expect(outcomes == [nil, .constraint, nil])
        #expect(try await store.incoming(state: .received, after: nil, limit: 99).count == 3)
    }

    @Test("one that is too big for the disk does not sink the others, and stores nothing")
    func fullDisk() async throws {
        let store = try folder.open()
        let world = StoreWorld(store: store)
        let pages = try await store.statistics().pages
        _ = try await store.number("PRAGMA max_page_count = \(pages + 40)", "max_page_count")
        let big = try world.incoming(bytes: Array(repeating: 65, count: 1_000_000))
        let small = [try world.incoming(), try world.incoming()]
        let outcomes = await accept([big] + small, together: store)
        #expect(outcomes == [.full, nil, nil])
        #expect(try await store.incoming(id: big.id) == nil)
        _ = try await store.number("PRAGMA max_page_count = 1000000", "max_page_count")
        try await store.accept(big)
        #expect(try await store.incoming(id: big.id) == big)
        #expect(try await store.check() == [])
    }

    @Test("after an error of the disk nothing is tried again")
    func poisoned() async throws {
        let store = try folder.open()
        let world = StoreWorld(store: store)
        let message = try world.incoming()
        await #expect(throws: StoreError.self) {
            try await store.write { _ in throw StoreError(code: .io, message: "fsync failed") }
        }
        for _ in 0..<2 {
            let write = await #expect(throws: StoreError.self) { try await store.accept(message) }
            #expect(write?.code == .io)
            let read = await #expect(throws: StoreError.self) { try await store.stopReason() }
            #expect(read?.code == .io)
        }
        #expect(try await folder.open().incoming(id: message.id) == nil)
    }

    @Test("a writer that stays busy is named so")
    func busy() async throws {
        let store = try folder.open()
        let other = try folder.open()
        _ = try await store.number("PRAGMA busy_timeout = 0", "timeout")
        let gate = DispatchSemaphore(value: 0)
        let (entered, entrance) = AsyncStream<Void>.makeStream()
        async let blocking: Void = other.onWriter { db in
            try db.run("BEGIN IMMEDIATE")
            entrance.finish()
            gate.wait()
            try db.run("ROLLBACK")
        }
        for await _ in entered {}
        let error = await #expect(throws: StoreError.self) { try await store.setStop(reason: "x", at: StoreWorld<SQLiteStore>.start) }
        #expect(error?.code == .busy)
        gate.signal()
        try await blocking
        try await store.setStop(reason: "x", at: StoreWorld<SQLiteStore>.start)
    }
}
