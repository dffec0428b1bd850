import GRDB
package import InternetMessage
package import Outreach

extension SQLiteStore: ContactImportStore {
    package func begin(_ contactImport: ContactImport) async throws(StoreError) {
        // The pages that one transaction changes shall fit, else they are written more than once.
        try await setWriterCache(kibibytes: 98_304)
        try await write { ledger in
            try ledger.db.run(
                """
                INSERT INTO contact_import (id, workspace_id, file, person, at) VALUES (:id, :workspace, :file, :person, :at)
                """,
                [
                    "id": contactImport.id.rawValue, "workspace": contactImport.workspace.rawValue, "file": contactImport.file.storable,
                    "person": contactImport.person.storable, "at": contactImport.at.milliseconds,
                ])
            return
        }
    }

    package func take(_ rows: [ContactImport.Row], into contactImport: ContactImport.ID) async throws(StoreError)
        -> [ContactImport.Verdict]
    {
        try await write { ledger in
            guard try ledger.db.exists("SELECT 1 FROM contact_import WHERE id = :id AND undone_at IS NULL", ["id": contactImport.rawValue])
            else { throw StoreError(code: .constraint, message: "rows of an import that is not there, or was undone") }
            // Mostly nothing is, and then nothing is looked up for each of a million rows.
            let isAnySuppressed = try ledger.isAnySuppressed()
            var isAnyFurther = try ledger.isAnyFurtherAddress()
            var groups = Ledger.KnownGroups()
            return try rows.map { row in
                let verdict = try ledger.take(
                    row, into: contactImport, isAnySuppressed: isAnySuppressed, isAnyFurther: isAnyFurther, groups: &groups)
                if !row.furtherAddresses.isEmpty { isAnyFurther = true }
                return verdict
            }
        }
    }

    package func foresee(_ rows: [ContactImport.Row]) async throws(StoreError) -> [ContactImport.Verdict] {
        try await read { ledger in
            try rows.map { row in
                let contact = row.contact
                if let held = try ledger.suppression(workspace: contact.workspace, address: contact.address, now: contact.createdAt) {
                    return .suppressed(reason: held.reason.rawValue)
                }
                switch try ledger.obstacle(to: row, isAnySuppressed: true) {
                case .suppressed(let held): return .suppressed(reason: held.reason.rawValue)
                case .refused(let why): return .refused(why)
                case nil: break
                }
                return try ledger.contact(workspace: contact.workspace, key: contact.address.suppressionKey).map { .updated($0.id) }
                    ?? .created(nil)
            }
        }
    }

    private func setWriterCache(kibibytes: Int) async throws(StoreError) {
        try await onWriter { db in
            try db.execute(sql: "PRAGMA cache_size = -\(kibibytes)")
            return
        }
    }

    package func finish(_ contactImport: ContactImport.ID, counts: ContactImport.Counts, at: Timestamp) async throws(StoreError) {
        try await setWriterCache(kibibytes: 16_384)
        try await write { ledger in
            try ledger.db.run(
                """
                UPDATE contact_import
                SET finished_at = :at, rows = :rows, created = :created, updated = :updated, suppressed = :suppressed, refused = :refused
                WHERE id = :id
                """,
                [
                    "id": contactImport.rawValue, "at": at.milliseconds, "rows": counts.rows, "created": counts.created,
                    "updated": counts.updated, "suppressed": counts.suppressed, "refused": counts.refused,
                ])
            return
        }
    }

    package func contactImports(workspace: WorkspaceID) async throws(StoreError) -> [ContactImport] {
        try await read { ledger in
            try ledger.db.records(
                // One that was broken off has no counts of its own: its rows say what became of it.
                """
                SELECT contact_import.*, COALESCE(taken.created, 0) AS taken_created, COALESCE(taken.updated, 0) AS taken_updated
                FROM contact_import LEFT JOIN (
                    SELECT import_id, SUM(changes IS NULL) AS created, SUM(changes IS NOT NULL) AS updated
                    FROM contact_import_row
                    WHERE import_id IN (SELECT id FROM contact_import WHERE workspace_id = :workspace AND finished_at IS NULL)
                    GROUP BY import_id
                ) AS taken ON taken.import_id = contact_import.id
                WHERE workspace_id = :workspace ORDER BY contact_import.id DESC
                """, ["workspace": workspace.rawValue]
            ).map(ContactImport.init)
        }
    }

