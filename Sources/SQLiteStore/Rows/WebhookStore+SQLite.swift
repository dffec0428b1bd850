import GRDB
package import InternetMessage
package import Outreach

extension SQLiteStore: WebhookStore {
    package func claimCalls(webhook: String, now: Timestamp, limit: Int, lease: Lease) async throws(StoreError) -> [WebhookCall] {
        let claimed: [Record] = try await write { ledger in
            guard try ledger.stopReason() == nil else { return [] }
            return try ledger.db.records(
                Self.claimCallsSQL,
                [
                    "owner": lease.owner, "until": lease.until.milliseconds, "webhook": webhook, "now": now.milliseconds,
                    "limit": max(0, limit),
                ])
        }
        do {
            // The statement returns them in no order.
            return try claimed.map(WebhookCall.init).sorted { $0.id < $1.id }
        } catch {
            throw StoreError(error)
        }
    }

    static let claimCallsSQL = """
        UPDATE webhook_call SET lease_owner = :owner, lease_until = :until, attempts = attempts + 1
        WHERE id IN (
            SELECT id FROM webhook_call
            WHERE state = 'queued' AND webhook = :webhook AND next_attempt_at <= :now AND (lease_until IS NULL OR lease_until <= :now)
            ORDER BY next_attempt_at LIMIT :limit)
        RETURNING *
        """

    package func nextCall(webhooks: [String]) async throws(StoreError) -> Timestamp? {
        try await read { ledger in
            guard try ledger.stopReason() == nil else { return nil }
            return try webhooks.compactMap { name in
                try ledger.db.record(Self.nextCallSQL, ["webhook": name])?.momentOrNil("due")
            }.min()
        }
    }

    static let nextCallSQL = """
        SELECT next_attempt_at AS due FROM webhook_call WHERE state = 'queued' AND webhook = :webhook AND lease_owner IS NULL
        ORDER BY next_attempt_at LIMIT 1
        """

    package func settle(_ call: WebhookCall, as verdict: WebhookJudge.Verdict, owner: String, at now: Timestamp) async throws(StoreError)
        -> Bool
    {
        try await write { ledger in
            let isOver = verdict.state != .queued
            let changed = try ledger.db.run(
                """
                UPDATE webhook_call
                SET state = :state, next_attempt_at = :next, lease_owner = NULL, lease_until = NULL, last_status = :status, reason = :reason,
                    ended_at = :ended
                WHERE id = :id AND state = 'queued' AND lease_owner = :owner AND attempts = :attempts
                """,
                [
                    "state": verdict.state.rawValue, "next": verdict.nextAttemptAt?.milliseconds, "status": verdict.status,
                    "reason": verdict.reason.storable, "ended": isOver ? now.milliseconds : nil, "id": call.id.rawValue, "owner": owner,
                    "attempts": call.attempts,
                ])
            guard changed == 1 else { return false }
            if isOver {
                var ended = call
                ended.state = verdict.state
                ended.lastStatus = verdict.status
                try ledger.append(ended.event("step \(call.step), \(verdict.reason)", id: ledger.ids.next(), at: now))
            }
            return true
        }
    }

    package func putBack(_ call: WebhookCall, owner: String) async throws(StoreError) -> Bool {
        try await write { ledger in
            try ledger.db.run(
                """
                UPDATE webhook_call SET lease_owner = NULL, lease_until = NULL, attempts = attempts - 1
                WHERE id = :id AND state = 'queued' AND lease_owner = :owner AND attempts = :attempts
                """, ["id": call.id.rawValue, "owner": owner, "attempts": call.attempts]) == 1
        }
    }

    package func call(id: WebhookCall.ID) async throws(StoreError) -> WebhookCall? {
        try await read { ledger in
            try ledger.db.record("SELECT * FROM webhook_call WHERE id = :id", ["id": id.rawValue]).map(WebhookCall.init)
        }
    }

