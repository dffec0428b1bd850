import GRDB
package import InternetMessage
package import Outreach

/// What senders have used of their budgets, and how it went.
extension SQLiteStore {
    package func usage(identity: String, localDate: CivilDate, at now: Timestamp) async throws(StoreError) -> IdentityUsage {
        try await read { ledger in
            let record = try ledger.db.record(
                Self.usageSQL,
                ["identity": identity, "day": localDate.daysSinceEpoch, "hour": (now - .seconds(3600)).milliseconds])
            return IdentityUsage(
                countOnDate: try record?.count("count") ?? 0, lastAt: record?.momentOrNil("last"),
                countInHour: try record?.count("hour_count") ?? 0, lifting: record?.momentOrNil("hour_first"))
        }
    }

    package func history(identities: [String], before date: CivilDate, since: CivilDate) async throws(StoreError) -> SendingHistory {
        try await read { ledger in
            var (days, sent, bounced, complained) = (0, 0, 0, 0)
            for identity in identities {
                let count = try ledger.db.record(
                    Self.sendingDaysSQL, ["identity": identity, "day": date.daysSinceEpoch])?.count("count")
                days = max(days, count ?? 0)
                guard
                    let record = try ledger.db.record(
                        Self.signalsSQL, ["identity": identity, "since": since.startOfDayUTC.milliseconds])
                else { continue }
                sent += try record.count("sent")
                bounced += try record.count("bounced")
                complained += try record.count("complained")
            }
            return SendingHistory(days: days, sent: sent, bounced: bounced, complained: complained)
        }
    }

    /// What belongs to no sequence, such as a reply that is sent on, uses no budget.
    static let usageSQL = """
        SELECT
            (SELECT COUNT(*) FROM outbox
             WHERE identity = :identity AND budget_day = :day AND state <> 'cancelled' AND enrollment_id IS NOT NULL
                AND (state NOT IN ('bounced', 'expired') OR final_dot_at IS NOT NULL)) AS count,
            (SELECT created_at FROM outbox WHERE identity = :identity AND enrollment_id IS NOT NULL
             ORDER BY created_at DESC LIMIT 1) AS last,
            hour_count, hour_first
        FROM (
            SELECT COUNT(*) AS hour_count, MIN(created_at) AS hour_first FROM outbox
            WHERE identity = :identity AND created_at > :hour AND state <> 'cancelled' AND enrollment_id IS NOT NULL
                AND (state NOT IN ('bounced', 'expired') OR final_dot_at IS NOT NULL))
        """

    /// One look into the index for each day, at most 400.
    static let sendingDaysSQL = """
        WITH RECURSIVE sending (day) AS (
            SELECT MAX(budget_day) FROM outbox INDEXED BY outbox_budget
            WHERE identity = :identity AND budget_day < :day AND state <> 'cancelled'
            UNION ALL
            SELECT (SELECT MAX(budget_day) FROM outbox INDEXED BY outbox_budget
                    WHERE identity = :identity AND budget_day < sending.day AND state <> 'cancelled')
            FROM sending WHERE sending.day IS NOT NULL LIMIT 401)
        SELECT COUNT(day) AS count FROM sending
        """

    static let signalsSQL = """
        SELECT
            (SELECT COUNT(*) FROM outbox
             WHERE identity = :identity AND created_at >= :since AND final_dot_at IS NOT NULL) AS sent,
            (SELECT COUNT(*) FROM outbox
             WHERE identity = :identity AND created_at >= :since AND state = 'bounced')
            + (SELECT COUNT(DISTINCT outbox_id) FROM reply INDEXED BY reply_signal JOIN outbox ON outbox.id = reply.outbox_id
               WHERE effective_class = 'bounce' AND outbox_id IS NOT NULL AND sorted_at >= :since AND identity = :identity
                   AND outbox.state <> 'bounced') AS bounced,
            (SELECT COUNT(DISTINCT outbox_id) FROM reply INDEXED BY reply_signal JOIN outbox ON outbox.id = reply.outbox_id
             WHERE effective_class = 'complaint' AND outbox_id IS NOT NULL AND sorted_at >= :since AND identity = :identity) AS complained
        """
}
