import Foundation
import GRDB
package import InternetMessage
package import Outreach
import Synchronization

extension SQLiteStore: UpkeepStore {
    /// The states from which nothing leaves any more.
    private static let settled = "('sent', 'bounced', 'expired', 'cancelled')"

    package func packMessages(limit: Int) async throws(StoreError) -> Int {
        // Bytes of a settled message never change, so that they can be packed while others write.
        let after = packing.withLock { $0 }
        let (found, last) = try await read { ledger in
            // A long queue is looked through a part at a time, round and round.
            let looked = try ledger.db.records(Self.unpackedSQL, ["after": after, "limit": Self.lookedAt])
            let settled = try looked.filter { try $0.integer("settled") == 1 }.map { try $0.integer("outbox_id") }.prefix(max(0, limit))
            let end = looked.count < Self.lookedAt ? 0 : try looked.last?.integer("outbox_id") ?? 0
            let found = try settled.map { id in (id: id, bytes: try ledger.bytes(of: OutboxMessage.ID(rawValue: id))) }
            return (found, settled.count < max(0, limit) ? end : settled.last ?? end)
        }
        packing.withLock { $0 = last }
        guard !found.isEmpty else { return 0 }
        let dialogues = try await read { ledger in try found.map { try ledger.dialogues(of: $0.id) } }
        let packed = zip(found, dialogues).compactMap { message, dialogues -> Packed? in
            let texts = Array(jsonText(dialogues).utf8)
            guard let body = Deflation.deflate(message.bytes), let transcripts = Deflation.deflate(texts) else { return nil }
            return Packed(
                id: message.id, body: body, bodySize: message.bytes.count, transcripts: transcripts, transcriptsSize: texts.count,
                attempts: dialogues.keys.compactMap(Int64.init))
        }
        return try await cleanly { ledger in
            for message in packed { try ledger.replace(message) }
            return packed.count
        }
    }

    package func dropMessages(queuedBefore: Timestamp, limit: Int) async throws(StoreError) -> Int {
        let end = RecordIDSource.first(at: queuedBefore)
        guard try await read({ try $0.db.exists(Self.droppableSQL, ["end": end, "limit": 1]) }) else { return 0 }
        return try await cleanly { ledger in
            let ids = try ledger.db.records(Self.droppableSQL, ["end": end, "limit": max(0, limit)]).map { try $0.integer("outbox_id") }
            let key: Arguments = ["ids": jsonText(ids)]
            try ledger.db.run("DELETE FROM packed_message WHERE outbox_id IN (SELECT value FROM json_each(:ids))", key)
            try ledger.db.run("DELETE FROM outbox_body WHERE outbox_id IN (SELECT value FROM json_each(:ids))", key)
            try ledger.db.run(
                "UPDATE attempt SET transcript = '' WHERE transcript <> '' AND outbox_id IN (SELECT value FROM json_each(:ids))", key)
            return ids.count
        }
    }

    package func dropReplies(receivedBefore: Timestamp, limit: Int) async throws(StoreError) -> Int {
        let end = RecordIDSource.first(at: receivedBefore)
        guard try await read({ try $0.db.exists(Self.oldRepliesSQL, ["end": end, "limit": 1]) }) else { return 0 }
        return try await cleanly { ledger in
            let ids = try ledger.db.records(Self.oldRepliesSQL, ["end": end, "limit": max(0, limit)]).map { try $0.integer("intake_id") }
            let key: Arguments = ["ids": jsonText(ids)]
            try ledger.db.run("DELETE FROM intake_body WHERE intake_id IN (SELECT value FROM json_each(:ids))", key)
            try ledger.db.run(
                "UPDATE reply SET text = '', evidence = '[]' WHERE intake_id IN (SELECT value FROM json_each(:ids))", key)
            return ids.count
        }
    }

    package func dropEvents(before: Timestamp, limit: Int) async throws(StoreError) -> Int {
        let end = RecordIDSource.first(at: before)
        let old = "SELECT 1 FROM timeline WHERE id < MIN(:end, (SELECT timeline_id + 1 FROM rollup_mark WHERE one = 1)) LIMIT 1"
        guard try await read({ try $0.db.exists(old, ["end": end]) }) else { return 0 }
        return try await cleanly { ledger in
            guard try !ledger.db.exists("SELECT 1 FROM rollup_late WHERE timeline_id < :end", ["end": end]) else { return 0 }
            try ledger.db.run(
                """
                UPDATE timeline_end
                SET timeline_id = MAX(timeline_id, MIN(:end, (SELECT timeline_id + 1 FROM rollup_mark WHERE rollup_mark.one = 1)))
                """, ["end": end])
            return try ledger.db.run(
                """
                DELETE FROM timeline
                WHERE id IN (SELECT id FROM timeline WHERE id < (SELECT timeline_id FROM timeline_end WHERE one = 1) ORDER BY id LIMIT :limit)
                """, ["limit": max(0, limit)])
        }
    }

    package func dropCallBodies(queuedBefore: Timestamp, limit: Int) async throws(StoreError) -> Int {
        let old: Arguments = ["before": queuedBefore.milliseconds, "limit": max(0, limit)]
        guard try await read({ try $0.db.exists(Self.oldCallBodiesSQL, old) }) else { return 0 }
        return try await cleanly { ledger in
            try ledger.db.run("UPDATE webhook_call SET body = NULL WHERE id IN (\(Self.oldCallBodiesSQL))", old)
        }
    }

