import GRDB
import InternetMessage
package import Outreach

extension SQLiteStore: ContactGroupStore {
    package func define(_ group: ContactGroup) async throws(StoreError) -> Bool {
        try await write { ledger in
            let key: Arguments = [
                "workspace": group.workspace.rawValue, "kind": group.name.kind.rawValue, "key": group.name.key,
                "description": group.description.storable,
            ]
            let changed = try ledger.db.run(
                """
                UPDATE contact_group SET description = :description
                WHERE workspace_id = :workspace AND kind = :kind AND name_key = :key
                """, key)
            if changed == 0 { _ = try ledger.insert(group) }
            return changed == 0
        }
    }

    package func groups(workspace: WorkspaceID, kind: ContactGroup.Kind) async throws(StoreError) -> [ContactGroup.Count] {
        try await read { ledger in
            try ledger.db.records(
                """
                SELECT kind, name, workspace_id, description, created_at,
                    (SELECT COUNT(*) FROM contact_group_member WHERE group_id = contact_group.id) AS members
                FROM contact_group WHERE workspace_id = :workspace AND kind = :kind ORDER BY name_key
                """, ["workspace": workspace.rawValue, "kind": kind.rawValue]
            ).map { record in
                ContactGroup.Count(
                    group: ContactGroup(
                        workspace: WorkspaceID(rawValue: try record.integer("workspace_id")), name: try ContactGroup.Name(record),
                        description: try record.text("description"), createdAt: try record.moment("created_at")),
                    members: try record.count("members"))
            }
        }
    }

    package func remove(_ name: ContactGroup.Name, workspace: WorkspaceID) async throws(StoreError) -> Int? {
        try await write { ledger in
            guard let group = try ledger.group(name, workspace: workspace) else { return nil }
            let id: Arguments = ["id": group]
            let members = try ledger.db.run("DELETE FROM contact_group_member WHERE group_id = :id", id)
            try ledger.db.run("DELETE FROM contact_group WHERE id = :id", id)
            return members
        }
    }

    package func regroup(_ changes: [ContactGroup.Change]) async throws(StoreError) -> [Bool] {
        try await write { ledger in
            var known = Ledger.KnownGroups()
            return try changes.map { change in
                guard try ledger.apply(change, known: &known) else { return false }
                try ledger.append(TimelineEvent(change, id: ledger.ids.next()))
                return true
            }
        }
    }

    package func groups(of contacts: [Contact.ID]) async throws(StoreError) -> [Contact.ID: [ContactGroup.Name]] {
        try await read { try $0.groups(of: contacts) }
    }

    package func memberships(workspace: WorkspaceID, after: Contact.ID?, limit: Int) async throws(StoreError) -> [ContactGroup.Membership] {
        try await read { ledger in
            // The join in this order and the plus walk the index of the memberships only as far as is asked for.
            let ids: [Contact.ID] = try ledger.db.records(
                """
                SELECT DISTINCT member.contact_id AS id
                FROM contact_group_member AS member CROSS JOIN contact ON contact.id = member.contact_id
                WHERE member.contact_id > :after AND +contact.workspace_id = :workspace ORDER BY member.contact_id LIMIT :limit
                """, ["workspace": workspace.rawValue, "after": after?.rawValue ?? 0, "limit": max(0, limit)]
            ).map { try $0.id("id") }
            let groups = try ledger.groups(of: ids)
            return ids.map { ContactGroup.Membership(contact: $0, names: groups[$0] ?? []) }
        }
    }
}

/// What has to do with tags and lists in the open transaction.
extension Ledger {
    func groups(of contacts: [Contact.ID]) throws -> [Contact.ID: [ContactGroup.Name]] {
        guard !contacts.isEmpty else { return [:] }
        var groups: [Contact.ID: [ContactGroup.Name]] = [:]
        let ids = "[\(contacts.map(\.rawValue.description).joined(separator: ","))]"
        for record in try db.records(
            """
            SELECT member.contact_id, contact_group.kind, contact_group.name
            FROM contact_group_member AS member JOIN contact_group ON contact_group.id = member.group_id
            WHERE member.contact_id IN (SELECT value FROM json_each(:ids))
            ORDER BY contact_group.kind DESC, contact_group.name_key
            """, ["ids": ids])
        { groups[try record.id("contact_id"), default: []].append(try ContactGroup.Name(record)) }
        return groups
    }

