import GRDB
package import InternetMessage
package import Outreach

extension SQLiteStore: PauseStore {
    package func pause(
        _ subject: SendingPause.Subject, failureClass: String, reason: String, began: Timestamp, at: Timestamp, rests: [Duration]
    ) async throws(StoreError) -> (pause: SendingPause, isNew: Bool) {
        @Sendable func end(after renewals: Int) -> Timestamp {
            at + max(.milliseconds(1), rests.isEmpty ? .seconds(300) : rests[min(renewals, rests.count - 1)])
        }
        return try await write { ledger in
            let now = at.milliseconds
            let key = subject.rowKey
            guard let known = try ledger.db.record(Self.openPauseSQL, key) else {
                let pause = SendingPause(
                    subject: subject, since: at, until: end(after: 0), failureClass: failureClass, reason: reason, renewals: 0)
                try ledger.db.run(
                    """
                    INSERT INTO sending_pause (kind, name, workspace_id, since, renewed_at, until, failure_class, reason, renewals)
                    VALUES (:kind, :name, :workspace, :now, :now, :until, :class, :reason, 0)
                    """,
                    key + [
                        "now": now, "until": pause.until.milliseconds, "class": failureClass.storable, "reason": reason.storable,
                    ])
                return (pause, true)
            }
            let pause = try SendingPause(known)
            guard pause.finding == nil else { return (pause, false) }
            guard began >= pause.until else { return (pause, false) }
            let until = end(after: pause.renewals + 1)
            let renewed = SendingPause(
                subject: subject, since: pause.since, until: until, failureClass: failureClass, reason: reason,
                renewals: pause.renewals + 1)
            try ledger.db.run(
                """
                UPDATE sending_pause
                SET renewed_at = MAX(since, :now), until = :until, failure_class = :class, reason = :reason, renewals = renewals + 1
                WHERE kind = :kind AND name = :name AND workspace_id = :workspace AND ended_at IS NULL
                """,
                key + [
                    "now": now, "until": max(until.milliseconds, pause.since.milliseconds + 1), "class": failureClass.storable,
                    "reason": reason.storable,
                ])
            return (renewed, true)
        }
    }

    package func resume(_ subject: SendingPause.Subject, by: String, at: Timestamp) async throws(StoreError) -> Bool {
        try await write { try $0.resume(subject, by: by, at: at) }
    }

    package func pauses() async throws(StoreError) -> [SendingPause] {
        try await read { ledger in
            try ledger.db.records("\(Self.pauseSQL) WHERE pause.ended_at IS NULL ORDER BY pause.kind, pause.name, pause.workspace_id").map(
                SendingPause.init)
        }
    }

    private static let pauseSQL = """
        SELECT pause.*, finding.rule, finding.origin, finding.metric, finding.count, finding.sample, finding.days
        FROM sending_pause AS pause LEFT JOIN guardrail_finding AS finding ON finding.id = pause.finding_id
        """

    static let openPauseSQL = """
        \(pauseSQL) WHERE pause.kind = :kind AND pause.name = :name AND pause.workspace_id = :workspace AND pause.ended_at IS NULL
        """
}

extension Ledger {
    /// Ends a pause: what waited for it is due at once. False when there was none.
    func resume(_ subject: SendingPause.Subject, by: String, at: Timestamp) throws -> Bool {
        let ended = try db.run(
            """
            UPDATE sending_pause SET ended_at = :at, ended_by = :by
            WHERE kind = :kind AND name = :name AND workspace_id = :workspace AND ended_at IS NULL
            """, subject.rowKey + ["at": at.milliseconds, "by": by.storable])
        guard ended > 0 else { return false }
        // The lifetime gets back what it was lengthened by for nothing.
        try db.run(
            """
            UPDATE outbox
            SET released_at = released_at - MAX(0, next_attempt_at - :at), next_attempt_at = MIN(next_attempt_at, :at), awaits = NULL
            WHERE awaits = :awaits AND state IN ('incoming', 'deferred') AND :workspace IN (0, workspace_id)
            """,
            [
                "at": at.milliseconds, "awaits": OutboxMessage.awaiting(subject).storable, "workspace": subject.workspace.rawValue,
            ])
        _ = try reconsiderPostponed(now: at, heldBy: subject.beginning, in: subject.workspace)
        return true
    }

    /// Whether a message of a workspace waits for a pause that has ended meanwhile; nil when it waits for no pause.
    func isOver(awaited: String, workspace: WorkspaceID) throws -> Bool? {
        guard let subject = SendingPause.Subject(awaited: awaited, workspace: workspace) else { return nil }
        return try !db.exists(SQLiteStore.openPauseSQL, subject.rowKey)
    }
}

extension SendingPause.Subject {
    /// What its rows are found by.
    var rowKey: Arguments { ["kind": kind, "name": name.storable, "workspace": workspace.rawValue] }

    /// nil when the row names nothing that can be paused.
    init?(_ record: Record) throws {
        self.init(
            kind: try record.text("kind"), name: try record.text("name"),
            workspace: WorkspaceID(rawValue: try record.integer("workspace_id")))
    }
}

extension SendingPause {
    init(_ record: Record) throws {
        guard let subject = try Subject(record) else {
            throw StoreError(code: .unusable, message: "what is paused cannot be read; run 'postrider db check'")
        }
        self.init(
            subject: subject, since: try record.moment("since"), until: try record.moment("until"),
            failureClass: try record.text("failure_class"), reason: try record.text("reason"), renewals: try record.count("renewals"))
        guard let rule = record.textOrNil("rule") else { return }
        finding = Finding(
            rule: rule, origin: try record.text("origin"), metric: try record.text("metric"),
            rate: SampledRate(try record.count("count"), of: try record.count("sample")), days: try record.count("days"),
            isOpenEnded: try record.integer("is_open_ended") == 1)
    }
}
