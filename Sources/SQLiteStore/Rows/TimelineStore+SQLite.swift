import GRDB
package import Outreach

extension SQLiteStore: TimelineStore {
    package func timeline(contact: Contact.ID) async throws(StoreError) -> [TimelineEvent] {
        try await read { ledger in
            try ledger.db.records("SELECT * FROM timeline WHERE contact_id = :contact ORDER BY id", ["contact": contact.rawValue])
                .map(TimelineEvent.init)
        }
    }

    package func timeline(after: TimelineEvent.ID?, limit: Int) async throws(StoreError) -> [TimelineEvent] {
        try await read { ledger in
            try ledger.db.records(
                "SELECT * FROM timeline WHERE id > :after ORDER BY id LIMIT :limit",
                ["after": after?.rawValue ?? 0, "limit": max(0, limit)]
            ).map(TimelineEvent.init)
        }
    }
}

extension TimelineEvent {
    init(_ record: Record) throws {
        self.init(
            id: try record.id("id"), at: try record.moment("at"), kind: try record.word("kind"), contact: record.idOrNil("contact_id"),
            enrollment: record.idOrNil("enrollment_id"), outbox: record.idOrNil("outbox_id"), intake: record.idOrNil("intake_id"),
            summary: try record.text("summary"), facts: record.textOrNil("facts") == nil ? [:] : try record.json("facts"))
    }
}
