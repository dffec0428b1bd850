import GRDB
import InternetMessage
import Outreach

/// Suppression wins: adding one stops what runs and cancels what is queued for whom it names.
extension Ledger {
    /// Adds a suppression, stops the running enrollments it names and cancels their mail.
    ///
    /// One that is over already changes nothing. A subject that is suppressed already keeps the stronger reason, else the first, and the
    /// later end.
    ///
    /// One that is about a person, and not about an address, holds for every address of theirs.
    ///
    /// - Parameter spared: an enrollment that goes on though it is named, until it comes to a message.
    func add(_ suppression: Suppression, sparing spared: Enrollment.ID? = nil) throws {
        guard !suppression.isOver(at: suppression.at) else { return }
        for one in try spread(suppression) { try addAlone(one, sparing: spared) }
    }

    private func addAlone(_ suppression: Suppression, sparing spared: Enrollment.ID?) throws {
        try store(suppression)
        let why =
            suppression.reason == .unsubscribed
            ? "unsubscribed (\(suppression.source.rawValue))" : "suppressed: \(suppression.reason.rawValue)"
        for subject in try covered(suppression) {
            let cause: Enrollment.Cause = suppression.reason == .unsubscribed ? .unsubscribed : .suppressed
            for enrollment in try running(subject, suppression.workspace) where enrollment.id != spared {
                try stop(enrollment, cause: cause, because: why, at: suppression.at)
            }
            for message in try waitingMail(subject, suppression.workspace) { try cancel(message, because: why, at: suppression.at) }
        }
    }

    /// The subjects by which rows are found; of a hash the addresses behind it.
    ///
    /// A hash is mostly added when nobody of that address is here any more; that of a file or of another time may be somebody who is. Then all
    /// who are enrolled or have mail waiting are hashed once.
    private func covered(_ suppression: Suppression) throws -> [Suppression.Subject] {
        guard case .hash = suppression.subject else { return [suppression.subject] }
        let keys = try db.records(
            """
            SELECT DISTINCT contact.address_key AS key FROM contact JOIN enrollment ON enrollment.contact_id = contact.id
            WHERE contact.workspace_id IN (\(Suppression.scope)) AND enrollment.state NOT IN ('finished', 'stopped')
            UNION
            SELECT recipient_key FROM outbox
            WHERE state IN ('incoming', 'active', 'deferred', 'hold') AND final_dot_at IS NULL AND NOT (\(SQLiteStore.isToOurs))
                AND +workspace_id IN (\(Suppression.scope))
            """, ["workspace": suppression.workspace.rawValue]
        ).map { try $0.text("key") }
        guard !keys.isEmpty else { return [] }
        let seed = try seed()
        return keys.filter { Suppression.Subject.hash(ofKey: $0, seed: seed) == suppression.subject }.map { .address($0) }
    }

    func store(_ suppression: Suppression) throws {
        let (kind, subject) = (suppression.subject.kind, suppression.subject.text)
        let key: Arguments = ["workspace": suppression.workspace.rawValue, "kind": kind, "subject": subject]
        let present = try db.record(
            "SELECT reason, expires_at FROM suppression WHERE workspace_id = :workspace AND kind = :kind AND subject = :subject", key)
        var lastEnd = suppression.expiresAt
        if let present {
            let reason: Suppression.Reason = try present.word("reason")
            let end = present.momentOrNil("expires_at")
            let isOver = end.map { $0 <= suppression.at } ?? false
            guard isOver || suppression.reason.strength > reason.strength else {
                guard !reason.isForEver, let end, suppression.expiresAt.map({ $0 > end }) ?? true else { return }
                try db.run(
                    "UPDATE suppression SET expires_at = :end WHERE workspace_id = :workspace AND kind = :kind AND subject = :subject",
                    [
                        "workspace": suppression.workspace.rawValue, "kind": kind, "subject": subject,
                        "end": suppression.expiresAt?.milliseconds,
                    ])
                return
            }
            if !isOver { lastEnd = suppression.expiresAt.flatMap { mine in end.map { max(mine, $0) } } }
            try db.run("DELETE FROM suppression WHERE workspace_id = :workspace AND kind = :kind AND subject = :subject", key)
        }
        let sql = """
            INSERT INTO suppression (id, workspace_id, kind, subject, reason, source, note, at, expires_at)
            VALUES (:id, :workspace, :kind, :subject, :reason, :source, :note, :at, :end)
            ON CONFLICT (id) DO NOTHING
            """
        func insert(_ id: Int64) throws -> Bool {
            try db.run(
                sql,
                [
                    "id": id, "workspace": suppression.workspace.rawValue, "kind": kind, "subject": subject,
                    "reason": suppression.reason.rawValue, "source": suppression.source.rawValue, "note": suppression.note.storable,
                    "at": suppression.at.milliseconds, "end": lastEnd?.milliseconds,
                ]) == 1
        }
        // Another process may have taken the id meanwhile.
        if try insert(suppression.id.rawValue) == false { _ = try insert(try nextFreeID(in: "SELECT MAX(id) + 1 AS id FROM suppression")) }
    }

    private func running(_ subject: Suppression.Subject, _ workspace: WorkspaceID) throws -> [Enrollment] {
        let covers: String
        switch subject {
        case .address: covers = "contact.address_key = :subject"
        case .domain: covers = "contact.address_domain = :subject"
        case .pattern: covers = "contact.address_key GLOB :subject"
        case .hash: return []
        }
        return try db.records(
            """
            SELECT enrollment.* FROM contact JOIN enrollment ON enrollment.contact_id = contact.id
            WHERE contact.workspace_id IN (\(Suppression.scope)) AND \(covers) AND enrollment.state NOT IN ('finished', 'stopped')
            """, ["workspace": workspace.rawValue, "subject": subject.text]
        ).map(Enrollment.init)
    }

