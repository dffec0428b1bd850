import GRDB
package import InternetMessage
package import Outreach

extension SQLiteStore: OutboxStore {
    package func claimDeliverable(now: Timestamp, limit: Int, routes: [String: Int], lease: Lease) async throws(StoreError)
        -> [OutboxMessage]
    {
        try await write { ledger in
            guard limit > 0, try ledger.stopReason() == nil else { return [] }
            // What the same owner holds is still worked on, however late it is.
            try ledger.db.run(
                """
                UPDATE outbox
                SET state = CASE attempts WHEN 0 THEN 'incoming' ELSE 'deferred' END, lease_owner = NULL, lease_until = NULL
                WHERE state = 'active' AND lease_until <= :now AND lease_owner <> :owner AND final_dot_at IS NULL
                """, ["now": now.milliseconds, "owner": lease.owner])
            var claimed: [OutboxMessage] = []
            for record in try ledger.db.records(Self.waitingRoutesSQL) {
                let route = try record.text("route")
                let room = min(limit - claimed.count, routes[route] ?? limit)
                if room > 0 { claimed += try ledger.claim(route: route, limit: room, lease: lease, now: now) }
            }
            return claimed.sorted { a, b in
                a.nextAttemptAt == b.nextAttemptAt ? a.id < b.id : (a.nextAttemptAt ?? now) < (b.nextAttemptAt ?? now)
            }
        }
    }

    /// The routes that have waiting mail, one look into the index for each.
    static let waitingRoutesSQL = """
        WITH RECURSIVE waiting (route) AS (
            SELECT MIN(route) FROM outbox INDEXED BY outbox_route_due WHERE state IN ('incoming', 'deferred')
            UNION ALL
            SELECT (SELECT MIN(route) FROM outbox INDEXED BY outbox_route_due
                    WHERE state IN ('incoming', 'deferred') AND outbox.route > waiting.route)
            FROM waiting WHERE waiting.route IS NOT NULL)
        SELECT route FROM waiting WHERE route IS NOT NULL
        """

    /// Why a row `outbox` may not leave at `:now`; NULL when it may. The last line before the wire for suppression and stop.
    private static let refusal = """
        CASE
            WHEN EXISTS (
                SELECT 1 FROM suppression
                WHERE suppression.workspace_id = outbox.workspace_id AND kind = 'address' AND suppression.subject = outbox.recipient_key
                    AND (expires_at IS NULL OR expires_at > :now)) THEN 'the address is suppressed'
            WHEN EXISTS (
                SELECT 1 FROM suppression
                WHERE suppression.workspace_id = outbox.workspace_id AND kind = 'domain' AND suppression.subject = outbox.recipient_domain
                    AND (expires_at IS NULL OR expires_at > :now)) THEN 'the domain is suppressed'
            ELSE (
                SELECT 'the enrollment is ' || enrollment.state FROM enrollment
                WHERE enrollment.id = outbox.enrollment_id AND enrollment.state NOT IN ('active', 'sending'))
        END
        """

    static let refusedDueSQL = """
        SELECT id, refusal FROM (
            SELECT id, \(refusal) AS refusal FROM outbox INDEXED BY outbox_route_due
            WHERE route = :route AND state IN ('incoming', 'deferred') AND next_attempt_at <= :now
            ORDER BY next_attempt_at LIMIT :limit)
        WHERE refusal IS NOT NULL
        """

    static let claimDeliverableSQL = """
        UPDATE outbox SET state = 'active', claim = claim + 1, lease_owner = :owner, lease_until = :until
        WHERE id IN (
            SELECT id FROM outbox INDEXED BY outbox_route_due
            WHERE route = :route AND state IN ('incoming', 'deferred') AND next_attempt_at <= :now
            ORDER BY next_attempt_at LIMIT :limit)
        RETURNING *
        """

    static let refusalSQL = """
        SELECT \(refusal) AS refusal FROM outbox
        WHERE id = :id AND state = 'active' AND claim = :claim AND lease_until > :now AND final_dot_at IS NULL
        """

