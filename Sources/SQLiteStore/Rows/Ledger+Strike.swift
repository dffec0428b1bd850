import InternetMessage
import Outreach

extension Ledger {
    /// Counts a failure against its address, once for its message, and suppresses the address when that is one too many.
    func add(_ strike: Strike, sparing spared: Enrollment.ID? = nil) throws {
        let address = strike.address.suppressionKey
        let isNew = try db.run(
            """
            INSERT INTO strike (outbox_id, workspace_id, address_key, failure_class, at)
            VALUES (:message, :workspace, :address, :class, :at) ON CONFLICT (outbox_id) DO NOTHING
            """,
            [
                "message": strike.message.rawValue, "workspace": strike.workspace.rawValue, "address": address,
                "class": strike.failureClass.storable, "at": strike.at.milliseconds,
            ])
        guard isNew == 1 else { return }
        let count =
            try db.record(
                """
                SELECT COUNT(*) AS count FROM strike
                WHERE address_key = :address AND failure_class = :class AND at > :since AND at <= :at AND workspace_id = :workspace
                """,
                [
                    "address": address, "class": strike.failureClass.storable, "since": (strike.at - strike.limit.within).milliseconds,
                    "at": strike.at.milliseconds, "workspace": strike.workspace.rawValue,
                ])?.count("count") ?? 0
        guard count >= strike.limit.count else { return }
        let days = max(1, strike.limit.within.components.seconds / 86_400)
        let why = "\(count) messages failed within \(days) days (\(strike.failureClass))"
        try add(
            Suppression(
                id: ids.next(), workspace: strike.workspace, subject: .init(strike.address), reason: .refused, source: .bounce, note: why,
                at: strike.at), sparing: spared)
        guard let message = try message(strike.message) else { return }
        try append(
            TimelineEvent(
                id: ids.next(), at: strike.at, kind: .suppressed, contact: message.contact, enrollment: message.enrollment,
                outbox: message.id, summary: "refused (bounce): \(why)", facts: ["class": strike.failureClass]))
    }
}
