import GRDB
package import InternetMessage
package import Outreach

extension SQLiteStore: TrackingStore {
    /// So many hits wait for one message at most.
    private static let mostHits = 64

    package func note(_ hits: [TrackingHit]) async throws(StoreError) {
        guard !hits.isEmpty else { return }
        try await write { ledger in
            for hit in hits {
                try ledger.db.run(
                    Self.noteSQL,
                    [
                        "message": hit.message.rawValue, "link": hit.link?.rawValue ?? 0, "at": hit.at.milliseconds,
                        "agent": hit.agent.storable, "most": Self.mostHits,
                    ])
            }
        }
    }

    static let noteSQL = """
        INSERT INTO tracking_hit (outbox_id, link_id, at, agent)
        SELECT id, :link, :at, :agent FROM outbox
        WHERE id = :message AND NOT EXISTS (SELECT 1 FROM contact WHERE id = outbox.contact_id AND erased_at IS NOT NULL)
            AND (SELECT COUNT(*) FROM tracking_hit WHERE outbox_id = :message) < :most
        """

    package func linkTarget(_ id: LinkTarget.ID) async throws(StoreError) -> LinkTarget? {
        try await read { ledger in
            let row = try ledger.db.record("SELECT url, contact_id FROM link_target WHERE id = :id", ["id": id.rawValue])
            // Only what could be stored today is led to.
            return try row.flatMap { LinkTarget(Array(try $0.text("url").utf8), contact: $0.idOrNil("contact_id")) }
        }
    }

    package func linkTargets(after: LinkTarget.ID?, limit: Int) async throws(StoreError) -> [LinkTarget] {
        try await read { ledger in
            try ledger.db.records(
                "SELECT url, contact_id FROM link_target WHERE id > :after ORDER BY id LIMIT :limit",
                ["after": after?.rawValue ?? 0, "limit": max(0, limit)]
            ).compactMap { LinkTarget(Array(try $0.text("url").utf8), contact: $0.idOrNil("contact_id")) }
        }
    }

    package func add(_ links: [LinkTarget]) async throws(StoreError) -> Int { try await write { try $0.add(links) } }

    package func touches(contact: Contact.ID) async throws(StoreError) -> [ContactTouch] {
        try await read { ledger in
            try ledger.db.records(
                """
                SELECT touch.outbox_id, touch.link_id, touch.by_human, touch.by_machine, link_target.url
                FROM outbox INDEXED BY outbox_contact CROSS JOIN touch ON touch.outbox_id = outbox.id
                LEFT JOIN link_target ON link_target.id = touch.link_id
                WHERE outbox.contact_id = :contact ORDER BY touch.outbox_id, touch.link_id
                """, ["contact": contact.rawValue]
            ).map {
                ContactTouch(
                    message: try $0.id("outbox_id"), url: $0.textOrNil("url"), isOpen: try $0.integer("link_id") == 0,
                    byHuman: try $0.count("by_human"), byMachine: try $0.count("by_machine"))
            }
        }
    }

    package func ownLinks(of contact: Contact.ID) async throws(StoreError) -> [String] {
        try await read { ledger in
            try ledger.db.records("SELECT url FROM link_target WHERE contact_id = :contact ORDER BY id", ["contact": contact.rawValue])
                .map { try $0.text("url") }
        }
    }

    package func hasHits() async throws(StoreError) -> Bool { try await read { try $0.db.exists("SELECT 1 FROM tracking_hit LIMIT 1") } }

    package func touchedMessages(quietSince: Timestamp, patientUntil: Timestamp, limit: Int) async throws(StoreError) -> [TouchedMessage] {
        try await read { ledger in
            try ledger.db.records(
                Self.touchedSQL,
                ["quiet": quietSince.milliseconds, "patient": patientUntil.milliseconds, "limit": max(0, limit)]
            ).map { try ledger.touchedMessage($0) }
        }
    }

    static let touchedSQL = """
        SELECT outbox.id, outbox.enrollment_id, outbox.contact_id, outbox.step, outbox.final_dot_at
        FROM (
            SELECT outbox_id, MIN(at) AS first FROM tracking_hit GROUP BY outbox_id
            HAVING MAX(at) <= :quiet OR MIN(at) <= :patient ORDER BY first LIMIT :limit) AS waiting
        JOIN outbox ON outbox.id = waiting.outbox_id
        """