    package func calls(
        state: WebhookCall.State?, after: WebhookCall.ID?, limit: Int, withBody: Bool
    ) async throws(StoreError) -> [WebhookCall] {
        try await read { ledger in
            let columns = withBody ? "*" : Self.bodilessColumns
            var values: Arguments = ["after": after?.rawValue ?? 0, "limit": max(0, limit)]
            guard let state else {
                return try ledger.db.records("SELECT \(columns) FROM webhook_call WHERE id > :after ORDER BY id LIMIT :limit", values)
                    .map(WebhookCall.init)
            }
            values = values + ["state": state.rawValue]
            return try ledger.db.records(
                "SELECT \(columns) FROM webhook_call WHERE state = :state AND id > :after ORDER BY id LIMIT :limit", values
            ).map(WebhookCall.init)
        }
    }

    /// What a call is read from, but for its content.
    private static let bodilessColumns = """
        id, workspace_id, enrollment_id, contact_id, version_id, step, webhook, NULL AS body, created_at, state, attempts, attempts_before,
        next_attempt_at, last_status, reason, ended_at
        """

    package func calls(contact: Contact.ID) async throws(StoreError) -> [WebhookCall] {
        try await read { ledger in
            try ledger.db.records("SELECT * FROM webhook_call WHERE contact_id = :contact ORDER BY id", ["contact": contact.rawValue])
                .map(WebhookCall.init)
        }
    }

    package func cancelCalls(_ ids: [WebhookCall.ID], because reason: String, at now: Timestamp) async throws(StoreError) -> (
        cancelled: Int, underWay: Int
    ) {
        try await write { ledger in
            var (cancelled, underWay) = (0, 0)
            for id in ids {
                let key: Arguments = ["id": id.rawValue]
                let record = try ledger.db.record("SELECT * FROM webhook_call WHERE id = :id AND state = 'queued'", key)
                guard let record else { continue }
                if let until = record.momentOrNil("lease_until"), until > now { underWay += 1 }
                try ledger.db.run(
                    """
                    UPDATE webhook_call
                    SET state = 'cancelled', next_attempt_at = NULL, lease_owner = NULL, lease_until = NULL, reason = :reason, ended_at = :now
                    WHERE id = :id
                    """, key + ["reason": reason.storable, "now": now.milliseconds])
                var call = try WebhookCall(record)
                call.state = .cancelled
                try ledger.append(call.event("step \(call.step), \(reason)", id: ledger.ids.next(), at: now))
                cancelled += 1
            }
            return (cancelled, underWay)
        }
    }

    package func retryCalls(_ ids: [WebhookCall.ID]?, at now: Timestamp) async throws(StoreError) -> Int {
        var list: String?
        if let ids {
            let numbers: [Int64] = ids.map(\.rawValue)
            list = jsonText(numbers)
        }
        let named = list
        return try await write { ledger in
            try ledger.db.run(
                """
                UPDATE webhook_call
                SET state = 'queued', next_attempt_at = :now, attempts_before = attempts, ended_at = NULL
                WHERE body IS NOT NULL
                    AND CASE WHEN :ids IS NULL THEN state = 'failed'
                        ELSE state IN ('failed', 'cancelled') AND id IN (SELECT value FROM json_each(:ids)) END
                """, ["now": now.milliseconds, "ids": named])
        }
    }

    package func carry(_ calls: [WebhookCall]) async throws(StoreError) -> Int {
        try await write { ledger in
            var count = 0
            for call in calls where try ledger.carry(call) { count += 1 }
            return count
        }
    }
}

extension Ledger {
    /// Queues a call and notes that; a step that called already for its enrollment does not do so again.
    func queue(_ call: WebhookCall) throws {
        guard try insert(call) else { return }
        try append(call.event("step \(call.step)", id: ids.next(), at: call.createdAt))
    }

