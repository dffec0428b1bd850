import GRDB
package import InternetMessage
package import Outreach

/// From due to claimed: the limits of delivery are decided in the transaction that claims.
extension SQLiteStore {
    package func candidates(now: Timestamp, limit: Int, routes: [String: Int], sites: [String: Int]) async throws(StoreError)
        -> [OutboxCandidate]
    {
        // What is claimed then is looked at once more.
        try await readOnWriter { ledger in
            guard try ledger.stopReason() == nil else { return [] }
            typealias Found = (due: Timestamp, candidate: OutboxCandidate)
            func find(_ sql: String, _ arguments: Arguments) throws -> [Found] {
                try ledger.db.records(sql, arguments).map { (try $0.moment("next_attempt_at"), try OutboxCandidate($0)) }
            }
            func ordered(_ found: [Found]) -> [OutboxCandidate] {
                found.sorted { a, b in a.due == b.due ? a.candidate.id < b.candidate.id : a.due < b.due }.map(\.candidate)
            }
            var called: [Found] = []
            for (site, count) in sites where count > 0 { called += try find(Self.awaitingSQL, ["awaits": site, "limit": count]) }
            var due: [Found] = []
            for route in try ledger.waitingRoutes() {
                let room = routes[route] ?? limit
                if room > 0 { due += try find(Self.dueSQL, ["route": route, "now": now.milliseconds, "limit": room]) }
            }
            let known = Set(called.map(\.candidate.id))
            return ordered(called) + ordered(due.filter { !known.contains($0.candidate.id) })
        }
    }

    package func sequenceNames(of messages: [OutboxMessage.ID]) async throws(StoreError) -> [OutboxMessage.ID: String] {
        try await read { ledger in
            var names: [OutboxMessage.ID: String] = [:]
            for record in try ledger.db.records(Self.sequenceNamesSQL, ["ids": try jsonText(messages.map(\.rawValue))]) {
                names[try record.id("id")] = try record.text("name")
            }
            return names
        }
    }

    static let sequenceNamesSQL = """
        SELECT outbox.id, sequence.name FROM outbox JOIN enrollment ON enrollment.id = outbox.enrollment_id
            JOIN sequence ON sequence.id = enrollment.sequence_id
        WHERE outbox.id IN (SELECT value FROM json_each(:ids))
        """

    package func claim(_ bids: [ClaimBid], now: Timestamp, lease: Lease) async throws(StoreError) -> [ClaimAnswer] {
        try await write { ledger in
            guard !bids.isEmpty, try ledger.stopReason() == nil else { return bids.map { _ in .gone } }
            return try ledger.claim(bids, now: now, lease: lease)
        }
    }

    package func freeOverdue(except owner: String, now: Timestamp) async throws(StoreError) {
        try await write { ledger in
            try ledger.db.run(
                """
                UPDATE outbox
                SET state = CASE attempts WHEN 0 THEN 'incoming' ELSE 'deferred' END, lease_owner = NULL, lease_until = NULL
                WHERE state = 'active' AND lease_until <= :now AND lease_owner <> :owner AND final_dot_at IS NULL
                """, ["now": now.milliseconds, "owner": owner])
            return
        }
    }

    package func reconsiderWaiting(now: Timestamp) async throws(StoreError) -> Int {
        try await write { ledger in
            try ledger.db.run("UPDATE sending_level SET booked = 0 WHERE booked <> 0")
            // Of the same moment the oldest is first again. The lifetime gets back what it was lengthened by for nothing.
            return try ledger.db.run(
                """
                UPDATE outbox
                SET released_at = CASE WHEN awaits LIKE 'limit %' OR awaits LIKE 'safety %' OR awaits LIKE 'route %' OR awaits LIKE 'identity %'
                            OR awaits LIKE 'sequence %' OR awaits LIKE 'instance %'
                        THEN released_at - MAX(0, next_attempt_at - :now) ELSE released_at END,
                    next_attempt_at = MIN(next_attempt_at, :now), awaits = NULL
                WHERE awaits IS NOT NULL AND state IN ('incoming', 'deferred')
                """, ["now": now.milliseconds])
        }
    }

    package func forgetLevels(now: Timestamp) async throws(StoreError) {
        try await write { ledger in
            try ledger.db.run("DELETE FROM sending_level WHERE until < :now", ["now": now.milliseconds])
            // Cancelled or held since: who comes new need not stand behind them.
            try ledger.db.run(
                """
                UPDATE sending_level
                SET booked = MIN(booked, COALESCE((
                    SELECT MAX(next_attempt_at) * 1000 FROM outbox INDEXED BY outbox_awaits
                    WHERE awaits = 'limit ' || sending_level.id AND state IN ('incoming', 'deferred')), 0))
                WHERE booked > :now * 1000
                """, ["now": now.milliseconds])
            return
        }
    }

    /// The next route that has waiting mail, in the order of their names: one look into the index.
    static let waitingRouteSQL = """
        SELECT MIN(route) AS route FROM outbox INDEXED BY outbox_route_due
        WHERE state IN ('incoming', 'deferred') AND route > :after
        """