    /// Mail to whom the suppression covers that has not reached its final dot, enrolled or not, but for people of ours.
    private func waitingMail(_ subject: Suppression.Subject, _ workspace: WorkspaceID) throws -> [OutboxMessage.ID] {
        let covers: String
        switch subject {
        case .address: covers = "recipient_key = :subject"
        case .domain: covers = "recipient_domain = :subject"
        case .pattern: covers = "recipient_key GLOB :subject"
        case .hash: return []
        }
        return try db.records(
            """
            SELECT id FROM outbox
            WHERE state IN ('incoming', 'active', 'deferred', 'hold') AND final_dot_at IS NULL AND \(covers)
                AND NOT (\(SQLiteStore.isToOurs)) AND +workspace_id IN (\(Suppression.scope))
            """, ["subject": subject.text, "workspace": workspace.rawValue]
        ).map { try $0.id("id") }
    }

    /// Ends an enrollment as it stands, cancels its mail and notes both.
    ///
    /// - Parameter more: facts for the event, beside those of every transition.
    func stop(
        _ enrollment: Enrollment, cause: Enrollment.Cause, because why: String, at now: Timestamp, _ more: [String: String] = [:]
    ) throws {
        try apply(
            Transition(
                enrollment: enrollment.id, expectedVersion: enrollment.version, at: now, state: .stopped, cause: cause, reason: why,
                nextStep: enrollment.nextStep, dueAt: nil, doneAt: enrollment.doneAt))
        let facts = [
            "from": enrollment.state.rawValue, "state": Enrollment.State.stopped.rawValue, "cause": cause.rawValue,
            "next_step": "\(enrollment.nextStep)",
        ]
        try append(
            TimelineEvent(
                id: ids.next(), at: now, kind: .transition, contact: enrollment.contact, enrollment: enrollment.id,
                summary: "\(enrollment.state.rawValue) → stopped: \(why)", facts: facts.merging(more) { own, _ in own }))
    }

    /// The suppression that holds for an address at `now`: its own before its domain's, a pattern's and that of its hash.
    func suppression(workspace: WorkspaceID, address: EmailAddress, now: Timestamp) throws -> Suppression? {
        let key = address.suppressionKey
        let arguments: Arguments = [
            "workspace": workspace.rawValue, "address": key, "domain": EmailAddress.domain(ofKey: key), "now": now.milliseconds,
        ]
        if let found = try db.record(Suppression.lookup, arguments) { return try Suppression(found) }
        // Only where somebody was forgotten is a hash worth its time.
        guard try db.exists(Suppression.anyHash, ["workspace": workspace.rawValue]) else { return nil }
        return try db.record(
            Suppression.hashLookup,
            ["workspace": workspace.rawValue, "hash": try hash(ofKey: key).text, "now": now.milliseconds]
        ).map(Suppression.init)
    }

    /// Whether there is any suppression at all, of whatever workspace.
    func isAnySuppressed() throws -> Bool { try db.exists("SELECT 1 FROM suppression LIMIT 1") }

    /// The hash under which an address stays suppressed when it is forgotten.
    func hash(ofKey key: String) throws -> Suppression.Subject { .hash(ofKey: key, seed: try seed()) }

    func seed() throws -> [UInt8] {
        guard let seed = try db.record("SELECT seed FROM installation")?.bytes("seed") else {
            throw StoreError(code: .unusable, message: "the database has no installation seed; run 'postrider db check'")
        }
        return seed
    }
}

extension Suppression {
    /// The workspaces in which a suppression of `:workspace` holds.
    static let scope = "SELECT id FROM workspace WHERE :workspace IN (0, id)"

    // One look for each kind and workspace, the strongest kind first: whatever else says the same makes SQLite sort, or make tables for its
    // lists, and every message comes here.
    static let lookup =
        [("address", "subject = :address"), ("domain", "subject = :domain"), ("pattern", ":address GLOB subject")].flatMap { kind, covers in
            ["0", ":workspace"].map { workspace in
                """
                SELECT * FROM suppression
                WHERE workspace_id = \(workspace) AND kind = '\(kind)' AND \(covers) AND (expires_at IS NULL OR expires_at > :now)
                """
            }
        }.joined(separator: "\nUNION ALL\n") + "\nLIMIT 1"

    static let anyHash = """
        SELECT 1 WHERE EXISTS (SELECT 1 FROM suppression WHERE workspace_id = 0 AND kind = 'hash')
            OR EXISTS (SELECT 1 FROM suppression WHERE workspace_id = :workspace AND kind = 'hash')
        """

    static let hashLookup = """
        SELECT * FROM suppression
        WHERE workspace_id IN (0, :workspace) AND kind = 'hash' AND subject = :hash AND (expires_at IS NULL OR expires_at > :now)
        LIMIT 1
        """

    init(_ record: Record) throws {
        guard let subject = Subject(kind: try record.text("kind"), text: try record.text("subject")) else {
            throw StoreError(code: .unusable, message: "column 'kind' holds what it cannot; run 'postrider db check'")
        }
        self.init(
            id: try record.id("id"), workspace: WorkspaceID(rawValue: try record.integer("workspace_id")), subject: subject,
            reason: try record.word("reason"), source: try record.word("source"), note: try record.text("note"),
            at: try record.moment("at"), expiresAt: record.momentOrNil("expires_at"))
    }
}
