import GRDB
import InternetMessage
package import Outreach

extension SQLiteStore: ErasureStore {
    package func erase(_ erasure: Erasure) async throws(StoreError) -> Erasure.Verdict {
        let verdict = try await cleanly { ledger in try ledger.erase(erasure) }
        guard case .erased(var report) = verdict else { return verdict }
        // Pages that were freed long ago may hold what stood in them: they are given back, and with them what they hold.
        var free = Int.max
        while free > 0 {
            let left = try await onWriter { db in
                _ = try db.records("PRAGMA incremental_vacuum(\(Self.pagesAtOnce))")
                return try db.record("PRAGMA freelist_count")?.count("freelist_count") ?? 0
            }
            guard left < free else { break }
            free = left
        }
        // The old pages are to be gone from the log, too.
        report.isLogClean = try await onWriter { db in try db.record("PRAGMA wal_checkpoint(TRUNCATE)")?.integer("busy") == 0 }
        return .erased(report)
    }

    /// So that others come to the writer between.
    private static let pagesAtOnce = 5_000

    package func erasedContacts() async throws(StoreError) -> [Contact.ID] {
        try await read { ledger in
            try ledger.db.records("SELECT id FROM contact WHERE erased_at IS NOT NULL ORDER BY id").map { try $0.id("id") }
        }
    }
}

extension Ledger {
    fileprivate func erase(_ erasure: Erasure) throws -> Erasure.Verdict {
        let person = try self.contact(workspace: erasure.workspace, key: erasure.address.suppressionKey)
        let contact = person?.id
        let addresses = try person.map { try [$0.address] + (furtherAddresses(of: [$0.id])[$0.id] ?? []) } ?? [erasure.address]
        // Mail of theirs under no name, or another one, is found by each address; that of the contact once.
        let scopes: [Arguments] = addresses.enumerated().map { place, address in
            [
                "key": address.suppressionKey, "workspace": erasure.workspace.rawValue,
                "contact": place == 0 ? contact?.rawValue : nil,
            ]
        }
        for scope in scopes {
            let onItsWay = try db.record("SELECT id FROM outbox WHERE \(Self.theirMail) AND state = 'active'", scope)
            if let onItsWay { return .onItsWay(try onItsWay.id("id")) }
        }

        var report = Erasure.Report()
        report.contact = contact != nil
        // Each address is suppressed by its own hash, and in no other form.
        try db.run("DELETE FROM further_address WHERE contact_id = :contact", ["contact": contact?.rawValue])
        // The first address and its own workspace last, so that the report says what holds there.
        for address in addresses.reversed() {
            for workspace in [WorkspaceID(rawValue: 0), erasure.workspace] {
                try replaceSuppression(
                    ofKey: address.suppressionKey, in: workspace, isNew: workspace == erasure.workspace, erasure, into: &report)
            }
        }
        // A domain may be a person's own.
        for address in addresses { try db.run("DELETE FROM mail_domain WHERE domain = :domain", ["domain": address.domainKey]) }
        let keys = addresses.map(\.suppressionKey)
        let replies = try replies(of: contact, from: addresses, in: erasure.workspace)
        // What is not sorted is of no workspace yet: where another one knows the address, it may be for that one.
        let isShared = try keys.contains { try isKnown($0, outside: erasure.workspace) }
        func isLeft(_ row: Record) throws -> Bool { try isShared || row.text("state").utf8.elementsEqual("received".utf8) }
        let strangers = try db.records("SELECT id, state, reverse_path FROM intake WHERE state IN ('received', 'quarantined')")
            .filter { row in try keys.contains { try isFrom($0, row) } }
        report.unsorted = try strangers.filter(isLeft).count
        try lifting(["timeline_stays", "transition_log_stays", "outbox_facts_stay", "audit_stays"]) {
            try eraseAudit(of: addresses)
            for scope in scopes { try eraseMail(scope, into: &report) }
            for reply in replies { try eraseReply(reply.id("id")) }
            for stranger in strangers where try !isLeft(stranger) { try eraseIntake(stranger.id("id")) }
            report.replies = replies.count + strangers.count - report.unsorted
            // What is noted of their mail under nobody's name, or under somebody else's.
            for row in replies + (isShared ? [] : strangers) {
                try db.run(
                    "UPDATE timeline SET summary = '', facts = \(Self.countable) WHERE intake_id = :id", ["id": try row.integer("id")])
            }
            guard let contact else { return }
            try eraseHistory(contact, into: &report)
        }
        if let contact {
            try append(
                TimelineEvent(
                    id: ids.next(), at: erasure.at, kind: .suppressed, contact: contact,
                    summary: "personal data erased by \(erasure.person)"))
            report.calls = try eraseCalls(of: contact, at: erasure.at)
            try eraseContact(contact, at: erasure.at)
        }
        return .erased(report)
    }

