import GRDB
package import InternetMessage
package import Outreach

extension SQLiteStore: StatisticsStore {
    package func countEvents(before: Timestamp?, limit: Int) async throws(StoreError) -> Int {
        let end = before.map(RecordIDSource.first(at:)) ?? .max
        // Mostly there is nothing, and then nobody waits for the disk.
        guard try await read({ try $0.hasUncounted(before: end) }) else { return 0 }
        return try await write { ledger in
            let late = try ledger.db.records(
                "DELETE FROM rollup_late WHERE timeline_id IN (SELECT timeline_id FROM rollup_late LIMIT :limit) RETURNING timeline_id",
                ["limit": max(0, limit)]
            ).map { try $0.integer("timeline_id") }
            var events: [Record] = []
            if !late.isEmpty { events = try ledger.db.records(Self.lateSQL, ["ids": jsonText(late)]) }
            let next = try ledger.db.record(Self.nextSQL, ["end": end, "limit": max(0, limit - late.count)])
            if let last = next?.integerOrNil("last") {
                events += try ledger.db.records(Self.uncountedSQL, ["last": last])
                try ledger.db.run("UPDATE rollup_mark SET timeline_id = :id", ["id": last])
            }
            var counter = EventCounter(ledger, settledHour: try ledger.settledHour()) { try ledger.kept($0) }
            try counter.count(events)
            try ledger.add(counter)
            return late.count + (try next?.count("events") ?? 0)
        }
    }

    package func statistics(workspace: WorkspaceID, sequenceName: String?, by split: StatisticsSplit, since: CivilDate?)
        async throws(StoreError) -> [StatisticsPart]
    {
        try await read { ledger in
            var sequence: Int64 = 0
            if let sequenceName {
                guard let found = try ledger.sequenceID(workspace: workspace, name: sequenceName) else { return [] }
                sequence = found
            }
            let columns = Tally.Count.allCases.map { "SUM(\($0.rawValue)) AS \($0.rawValue)" }.joined(separator: ", ")
            let group = split == .day ? "day" : "value"
            return try ledger.db.records(
                """
                SELECT \(group) AS part, \(columns) FROM rollup_day
                WHERE workspace_id = :workspace AND sequence_id = :sequence AND dimension = :dimension AND day >= :since
                GROUP BY \(group) ORDER BY \(group)
                """,
                [
                    "workspace": workspace.rawValue, "sequence": sequence,
                    "dimension": (split == .day ? StatisticsSplit.all : split).rawValue,
                    "since": since.map { Int64($0.daysSinceEpoch) } ?? .min,
                ]
            ).map { record in
                StatisticsPart(value: try StatisticsPart.Value(record, of: split), tally: try Tally(record))
            }
        }
    }

    package func enrollmentCounts(workspace: WorkspaceID, sequenceName: String?) async throws(StoreError) -> [EnrollmentCount] {
        try await read { ledger in
            var sequence: Int64?
            if let sequenceName {
                sequence = try ledger.sequenceID(workspace: workspace, name: sequenceName)
                if sequence == nil { return [] }
            }
            return try ledger.db.records(
                """
                SELECT state, cause, SUM(enrollments) AS enrollments FROM rollup_state
                WHERE workspace_id = :workspace AND (:sequence IS NULL OR sequence_id = :sequence)
                GROUP BY state, cause HAVING SUM(enrollments) <> 0 ORDER BY state, cause
                """, ["workspace": workspace.rawValue, "sequence": sequence]
            ).map { record in
                EnrollmentCount(
                    state: try record.word("state"), cause: try record.text("cause").utf8.isEmpty ? nil : try record.word("cause"),
                    count: try record.count("enrollments"))
            }
        }
    }

    package func statistics(contact: Contact.ID) async throws(StoreError) -> [(hour: Int64, tally: Tally)] {
        try await read { ledger in
            try ledger.db.records(
                "SELECT * FROM rollup_contact_hour WHERE contact_id = :contact ORDER BY hour", ["contact": contact.rawValue]
            ).map { (hour: try $0.integer("hour"), tally: try Tally($0)) }
        }
    }

    private static let countedColumns =
        "outbox.step, outbox.identity, outbox.variant, outbox.version_id, outbox.provider, outbox.recipient_domain"

    private static let eventColumns = """
        SELECT timeline.id, timeline.at, timeline.kind, timeline.contact_id, timeline.enrollment_id, timeline.outbox_id,
            timeline.intake_id, CASE WHEN timeline.kind = 'rejected' THEN json_extract(timeline.facts, '$.class')
                WHEN timeline.kind IN ('opened', 'clicked') THEN json_extract(timeline.facts, '$.counts_as') END AS word,
            \(countedColumns), enrollment.workspace_id, enrollment.sequence_id
        FROM timeline LEFT JOIN outbox ON outbox.id = timeline.outbox_id LEFT JOIN enrollment ON enrollment.id = timeline.enrollment_id
        """

    /// What counts at all; transitions, most of what a timeline tells, do not.
    private static let countable = """
        (timeline.intake_id IS NOT NULL
            OR timeline.kind IN ('queued', 'accepted', 'deferred', 'rejected', 'cancelled', 'expired', 'unsubscribed', 'opened', 'clicked'))
        """