    package func dropCalls(queuedBefore: Timestamp, limit: Int) async throws(StoreError) -> Int {
        let old: Arguments = ["end": RecordIDSource.first(at: queuedBefore), "limit": max(0, limit)]
        guard try await read({ try $0.db.exists(Self.oldCallsSQL, old) }) else { return 0 }
        return try await cleanly { ledger in
            try ledger.db.run("DELETE FROM webhook_call WHERE id IN (\(Self.oldCallsSQL))", old)
        }
    }

    package func giveBackPages(limit: Int) async throws(StoreError) -> Int {
        try await onWriter { db in
            func number(_ pragma: String) throws -> Int { try db.record("PRAGMA \(pragma)")?.count(pragma) ?? 0 }
            let (pages, free) = (try number("page_count"), try number("freelist_count"))
            // What is free now is mostly needed soon: only much of it is given back.
            guard free > 256, free > pages / 10 else { return 0 }
            _ = try db.records("PRAGMA incremental_vacuum(\(max(1, limit)))")
            return free - (try number("freelist_count"))
        }
    }

    /// How many that are not packed are looked at in one call.
    private static let lookedAt = 500

    static let unpackedSQL = """
        SELECT body.outbox_id, outbox.state IN \(settled) AS settled
        FROM (SELECT outbox_id FROM outbox_body WHERE outbox_id > :after ORDER BY outbox_id LIMIT :limit) AS body
            JOIN outbox ON outbox.id = body.outbox_id
        ORDER BY body.outbox_id
        """

    static let droppableSQL = """
        SELECT outbox_id FROM (
            SELECT outbox_id FROM packed_message WHERE outbox_id < :end
            UNION ALL
            SELECT outbox_id FROM outbox_body JOIN outbox ON outbox.id = outbox_body.outbox_id
            WHERE outbox_id < :end AND outbox.state IN \(settled))
        LIMIT :limit
        """

    static let oldCallBodiesSQL = """
        SELECT id FROM webhook_call WHERE created_at < :before AND state <> 'queued' AND body IS NOT NULL ORDER BY created_at LIMIT :limit
        """

    static let oldCallsSQL = "SELECT id FROM webhook_call WHERE id < :end AND state <> 'queued' ORDER BY id LIMIT :limit"

    static let oldRepliesSQL = """
        SELECT intake_id FROM intake_body JOIN intake ON intake.id = intake_body.intake_id
        WHERE intake_id < :end AND intake.state IN ('sorted', 'duplicate') ORDER BY intake_id LIMIT :limit
        """
}

/// A message as it is kept once it is settled.
private struct Packed: Sendable {
    let id: Int64
    let body: [UInt8]
    let bodySize: Int
    let transcripts: [UInt8]
    let transcriptsSize: Int
    let attempts: [Int64]
}

extension Ledger {
    /// The dialogues of a message's attempts by the attempt's number, as they stand unpacked.
    fileprivate func dialogues(of message: Int64) throws -> [String: String] {
        var dialogues: [String: String] = [:]
        for record in try db.records("SELECT id, transcript FROM attempt WHERE outbox_id = :id AND transcript <> ''", ["id": message]) {
            dialogues["\(try record.integer("id"))"] = try record.text("transcript")
        }
        return dialogues
    }

    /// Puts the packed form in the place of the other; nothing happens where that has gone meanwhile.
    fileprivate func replace(_ message: Packed) throws {
        let key: Arguments = ["id": message.id]
        guard try db.run("DELETE FROM outbox_body WHERE outbox_id = :id", key) == 1 else { return }
        try db.run(
            """
            INSERT INTO packed_message (outbox_id, body, body_size, transcripts, transcripts_size)
            VALUES (:id, :body, :body_size, :transcripts, :transcripts_size)
            """,
            key + [
                "body": message.body, "body_size": message.bodySize, "transcripts": message.transcripts,
                "transcripts_size": message.transcriptsSize,
            ])
        try db.run(
            "UPDATE attempt SET transcript = '' WHERE outbox_id = :id AND id IN (SELECT value FROM json_each(:attempts))",
            key + ["attempts": jsonText(message.attempts)])
    }

    /// The bytes of a packed message; nil when it is not packed.
    func packedBytes(of id: OutboxMessage.ID) throws -> [UInt8]? {
        let packed = try db.record("SELECT body, body_size FROM packed_message WHERE outbox_id = :id", ["id": id.rawValue])
        guard let packed else { return nil }
        return try unpacked(packed.bytes("body"), size: packed.count("body_size"))
    }

    /// The packed dialogues of a message by the number of their attempt; empty when there are none.
    func packedDialogues(of id: OutboxMessage.ID) throws -> [Int64: String] {
        let packed = try db.record("SELECT transcripts, transcripts_size FROM packed_message WHERE outbox_id = :id", ["id": id.rawValue])
        guard let packed else { return [:] }
        let bytes = try unpacked(packed.bytes("transcripts"), size: packed.count("transcripts_size"))
        let dialogues = try JSONDecoder().decode([String: String].self, from: Data(bytes))
        return Dictionary(dialogues.compactMap { key, text in Int64(key).map { ($0, text) } }) { $1 }
    }

    private func unpacked(_ bytes: [UInt8], size: Int) throws -> [UInt8] {
        guard let bytes = Deflation.inflate(bytes, size: size) else {
            throw StoreError(code: .unusable, message: "a packed message cannot be read; run 'postrider db check'")
        }
        return bytes
    }
}
