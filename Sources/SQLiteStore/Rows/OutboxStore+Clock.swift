import GRDB
package import InternetMessage
package import Outreach

/// What a clock that was ahead left behind.
extension SQLiteStore {
    package func disbelieveFuture(now: Timestamp) async throws(StoreError) -> Int {
        try await write { ledger in
            let latest = now + Self.clockPatience
            let moments: Arguments = ["now": now.milliseconds, "latest": latest.milliseconds]
            var count = 0
            for route in try ledger.waitingRoutes() {
                count += try ledger.db.run(Self.doubtfulTurnSQL, moments + ["route": route])
            }
            count += try ledger.db.run(Self.doubtfulAgeSQL, moments)
            // An even rate is never ahead by more than the one message of its period.
            for (period, length) in [("s", Duration.seconds(1)), ("min", .seconds(60)), ("h", .seconds(3600))] {
                count += try ledger.db.run(
                    "DELETE FROM sending_level WHERE id LIKE '%/' || :period AND level / 1000 > :end",
                    ["period": period, "end": (latest + length).milliseconds])
            }
            let pauses = try ledger.db.records(
                "SELECT * FROM sending_pause WHERE ended_at IS NULL AND finding_id IS NULL AND renewed_at > :latest",
                ["latest": latest.milliseconds])
            for record in pauses {
                guard let subject = try SendingPause.Subject(record) else { continue }
                if try ledger.resume(subject, by: "the clock was ahead when it began", at: now) { count += 1 }
            }
            return count
        }
    }

    /// So far in the future a moment is believed: clocks are set right by seconds all the time.
    static let clockPatience = Duration.seconds(60)

    /// A turn that was given while the clock was ahead, by an attempt or when the message was made.
    static let doubtfulTurnSQL = """
        UPDATE outbox INDEXED BY outbox_route_due SET next_attempt_at = :now
        WHERE route = :route AND state IN ('incoming', 'deferred') AND next_attempt_at > :latest
            AND (created_at > :latest OR EXISTS (SELECT 1 FROM attempt WHERE outbox_id = outbox.id AND ended_at > :latest))
        """

    /// A lifetime that begins in the future: not even the limits of our own that keep a message back move it beyond its next turn.
    static let doubtfulAgeSQL = """
        UPDATE outbox INDEXED BY outbox_waiting_age SET released_at = MAX(:now, next_attempt_at)
        WHERE state IN ('incoming', 'deferred') AND final_dot_at IS NULL AND COALESCE(released_at, created_at) > :latest
            AND COALESCE(released_at, created_at) > next_attempt_at
        """
}