    /// How many events come next, and the last of them.
    static let nextSQL = """
        SELECT COUNT(*) AS events, MAX(id) AS last FROM (
            SELECT id FROM timeline WHERE id > (SELECT timeline_id FROM rollup_mark WHERE one = 1) AND id < :end ORDER BY id LIMIT :limit)
        """

    static let uncountedSQL = """
        \(eventColumns)
        WHERE timeline.id > (SELECT timeline_id FROM rollup_mark WHERE one = 1) AND timeline.id <= :last AND \(countable)
        ORDER BY timeline.id
        """

    static let lateSQL = "\(eventColumns) WHERE timeline.id IN (SELECT value FROM json_each(:ids)) AND \(countable)"

    static let everySQL = "\(eventColumns) WHERE timeline.id > :after AND \(countable) ORDER BY timeline.id LIMIT :limit"

    static let countedMessageSQL = "SELECT \(countedColumns) FROM outbox WHERE id = :id"

    static let answersSQL = """
        SELECT at, kind, outbox_id, intake_id, json_extract(facts, '$.class') AS word, json_extract(facts, '$.certainty') AS certainty,
            json_extract(facts, '$.duplicate_of') IS NOT NULL OR json_extract(facts, '$.own') IS NOT NULL AS counts_not
        FROM timeline INDEXED BY timeline_contact
        WHERE contact_id = :contact AND enrollment_id = :enrollment AND (intake_id IS NOT NULL OR kind = 'unsubscribed')
        ORDER BY id
        """
}

extension Ledger {
    /// The hour up to which events may have been dropped; before all time when none were.
    func settledHour() throws -> Int64 {
        let end = try db.record("SELECT timeline_id FROM timeline_end")?.integer("timeline_id") ?? 0
        return end == 0 ? .min : AnswerTally.hour(of: RecordIDSource.moment(of: end))
    }

    func hasUncounted(before end: Int64) throws -> Bool {
        try db.exists(
            """
            SELECT 1 FROM timeline WHERE id > (SELECT timeline_id FROM rollup_mark WHERE one = 1) AND id < :end
            UNION ALL SELECT 1 FROM rollup_late LIMIT 1
            """, ["end": end])
    }

    fileprivate func sequenceID(workspace: WorkspaceID, name: String) throws -> Int64? {
        try db.record(
            "SELECT id FROM sequence WHERE workspace_id = :workspace AND name = :name", ["workspace": workspace.rawValue, "name": name])?
            .integer("id")
    }

    func kept(_ enrollment: Int64) throws -> EventCounter.Kept? {
        try db.record("SELECT * FROM tally WHERE enrollment_id = :id", ["id": enrollment]).map(EventCounter.Kept.init)
    }

    /// Adds what was counted to the rollups.
    fileprivate func add(_ counter: EventCounter) throws {
        for (row, tally) in counter.dayRows where !tally.isZero {
            try db.run(
                Self.addDaySQL,
                Self.arguments(
                    tally,
                    [
                        "workspace": row.workspace, "sequence": row.sequence, "dimension": row.dimension, "day": row.day,
                        "value": row.value,
                    ]))
        }
        for (row, tally) in counter.hours where !tally.isZero {
            try db.run(Self.addHourSQL, Self.arguments(tally, ["contact": row.contact, "hour": row.hour]))
        }
        for enrollment in counter.changed {
            guard let kept = counter.kept[enrollment] else { continue }
            try db.run(
                """
                INSERT INTO tally (enrollment_id, contacted_event, contacted_hour, contacted_outbox, answers)
                VALUES (:enrollment, :event, :hour, :outbox, :answers)
                ON CONFLICT (enrollment_id) DO UPDATE
                SET contacted_event = excluded.contacted_event, contacted_hour = excluded.contacted_hour,
                    contacted_outbox = excluded.contacted_outbox, answers = excluded.answers
                """,
                [
                    "enrollment": enrollment, "event": kept.contacted?.event, "hour": kept.contacted?.hour,
                    "outbox": kept.contacted?.outbox,
                    "answers": kept.answers.isEmpty ? nil : jsonText(kept.answers),
                ])
        }
    }

    private static let names = Tally.Count.allCases.map(\.rawValue)
    private static let addition = names.map { "\($0) = \($0) + excluded.\($0)" }.joined(separator: ", ")

    private static let addDaySQL = """
        INSERT INTO rollup_day (workspace_id, sequence_id, dimension, day, value, \(names.joined(separator: ", ")))
        VALUES (:workspace, :sequence, :dimension, :day, :value, \(names.map { ":\($0)" }.joined(separator: ", ")))
        ON CONFLICT (workspace_id, sequence_id, dimension, day, value) DO UPDATE SET \(addition)
        """

    private static let addHourSQL = """
        INSERT INTO rollup_contact_hour (contact_id, hour, \(names.joined(separator: ", ")))
        VALUES (:contact, :hour, \(names.map { ":\($0)" }.joined(separator: ", ")))
        ON CONFLICT (contact_id, hour) DO UPDATE SET \(addition)
        """

    private static func arguments(_ tally: Tally, _ key: Arguments) -> Arguments {
        key + Arguments(pairs: Tally.Count.allCases.map { (name: $0.rawValue, value: Int64(tally[$0])) })
    }
}