    package func settle(_ message: TouchedMessage, counts: [TouchCount], consequence: Consequence) async throws(StoreError) -> CommitResult
    {
        try await write { ledger in
            guard try ledger.isCurrent(consequence) else { return .stale }
            var found = 0
            for hit in message.hits {
                found += try ledger.db.run(
                    "DELETE FROM tracking_hit WHERE outbox_id = :message AND at = :at AND link_id = :link",
                    ["message": message.message.rawValue, "at": hit.at.milliseconds, "link": hit.link?.rawValue ?? 0])
            }
            // Erased with its contact, or settled, since it was looked at.
            guard found > 0 else { return .committed }
            for count in counts { try ledger.add(count, to: message.message) }
            try ledger.apply(consequence)
            return .committed
        }
    }
}

extension Ledger {
    /// Stores where the links of a message lead.
    @discardableResult
    func add(_ links: [LinkTarget]) throws -> Int {
        var added = 0
        for link in links {
            added += try db.run(
                """
                INSERT INTO link_target (id, contact_id, url)
                SELECT :id, :contact, :url WHERE :contact IS NULL OR EXISTS (SELECT 1 FROM contact WHERE id = :contact AND erased_at IS NULL)
                ON CONFLICT (id) DO NOTHING
                """, ["id": link.id.rawValue, "contact": link.contact?.rawValue, "url": link.url])
        }
        return added
    }

    fileprivate func add(_ count: TouchCount, to message: OutboxMessage.ID) throws {
        try db.run(
            """
            INSERT INTO touch (outbox_id, link_id, by_human, human_at, by_machine, machine_at)
            VALUES (:message, :link, :human, :human_at, :machine, :machine_at)
            ON CONFLICT (outbox_id, link_id) DO UPDATE
            SET by_human = by_human + excluded.by_human, human_at = COALESCE(human_at, excluded.human_at),
                by_machine = by_machine + excluded.by_machine, machine_at = COALESCE(machine_at, excluded.machine_at)
            """,
            [
                "message": message.rawValue, "link": count.link?.rawValue ?? 0, "human": count.byHuman,
                "human_at": count.firstByHuman?.milliseconds, "machine": count.byMachine, "machine_at": count.firstByMachine?.milliseconds,
            ])
    }

    fileprivate func touchedMessage(_ row: Record) throws -> TouchedMessage {
        let message: OutboxMessage.ID = try row.id("id")
        let id: Arguments = ["message": message.rawValue]
        func link(_ record: Record) throws -> LinkTarget.ID? {
            let value = try record.integer("link_id")
            return value == 0 ? nil : LinkTarget.ID(rawValue: value)
        }
        let hits = try db.records("SELECT link_id, at, agent FROM tracking_hit WHERE outbox_id = :message ORDER BY at, id", id).map {
            TrackingHit(message: message, link: try link($0), at: try $0.moment("at"), agent: try $0.text("agent"))
        }
        let known = try db.records("SELECT link_id, by_human, by_machine FROM touch WHERE outbox_id = :message", id).map {
            TouchedMessage.Known(
                link: try link($0), byHuman: try $0.integer("by_human") > 0, byMachine: try $0.integer("by_machine") > 0)
        }
        var targets: [LinkTarget.ID: String] = [:]
        for target in Set(hits.compactMap(\.link)) {
            targets[target] = try db.record("SELECT url FROM link_target WHERE id = :id", ["id": target.rawValue])?.textOrNil("url")
        }
        return TouchedMessage(
            message: message, enrollment: row.idOrNil("enrollment_id"), contact: row.idOrNil("contact_id"), step: try row.count("step"),
            sentAt: row.momentOrNil("final_dot_at"), hits: hits, known: known, targets: targets)
    }

    /// What people opened and clicked of the messages of an enrollment.
    static let touchesSQL = """
        SELECT outbox.step, touch.link_id, touch.human_at
        FROM outbox CROSS JOIN touch ON touch.outbox_id = outbox.id
        WHERE outbox.enrollment_id = :enrollment AND touch.human_at IS NOT NULL
        """
}