    /// The id of a group; nil when there is none of that name.
    fileprivate func group(_ name: ContactGroup.Name, workspace: WorkspaceID) throws -> Int64? {
        try db.record(
            "SELECT id FROM contact_group WHERE workspace_id = :workspace AND kind = :kind AND name_key = :key",
            ["workspace": workspace.rawValue, "kind": name.kind.rawValue, "key": name.key])?.integer("id")
    }

    fileprivate func insert(_ group: ContactGroup) throws -> Int64 {
        let inserted = try db.record(
            """
            INSERT INTO contact_group (workspace_id, kind, name, name_key, description, created_at)
            VALUES (:workspace, :kind, :name, :key, :description, :at) RETURNING id
            """,
            [
                "workspace": group.workspace.rawValue, "kind": group.name.kind.rawValue, "name": group.name.text, "key": group.name.key,
                "description": group.description.storable, "at": group.createdAt.milliseconds,
            ])
        guard let inserted else { throw StoreError(code: .constraint, message: "\(group.name) could not be stored") }
        return try inserted.integer("id")
    }

    /// A contact of an import comes into a group; nothing when it is in it already.
    ///
    /// - Parameters:
    ///   - at: when, which a group that is made for it bears.
    ///   - known: ids of groups that were looked up before, of one workspace.
    func join(
        _ contact: Contact, _ name: ContactGroup.Name, by contactImport: ContactImport.ID, at: Timestamp, known: inout KnownGroups
    ) throws {
        let group = try knownGroup(name, workspace: contact.workspace, at: at, &known)
        _ = try join(contact.id, group, by: contactImport)
    }

    /// Brings a contact into a group or takes it out; false when nothing changed.
    func apply(_ change: ContactGroup.Change, known: inout KnownGroups) throws -> Bool {
        let contact: Arguments = ["contact": change.contact.rawValue]
        guard let found = try db.record("SELECT workspace_id FROM contact WHERE id = :contact AND erased_at IS NULL", contact) else {
            return false
        }
        let workspace = WorkspaceID(rawValue: try found.integer("workspace_id"))
        if change.isMember {
            let group = try knownGroup(change.name, workspace: workspace, at: change.at, &known)
            return try join(change.contact, group, by: nil)
        }
        guard let group = try group(change.name, workspace: workspace) else { return false }
        return try db.run("DELETE FROM contact_group_member WHERE group_id = :group AND contact_id = :contact", contact + ["group": group])
            == 1
    }

    /// The groups that one transaction has looked up; of the same name in another workspace it is another one.
    struct KnownGroups {
        init() {}

        fileprivate var ids: [WorkspaceID: [ContactGroup.Name: Int64]] = [:]
    }

    private func knownGroup(_ name: ContactGroup.Name, workspace: WorkspaceID, at: Timestamp, _ known: inout KnownGroups)
        throws -> Int64
    {
        if let group = known.ids[workspace]?[name] { return group }
        let group = try group(name, workspace: workspace) ?? insert(ContactGroup(workspace: workspace, name: name, createdAt: at))
        known.ids[workspace, default: [:]][name] = group
        return group
    }

    /// - Parameter contactImport: nil: a person or a sequence does, which no undo of an import takes back.
    private func join(_ contact: Contact.ID, _ group: Int64, by contactImport: ContactImport.ID?) throws -> Bool {
        let member: Arguments = ["group": group, "contact": contact.rawValue]
        let inserted = try db.run(
            """
            INSERT INTO contact_group_member (group_id, contact_id, import_id) VALUES (:group, :contact, :import)
            ON CONFLICT (group_id, contact_id) DO NOTHING
            """, member + ["import": contactImport?.rawValue])
        if inserted == 0, contactImport == nil {
            try db.run(
                """
                UPDATE contact_group_member SET import_id = NULL
                WHERE group_id = :group AND contact_id = :contact AND import_id IS NOT NULL
                """, member)
        }
        return inserted == 1
    }

    /// Takes those contacts out of the groups that an import brought them into, but for what a person has said since; how often.
    func leave(_ contacts: [Contact.ID], broughtBy contactImport: ContactImport.ID) throws -> Int {
        try db.run(
            "DELETE FROM contact_group_member WHERE contact_id IN (SELECT value FROM json_each(:ids)) AND import_id = :import",
            ["ids": "[\(contacts.map(\.rawValue.description).joined(separator: ","))]", "import": contactImport.rawValue])
    }
}

extension ContactGroup.Name {
    fileprivate init(_ record: Record) throws {
        let kind: ContactGroup.Kind = try record.word("kind")
        let text = try record.text("name")
        do throws(Fault) {
            try self.init(kind, text)
        } catch {
            throw StoreError(code: .unusable, message: "\(error.message); run 'postrider db check'")
        }
    }
}
