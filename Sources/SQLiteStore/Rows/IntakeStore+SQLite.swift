import GRDB
package import InternetMessage
package import Outreach

extension SQLiteStore: IntakeStore {
    package func accept(_ message: IncomingMessage) async throws(StoreError) {
        try await write { try $0.insert(message, from: nil) }
    }

    package func accept(_ arrivals: [MailboxArrival]) async throws(StoreError) -> [Bool] {
        try await write { ledger in
            let isNew = try arrivals.map { try ledger.accept($0.message, movingTo: $0.watermark) }
            try ledger.keepUndisposed(of: arrivals)
            return isNew
        }
    }

    package func move(to watermark: MailboxWatermark) async throws(StoreError) {
        try await write { ledger in
            if try ledger.raise(watermark) { try ledger.forgetTroubles(upTo: watermark) }
        }
    }

    package func numberAnew(account: String, folder: String, uidValidity: UInt32) async throws(StoreError) {
        try await write { ledger in
            let key: Arguments = ["account": account, "folder": folder, "validity": Int64(uidValidity)]
            try ledger.db.run(
                "DELETE FROM watermark WHERE account = :account AND folder = :folder AND uid_validity = :validity", key)
            try ledger.db.run(
                """
                DELETE FROM unread_mail
                WHERE account = :account AND folder = :folder AND uid_validity = :validity AND intake_id IS NULL
                """, key)
            try ledger.db.run(
                "DELETE FROM undisposed_mail WHERE account = :account AND folder = :folder AND uid_validity = :validity", key)
            // A number from the far end, where no server counts, and that none of its messages has.
            let free = Int64(UInt32.max) - 1
            let lowest = try ledger.db.record(
                """
                SELECT MIN(uid_validity) AS lowest FROM intake
                WHERE account = :account AND folder = :folder AND uid_validity BETWEEN :free - 1000000 AND :free
                """, ["account": account, "folder": folder, "free": free])?.integerOrNil("lowest")
            let other = key + ["other": min(free, (lowest ?? free + 1) - 1)]
            for table in ["intake", "unread_mail"] {
                try ledger.db.run(
                    """
                    UPDATE \(table) SET uid_validity = :other
                    WHERE account = :account AND folder = :folder AND uid_validity = :validity
                    """, other)
            }
        }
    }

    package func watermarks(account: String) async throws(StoreError) -> [MailboxWatermark] {
        try await read { ledger in try ledger.watermarks(account: account) }
    }

    package func claimReceived(now: Timestamp, limit: Int, lease: Lease) async throws(StoreError) -> [IncomingMessage] {
        try await write { ledger in
            try ledger.db.records(
                Self.claimReceivedSQL,
                ["owner": lease.owner, "until": lease.until.milliseconds, "now": now.milliseconds, "limit": max(0, limit)]
            ).map { try ledger.incoming($0) }.sorted { $0.id < $1.id }
        }
    }

    static let claimReceivedSQL = """
        UPDATE intake SET lease_owner = :owner, lease_until = :until
        WHERE id IN (
            SELECT id FROM intake
            WHERE state = 'received' AND (lease_until IS NULL OR lease_until <= :now)
            ORDER BY id LIMIT :limit)
        RETURNING *
        """

    package func begin(_ id: IncomingMessage.ID, owner: String) async throws(StoreError) -> Bool {
        try await write { ledger in
            try ledger.db.run(
                "UPDATE intake SET attempts = attempts + 1 WHERE id = :id AND state = 'received' AND lease_owner = :owner",
                ["id": id.rawValue, "owner": owner]) == 1
        }
    }

    package func putBack(_ id: IncomingMessage.ID, owner: String, until: Timestamp, reason: String?) async throws(StoreError) {
        try await write { ledger in
            try ledger.db.run(
                """
                UPDATE intake
                SET attempts = CASE WHEN :reason IS NULL THEN max(0, attempts - 1) ELSE attempts END,
                    state_reason = coalesce(:reason, state_reason), lease_until = :until
                WHERE id = :id AND state = 'received' AND lease_owner = :owner
                """, ["id": id.rawValue, "owner": owner, "until": until.milliseconds, "reason": reason?.storable])
            return
        }
    }

    package func quarantine(_ id: IncomingMessage.ID, reason: String, event: TimelineEvent) async throws(StoreError) {
        try await write { ledger in
            let changed = try ledger.db.run(
                """
                UPDATE intake SET state = 'quarantined', state_reason = :reason, lease_owner = NULL, lease_until = NULL
                WHERE id = :id AND state = 'received'
                """, ["id": id.rawValue, "reason": reason.storable])
            if changed == 1 { try ledger.append(event) }
        }
    }

    package func retryQuarantined(_ ids: [IncomingMessage.ID]?, at now: Timestamp) async throws(StoreError) -> RetryTally {
        try await write { ledger in
            let condition = "state = 'quarantined' \(ids == nil ? "" : "AND id IN (SELECT value FROM json_each(:ids))")"
            let named = try ids.map { try jsonText($0.map(\.rawValue)) }
            let key: Arguments = named.map { ["ids": $0] } ?? [:]
            let sorted = try ledger.db.run(
                """
                UPDATE intake SET state = 'received', state_reason = NULL, attempts = 0
                WHERE \(condition) AND EXISTS (SELECT 1 FROM intake_body WHERE intake_id = intake.id AND length(bytes) > 0)
                """, key)
            let fetched = try ledger.wantAgain(named, at: now)
            let left = try ledger.db.record("SELECT count(*) AS count FROM intake WHERE \(condition)", key)?.count("count") ?? 0
            return RetryTally(sorted: sorted, fetched: fetched, hopeless: left - fetched)
        }
    }