    package func undo(_ contactImport: ContactImport.ID, at: Timestamp, limit: Int) async throws(StoreError) -> ContactImportUndo? {
        try await write { ledger in
            let id: Arguments = ["id": contactImport.rawValue]
            guard try ledger.db.exists("SELECT 1 FROM contact_import WHERE id = :id", id) else { return nil }
            var undo = ContactImportUndo()
            let rows = try ledger.db.records(
                "SELECT contact_id, changes FROM contact_import_row WHERE import_id = :id LIMIT :limit", id + ["limit": max(1, limit)])
            undo.ungrouped = try ledger.leave(rows.map { try $0.id("contact_id") }, broughtBy: contactImport)
            for row in rows { try ledger.undo(row, of: contactImport, into: &undo) }
            undo.hasMore = try ledger.db.exists("SELECT 1 FROM contact_import_row WHERE import_id = :id", id)
            if !undo.hasMore {
                try ledger.db.run(
                    "UPDATE contact_import SET undone_at = :at WHERE id = :id AND undone_at IS NULL", id + ["at": at.milliseconds])
            }
            return undo
        }
    }
}

extension Ledger {
    fileprivate func take(
        _ row: ContactImport.Row, into contactImport: ContactImport.ID, isAnySuppressed: Bool, isAnyFurther: Bool,
        groups: inout KnownGroups
    ) throws -> ContactImport.Verdict {
        let contact = row.contact
        if isAnySuppressed, let held = try suppression(workspace: contact.workspace, address: contact.address, now: contact.createdAt) {
            return .suppressed(reason: held.reason.rawValue)
        }
        switch row.furtherAddresses.isEmpty ? nil : try obstacle(to: row, isAnySuppressed: isAnySuppressed) {
        case .suppressed(let held):
            try spread(held, over: row)
            return .suppressed(reason: held.reason.rawValue)
        case .refused(let why): return .refused(why)
        case nil: break
        }
        let key = contact.address.suppressionKey
        func note(_ id: Contact.ID, _ changes: String?) throws {
            try db.run(
                "INSERT INTO contact_import_row (import_id, contact_id, line, changes) VALUES (:import, :contact, :line, :changes)",
                ["import": contactImport.rawValue, "contact": id.rawValue, "line": row.line, "changes": changes])
        }
        let isFurther = try isAnyFurther && self.contact(workspace: contact.workspace, furtherKey: key) != nil
        if try !isFurther && insertIfNew(contact, key: key) {
            try note(contact.id, nil)
            for name in row.groups { try join(contact, name, by: contactImport, at: contact.createdAt, known: &groups) }
            if !row.furtherAddresses.isEmpty { _ = try give(row.furtherAddresses, to: contact, at: contact.createdAt) }
            return .created(contact.id)
        }
        let present = try presentContact(workspace: contact.workspace, key: key)
        let taken = try db.record(
            "SELECT line FROM contact_import_row WHERE import_id = :import AND contact_id = :contact",
            ["import": contactImport.rawValue, "contact": present.id.rawValue])
        if let taken { return .duplicate(line: try taken.count("line")) }
        var changes = try update(present, with: contact)
        if !row.furtherAddresses.isEmpty {
            let given = try give(row.furtherAddresses, to: present, at: contact.createdAt)
            if !given.isEmpty { changes.addresses = given }
        }
        try note(present.id, changes.isEmpty ? "{}" : jsonText(changes))
        for name in row.groups { try join(present, name, by: contactImport, at: contact.createdAt, known: &groups) }
        return .updated(present.id)
    }

    fileprivate func undo(_ row: Record, of contactImport: ContactImport.ID, into undo: inout ContactImportUndo) throws {
        let contact: Contact.ID = try row.id("contact_id")
        let key: Arguments = ["contact": contact.rawValue]
        try db.run(
            "DELETE FROM contact_import_row WHERE import_id = :import AND contact_id = :contact",
            ["import": contactImport.rawValue] + key)
        let found = try db.record("SELECT * FROM contact WHERE id = :contact AND erased_at IS NULL", key).map(Contact.init)
        guard let found else { return }
        guard row.textOrNil("changes") == nil else {
            let changes = try row.textOrNil("changes").map { $0.utf8.count > 2 ? try row.json("changes") as ContactChanges? : nil } ?? nil
            guard let changes else { return }
            let before = changes.undone(in: found)
            if before != found { try setValues(of: before) }
            var taken = 0
            for address in changes.addresses ?? [] {
                taken += try db.run(
                    "DELETE FROM further_address WHERE contact_id = :contact AND address_key = :key", key + ["key": address])
            }
            if before != found || taken > 0 { undo.restored += 1 }
            return
        }
        if let why = try reasonToKeep(contact) {
            undo.kept.append(ContactImportUndo.Kept(address: found.address, because: why))
        } else {
            try db.run("DELETE FROM timeline WHERE contact_id = :contact AND kind = 'edited'", key)
            try db.run("DELETE FROM contact WHERE id = :contact", key)
            undo.deleted += 1
        }
    }