    static let dueSQL = """
        SELECT id, workspace_id, identity, route, recipient, recipient_domain, awaits, next_attempt_at, first_route,
            \(isToOurs) AS is_to_ours
        FROM outbox INDEXED BY outbox_route_due
        WHERE route = :route AND state IN ('incoming', 'deferred') AND next_attempt_at <= :now
        ORDER BY next_attempt_at LIMIT :limit
        """

    static let awaitingSQL = """
        SELECT id, workspace_id, identity, route, recipient, recipient_domain, awaits, next_attempt_at, first_route,
            \(isToOurs) AS is_to_ours
        FROM outbox INDEXED BY outbox_awaits
        WHERE awaits = :awaits AND state IN ('incoming', 'deferred')
        ORDER BY next_attempt_at LIMIT :limit
        """

    /// Whether a row `outbox` is `OutboxMessage.isToOurs`.
    static let isToOurs =
        "outbox.enrollment_id IS NULL AND ("
        + ForwardName.all.map { "outbox.message_id GLOB '*.\($0)@*'" }.joined(separator: " OR ") + ")"

    /// Why a row `outbox` may not leave at `:now`; NULL when it may. The last line before the wire for suppression and stop; suppression is not for
    /// people of ours.
    private static let refusal = """
        CASE
            WHEN \(isToOurs) THEN NULL
            WHEN \(isSuppressed("address", "suppression.subject = outbox.recipient_key")) THEN 'the address is suppressed'
            WHEN \(isSuppressed("domain", "suppression.subject = outbox.recipient_domain")) THEN 'the domain is suppressed'
            WHEN \(isSuppressed("pattern", "outbox.recipient_key GLOB suppression.subject")) THEN 'the address is suppressed'
            ELSE (
                SELECT 'the enrollment is ' || enrollment.state FROM enrollment
                WHERE enrollment.id = outbox.enrollment_id AND enrollment.state NOT IN ('active', 'sending'))
        END
        """

    /// Whether a suppression of that kind covers a row `outbox`, in all workspaces or in its own. A look for each of the two: for a list of
    /// both, SQLite would make a table first, and every message comes here several times.
    private static func isSuppressed(_ kind: String, _ covers: String) -> String {
        ["0", "outbox.workspace_id"].map { workspace in
            """
            EXISTS (
                SELECT 1 FROM suppression
                WHERE suppression.workspace_id = \(workspace) AND kind = '\(kind)' AND \(covers)
                    AND (expires_at IS NULL OR expires_at > :now))
            """
        }.joined(separator: " OR ")
    }

    static let claimableSQL = """
        SELECT awaits, workspace_id, \(refusal) AS refusal FROM outbox
        WHERE id = :id AND state IN ('incoming', 'deferred') AND (next_attempt_at <= :now OR awaits IS NOT NULL)
        """

    /// `released_at` of a row `outbox` that is looked at by `:now`: when nobody came for it in time, that is not part of its lifetime.
    private static let lengthened = """
        CASE WHEN :now - next_attempt_at > 60000 THEN MIN(:now, COALESCE(released_at, created_at) + :now - next_attempt_at)
            ELSE released_at END
        """

    /// Lets a message wait that is looked at by `:now`.
    static let postponeSQL = """
        UPDATE outbox
        SET state = 'deferred', reason = :reason, awaits = :awaits,
            released_at = CASE WHEN :ours THEN COALESCE(\(lengthened), created_at) + MAX(0, :until - MAX(:now, next_attempt_at))
                ELSE \(lengthened) END,
            next_attempt_at = :until
        WHERE id = :id
        """

    static let claimSQL = """
        UPDATE outbox
        SET state = 'active', claim = claim + 1, lease_owner = :owner, lease_until = :until, awaits = NULL, taken = :taken,
            released_at = \(lengthened)
        WHERE id = :id
        """

    /// Marks the dot of a message that may leave; one statement, because every message comes here.
    static let finalDotSQL = """
        UPDATE outbox SET final_dot_at = :at
        WHERE id = :id AND state = 'active' AND claim = :claim AND lease_until > :now AND final_dot_at IS NULL
            AND \(refusal) IS NULL AND (SELECT stop_reason FROM installation) IS NULL
        """

    static let refusalSQL = """
        SELECT \(refusal) AS refusal FROM outbox
        WHERE id = :id AND state = 'active' AND claim = :claim AND lease_until > :now AND final_dot_at IS NULL
        """
}

extension Ledger {
    /// The routes that have waiting mail.
    func waitingRoutes() throws -> [String] {
        var routes: [String] = []
        while let next = try db.record(SQLiteStore.waitingRouteSQL, ["after": routes.last ?? ""])?.textOrNil("route") {
            routes.append(next)
        }
        return routes
    }

