import GRDB
package import InternetMessage
package import Outreach

/// The queue as people see it and act on it.
extension SQLiteStore {
    package func overdue(waitingSinceBefore before: Timestamp, now: Timestamp, limit: Int) async throws(StoreError) -> [OutboxMessage] {
        try await read { ledger in
            try ledger.db.records(
                """
                SELECT * FROM outbox INDEXED BY outbox_waiting_age
                WHERE state IN ('incoming', 'deferred') AND final_dot_at IS NULL AND COALESCE(released_at, created_at) < :before
                    AND next_attempt_at > :now
                ORDER BY COALESCE(released_at, created_at) LIMIT :limit
                """, ["before": before.milliseconds, "now": now.milliseconds, "limit": max(0, limit)]
            ).map { try ledger.whole($0) }
        }
    }

    package func prolong(waitingSinceBefore before: Timestamp, now: Timestamp) async throws(StoreError) -> Int {
        try await write { ledger in
            try ledger.db.run(
                """
                UPDATE outbox INDEXED BY outbox_waiting_age SET released_at = :now
                WHERE state IN ('incoming', 'deferred') AND final_dot_at IS NULL AND COALESCE(released_at, created_at) < :before
                """, ["now": now.milliseconds, "before": min(before, now).milliseconds])
        }
    }

    package func message(id: OutboxMessage.ID) async throws(StoreError) -> OutboxMessage? {
        try await read { try $0.message(id) }
    }

    package func attempts(of id: OutboxMessage.ID) async throws(StoreError) -> [DeliveryAttempt] {
        try await read { ledger in
            let packed = try ledger.packedDialogues(of: id)
            return try ledger.db.records("SELECT * FROM attempt WHERE outbox_id = :id ORDER BY id", ["id": id.rawValue]).map {
                try DeliveryAttempt($0, packed: packed)
            }
        }
    }

    package func messages(enrollment: Enrollment.ID) async throws(StoreError) -> [OutboxMessage] {
        try await read { try $0.messages(of: enrollment) }
    }

    package func list(_ selection: OutboxSelection, after: OutboxMessage.ID?, limit: Int) async throws(StoreError) -> [OutboxMessage] {
        try await read { ledger in
            let (condition, arguments) = try selection.sql(within: nil)
            // The length of a blob is read from its row's head; its pages are not.
            return try ledger.db.records(
                """
                SELECT outbox.*, COALESCE((SELECT length(bytes) FROM outbox_body WHERE outbox_id = outbox.id),
                    (SELECT body_size FROM packed_message WHERE outbox_id = outbox.id), 0) AS size
                FROM outbox WHERE \(condition) AND id > :after ORDER BY id LIMIT :limit
                """, arguments + ["after": after?.rawValue ?? 0, "limit": max(0, limit)]
            ).map { record in
                var message = try OutboxMessage(record, bytes: [])
                message.size = try record.count("size")
                return message
            }
        }
    }

    package func counts() async throws(StoreError) -> [OutboxMessage.State: Int] {
        try await read { ledger in
            var counts: [OutboxMessage.State: Int] = [:]
            for record in try ledger.db.records("SELECT state, COUNT(*) AS count FROM outbox GROUP BY state") {
                counts[try record.word("state")] = try record.count("count")
            }
            return counts
        }
    }

