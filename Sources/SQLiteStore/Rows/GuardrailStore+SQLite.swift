import GRDB
package import InternetMessage
package import Outreach

extension SQLiteStore: GuardrailStore {
    /// A pause that only a person ends is lengthened by so much at a time.
    private static let openEnd = Duration.seconds(86_400)

    package func watched(_ scope: GuardrailRule.Scope, since day: CivilDate) async throws(StoreError)
        -> [(subject: SendingPause.Subject, tally: Tally)]
    {
        try await read { try $0.watched(scope, since: day, only: nil) }
    }

    package func overrides() async throws(StoreError) -> [SendingPause.Subject: GuardrailOverride] {
        try await read { ledger in
            var overrides: [SendingPause.Subject: GuardrailOverride] = [:]
            for record in try ledger.db.records("SELECT * FROM guardrail_override ORDER BY id") {
                let override = try GuardrailOverride(record)
                overrides[override.subject] = override
            }
            return overrides
        }
    }

    package func keep(_ findings: [GuardrailFinding], at now: Timestamp) async throws(StoreError) -> GuardrailOutcome {
        let openEnd = Self.openEnd
        return try await write { ledger in
            var outcome = GuardrailOutcome()
            var violated: Set<SendingPause.Subject> = []
            for finding in findings where finding.rate.sample > 0 {
                let last = try ledger.db.record(Self.lastVerdictSQL, Self.key(finding))?.textOrNil("verdict")
                let wasViolated = last?.utf8.elementsEqual(GuardrailFinding.Verdict.violated.rawValue.utf8) == true
                let id = try ledger.insert(finding)
                guard finding.verdict == .violated else { continue }
                if !wasViolated { outcome.alerts.append(finding) }
                guard finding.rule.action == .pause, violated.insert(finding.subject).inserted else { continue }
                if let pause = try ledger.pause(finding, id: id, openEnd: openEnd) { outcome.paused.append(pause) }
            }
            for record in try ledger.db.records(
                """
                SELECT kind, name, workspace_id, is_open_ended FROM sending_pause
                WHERE ended_at IS NULL AND finding_id IS NOT NULL AND until <= :now ORDER BY kind, name, workspace_id
                """, ["now": now.milliseconds])
            {
                guard let subject = try SendingPause.Subject(record) else { continue }
                if try record.integer("is_open_ended") == 1 {
                    try ledger.lengthen(subject, at: now, by: openEnd)
                } else if try ledger.resume(subject, by: "the figures are in order again", at: now) {
                    outcome.resumed.append(subject)
                }
            }
            return outcome
        }
    }

    package func override(_ override: GuardrailOverride) async throws(StoreError) -> Bool {
        try await countAllEvents()
        return try await write { ledger in
            let subject = override.subject
            var counted = Tally()
            if let scope = GuardrailRule.Scope(rawValue: subject.kind) {
                // Days before it are no longer looked at: what was counted of this one is taken off.
                counted = try ledger.watched(scope, since: override.day, only: subject).first?.tally ?? counted
            }
            let counts = Dictionary(uniqueKeysWithValues: Tally.Count.allCases.map { ($0.rawValue, counted[$0]) }).filter { $0.value != 0 }
            try ledger.db.run(
                """
                INSERT INTO guardrail_override (kind, name, workspace_id, reason, at, until, counted)
                VALUES (:kind, :name, :workspace, :reason, :at, :until, :counted)
                """,
                subject.rowKey + [
                    "reason": override.reason.storable, "at": override.at.milliseconds, "until": override.until?.milliseconds,
                    "counted": jsonText(counts),
                ])
            return try ledger.resume(subject, by: override.reason, at: override.at)
        }
    }

    package func violations(since: Timestamp) async throws(StoreError) -> [GuardrailFinding] {
        try await read { ledger in
            try ledger.db.records(
                """
                SELECT * FROM guardrail_finding AS finding
                WHERE at >= :since AND verdict = 'violated' AND NOT EXISTS (
                    SELECT 1 FROM guardrail_finding AS later
                    WHERE later.rule = finding.rule AND later.kind = finding.kind AND later.name = finding.name
                        AND later.workspace_id = finding.workspace_id AND later.id > finding.id)
                ORDER BY kind, name, workspace_id, rule
                """, ["since": since.milliseconds]
            ).map(GuardrailFinding.init)
        }
    }

