import GRDB
import InternetMessage
import Outreach

/// Suppression wins: adding one stops what runs and cancels what is queued for whom it names.
extension Ledger {
    /// Adds a suppression, stops the running enrollments it names and cancels their mail.
    ///
    /// One that is over already changes nothing. A subject that is suppressed already keeps the stronger reason, else the first, and the
    /// later end.
    func add(_ suppression: Suppression) throws {
        guard !suppression.isOver(at: suppression.at) else { return }
        try store(suppression)
        let why =
            suppression.reason == .unsubscribed
            ? "unsubscribed (\(suppression.source.rawValue))" : "suppressed: \(suppression.reason.rawValue)"
        for enrollment in try running(suppression) { try stop(enrollment, suppression, because: why) }
        switch suppression.subject {
        case .address(let key): try cancelMail(workspace: suppression.workspace, toAddress: key, because: why, at: suppression.at)
        case .domain(let domain): try cancelMail(workspace: suppression.workspace, toDomain: domain, because: why, at: suppression.at)
        }
    }

    private func store(_ suppression: Suppression) throws {
        let (kind, subject) = suppression.subject.columns
        let key: Arguments = ["workspace": suppression.workspace.rawValue, "kind": kind, "subject": subject]
        let present = try db.record(
            "SELECT reason, expires_at FROM suppression WHERE workspace_id = :workspace AND kind = :kind AND subject = :subject", key)
        var lastEnd = suppression.expiresAt
        if let present {
            let reason: Suppression.Reason = try present.word("reason")
            let end = present.momentOrNil("expires_at")
            let isOver = end.map { $0 <= suppression.at } ?? false
            guard isOver || suppression.reason.strength > reason.strength else {
                guard reason != .unsubscribed, let end, suppression.expiresAt.map({ $0 > end }) ?? true else { return }
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

    private func running(_ suppression: Suppression) throws -> [Enrollment] {
        let (kind, subject) = suppression.subject.columns
        let arguments: Arguments = ["workspace": suppression.workspace.rawValue, "subject": subject]
        let sql =
            kind == "address"
            ? """
            SELECT enrollment.* FROM contact JOIN enrollment ON enrollment.contact_id = contact.id
            WHERE contact.workspace_id = :workspace AND contact.address_key = :subject
                AND enrollment.state NOT IN ('finished', 'stopped')
            """
            : """
            SELECT enrollment.* FROM contact JOIN enrollment ON enrollment.contact_id = contact.id
            WHERE contact.workspace_id = :workspace AND contact.address_domain = :subject
                AND enrollment.state NOT IN ('finished', 'stopped')
            """
        return try db.records(sql, arguments).map(Enrollment.init)
    }

    private func stop(_ enrollment: Enrollment, _ suppression: Suppression, because why: String) throws {
        let cause: Enrollment.Cause = suppression.reason == .unsubscribed ? .unsubscribed : .suppressed
        try apply(
            Transition(
                enrollment: enrollment.id, expectedVersion: enrollment.version, at: suppression.at, state: .stopped, cause: cause,
                reason: why,
                nextStep: enrollment.nextStep, dueAt: nil))
        try append(
            TimelineEvent(
                id: ids.next(), at: suppression.at, kind: .transition, contact: enrollment.contact, enrollment: enrollment.id,
                summary: "\(enrollment.state.rawValue) → stopped: \(why)",
                facts: [
                    "from": enrollment.state.rawValue, "state": Enrollment.State.stopped.rawValue, "cause": cause.rawValue,
                    "next_step": "\(enrollment.nextStep)",
                ]))
    }

    /// The suppression that holds for an address at `now`: its own before its domain's.
    func suppression(workspace: WorkspaceID, address: EmailAddress, now: Timestamp) throws -> Suppression? {
        try db.record(
            Suppression.lookup,
            [
                "workspace": workspace.rawValue, "address": address.suppressionKey, "domain": address.domainKey, "now": now.milliseconds,
            ]
        ).map(Suppression.init)
    }
}

extension Suppression.Subject {
    /// The columns `kind` and `subject`.
    var columns: (kind: String, subject: String) {
        switch self {
        case .address(let key): ("address", key)
        case .domain(let domain): ("domain", domain)
        }
    }
}

extension Suppression {
    // The plus keeps the planner from walking a whole workspace to have it in order.
    static let lookup = """
        SELECT * FROM suppression
        WHERE workspace_id = :workspace
            AND ((kind = 'address' AND subject = :address) OR (kind = 'domain' AND subject = :domain))
            AND (expires_at IS NULL OR expires_at > :now)
        ORDER BY +kind LIMIT 1
        """

    init(_ record: Record) throws {
        let kind = try record.text("kind")
        let subject = try record.text("subject")
        self.init(
            id: try record.id("id"), workspace: WorkspaceID(rawValue: try record.integer("workspace_id")),
            subject: kind == "domain" ? .domain(subject) : .address(subject), reason: try record.word("reason"),
            source: try record.word("source"), note: try record.text("note"), at: try record.moment("at"),
            expiresAt: record.momentOrNil("expires_at"))
    }
}