    package func command(_ command: OutboxCommand, on selection: OutboxSelection, at: Timestamp) async throws(StoreError) -> Int {
        try await write { ledger in
            switch command {
            case .hold(let reason):
                let (condition, arguments) = try selection.sql(within: [.incoming, .deferred])
                return try ledger.db.run(
                    "UPDATE outbox SET state = 'hold', reason = :new_reason, next_attempt_at = NULL, awaits = NULL WHERE \(condition)",
                    arguments + ["new_reason": reason.storable])
            case .release(let resend):
                // An ambiguous message is sent again only when that is stated.
                let (condition, arguments) = try selection.sql(within: [.hold])
                return try ledger.db.run(
                    """
                    UPDATE outbox
                    SET state = CASE attempts WHEN 0 THEN 'incoming' ELSE 'deferred' END, reason = 'released by a person',
                        next_attempt_at = :at, released_at = :at, final_dot_at = NULL, awaits = NULL
                    WHERE \(condition) AND (:resend OR final_dot_at IS NULL)
                    """, arguments + ["at": at.milliseconds, "resend": resend])
            case .flush:
                let (condition, arguments) = try selection.sql(within: [.incoming, .deferred])
                // The mark tells whoever delivers that a site which rests is to be tried; who waits for a limit keeps the turn in it.
                return try ledger.db.run(
                    """
                    UPDATE outbox
                    SET next_attempt_at = :at,
                        awaits = CASE WHEN awaits LIKE 'limit %' THEN awaits ELSE '\(OutboxMessage.flushed)' END
                    WHERE \(condition)
                    """, arguments + ["at": at.milliseconds])
            case .delete:
                let (condition, arguments) = try selection.sql(within: [.incoming, .deferred, .hold])
                let why = "deleted by a person"
                let deleted = try ledger.db.records(
                    """
                    UPDATE outbox SET state = 'cancelled', reason = :new_reason, next_attempt_at = NULL
                    WHERE \(condition)
                    RETURNING id, contact_id, enrollment_id, step
                    """, arguments + ["new_reason": why])
                for message in deleted { try ledger.appendCancelled(message, because: why, at: at) }
                return deleted.count
            }
        }
    }

    package func nextAttempt() async throws(StoreError) -> Timestamp? {
        try await read { ledger in
            guard try ledger.stopReason() == nil else { return nil }
            return try ledger.waitingRoutes().compactMap { route in
                try ledger.db.record(Self.nextAttemptSQL, ["route": route])?.momentOrNil("due")
            }.min()
        }
    }

    static let nextAttemptSQL = """
        SELECT next_attempt_at AS due FROM outbox INDEXED BY outbox_route_due
        WHERE route = :route AND state IN ('incoming', 'deferred') ORDER BY next_attempt_at LIMIT 1
        """
}

extension OutboxSelection {
    /// The condition on `outbox` that every given part must match, with its arguments.
    ///
    /// - Parameter allowed: states beyond which nothing is selected; nil: any.
    func sql(within allowed: Set<OutboxMessage.State>?) throws -> (condition: String, arguments: Arguments) {
        var conditions: [String] = []
        var arguments: [String: (any Storable)?] = [:]
        if let ids {
            conditions.append("id IN (SELECT value FROM json_each(:ids))")
            arguments["ids"] = try jsonText(ids.map(\.rawValue))
        }
        if let recipient {
            conditions.append("recipient_key = :recipient")
            arguments["recipient"] = recipient.suppressionKey
        }
        if let domain {
            conditions.append("recipient_domain = :domain")
            arguments["domain"] = domain
        }
        if let sequenceName {
            conditions.append(
                """
                enrollment_id IN (
                    SELECT enrollment.id FROM enrollment JOIN sequence ON sequence.id = enrollment.sequence_id WHERE sequence.name = :sequence)
                """)
            arguments["sequence"] = sequenceName
        }
        if let workspace {
            // The plus keeps the planner from walking a whole workspace where something narrower is known.
            conditions.append("+workspace_id = :workspace")
            arguments["workspace"] = workspace.rawValue
        }
        if let route {
            conditions.append("route = :route")
            arguments["route"] = route.storable
        }
        if let identity {
            conditions.append("identity = :identity")
            arguments["identity"] = identity.storable
        }
        if let wanted = states.map({ allowed?.intersection($0) ?? $0 }) ?? allowed {
            conditions.append("state IN (\(wanted.map { "'\($0.rawValue)'" }.sorted().joined(separator: ", ")))")
        }
        return (conditions.isEmpty ? "1" : conditions.joined(separator: " AND "), Arguments(arguments))
    }
}