    package func dropFindings(before: Timestamp, limit: Int) async throws(StoreError) -> Int {
        try await write { ledger in
            try ledger.db.run(
                """
                DELETE FROM guardrail_finding
                WHERE id IN (
                    SELECT id FROM guardrail_finding AS old
                    WHERE at < :before AND NOT EXISTS (SELECT 1 FROM sending_pause WHERE finding_id = old.id) LIMIT :limit)
                """, ["before": before.milliseconds, "limit": max(0, limit)])
        }
    }

    private static let lastVerdictSQL = """
        SELECT verdict FROM guardrail_finding WHERE rule = :rule AND kind = :kind AND name = :name AND workspace_id = :workspace
        ORDER BY id DESC LIMIT 1
        """

    private static func key(_ finding: GuardrailFinding) -> Arguments {
        finding.subject.rowKey + ["rule": finding.rule.name.storable]
    }
}

extension Ledger {
    /// - Parameter only: this one alone; nil: all of the scope.
    fileprivate func watched(_ scope: GuardrailRule.Scope, since day: CivilDate, only: SendingPause.Subject?) throws
        -> [(subject: SendingPause.Subject, tally: Tally)]
    {
        let sums = Tally.Count.allCases.map { "SUM(\($0.rawValue)) AS \($0.rawValue)" }.joined(separator: ", ")
        let sql =
            switch scope {
            case .identity:
                """
                SELECT value AS name, 0 AS workspace_id, \(sums) FROM workspace JOIN rollup_day ON rollup_day.workspace_id = workspace.id
                WHERE sequence_id = 0 AND dimension = 'identity' AND day >= :day AND (:name IS NULL OR value = :name) GROUP BY value
                """
            case .sequence:
                """
                SELECT sequence.name AS name, sequence.workspace_id AS workspace_id, \(sums) FROM sequence
                    JOIN rollup_day ON rollup_day.workspace_id = sequence.workspace_id AND rollup_day.sequence_id = sequence.id
                WHERE dimension = 'all' AND day >= :day AND (:name IS NULL OR sequence.name = :name AND sequence.workspace_id = :workspace)
                GROUP BY sequence.id
                """
            case .instance:
                """
                SELECT 'all' AS name, 0 AS workspace_id, \(sums) FROM workspace JOIN rollup_day ON rollup_day.workspace_id = workspace.id
                WHERE sequence_id = 0 AND dimension = 'all' AND day >= :day AND (:name IS NULL OR :name = 'all') GROUP BY 1
                """
            }
        var arguments: Arguments = ["day": day.daysSinceEpoch, "name": only?.name.storable]
        if scope == .sequence { arguments = arguments + ["workspace": only?.workspace.rawValue] }
        return try db.records(sql, arguments).compactMap { record in
            let workspace = WorkspaceID(rawValue: try record.integer("workspace_id"))
            guard let subject = SendingPause.Subject(kind: scope.rawValue, name: try record.text("name"), workspace: workspace) else {
                return nil
            }
            return (subject, try Tally(record))
        }
    }

    fileprivate func insert(_ finding: GuardrailFinding) throws -> Int64 {
        let rule = finding.rule
        let row = try db.records(
            """
            INSERT INTO guardrail_finding (at, rule, origin, kind, name, workspace_id, metric, comparison, threshold, minimum_sends, days, action, count,
                sample, verdict)
            VALUES (:at, :rule, :origin, :kind, :name, :workspace, :metric, :comparison, :threshold, :minimum, :days, :action, :count, :sample, :verdict)
            RETURNING id
            """,
            finding.subject.rowKey + [
                "at": finding.at.milliseconds, "rule": rule.name.storable, "origin": rule.origin.storable, "metric": rule.metric.rawValue,
                "comparison": rule.comparison.rawValue,
                "threshold": rule.threshold, "minimum": rule.minimumSends, "days": rule.days, "action": rule.action.rawValue,
                "count": finding.rate.count, "sample": finding.rate.sample, "verdict": finding.verdict.rawValue,
            ])
        return try row.first?.integer("id") ?? 0
    }

