import GRDB
package import InternetMessage
package import Outreach

extension SQLiteStore: RoutePauseStore {
    package func pause(
        route: String, failureClass: String, reason: String, began: Timestamp, at: Timestamp, rests: [Duration]
    ) async throws(StoreError) -> (pause: RoutePause, isNew: Bool) {
        @Sendable func end(after renewals: Int) -> Timestamp {
            at + max(.milliseconds(1), rests.isEmpty ? .seconds(300) : rests[min(renewals, rests.count - 1)])
        }
        return try await write { ledger in
            let now = at.milliseconds
            guard let known = try ledger.db.record(Self.openPauseSQL, ["route": route.storable]) else {
                let pause = RoutePause(
                    route: route, since: at, until: end(after: 0), failureClass: failureClass, reason: reason, renewals: 0)
                try ledger.db.run(
                    """
                    INSERT INTO route_pause (route, since, renewed_at, until, failure_class, reason, renewals)
                    VALUES (:route, :now, :now, :until, :class, :reason, 0)
                    """,
                    [
                        "route": route.storable, "now": now, "until": pause.until.milliseconds, "class": failureClass.storable,
                        "reason": reason.storable,
                    ])
                return (pause, true)
            }
            let pause = try RoutePause(known)
            guard began >= pause.until else { return (pause, false) }
            let until = end(after: pause.renewals + 1)
            let renewed = RoutePause(
                route: route, since: pause.since, until: until, failureClass: failureClass, reason: reason, renewals: pause.renewals + 1)
            try ledger.db.run(
                """
                UPDATE route_pause
                SET renewed_at = MAX(since, :now), until = :until, failure_class = :class, reason = :reason, renewals = renewals + 1
                WHERE route = :route AND ended_at IS NULL
                """,
                [
                    "route": route.storable, "now": now, "until": max(until.milliseconds, pause.since.milliseconds + 1),
                    "class": failureClass.storable, "reason": reason.storable,
                ])
            return (renewed, true)
        }
    }

    package func resume(route: String, by: String, at: Timestamp) async throws(StoreError) -> Bool {
        try await write { ledger in
            let ended = try ledger.db.run(
                "UPDATE route_pause SET ended_at = :at, ended_by = :by WHERE route = :route AND ended_at IS NULL",
                ["route": route.storable, "at": at.milliseconds, "by": by.storable])
            guard ended > 0 else { return false }
            // The lifetime gets back what it was lengthened by for nothing.
            try ledger.db.run(
                """
                UPDATE outbox
                SET released_at = released_at - MAX(0, next_attempt_at - :at), next_attempt_at = MIN(next_attempt_at, :at), awaits = NULL
                WHERE awaits = :awaits AND state IN ('incoming', 'deferred')
                """, ["at": at.milliseconds, "awaits": OutboxMessage.awaiting(route: route).storable])
            return true
        }
    }

    package func routePauses() async throws(StoreError) -> [RoutePause] {
        try await read { ledger in
            try ledger.db.records("SELECT * FROM route_pause WHERE ended_at IS NULL ORDER BY route").map(RoutePause.init)
        }
    }

    static let openPauseSQL = "SELECT * FROM route_pause WHERE route = :route AND ended_at IS NULL"
}

extension RoutePause {
    init(_ record: Record) throws {
        self.init(
            route: try record.text("route"), since: try record.moment("since"), until: try record.moment("until"),
            failureClass: try record.text("failure_class"), reason: try record.text("reason"), renewals: try record.count("renewals"))
    }
}
