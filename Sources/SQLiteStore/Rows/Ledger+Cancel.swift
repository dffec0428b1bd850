import GRDB
import InternetMessage
import Outreach

/// Cancelling what is queued: always with a timeline event, never past the final dot.
extension Ledger {
    static let hasMailSQL = """
        SELECT 1 FROM outbox
        WHERE enrollment_id = :enrollment AND state IN ('incoming', 'active', 'deferred', 'hold') AND final_dot_at IS NULL LIMIT 1
        """

    /// Cancels the mail of one enrollment that has not reached its final dot.
    func cancelMail(of enrollment: Enrollment.ID, because reason: String, at: Timestamp) throws {
        // Most that end have nothing queued, and an UPDATE that finds nothing has every index of the table opened.
        guard try db.record(Self.hasMailSQL, ["enrollment": enrollment.rawValue]) != nil else { return }
        let cancelled = try db.records(
            """
            UPDATE outbox
            SET state = 'cancelled', reason = :reason, next_attempt_at = NULL, lease_owner = NULL, lease_until = NULL
            WHERE enrollment_id = :enrollment AND state IN ('incoming', 'active', 'deferred', 'hold') AND final_dot_at IS NULL
            RETURNING id, contact_id, enrollment_id, step
            """,
            ["enrollment": enrollment.rawValue, "reason": reason.storable])
        for message in cancelled { try appendCancelled(message, because: reason, at: at) }
    }

    /// Cancels one message that has not reached its final dot.
    func cancel(_ id: OutboxMessage.ID, because reason: String, at: Timestamp) throws {
        let cancelled = try db.records(
            """
            UPDATE outbox
            SET state = 'cancelled', reason = :reason, next_attempt_at = NULL, lease_owner = NULL, lease_until = NULL
            WHERE id = :id AND state IN ('incoming', 'active', 'deferred', 'hold') AND final_dot_at IS NULL
            RETURNING id, contact_id, enrollment_id, step
            """,
            ["id": id.rawValue, "reason": reason.storable])
        for message in cancelled { try appendCancelled(message, because: reason, at: at) }
    }

    /// Writes the event of one message that was just cancelled, from its `id`, `contact_id`, `enrollment_id` and `step`.
    func appendCancelled(_ message: Record, because reason: String, at: Timestamp) throws {
        try append(
            TimelineEvent(
                id: ids.next(), at: at, kind: .cancelled, contact: message.idOrNil("contact_id"),
                enrollment: message.idOrNil("enrollment_id"),
                outbox: message.id("id"), summary: "cancelled before it left: \(reason)",
                facts: ["step": "\(try message.count("step"))", "reason": reason]))
    }
}