    /// Pauses what a finding says, or lengthens its pause where that is over; nil: nothing changed.
    fileprivate func pause(_ finding: GuardrailFinding, id: Int64, openEnd: Duration) throws -> SendingPause? {
        let key = finding.subject.rowKey
        let now = finding.at
        let values: Arguments = [
            "now": now.milliseconds, "until": (now + (finding.rule.lasts ?? openEnd)).milliseconds,
            "class": "guardrail \(finding.rule.name)".storable, "reason": finding.words.storable, "finding": id,
            "open": finding.rule.lasts == nil,
        ]
        if let known = try db.record(SQLiteStore.openPauseSQL, key).map(SendingPause.init) {
            guard let present = known.finding, !present.isOpenEnded, known.until <= now else { return nil }
            try db.run(
                """
                UPDATE sending_pause
                SET renewed_at = :now, until = :until, failure_class = :class, reason = :reason, renewals = renewals + 1,
                    finding_id = :finding, is_open_ended = :open
                WHERE kind = :kind AND name = :name AND workspace_id = :workspace AND ended_at IS NULL
                """, key + values)
        } else {
            // Somebody released it after the figures were read.
            let isReleased = try db.exists(
                "SELECT 1 FROM guardrail_override WHERE kind = :kind AND name = :name AND workspace_id = :workspace AND at >= :now",
                key + ["now": now.milliseconds])
            guard !isReleased else { return nil }
            try db.run(
                """
                INSERT INTO sending_pause (kind, name, workspace_id, since, renewed_at, until, failure_class, reason, renewals, finding_id,
                    is_open_ended)
                VALUES (:kind, :name, :workspace, :now, :now, :until, :class, :reason, 0, :finding, :open)
                """, key + values)
        }
        return try db.record(SQLiteStore.openPauseSQL, key).map(SendingPause.init)
    }

    fileprivate func lengthen(_ subject: SendingPause.Subject, at now: Timestamp, by duration: Duration) throws {
        try db.run(
            """
            UPDATE sending_pause SET renewed_at = :now, until = :until
            WHERE kind = :kind AND name = :name AND workspace_id = :workspace AND ended_at IS NULL
            """, subject.rowKey + ["now": now.milliseconds, "until": (now + duration).milliseconds])
    }
}

extension GuardrailOverride {
    fileprivate init(_ record: Record) throws {
        guard let subject = try SendingPause.Subject(record) else {
            throw StoreError(code: .unusable, message: "what a person released cannot be read; run 'postrider db check'")
        }
        let counts: [String: Int] = try record.json("counted")
        var counted = Tally()
        for count in Tally.Count.allCases { counted[count] = counts[count.rawValue] ?? 0 }
        self.init(
            subject: subject, reason: try record.text("reason"), at: try record.moment("at"), until: record.momentOrNil("until"),
            counted: counted)
    }
}

extension GuardrailFinding {
    fileprivate init(_ record: Record) throws {
        guard let subject = try SendingPause.Subject(record) else {
            throw StoreError(code: .unusable, message: "what a guardrail found cannot be read; run 'postrider db check'")
        }
        let rule = GuardrailRule(
            name: try record.text("rule"), origin: try record.text("origin"), metric: try record.word("metric"),
            comparison: try record.word("comparison"), threshold: try record.real("threshold"),
            minimumSends: try record.count("minimum_sends"), days: try record.count("days"), scopes: [], action: try record.word("action"),
            lasts: nil)
        self.init(
            subject: subject, rule: rule, rate: SampledRate(try record.count("count"), of: try record.count("sample")),
            verdict: try record.word("verdict"), at: try record.moment("at"))
    }
}