    /// What keeps a row from being taken.
    fileprivate enum Obstacle {
        /// Another address of the person is, for a reason of theirs.
        case suppressed(Suppression)
        case refused(String)
    }

    /// What the further addresses of a row have against it; nil: nothing.
    fileprivate func obstacle(to row: ContactImport.Row, isAnySuppressed: Bool) throws -> Obstacle? {
        guard !row.furtherAddresses.isEmpty else { return nil }
        let contact = row.contact
        let present = try self.contact(workspace: contact.workspace, key: contact.address.suppressionKey)
        var count = try present.map { try countFurtherAddresses(of: $0.id) } ?? 0
        for address in row.furtherAddresses {
            if isAnySuppressed, let held = try suppression(workspace: contact.workspace, address: address, now: contact.createdAt),
                held.reason.isOfPerson, held.subject.isOfOne
            {
                return .suppressed(held)
            }
            guard let owner = try self.contact(workspace: contact.workspace, key: address.suppressionKey) else {
                count += 1
                continue
            }
            if owner.id != present?.id {
                return .refused("'\(address.text)' is an address of the contact \(owner.address.text); it cannot be that of two")
            }
        }
        return count <= Self.mostAddresses ? nil : .refused("more than \(Self.mostAddresses) further addresses; leave some of them out")
    }

    /// Suppresses the addresses of a row as one of them is.
    private func spread(_ held: Suppression, over row: ContactImport.Row) throws {
        guard case .address = held.subject else { return }
        for address in [row.contact.address] + row.furtherAddresses where Suppression.Subject(address) != held.subject {
            try add(
                Suppression(
                    id: ids.next(), workspace: held.workspace, subject: Suppression.Subject(address), reason: held.reason,
                    source: held.source, note: "another address of the same person", at: row.contact.createdAt, expiresAt: held.expiresAt))
        }
    }

    /// Gives a contact the addresses that it does not have yet and that are nobody's; the keys of those.
    private func give(_ addresses: [EmailAddress], to contact: Contact, at: Timestamp) throws -> [String] {
        try addresses.compactMap { address in
            let key = address.suppressionKey
            guard try self.contact(workspace: contact.workspace, key: key) == nil else { return nil }
            try add(address, key: key, to: contact, at: at)
            return key
        }
    }

    /// What refers to a contact, so that it cannot go; nil when nothing does.
    func reasonToKeep(_ contact: Contact.ID) throws -> String? {
        let key: Arguments = ["contact": contact.rawValue]
        if try db.exists("SELECT 1 FROM enrollment WHERE contact_id = :contact", key) { return "it was enrolled in a sequence" }
        if try db.exists("SELECT 1 FROM outbox WHERE contact_id = :contact", key) { return "it was written to" }
        if try db.exists("SELECT 1 FROM reply WHERE contact_id = :contact", key) { return "it has written" }
        if try db.exists("SELECT 1 FROM contact_import_row WHERE contact_id = :contact", key) {
            return "a later import brought it up to date"
        }
        return try db.exists("SELECT 1 FROM timeline WHERE contact_id = :contact AND kind <> 'edited'", key) ? "it has a history" : nil
    }
}

extension ContactImport {
    init(_ record: Record) throws {
        var counts = Counts()
        counts.rows = try record.count("rows")
        counts.created = try record.count("created")
        counts.updated = try record.count("updated")
        counts.suppressed = try record.count("suppressed")
        counts.refused = try record.count("refused")
        if record.momentOrNil("finished_at") == nil {
            counts.created = try record.count("taken_created")
            counts.updated = try record.count("taken_updated")
            counts.rows = counts.created + counts.updated
        }
        self.init(
            id: try record.id("id"), workspace: WorkspaceID(rawValue: try record.integer("workspace_id")), file: try record.text("file"),
            person: try record.text("person"), at: try record.moment("at"), finishedAt: record.momentOrNil("finished_at"),
            undoneAt: record.momentOrNil("undone_at"), counts: counts)
    }
}