    /// False when the enrollment called for that step already.
    private func insert(_ call: WebhookCall) throws -> Bool {
        try db.run(
            """
            INSERT INTO webhook_call (id, workspace_id, enrollment_id, contact_id, version_id, step, webhook, body, created_at, state, attempts,
                attempts_before, next_attempt_at, last_status, reason, ended_at)
            VALUES (:id, (SELECT workspace_id FROM enrollment WHERE id = :enrollment), :enrollment, :contact, :version, :step, :webhook, :body, :created, :state, :attempts, :before, :next,
                :status, :reason, :ended)
            ON CONFLICT (enrollment_id, step) DO NOTHING
            """,
            [
                "id": call.id.rawValue, "enrollment": call.enrollment.rawValue, "contact": call.contact.rawValue,
                "version": call.version.rawValue, "step": call.step, "webhook": call.webhook,
                "body": call.body?.storable, "created": call.createdAt.milliseconds, "state": call.state.rawValue,
                "attempts": call.attempts, "before": call.attemptsBefore, "next": call.nextAttemptAt?.milliseconds,
                "status": call.lastStatus, "reason": call.reason?.storable, "ended": call.endedAt?.milliseconds,
            ]) == 1
    }

    /// False when it stands there as it is given or as it was later, or nothing it belongs to is known here.
    fileprivate func carry(_ call: WebhookCall) throws -> Bool {
        let present = try db.record(
            "SELECT * FROM webhook_call WHERE enrollment_id = :enrollment AND step = :step",
            ["enrollment": call.enrollment.rawValue, "step": call.step]
        ).map(WebhookCall.init)
        guard let present else {
            let isKnown = try db.exists(
                """
                SELECT 1 FROM enrollment WHERE id = :enrollment AND contact_id = :contact
                    AND EXISTS (SELECT 1 FROM sequence_version WHERE id = :version)
                """,
                ["enrollment": call.enrollment.rawValue, "contact": call.contact.rawValue, "version": call.version.rawValue])
            return isKnown ? try insert(call) : false
        }
        let isErased = call.body == nil && present.body != nil
        guard present.id == call.id, isErased || call.isLater(than: present) else { return false }
        return try db.run(
            """
            UPDATE webhook_call
            SET state = :state, attempts = :attempts, attempts_before = :before, next_attempt_at = :next, lease_owner = NULL,
                lease_until = NULL, last_status = :status, reason = :reason, ended_at = :ended,
                body = CASE WHEN :body IS NULL THEN NULL ELSE body END
            WHERE id = :id AND (:body IS NULL OR body IS NOT NULL)
            """,
            [
                "state": call.state.rawValue, "attempts": call.attempts, "before": call.attemptsBefore,
                "next": call.nextAttemptAt?.milliseconds, "status": call.lastStatus, "reason": call.reason?.storable,
                "ended": call.endedAt?.milliseconds, "body": call.body, "id": call.id.rawValue,
            ]) == 1
    }

    /// Takes the person out of every call about a contact; what waits is not made. How many there were.
    func eraseCalls(of contact: Contact.ID, at: Timestamp) throws -> Int {
        let key: Arguments = ["contact": contact.rawValue]
        try db.run(
            """
            UPDATE webhook_call
            SET state = 'failed', next_attempt_at = NULL, lease_owner = NULL, lease_until = NULL, ended_at = :at
            WHERE contact_id = :contact AND state = 'queued'
            """, key + ["at": at.milliseconds])
        return try db.run("UPDATE webhook_call SET body = NULL, reason = 'erased' WHERE contact_id = :contact", key)
    }
}

extension WebhookCall {
    /// Whether this is what became of the same call after it was as `other` is.
    fileprivate func isLater(than other: WebhookCall) -> Bool {
        guard attempts == other.attempts else { return attempts > other.attempts }
        return attemptsBefore > other.attemptsBefore || other.state == .queued && state != .queued
    }

    init(_ record: Record) throws {
        self.init(
            id: try record.id("id"), workspace: WorkspaceID(rawValue: try record.integer("workspace_id")),
            enrollment: try record.id("enrollment_id"), contact: try record.id("contact_id"), version: try record.id("version_id"),
            step: try record.text("step"), webhook: try record.text("webhook"), body: record.textOrNil("body"),
            createdAt: try record.moment("created_at"), state: try record.word("state"), attempts: try record.count("attempts"),
            attemptsBefore: try record.count("attempts_before"), nextAttemptAt: record.momentOrNil("next_attempt_at"),
            lastStatus: record.integerOrNil("last_status").flatMap { Int(exactly: $0) }, reason: record.textOrNil("reason"),
            endedAt: record.momentOrNil("ended_at"))
    }
}
