import GRDB
package import InternetMessage
package import Outreach

extension SQLiteStore {
    package func add(_ address: EmailAddress, to contact: Contact.ID, at: Timestamp) async throws(StoreError) -> FurtherAddressVerdict {
        try await write { ledger in
            let id: Arguments = ["contact": contact.rawValue]
            let found = try ledger.db.record("SELECT * FROM contact WHERE id = :contact AND erased_at IS NULL", id).map(Contact.init)
            guard let found else { return .noSuchContact }
            let key = address.suppressionKey
            if let owner = try ledger.contact(workspace: found.workspace, key: key) {
                return owner.id == contact ? .known : .taken(owner.id)
            }
            guard try ledger.countFurtherAddresses(of: contact) < Ledger.mostAddresses else { return .tooMany }
            try ledger.add(address, key: key, to: found, at: at)
            return .added(isSuppressed: try ledger.spreadSuppressions(of: found, at: at))
        }
    }

    package func remove(_ address: EmailAddress, from contact: Contact.ID) async throws(StoreError) -> Bool {
        try await write { ledger in
            try ledger.db.run(
                "DELETE FROM further_address WHERE contact_id = :contact AND address_key = :key",
                ["contact": contact.rawValue, "key": address.suppressionKey]) == 1
        }
    }

    package func furtherAddresses(of contacts: [Contact.ID]) async throws(StoreError) -> [Contact.ID: [EmailAddress]] {
        try await read { try $0.furtherAddresses(of: contacts) }
    }
}

/// What has to do with the further addresses of contacts in the open transaction.
extension Ledger {
    func furtherAddresses(of contacts: [Contact.ID]) throws -> [Contact.ID: [EmailAddress]] {
        var addresses: [Contact.ID: [EmailAddress]] = [:]
        guard !contacts.isEmpty else { return addresses }
        for record in try db.records(
            """
            SELECT contact_id, address FROM further_address
            WHERE contact_id IN (SELECT value FROM json_each(:ids)) ORDER BY id
            """, ["ids": "[\(contacts.map(\.rawValue.description).joined(separator: ","))]"])
        { addresses[try record.id("contact_id"), default: []].append(try record.address("address")) }
        return addresses
    }

    /// How many further addresses a contact has room for.
    static let mostAddresses = 20

    func countFurtherAddresses(of contact: Contact.ID) throws -> Int {
        try db.record(
            "SELECT COUNT(*) AS count FROM further_address WHERE contact_id = :contact", ["contact": contact.rawValue])?.count("count") ?? 0
    }

    /// Gives a contact a further address that is nobody's.
    func add(_ address: EmailAddress, key: String, to contact: Contact, at: Timestamp) throws {
        try db.run(
            """
            INSERT INTO further_address (workspace_id, contact_id, address, address_key, added_at)
            VALUES (:workspace, :contact, :address, :key, :at)
            """,
            [
                "workspace": contact.workspace.rawValue, "contact": contact.id.rawValue, "address": address.stored(), "key": key,
                "at": at.milliseconds,
            ])
    }

    /// Whether anybody has a further address; where nobody has, nothing is looked up for each of many rows.
    func isAnyFurtherAddress() throws -> Bool { try db.exists("SELECT 1 FROM further_address LIMIT 1") }

    /// The contact of which that is the key of a further address; nil when there is none.
    func contact(workspace: WorkspaceID, furtherKey key: String) throws -> Contact? {
        try db.record(
            """
            SELECT contact.* FROM further_address JOIN contact ON contact.id = further_address.contact_id
            WHERE further_address.address_key = :key AND further_address.workspace_id = :workspace
            """, ["workspace": workspace.rawValue, "key": key]
        ).map(Contact.init)
    }

    /// The suppression, and where it is about a person whose address it names, one for each other address of theirs.
    func spread(_ suppression: Suppression) throws -> [Suppression] {
        guard case .address(let key) = suppression.subject, suppression.reason.isOfPerson else { return [suppression] }
        let others = try db.records(
            """
            WITH person (id) AS (
                SELECT contact_id FROM further_address WHERE address_key = :key AND workspace_id IN (\(Suppression.scope))
                UNION
                SELECT contact.id FROM contact JOIN further_address ON further_address.contact_id = contact.id
                WHERE contact.address_key = :key AND contact.workspace_id IN (\(Suppression.scope)))
            SELECT address_key AS key FROM contact WHERE id IN (SELECT id FROM person)
            UNION
            SELECT address_key FROM further_address WHERE contact_id IN (SELECT id FROM person)
            """, ["key": key, "workspace": suppression.workspace.rawValue]
        ).map { try $0.text("key") }
        return [suppression]
            + others.filter { !$0.utf8.elementsEqual(key.utf8) }.map { other in
                Suppression(
                    id: ids.next(), workspace: suppression.workspace, subject: .address(other), reason: suppression.reason,
                    source: suppression.source, note: "another address of the same person", at: suppression.at,
                    expiresAt: suppression.expiresAt)
            }
    }

    /// Suppresses every address of a contact where one of them is for a reason of the person; whether one is.
    fileprivate func spreadSuppressions(of contact: Contact, at: Timestamp) throws -> Bool {
        let keys = [contact.address.suppressionKey] + (try furtherAddresses(of: [contact.id])[contact.id] ?? []).map(\.suppressionKey)
        var isAny = false
        for key in keys {
            let found = try db.records(
                """
                SELECT * FROM suppression
                WHERE workspace_id IN (0, :workspace) AND kind = 'address' AND subject = :key AND (expires_at IS NULL OR expires_at > :now)
                """, ["workspace": contact.workspace.rawValue, "key": key, "now": at.milliseconds]
            ).map(Suppression.init)
            for suppression in found where suppression.reason.isOfPerson {
                isAny = true
                try add(
                    Suppression(
                        id: ids.next(), workspace: suppression.workspace, subject: suppression.subject, reason: suppression.reason,
                        source: suppression.source, note: suppression.note, at: at, expiresAt: suppression.expiresAt))
            }
        }
        return isAny
    }
}
