import GRDB
package import InternetMessage
package import Outreach

extension SQLiteStore: ContactStore {
    package func save(_ contacts: [Contact]) async throws(StoreError) -> [ContactVerdict] {
        try await write { ledger in
            try contacts.map { contact in
                switch try ledger.save(contact) {
                case .created: .created(contact.id)
                case .updated(let id, _): .updated(id)
                case .suppressed(let reason): .suppressed(reason: reason)
                }
            }
        }
    }

    package func contact(id: Contact.ID) async throws(StoreError) -> Contact? {
        try await read { ledger in
            try ledger.db.record("SELECT * FROM contact WHERE id = :id AND erased_at IS NULL", ["id": id.rawValue]).map(Contact.init)
        }
    }

    package func contact(workspace: WorkspaceID, address: EmailAddress) async throws(StoreError) -> Contact? {
        try await read { ledger in try ledger.contact(workspace: workspace, key: address.suppressionKey) }
    }

    package func set(_ changes: [Consequence.FieldChange], at now: Timestamp) async throws(StoreError) -> [Bool] {
        try await write { ledger in
            try changes.map { change in
                guard try ledger.apply(change) else { return false }
                try ledger.append(TimelineEvent(change, id: ledger.ids.next(), at: now))
                return true
            }
        }
    }

    package func setConsent(_ changes: [Consent.Change], at now: Timestamp) async throws(StoreError) -> [Bool] {
        try await write { ledger in
            try changes.map { change in
                let found = try ledger.db.record(
                    "SELECT * FROM contact WHERE id = :id AND erased_at IS NULL", ["id": change.contact.rawValue]
                ).map(Contact.init)
                guard var contact = found else { return false }
                let consent = change.given.map { contact.consent.updated(by: $0) } ?? Consent()
                guard !consent.isSame(as: contact.consent) else { return false }
                contact.consent = consent
                try ledger.setValues(of: contact)
                try ledger.append(TimelineEvent(change, id: ledger.ids.next(), at: now))
                return true
            }
        }
    }

    package func contacts(workspace: WorkspaceID, after: Contact.ID?, limit: Int) async throws(StoreError) -> [Contact] {
        try await read { ledger in
            try ledger.db.records(
                "SELECT * FROM contact WHERE workspace_id = :workspace AND id > :after AND erased_at IS NULL ORDER BY id LIMIT :limit",
                ["workspace": workspace.rawValue, "after": after?.rawValue ?? 0, "limit": max(0, limit)]
            ).map(Contact.init)
        }
    }
}

/// What a save replaced: the value before and after, nil where there was none.
struct ContactChanges: Codable, Equatable {
    struct Change: Codable, Equatable {
        let before: String?
        let after: String?
    }

    /// Source and date of a consent belong together.
    struct ConsentChange: Codable, Equatable {
        struct Known: Codable, Equatable {
            let source: String?
            let at: Timestamp?

            init(_ consent: Consent) { (source, at) = (consent.source, consent.at) }

            var consent: Consent { Consent(source: source, at: at) }
        }

        let before: Known
        let after: Known
    }

    var name: Change?
    var timeZone: Change?
    var fields: [String: Change] = [:]
    var consent: ConsentChange?
    /// Keys of further addresses that the contact was given; nil: none.
    var addresses: [String]?

    var isEmpty: Bool { name == nil && timeZone == nil && fields.isEmpty && consent == nil && addresses == nil }

    private init(name: Change?, timeZone: Change?, fields: [String: Change], consent: ConsentChange?) {
        self.name = name
        self.timeZone = timeZone
        self.fields = fields
        self.consent = consent
    }

    /// What bringing `old` up to date with `new` replaces: values that are given replace those that are there; the others stay.
    init(from old: Contact, to new: Contact) {
        func change(_ before: String?, _ after: String?) -> Change? {
            guard let after, before.map({ !$0.utf8.elementsEqual(after.utf8) }) ?? true else { return nil }
            return Change(before: before, after: after)
        }
        let consent = old.consent.updated(by: new.consent)
        let isSame = consent.isSame(as: old.consent)
        self.init(
            name: change(old.displayName, new.displayName), timeZone: change(old.timeZone, new.timeZone),
            fields: new.fields.reduce(into: [:]) { changes, field in changes[field.key] = change(old.fields[field.key], field.value) },
            consent: isSame ? nil : ConsentChange(before: .init(old.consent), after: .init(consent)))
    }