    /// Whether somebody of another workspace has the address.
    private func isKnown(_ key: String, outside workspace: WorkspaceID) throws -> Bool {
        try db.exists(
            """
            SELECT 1 FROM workspace
            WHERE id <> :workspace AND (
                EXISTS (SELECT 1 FROM contact WHERE workspace_id = workspace.id AND address_key = :key)
                OR EXISTS (SELECT 1 FROM further_address WHERE address_key = :key AND workspace_id = workspace.id))
            """, ["workspace": workspace.rawValue, "key": key])
    }

    /// Replies of a contact, and those that came from one of the addresses, whoever of the workspace they were tied to; those to mail of
    /// another workspace are that one's.
    private func replies(of contact: Contact.ID?, from addresses: [EmailAddress], in workspace: WorkspaceID) throws -> [Record] {
        var found: [Record] = []
        var seen: Set<Int64> = []
        for address in addresses {
            // The domain narrows it down; whose address it is, is said by its key.
            found += try db.records(
                """
                SELECT intake_id AS id, contact_id, sender,
                    (SELECT workspace_id FROM outbox WHERE outbox.id = reply.outbox_id) AS workspace_id
                FROM reply WHERE contact_id = :contact OR sender LIKE '%@' || :ascii OR sender LIKE '%@' || :domain
                """,
                ["contact": contact?.rawValue, "ascii": address.asciiDomain ?? address.domain, "domain": address.domain]
            ).filter { row in
                guard try !seen.contains(row.integer("id")) else { return false }
                let isTheirs = contact.map { row.idOrNil("contact_id") == $0 } ?? false
                let key = EmailAddress(stored: try row.text("sender"))?.suppressionKey
                if let of = row.integerOrNil("workspace_id"), of != workspace.rawValue, !isTheirs { return false }
                guard isTheirs || key?.utf8.elementsEqual(address.suppressionKey.utf8) == true else { return false }
                seen.insert(try row.integer("id"))
                return true
            }
        }
        return found
    }

    /// Puts the hash of an address in the place of its suppression in a workspace.
    ///
    /// - Parameter isNew: it is suppressed there from now on, if it was not before.
    private func replaceSuppression(
        ofKey key: String, in workspace: WorkspaceID, isNew: Bool, _ erasure: Erasure, into report: inout Erasure.Report
    ) throws {
        let row: Arguments = ["workspace": workspace.rawValue, "key": key]
        let present = try db.record(
            "SELECT * FROM suppression WHERE workspace_id = :workspace AND kind = 'address' AND subject = :key", row
        ).map(Suppression.init)
        guard isNew || present != nil else { return }
        if isNew {
            try add(
                Suppression(
                    id: ids.next(), workspace: workspace, subject: .address(key), reason: .erased, source: .manual, note: "",
                    at: erasure.at))
        }
        try db.run("DELETE FROM suppression WHERE workspace_id = :workspace AND kind = 'address' AND subject = :key", row)
        // One that has an end would let the address in again.
        report.suppressedAs = present.flatMap { $0.expiresAt == nil ? $0.reason : nil } ?? .erased
        try store(
            Suppression(
                id: ids.next(), workspace: workspace, subject: try hash(ofKey: key), reason: report.suppressedAs,
                source: report.suppressedAs == .erased ? .manual : present?.source ?? .manual, note: "the person asked to be forgotten",
                at: erasure.at))
    }

    /// Whether mail that is not sorted yet is from an address: by its envelope, or where it has none by its From.
    private func isFrom(_ key: String, _ intake: Record) throws -> Bool {
        let envelope = intake.textOrNil("reverse_path").flatMap(EmailAddress.init(stored:))?.suppressionKey
        if envelope?.utf8.elementsEqual(key.utf8) == true { return true }
        guard let body = try db.record("SELECT bytes FROM intake_body WHERE intake_id = :id", ["id": try intake.integer("id")]) else {
            return false
        }
        return Message(parsing: try body.bytes("bytes")).from.contains { $0.address.suppressionKey.utf8.elementsEqual(key.utf8) }
    }

    /// Mail to a contact or to its address.
    private static let theirMail = "(contact_id = :contact OR (recipient_key = :key AND +workspace_id = :workspace))"

    /// The facts of an event by which it is counted, words of ours all; NULL when there are none.
    private static let countable = """
        CASE WHEN facts IS NULL THEN NULL ELSE NULLIF((
            SELECT json_group_object(key, value) FROM json_each(facts)
            WHERE key IN ('class', 'certainty', 'duplicate_of', 'own', 'counts_as') AND length(value) < 40), '{}') END
        """

    /// The address that stands where one was erased.
    private static func shell(_ contact: Contact.ID?) -> String { "erased-\(contact?.description ?? "mail")@erased.invalid" }

