package import InternetMessage
package import Outreach

extension SQLiteStore: UnreadMailStore {
    package func readingTroubles(account: String) async throws(StoreError) -> [MailboxPlace: ReadingTrouble] {
        try await read { ledger in
            let found = try ledger.db.records(
                "SELECT * FROM unread_mail WHERE account = :account AND intake_id IS NULL", ["account": account])
            var troubles: [MailboxPlace: ReadingTrouble] = [:]
            for record in found {
                troubles[try MailboxPlace(record)] = ReadingTrouble(
                    own: try record.count("own"), broken: try record.count("broken"), shared: try record.count("shared"),
                    since: record.momentOrNil("since"))
            }
            return troubles
        }
    }

    package func keep(_ trouble: ReadingTrouble?, at place: MailboxPlace) async throws(StoreError) {
        try await write { ledger in
            guard let trouble else {
                try ledger.db.run("DELETE FROM unread_mail WHERE \(MailboxPlace.key) AND intake_id IS NULL", place.arguments)
                return
            }
            try ledger.db.run(
                """
                INSERT INTO unread_mail (account, folder, uid_validity, uid, own, broken, shared, since)
                VALUES (:account, :folder, :validity, :uid, :own, :broken, :shared, :since)
                ON CONFLICT (account, folder, uid_validity, uid) DO UPDATE
                SET own = excluded.own, broken = excluded.broken, shared = excluded.shared, since = excluded.since
                WHERE intake_id IS NULL
                """,
                place.arguments + [
                    "own": trouble.own, "broken": trouble.broken, "shared": trouble.shared, "since": trouble.since?.milliseconds,
                ])
        }
    }

    package func passOver(_ message: IncomingMessage, movingTo watermark: MailboxWatermark) async throws(StoreError) -> Bool {
        try await write { ledger in
            guard try ledger.accept(message, movingTo: watermark) else { return false }
            try ledger.db.run(
                """
                INSERT INTO unread_mail (account, folder, uid_validity, uid, intake_id)
                VALUES (:account, :folder, :validity, :uid, :intake)
                ON CONFLICT (account, folder, uid_validity, uid) DO UPDATE SET intake_id = excluded.intake_id
                """, MailboxPlace(watermark).arguments + ["intake": message.id.rawValue])
            return true
        }
    }

    package func passedOver(account: String?) async throws(StoreError) -> [PassedOverMessage] {
        try await read { ledger in
            try ledger.db.records(
                "SELECT * FROM unread_mail WHERE intake_id IS NOT NULL \(account == nil ? "" : "AND account = :account") ORDER BY intake_id",
                account.map { ["account": $0] } ?? [:]
            ).map { record in
                PassedOverMessage(
                    place: try MailboxPlace(record), intake: try record.id("intake_id"), wantedFrom: record.momentOrNil("wanted_from"),
                    tries: try record.count("tries"))
            }
        }
    }

    package func fetchedInVain(_ place: MailboxPlace, reason: String, again: Timestamp?) async throws(StoreError) {
        try await write { ledger in
            try ledger.say(reason, of: place)
            try ledger.db.run(
                """
                UPDATE unread_mail SET tries = tries + 1, wanted_from = :again WHERE \(MailboxPlace.key) AND intake_id IS NOT NULL
                """, place.arguments + ["again": again?.milliseconds])
            return
        }
    }

    package func giveUp(_ place: MailboxPlace, reason: String) async throws(StoreError) {
        try await write { ledger in
            try ledger.say(reason, of: place)
            try ledger.db.run("DELETE FROM unread_mail WHERE \(MailboxPlace.key)", place.arguments)
            return
        }
    }
}

extension Ledger {
    /// Puts a message that was passed over before in the place of its record; false when there is none at that UID.
    func takeIn(_ message: IncomingMessage, at watermark: MailboxWatermark) throws -> Bool {
        let place = MailboxPlace(watermark)
        guard
            let id = try db.record(
                "SELECT intake_id FROM unread_mail WHERE \(MailboxPlace.key) AND intake_id IS NOT NULL", place.arguments)?
                .integer("intake_id")
        else { return false }
        try db.run(
            """
            UPDATE intake
            SET state = 'received', state_reason = NULL, attempts = 0, received_at = :received, origin = :origin, digest = :digest
            WHERE id = :id AND state = 'quarantined'
            """,
            [
                "id": id, "received": message.receivedAt.milliseconds, "origin": message.origin.storable, "digest": message.digest,
            ])
        try db.run("DELETE FROM intake_body WHERE intake_id = :id", ["id": id])
        try db.run("INSERT INTO intake_body (intake_id, bytes) VALUES (:id, :bytes)", ["id": id, "bytes": message.bytes])
        try db.run("DELETE FROM unread_mail WHERE \(MailboxPlace.key)", place.arguments)
        return true
    }

    /// Has quarantined messages that were passed over fetched anew, with all or those in `ids`; how many.
    func wantAgain(_ ids: String?, at now: Timestamp) throws -> Int {
        try db.run(
            """
            UPDATE unread_mail SET wanted_from = :now, tries = 0
            WHERE intake_id IS NOT NULL \(ids == nil ? "" : "AND intake_id IN (SELECT value FROM json_each(:ids))")
            """, ["now": now.milliseconds] + (ids.map { ["ids": $0] } ?? [:]))
    }

    /// Forgets the troubles with messages up to the watermark: they are taken in, or proven absent.
    func forgetTroubles(upTo watermark: MailboxWatermark) throws {
        try db.run(
            """
            DELETE FROM unread_mail
            WHERE account = :account AND folder = :folder AND (uid_validity <> :validity OR uid <= :uid) AND intake_id IS NULL
            """, MailboxPlace(watermark).arguments)
    }

    /// The record of a message that was passed over says why it is not there.
    fileprivate func say(_ reason: String, of place: MailboxPlace) throws {
        try db.run(
            """
            UPDATE intake SET state_reason = :reason
            WHERE state = 'quarantined' AND id = (SELECT intake_id FROM unread_mail WHERE \(MailboxPlace.key))
            """, place.arguments + ["reason": reason.storable])
    }
}

extension MailboxPlace {
    fileprivate static let key = "account = :account AND folder = :folder AND uid_validity = :validity AND uid = :uid"

    init(_ watermark: MailboxWatermark) {
        self.init(account: watermark.account, folder: watermark.folder, uidValidity: watermark.uidValidity, uid: watermark.lastUID)
    }

    init(_ record: Record) throws {
        self.init(
            account: try record.text("account"), folder: try record.text("folder"),
            uidValidity: UInt32(truncatingIfNeeded: try record.integer("uid_validity")),
            uid: UInt32(truncatingIfNeeded: try record.integer("uid")))
    }

    fileprivate var arguments: Arguments {
        ["account": account, "folder": folder, "validity": Int64(uidValidity), "uid": Int64(uid)]
    }
}