    package func incoming(id: IncomingMessage.ID) async throws(StoreError) -> IncomingMessage? {
        try await read { ledger in
            try ledger.db.record("SELECT * FROM intake WHERE id = :id", ["id": id.rawValue]).map { try ledger.incoming($0) }
        }
    }

    package func incoming(state: IncomingMessage.State, after: IncomingMessage.ID?, limit: Int) async throws(StoreError)
        -> [IncomingMessage]
    {
        try await read { ledger in
            try ledger.db.records(
                "SELECT * FROM intake WHERE state = :state AND id > :after ORDER BY id LIMIT :limit",
                ["state": state.rawValue, "after": after?.rawValue ?? 0, "limit": max(0, limit)]
            ).map { try ledger.incoming($0) }
        }
    }
}

extension Ledger {
    func watermarks(account: String) throws -> [MailboxWatermark] {
        try db.records(
            "SELECT folder, uid_validity, last_uid FROM watermark WHERE account = :account ORDER BY folder", ["account": account]
        ).map { found in
            MailboxWatermark(
                account: account, folder: try found.text("folder"),
                uidValidity: UInt32(truncatingIfNeeded: try found.integer("uid_validity")),
                lastUID: UInt32(truncatingIfNeeded: try found.integer("last_uid")))
        }
    }

    /// Stores a message that is new, or was passed over before, and moves the watermark; whether it is new.
    func accept(_ message: IncomingMessage, movingTo watermark: MailboxWatermark) throws -> Bool {
        guard try raise(watermark) else { return message.state == .received ? try takeIn(message, at: watermark) : false }
        // After a server went back to an earlier UIDVALIDITY its messages may be here already.
        let isStored = try db.exists(
            "SELECT 1 FROM intake WHERE account = :account AND folder = :folder AND uid_validity = :validity AND uid = :uid",
            [
                "account": watermark.account, "folder": watermark.folder, "validity": Int64(watermark.uidValidity),
                "uid": Int64(watermark.lastUID),
            ])
        if isStored { return message.state == .received ? try takeIn(message, at: watermark) : false }
        if let digest = message.digest, try knows(digest, besides: watermark) { return false }
        try insert(message, from: watermark)
        return true
    }

    /// Moves a watermark up; false, and nothing written, when it is there or past it already.
    fileprivate func raise(_ watermark: MailboxWatermark) throws -> Bool {
        try db.run(
            """
            INSERT INTO watermark (account, folder, uid_validity, last_uid) VALUES (:account, :folder, :validity, :uid)
            ON CONFLICT (account, folder) DO UPDATE SET uid_validity = excluded.uid_validity, last_uid = excluded.last_uid
            WHERE watermark.uid_validity <> excluded.uid_validity OR watermark.last_uid < excluded.last_uid
            """,
            [
                "account": watermark.account, "folder": watermark.folder, "validity": Int64(watermark.uidValidity),
                "uid": Int64(watermark.lastUID),
            ]) == 1
    }

    /// Whether the account has a message of that digest that came under another UIDVALIDITY or from another folder.
    fileprivate func knows(_ digest: [UInt8], besides watermark: MailboxWatermark) throws -> Bool {
        try db.exists(
            """
            SELECT 1 FROM intake
            WHERE account = :account AND digest = :digest AND NOT (folder = :folder AND uid_validity = :validity)
            """,
            [
                "account": watermark.account, "digest": digest, "folder": watermark.folder,
                "validity": Int64(watermark.uidValidity),
            ])
    }

    fileprivate func insert(_ message: IncomingMessage, from mailbox: MailboxWatermark?) throws {
        try db.run(
            """
            INSERT INTO intake (id, way, received_at, reverse_path, forward_paths, origin, state, state_reason, attempts, account, folder,
                uid_validity, uid, digest, client_address, client_name)
            VALUES (:id, :way, :received, :reverse_path, :forward_paths, :origin, :state, :reason, :attempts, :account, :folder,
                :validity, :uid, :digest, :client_address, :client_name)
            """,
            [
                "id": message.id.rawValue, "way": message.way.rawValue, "received": message.receivedAt.milliseconds,
                "reverse_path": message.reversePath?.stored(), "forward_paths": jsonText(message.forwardPaths),
                "origin": message.origin.storable,
                "state": message.state.rawValue, "reason": message.reason?.storable, "digest": message.digest,
                "attempts": message.attempts, "account": mailbox?.account, "folder": mailbox?.folder,
                "validity": mailbox.map { Int64($0.uidValidity) }, "uid": mailbox.map { Int64($0.lastUID) },
                "client_address": message.client?.address, "client_name": message.client?.name.storable,
            ])
        try db.run(
            "INSERT INTO intake_body (intake_id, bytes) VALUES (:id, :bytes)", ["id": message.id.rawValue, "bytes": message.bytes])
    }

    fileprivate func incoming(_ record: Record) throws -> IncomingMessage {
        let id: IncomingMessage.ID = try record.id("id")
        let body = try db.record("SELECT bytes FROM intake_body WHERE intake_id = :id", ["id": id.rawValue])
        var client: IncomingMessage.Client?
        if let address = record.textOrNil("client_address") { client = .init(address: address, name: try record.text("client_name")) }
        return IncomingMessage(
            id: id, way: try record.word("way"), receivedAt: try record.moment("received_at"),
            reversePath: record.textOrNil("reverse_path").flatMap(ReversePath.init(stored:)),
            forwardPaths: try record.json("forward_paths"),
            origin: try record.text("origin"), bytes: try body?.bytes("bytes") ?? [], client: client,
            account: record.textOrNil("account"), state: try record.word("state"), attempts: try record.count("attempts"),
            reason: record.textOrNil("state_reason"), digest: record.bytesOrNil("digest"))
    }
}