    fileprivate func claim(_ bids: [ClaimBid], now: Timestamp, lease: Lease) throws -> [ClaimAnswer] {
        var admission = Admission(levels: try levels(of: bids), at: now)
        let answers = try bids.map { bid -> ClaimAnswer in
            let key: Arguments = ["id": bid.id.rawValue, "now": now.milliseconds]
            guard let row = try db.record(SQLiteStore.claimableSQL, key) else { return .gone }
            if let refusal = row.textOrNil("refusal") {
                try cancel(bid.id, because: refusal, at: now)
                return .gone
            }
            let workspace = WorkspaceID(rawValue: try row.integer("workspace_id"))
            switch bid.wish {
            case .wait(let until, let awaits, let because, let isOurs):
                try postpone(bid.id, in: workspace, until: until, awaits: awaits, because: because, at: now, isOurs: isOurs)
                return .postponed(until: until)
            case .move(let route, let because):
                try move(bid.id, to: route)
                try db.run(
                    "UPDATE outbox SET reason = :reason, awaits = NULL, next_attempt_at = MIN(next_attempt_at, :now) WHERE id = :id",
                    ["id": bid.id.rawValue, "now": now.milliseconds, "reason": because.storable])
                return .postponed(until: now)
            case .leave(let limits):
                let awaited = row.textOrNil("awaits")
                let limit = limits.first { awaited == OutboxMessage.awaiting(limit: $0.id) }
                switch admission.decide(limits, awaited: limit?.id) {
                case .wait(let until, let limit, let because):
                    try postpone(
                        bid.id, in: workspace, until: until, awaits: OutboxMessage.awaiting(limit: limit), because: because, at: now,
                        isOurs: true)
                    return .postponed(until: until)
                case .admitted(let taken):
                    try db.run(
                        SQLiteStore.claimSQL,
                        [
                            "owner": lease.owner, "until": lease.until.milliseconds, "taken": taken.isEmpty ? nil : Self.text(of: taken),
                            "id": bid.id.rawValue, "now": now.milliseconds,
                        ])
                    // Read apart: to return the row, SQLite would make a table for it first.
                    guard let message = try self.message(bid.id) else { return .gone }
                    return .claimed(message, try message.enrollment.flatMap { try enrollment($0) })
                }
            }
        }
        for (id, level) in admission.changed { try store(level, of: id) }
        return answers
    }

    /// `[[limit, step], ...]`, as the trigger that gives budget back reads it.
    private static func text(of taken: [TakenBudget]) -> String {
        "[" + taken.map { "[\(quoted($0.limit)),\($0.step)]" }.joined(separator: ",") + "]"
    }

    /// Lets a waiting message go by another route, and remembers the one it was composed for until it is back there.
    func move(_ id: OutboxMessage.ID, to route: String) throws {
        try db.run(
            """
            UPDATE outbox
            SET first_route = CASE WHEN :route = first_route THEN NULL ELSE COALESCE(first_route, route) END, route = :route
            WHERE id = :id AND state IN ('incoming', 'deferred') AND route <> :route
            """, ["id": id.rawValue, "route": route.storable])
    }

    private func postpone(
        _ id: OutboxMessage.ID, in workspace: WorkspaceID, until: Timestamp, awaits: String, because: String, at now: Timestamp,
        isOurs: Bool
    ) throws {
        // Of a pause that a person ended meanwhile there is nothing to wait for.
        let isOver = try isOver(awaited: awaits, workspace: workspace) == true
        let until = isOver ? now : until
        try db.run(
            SQLiteStore.postponeSQL,
            [
                "id": id.rawValue, "reason": because.storable, "awaits": isOver ? nil : awaits.storable, "until": until.milliseconds,
                "now": now.milliseconds, "ours": isOurs,
            ])
    }

    private func levels(of bids: [ClaimBid]) throws -> [String: LimitLevel] {
        var ids: Set<String> = []
        for case .leave(let limits) in bids.map(\.wish) { for limit in limits { ids.insert(limit.id) } }
        guard !ids.isEmpty else { return [:] }
        var levels: [String: LimitLevel] = [:]
        for id in ids {
            guard let record = try db.record("SELECT level, booked, until FROM sending_level WHERE id = :id", ["id": id]) else { continue }
            levels[id] = LimitLevel(
                level: try record.integer("level"), booked: try record.integer("booked"), until: try record.moment("until"))
        }
        return levels
    }

    private func store(_ level: LimitLevel, of id: String) throws {
        try db.run(
            """
            INSERT INTO sending_level (id, level, booked, until) VALUES (:id, :level, :booked, :until)
            ON CONFLICT (id) DO UPDATE SET level = excluded.level, booked = excluded.booked, until = excluded.until
            """, ["id": id, "level": level.level, "booked": level.booked, "until": level.until.milliseconds])
    }
}

extension OutboxCandidate {
    init(_ record: Record) throws {
        self.init(
            id: try record.id("id"), workspace: WorkspaceID(rawValue: try record.integer("workspace_id")),
            identity: try record.text("identity"), route: try record.text("route"), recipient: try record.address("recipient"),
            domain: try record.text("recipient_domain"), awaits: record.textOrNil("awaits"),
            firstRoute: record.textOrNil("first_route"), isToOurs: try record.integer("is_to_ours") == 1,
            dueAt: try record.moment("next_attempt_at"))
    }
}