    /// What takes the changes back in `contact`, where it has the value of after still.
    func undone(in contact: Contact) -> Contact {
        func isStill(_ value: String?, _ change: Change) -> Bool {
            (value.map { Array($0.utf8) }) == (change.after.map { Array($0.utf8) })
        }
        var contact = contact
        if let name, isStill(contact.displayName, name) { contact.displayName = name.before }
        if let timeZone, isStill(contact.timeZone, timeZone) { contact.timeZone = timeZone.before }
        for (field, change) in fields where isStill(contact.fields[field], change) { contact.fields[field] = change.before }
        if let consent, contact.consent.isSame(as: consent.after.consent) { contact.consent = consent.before.consent }
        return contact
    }
}

extension Ledger {
    enum Saving {
        case created
        case updated(Contact.ID, ContactChanges)
        case suppressed(String)
    }

    /// The contact that has an address of that key, its own or a further one.
    func contact(workspace: WorkspaceID, key: String) throws -> Contact? {
        let found = try db.record(
            "SELECT * FROM contact WHERE workspace_id = :workspace AND address_key = :key", ["workspace": workspace.rawValue, "key": key]
        ).map(Contact.init)
        return try found ?? contact(workspace: workspace, furtherKey: key)
    }

    /// The contact of that key, which is known to be there.
    func presentContact(workspace: WorkspaceID, key: String) throws -> Contact {
        guard let contact = try contact(workspace: workspace, key: key) else {
            throw StoreError(code: .unusable, message: "a contact is there and cannot be found; run 'postrider db check'")
        }
        return contact
    }

    /// Inserts the contact, or brings the one of the same key up to date; nothing when it is suppressed.
    func save(_ contact: Contact) throws -> Saving {
        if let suppression = try suppression(workspace: contact.workspace, address: contact.address, now: contact.createdAt) {
            return .suppressed(suppression.reason.rawValue)
        }
        let key = contact.address.suppressionKey
        if try self.contact(workspace: contact.workspace, furtherKey: key) == nil, try insertIfNew(contact, key: key) { return .created }
        let present = try presentContact(workspace: contact.workspace, key: key)
        return .updated(present.id, try update(present, with: contact))
    }

    /// Inserts the contact; false when there is one of that key.
    func insertIfNew(_ contact: Contact, key: String) throws -> Bool {
        try db.run(
            """
            INSERT INTO contact (id, workspace_id, address, address_key, address_domain, display_name, fields, time_zone, created_at,
                consent_source, consent_at)
            VALUES (:id, :workspace, :address, :key, :domain, :name, :fields, :zone, :created, :consent_source, :consent_at)
            ON CONFLICT (workspace_id, address_key) DO NOTHING
            """,
            [
                "id": contact.id.rawValue, "workspace": contact.workspace.rawValue, "address": contact.address.stored(), "key": key,
                "domain": EmailAddress.domain(ofKey: key), "name": contact.displayName?.storable, "fields": jsonText(contact.fields),
                "zone": contact.timeZone?.storable, "created": contact.createdAt.milliseconds,
                "consent_source": contact.consent.source?.storable, "consent_at": contact.consent.at?.milliseconds,
            ]) == 1
    }

    /// Values that are given replace those that are there; the others stay.
    func update(_ present: Contact, with contact: Contact) throws -> ContactChanges {
        let changes = ContactChanges(from: present, to: contact)
        if changes.isEmpty { return changes }
        var merged = present
        merged.displayName = contact.displayName ?? present.displayName
        merged.fields = present.fields.merging(contact.fields) { $1 }
        merged.timeZone = contact.timeZone ?? present.timeZone
        merged.consent = present.consent.updated(by: contact.consent)
        try setValues(of: merged)
        return changes
    }

    func setValues(of contact: Contact) throws {
        try db.run(
            """
            UPDATE contact
            SET display_name = :name, fields = :fields, time_zone = :zone, consent_source = :consent_source, consent_at = :consent_at
            WHERE id = :id
            """,
            [
                "name": contact.displayName?.storable, "fields": jsonText(contact.fields), "zone": contact.timeZone?.storable,
                "consent_source": contact.consent.source?.storable, "consent_at": contact.consent.at?.milliseconds,
                "id": contact.id.rawValue,
            ])
    }
}

extension Contact {
    init(_ record: Record) throws {
        self.init(
            id: try record.id("id"), workspace: WorkspaceID(rawValue: try record.integer("workspace_id")),
            address: try record.address("address"),
            displayName: record.textOrNil("display_name"), fields: try record.words("fields"), timeZone: record.textOrNil("time_zone"),
            consent: Consent(source: record.textOrNil("consent_source"), at: record.momentOrNil("consent_at")),
            createdAt: try record.moment("created_at"))
    }
}