    package func mayLeave(_ id: OutboxMessage.ID, claim: Int, now: Timestamp) async throws(StoreError) -> Bool {
        try await write { try $0.mayLeave(id, claim: claim, now: now) }
    }

    package func markFinalDot(_ id: OutboxMessage.ID, claim: Int, at: Timestamp) async throws(StoreError) -> Bool {
        try await write { ledger in
            guard try ledger.mayLeave(id, claim: claim, now: at) else { return false }
            try ledger.db.run("UPDATE outbox SET final_dot_at = :at WHERE id = :id", ["id": id.rawValue, "at": at.milliseconds])
            return true
        }
    }

    package func record(
        _ attempt: DeliveryAttempt, claim: Int, state: OutboxMessage.State, nextAttemptAt: Timestamp?, consequence: Consequence
    ) async throws(StoreError) -> CommitResult {
        try await write { ledger in
            let isLatest = try ledger.db.exists(
                "SELECT 1 FROM outbox WHERE id = :id AND claim = :claim", ["id": attempt.outbox.rawValue, "claim": claim])
            guard isLatest else {
                // Another claim decides on the message now.
                try ledger.insert(attempt)
                return .committed
            }
            guard try ledger.isCurrent(consequence) else { return .stale }
            try ledger.insert(attempt)
            // A message that was cancelled meanwhile stays so; the attempt is a fact all the same.
            try ledger.db.run(
                """
                UPDATE outbox
                SET state = :state, reason = :reason, attempts = attempts + 1, next_attempt_at = :next, lease_owner = NULL, lease_until = NULL,
                    final_dot_at = CASE :state WHEN 'deferred' THEN NULL WHEN 'sent' THEN COALESCE(final_dot_at, :ended) ELSE final_dot_at END
                WHERE id = :id AND state NOT IN ('sent', 'bounced', 'expired', 'cancelled')
                """,
                [
                    "id": attempt.outbox.rawValue, "state": state.rawValue, "reason": attempt.text.storable,
                    "next": state == .deferred ? (nextAttemptAt ?? attempt.endedAt).milliseconds : nil,
                    "ended": attempt.endedAt.milliseconds,
                ])
            try ledger.apply(consequence)
            return .committed
        }
    }

    package func giveBack(_ id: OutboxMessage.ID, claim: Int, until: Timestamp, reason: String) async throws(StoreError) {
        try await write { ledger in
            try ledger.db.run(
                """
                UPDATE outbox
                SET state = CASE attempts WHEN 0 THEN 'incoming' ELSE 'deferred' END, next_attempt_at = :until, reason = :reason,
                    lease_owner = NULL, lease_until = NULL
                WHERE id = :id AND state = 'active' AND claim = :claim AND final_dot_at IS NULL
                """, ["id": id.rawValue, "claim": claim, "until": until.milliseconds, "reason": reason.storable])
            return
        }
    }

    package func recover(now: Timestamp) async throws(StoreError) -> [OutboxMessage] {
        try await write { ledger in
            let reason = "the process ended between the final dot and its reply; the message may have left"
            let ambiguous = try ledger.db.records(
                """
                UPDATE outbox
                SET state = 'hold', reason = :reason, next_attempt_at = NULL, lease_owner = NULL, lease_until = NULL
                WHERE state = 'active' AND final_dot_at IS NOT NULL
                RETURNING *
                """, ["reason": reason]
            ).map { try ledger.whole($0) }.sorted { $0.id < $1.id }
            for message in ambiguous {
                try ledger.append(
                    TimelineEvent(
                        id: ledger.ids.next(), at: now, kind: .ambiguous, contact: message.contact, enrollment: message.enrollment,
                        outbox: message.id, summary: reason, facts: ["step": "\(message.step)", "message_id": message.messageID.text]))
            }
            try ledger.db.run(
                """
                UPDATE outbox
                SET state = CASE attempts WHEN 0 THEN 'incoming' ELSE 'deferred' END, lease_owner = NULL, lease_until = NULL
                WHERE state = 'active'
                """)
            try ledger.db.run("UPDATE enrollment SET lease_owner = NULL, lease_until = NULL WHERE lease_owner IS NOT NULL")
            try ledger.db.run(
                "UPDATE intake SET lease_owner = NULL, lease_until = NULL WHERE state = 'received' AND lease_owner IS NOT NULL")
            return ambiguous
        }
    }

