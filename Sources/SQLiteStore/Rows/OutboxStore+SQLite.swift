import GRDB
package import InternetMessage
package import Outreach

extension SQLiteStore: OutboxStore {
    package func mayLeave(_ id: OutboxMessage.ID, claim: Int, now: Timestamp) async throws(StoreError) -> Bool {
        // Mostly it may: then nothing is written, and nobody waits for the disk.
        if try await read({ try $0.isFreeToLeave(id, claim: claim, now: now) }) { return true }
        return try await write { try $0.mayLeave(id, claim: claim, now: now) }
    }

    package func markFinalDot(_ id: OutboxMessage.ID, claim: Int, at: Timestamp) async throws(StoreError) -> Bool {
        try await write { ledger in
            let marked = try ledger.db.run(
                Self.finalDotSQL, ["at": at.milliseconds, "id": id.rawValue, "claim": claim, "now": at.milliseconds])
            // What keeps it from leaving is seen to.
            return try marked == 1 || ledger.mayLeave(id, claim: claim, now: at)
        }
    }

    package func record(
        _ attempt: DeliveryAttempt, claim: Int, state: OutboxMessage.State, nextAttemptAt: Timestamp?, consequence: Consequence
    ) async throws(StoreError) -> CommitResult {
        try await write { ledger in
            let latest = try ledger.db.record(
                "SELECT workspace_id FROM outbox WHERE id = :id AND claim = :claim", ["id": attempt.outbox.rawValue, "claim": claim])
            guard let workspace = try latest?.integer("workspace_id") else {
                // Another claim decides on the message now.
                try ledger.insert(attempt)
                return .committed
            }
            if let transition = consequence.transition, try !ledger.move(transition) { return .stale }
            try ledger.insert(attempt)
            // Of a pause that a person ended meanwhile there is nothing to wait for.
            let awaits = state == .deferred ? attempt.awaits : nil
            let isOver = try awaits.flatMap { try ledger.isOver(awaited: $0, workspace: WorkspaceID(rawValue: workspace)) }
            let next = isOver == true ? attempt.endedAt : nextAttemptAt
            // A message that was cancelled meanwhile stays so; the attempt is a fact all the same.
            try ledger.db.run(
                """
                UPDATE outbox
                SET state = :state, reason = :reason, attempts = attempts + 1, next_attempt_at = :next, lease_owner = NULL, lease_until = NULL,
                    awaits = :awaits, provider = COALESCE(provider, :provider),
                    final_dot_at = CASE :state WHEN 'deferred' THEN NULL WHEN 'sent' THEN COALESCE(final_dot_at, :ended) ELSE final_dot_at END
                WHERE id = :id AND (next_attempt_at IS NOT NULL OR state = 'hold')
                """,
                [
                    "id": attempt.outbox.rawValue, "state": state.rawValue, "reason": attempt.text.storable,
                    "next": state == .deferred ? (next ?? attempt.endedAt).milliseconds : nil,
                    "ended": attempt.endedAt.milliseconds,
                    "awaits": isOver != true ? awaits?.storable : nil,
                    "provider": attempt.provider?.storable,
                ])
            try ledger.note(attempt, state: state, pausedUntil: isOver == false ? next : nil)
            // Only now: its own message is no queued mail any more.
            if let transition = consequence.transition { try ledger.cancelUnwantedMail(transition) }
            try ledger.applyRest(of: [consequence])
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
            // The deliveries that they waited for ended with the process.
            try ledger.db.run(
                """
                UPDATE outbox INDEXED BY outbox_awaits SET awaits = NULL, next_attempt_at = MIN(next_attempt_at, :now)
                WHERE awaits >= 'site ' AND awaits < 'site!' AND state IN ('incoming', 'deferred')
                """, ["now": now.milliseconds])
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
    /// Whether a claimed message may leave as things stand.
    fileprivate func isFreeToLeave(_ id: OutboxMessage.ID, claim: Int, now: Timestamp) throws -> Bool {
        let key: Arguments = ["id": id.rawValue, "claim": claim, "now": now.milliseconds]
        guard let claimed = try db.record(SQLiteStore.refusalSQL, key) else { return false }
        return try claimed.textOrNil("refusal") == nil && stopReason() == nil
    }

    /// Whether a claimed message may leave. Cancels it when its enrollment or a suppression forbids it; gives it back under the STOP.
    fileprivate func mayLeave(_ id: OutboxMessage.ID, claim: Int, now: Timestamp) throws -> Bool {
        let key: Arguments = ["id": id.rawValue, "claim": claim, "now": now.milliseconds]
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

    /// What few attempts have: another route, a pause whose time is not part of the lifetime, a name that the next host gave.
    fileprivate func note(_ attempt: DeliveryAttempt, state: OutboxMessage.State, pausedUntil next: Timestamp?) throws {
        if state == .deferred, let reroute = attempt.reroute { try move(attempt.outbox, to: reroute.route) }
        if let next {
            try db.run(
                """
                UPDATE outbox SET released_at = COALESCE(released_at, created_at) + MAX(0, :next - :ended)
                WHERE id = :id AND state = 'deferred'
                """, ["id": attempt.outbox.rawValue, "next": next.milliseconds, "ended": attempt.endedAt.milliseconds])
        }
        if state == .sent, let name = attempt.providerName {
            try db.run(
                "UPDATE outbox SET provider_id = :name, sent_message_id = :sent WHERE id = :id AND state = 'sent'",
                ["id": attempt.outbox.rawValue, "name": name.id.storable, "sent": name.messageID?.text.storable])
        }
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
