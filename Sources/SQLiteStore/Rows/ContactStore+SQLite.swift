import GRDB
package import InternetMessage
package import Outreach

extension SQLiteStore: ContactStore {
    package func save(_ contacts: [Contact]) async throws(StoreError) -> [ContactVerdict] {
        try await write { ledger in try contacts.map(ledger.save) }
    }

    package func contact(id: Contact.ID) async throws(StoreError) -> Contact? {
        try await read { ledger in
            try ledger.db.record("SELECT * FROM contact WHERE id = :id", ["id": id.rawValue]).map(Contact.init)
        }
    }

    package func contact(workspace: WorkspaceID, address: EmailAddress) async throws(StoreError) -> Contact? {
        try await read { ledger in try ledger.contact(workspace: workspace, key: address.suppressionKey) }
    }

    package func contacts(workspace: WorkspaceID, after: Contact.ID?, limit: Int) async throws(StoreError) -> [Contact] {
        try await read { ledger in
            try ledger.db.records(
                "SELECT * FROM contact WHERE workspace_id = :workspace AND id > :after ORDER BY id LIMIT :limit",
                ["workspace": workspace.rawValue, "after": after?.rawValue ?? 0, "limit": max(0, limit)]
            ).map(Contact.init)
        }
    }
}

extension Ledger {
    func contact(workspace: WorkspaceID, key: String) throws -> Contact? {
        try db.record(
            "SELECT * FROM contact WHERE workspace_id = :workspace AND address_key = :key", ["workspace": workspace.rawValue, "key": key]
        ).map(Contact.init)
    }

    /// Values that are given replace those that are there; the others stay.
    fileprivate func save(_ contact: Contact) throws -> ContactVerdict {
        if let suppression = try suppression(workspace: contact.workspace, address: contact.address, now: contact.createdAt) {
            return .suppressed(reason: suppression.reason.rawValue)
        }
        let key = contact.address.suppressionKey
        guard let present = try self.contact(workspace: contact.workspace, key: key) else {
            try db.run(
                """
                INSERT INTO contact (id, workspace_id, address, address_key, address_domain, display_name, fields, time_zone, created_at)
                VALUES (:id, :workspace, :address, :key, :domain, :name, :fields, :zone, :created)
                """,
                [
                    "id": contact.id.rawValue, "workspace": contact.workspace.rawValue, "address": contact.address.stored(), "key": key,
                    "domain": contact.address.domainKey, "name": contact.displayName?.storable, "fields": jsonText(contact.fields),
                    "zone": contact.timeZone?.storable, "created": contact.createdAt.milliseconds,
                ])
            return .created(contact.id)
        }
        try db.run(
            "UPDATE contact SET display_name = :name, fields = :fields, time_zone = :zone WHERE id = :id",
            [
                "id": present.id.rawValue, "name": (contact.displayName ?? present.displayName)?.storable,
                "fields": jsonText(present.fields.merging(contact.fields) { $1 }), "zone": (contact.timeZone ?? present.timeZone)?.storable,
            ])
        return .updated(present.id)
    }
}

extension Contact {
    init(_ record: Record) throws {
        self.init(
            id: try record.id("id"), workspace: WorkspaceID(rawValue: try record.integer("workspace_id")),
            address: try record.address("address"),
            displayName: record.textOrNil("display_name"), fields: try record.json("fields"), timeZone: record.textOrNil("time_zone"),
            createdAt: try record.moment("created_at"))
    }
}