    package func expire(_ id: OutboxMessage.ID, at: Timestamp, consequence: Consequence) async throws(StoreError) -> Bool {
        try await write { ledger in
            guard try ledger.isCurrent(consequence) else { return false }
            let changed = try ledger.db.run(
                """
                UPDATE outbox
                SET state = 'expired', next_attempt_at = NULL,
                    reason = 'given up after its lifetime' || CASE reason WHEN '' THEN '' ELSE ': ' || reason END
                WHERE id = :id AND state IN ('incoming', 'deferred') AND final_dot_at IS NULL
                """, ["id": id.rawValue])
            guard changed == 1 else { return false }
            try ledger.apply(consequence)
            return true
        }
    }
}

extension Ledger {
    /// Claims what is due on one route; what may not leave is cancelled instead.
    fileprivate func claim(route: String, limit: Int, lease: Lease, now: Timestamp) throws -> [OutboxMessage] {
        let arguments: StatementArguments = ["route": route, "now": now.milliseconds, "limit": limit]
        // Cancels make room for others, which must be looked at too.
        while true {
            let refused = try db.records(SQLiteStore.refusedDueSQL, arguments)
            for message in refused { try cancel(message.id("id"), because: message.text("refusal"), at: now) }
            if refused.isEmpty { break }
        }
        return try db.records(
            SQLiteStore.claimDeliverableSQL, arguments + ["owner": lease.owner, "until": lease.until.milliseconds]
        ).map { try whole($0) }
    }

    /// Whether a claimed message may leave. Cancels it when its enrollment or a suppression forbids it; gives it back under the STOP.
    fileprivate func mayLeave(_ id: OutboxMessage.ID, claim: Int, now: Timestamp) throws -> Bool {
        let key: StatementArguments = ["id": id.rawValue, "claim": claim, "now": now.milliseconds]
        guard let claimed = try db.record(SQLiteStore.refusalSQL, key) else { return false }
        if let refusal = claimed.textOrNil("refusal") {
            try cancel(id, because: refusal, at: now)
            return false
        }
        guard let stop = try stopReason() else { return true }
        try db.run(
            """
            UPDATE outbox
            SET state = CASE attempts WHEN 0 THEN 'incoming' ELSE 'deferred' END, reason = :reason, lease_owner = NULL, lease_until = NULL
            WHERE id = :id
            """, ["id": id.rawValue, "reason": "global STOP: \(stop)"])
        return false
    }

    fileprivate func insert(_ attempt: DeliveryAttempt) throws {
        try db.run(
            """
            INSERT INTO attempt (outbox_id, started_at, ended_at, outcome, stage, reply_code, enhanced_status, text, remote_mta, tls, transcript)
            VALUES (:id, :started, :ended, :outcome, :stage, :code, :status, :text, :mta, :tls, :transcript)
            """,
            [
                "id": attempt.outbox.rawValue, "started": attempt.startedAt.milliseconds, "ended": attempt.endedAt.milliseconds,
                "outcome": attempt.outcome.rawValue, "stage": attempt.stage.storable, "code": attempt.replyCode,
                "status": attempt.enhancedStatus?.text, "text": attempt.text.utf8.isEmpty ? "no words" : attempt.text.storable,
                "mta": attempt.remoteMTA?.storable, "tls": attempt.tls?.storable, "transcript": attempt.transcript.storable,
            ])
    }
}