    private func eraseMail(_ scope: Arguments, into report: inout Erasure.Report) throws {
        let messages = try db.records("SELECT id, contact_id, provider, recipient_domain FROM outbox WHERE \(Self.theirMail)", scope)
        for message in messages {
            let id: Arguments = ["id": try message.integer("id")]
            // What may have left and was held for a person cannot be sent again without its text.
            try db.run(
                """
                UPDATE outbox SET state = 'cancelled', next_attempt_at = NULL, lease_owner = NULL, lease_until = NULL
                WHERE id = :id AND state NOT IN ('sent', 'bounced', 'expired', 'cancelled')
                """, id)
            try db.run(
                """
                UPDATE outbox
                SET recipient = :shell, recipient_key = :shell, recipient_domain = 'erased.invalid', subject = '', reason = 'erased',
                    awaits = NULL, taken = NULL, provider = :provider
                WHERE id = :id
                """,
                id + [
                    "shell": Self.shell(message.idOrNil("contact_id")),
                    "provider": RecipientProvider.name(
                        noted: message.textOrNil("provider"), domain: try message.text("recipient_domain")),
                ])
            try db.run("DELETE FROM outbox_body WHERE outbox_id = :id", id)
            try db.run("DELETE FROM packed_message WHERE outbox_id = :id", id)
            try db.run("DELETE FROM tracking_hit WHERE outbox_id = :id", id)
            try db.run("UPDATE timeline SET summary = '', facts = NULL WHERE outbox_id = :id AND contact_id IS NULL", id)
            report.attempts += try db.run(
                "UPDATE attempt SET text = 'erased', transcript = '', remote_mta = NULL WHERE outbox_id = :id", id)
        }
        try db.run("DELETE FROM strike WHERE address_key = :key AND workspace_id = :workspace", scope)
        report.messages += messages.count
    }

    private func eraseReply(_ intake: IncomingMessage.ID) throws {
        try db.run(
            """
            UPDATE reply
            SET sender = 'erased', subject = '', text = '', evidence = '[]', proofs = '[]', bounces = '[]', authentication = '',
                message_id = NULL, return_day = NULL
            WHERE intake_id = :id
            """, ["id": intake.rawValue])
        try eraseIntake(intake)
    }

    /// The digest stays, so that a mailbox which still has the message does not bring it in again.
    private func eraseIntake(_ intake: IncomingMessage.ID) throws {
        try db.run(
            """
            UPDATE intake
            SET reverse_path = NULL, forward_paths = '[]', origin = '', state_reason = NULL, client_address = NULL, client_name = NULL
            WHERE id = :id
            """, ["id": intake.rawValue])
        try db.run("DELETE FROM intake_body WHERE intake_id = :id", ["id": intake.rawValue])
    }

    private func eraseHistory(_ contact: Contact.ID, into report: inout Erasure.Report) throws {
        let key: Arguments = ["contact": contact.rawValue]
        report.enrollments = try db.run("UPDATE enrollment SET reason = '', held_by = NULL WHERE contact_id = :contact", key)
        try db.run(
            "UPDATE transition_log SET reason = '' WHERE enrollment_id IN (SELECT id FROM enrollment WHERE contact_id = :contact)", key)
        report.events = try db.run("UPDATE timeline SET summary = '', facts = \(Self.countable) WHERE contact_id = :contact", key)
        report.groups = try db.run("DELETE FROM contact_group_member WHERE contact_id = :contact", key)
        // What was written with values of theirs leads nowhere any more.
        try db.run("DELETE FROM link_target WHERE contact_id = :contact", key)
        report.importRows = try db.run("DELETE FROM contact_import_row WHERE contact_id = :contact", key)
    }

    /// The row stays, with nothing in it, because what happened refers to it.
    private func eraseContact(_ contact: Contact.ID, at: Timestamp) throws {
        try db.run(
            """
            UPDATE contact
            SET address = :shell, address_key = :shell, address_domain = 'erased.invalid', display_name = NULL, fields = '{}',
                time_zone = NULL, consent_source = NULL, consent_at = NULL, erased_at = :at
            WHERE id = :contact
            """, ["contact": contact.rawValue, "shell": Self.shell(contact), "at": at.milliseconds])
    }

    /// Runs `body` without the named triggers and puts them back as they were, all in the open transaction: nobody else ever sees the
    /// tables unguarded.
    private func lifting(_ triggers: [String], _ body: () throws -> Void) throws {
        var statements: [String] = []
        for trigger in triggers {
            guard let sql = try db.record("SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND name = :name", ["name": trigger]) else {
                throw StoreError(code: .unusable, message: "the database has no trigger '\(trigger)'; run 'postrider db check'")
            }
            statements.append(try sql.text("sql"))
            try db.execute(sql: "DROP TRIGGER \(trigger)")
        }
        try body()
        for statement in statements { try db.execute(sql: statement) }
    }
}
