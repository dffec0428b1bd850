import GRDB
package import InternetMessage
package import Outreach

/// What senders have used of their budgets, and how it went.
extension SQLiteStore {
    package func usage(identity: String, localDate: CivilDate, at now: Timestamp) async throws(StoreError) -> IdentityUsage {
        try await read { ledger in
            let record = try ledger.db.record(
                Self.usageSQL,
                [
                    "identity": identity, "day": localDate.daysSinceEpoch, "hour": (now - .seconds(3600)).milliseconds,
                    "latest": (now + Self.clockPatience).milliseconds,
                ])
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

    /// What belongs to no sequence, such as a reply that is sent on, uses no budget. What a clock that was ahead left in the future is not the last
    /// message, nor of this hour.
    static let usageSQL = """
        SELECT
            (SELECT COUNT(*) FROM outbox
             WHERE identity = :identity AND budget_day = :day AND state <> 'cancelled' AND enrollment_id IS NOT NULL
                AND (state NOT IN ('bounced', 'expired') OR final_dot_at IS NOT NULL)) AS count,
            (SELECT created_at FROM outbox WHERE identity = :identity AND enrollment_id IS NOT NULL AND created_at <= :latest
             ORDER BY created_at DESC LIMIT 1) AS last,
            hour_count, hour_first
        FROM (
            SELECT COUNT(*) AS hour_count, MIN(created_at) AS hour_first FROM outbox
            WHERE identity = :identity AND created_at > :hour AND created_at <= :latest AND state <> 'cancelled'
                AND enrollment_id IS NOT NULL
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

    package func senders(of contacts: [Contact.ID]) async throws(StoreError) -> [Contact.ID: String] {
        try await read { ledger in
            var senders: [Contact.ID: String] = [:]
            for contact in contacts {
                senders[contact] = try ledger.db.record(Self.senderSQL, ["contact": contact.rawValue])?.textOrNil("identity")
            }
            return senders
        }
    }

    static let senderSQL = """
        SELECT COALESCE(
            (SELECT identity FROM outbox INDEXED BY outbox_contact
             WHERE contact_id = :contact AND enrollment_id IS NOT NULL AND state <> 'cancelled'
                AND (state NOT IN ('bounced', 'expired') OR final_dot_at IS NOT NULL)
             ORDER BY created_at DESC, id DESC LIMIT 1),
            (SELECT identity FROM enrollment INDEXED BY enrollment_running
             WHERE contact_id = :contact AND state NOT IN ('finished', 'stopped')
             ORDER BY id DESC LIMIT 1)) AS identity
        """

    package func starts(identities: [String], sequence: SequenceVersion.ID?, on date: CivilDate) async throws(StoreError) -> Int {
        try await read { ledger in
            try ledger.db.record(
                Self.startsSQL,
                ["identities": jsonText(identities), "day": date.daysSinceEpoch, "version": sequence?.rawValue])?.count("count") ?? 0
        }
    }

    static let startsSQL = """
        SELECT COUNT(*) AS count
        FROM json_each(:identities) AS sender CROSS JOIN outbox AS first INDEXED BY outbox_budget
        WHERE first.identity = sender.value AND first.budget_day = :day AND first.state <> 'cancelled' AND first.enrollment_id IS NOT NULL
            AND (first.state NOT IN ('bounced', 'expired') OR first.final_dot_at IS NOT NULL)
            AND (:version IS NULL OR (SELECT sequence_id FROM enrollment WHERE id = first.enrollment_id)
                = (SELECT sequence_id FROM sequence_version WHERE id = :version))
            AND NOT EXISTS (
                SELECT 1 FROM outbox AS earlier INDEXED BY outbox_step
                WHERE earlier.enrollment_id = first.enrollment_id AND earlier.id < first.id AND earlier.state <> 'cancelled'
                    AND (earlier.state NOT IN ('bounced', 'expired') OR earlier.final_dot_at IS NOT NULL))
        """

    /// When the message was queued that stands behind `:others` newer ones, within a window.
    static func frequencySQL(_ subject: FrequencyRule.Subject) -> String {
        let theirs =
            switch subject {
            case .contact: "INDEXED BY outbox_contact WHERE contact_id = :subject"
            case .company: "INDEXED BY outbox_company WHERE recipient_domain = :subject"
            }
        return """
            SELECT created_at FROM outbox \(theirs)
                AND workspace_id = :workspace AND created_at > :since AND created_at <= :latest AND enrollment_id IS NOT NULL AND state <> 'cancelled'
                AND (state NOT IN ('bounced', 'expired') OR final_dot_at IS NOT NULL)
            ORDER BY created_at DESC LIMIT 1 OFFSET :others
            """
    }
}

extension Ledger {
    /// Until when a message must wait that would exceed a cap; nil when it exceeds none.
    func hold(_ message: OutboxMessage, under rule: FrequencyRule) throws -> Postponement? {
        try rule.hold(at: message.createdAt) { clause in
            let subject: (any Storable)?
            switch clause.subject {
            case .contact: subject = message.contact?.rawValue
            case .company(let domain): subject = domain
            }
            return try db.record(
                SQLiteStore.frequencySQL(clause.subject),
                [
                    "subject": subject, "workspace": message.workspace.rawValue,
                    "since": (message.createdAt - clause.cap.window).milliseconds,
                    // What is later was queued while the clock was wrong, and would hold them for ever.
                    "latest": (message.createdAt + clause.cap.window).milliseconds, "others": clause.cap.count - 1,
                ])?.moment("created_at")
        }
    }
}
