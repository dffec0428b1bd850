import GRDB
package import InternetMessage
package import Outreach
import Synchronization

extension SQLiteStore {
    package func enroll(_ enrollments: [Enrollment], timeline: [TimelineEvent], again: Bool) async throws(StoreError) -> [EnrollVerdict] {
        try await write { ledger in
            let events = Dictionary(grouping: timeline.filter { $0.enrollment != nil }) { $0.enrollment }
            return try enrollments.map { enrollment in
                let verdict = try ledger.enroll(enrollment, again: again)
                if verdict == .enrolled(enrollment.id) { for event in events[enrollment.id] ?? [] { try ledger.append(event) } }
                return verdict
            }
        }
    }

    package func enrollment(id: Enrollment.ID) async throws(StoreError) -> Enrollment? {
        try await read { try $0.enrollment(id) }
    }

    package func transitions(of enrollment: Enrollment.ID) async throws(StoreError) -> [Transition] {
        try await read { ledger in
            try ledger.db.records("SELECT * FROM transition_log WHERE enrollment_id = :id ORDER BY version", ["id": enrollment.rawValue])
                .map(Transition.init)
        }
    }

    package func enrollments(contact: Contact.ID) async throws(StoreError) -> [Enrollment] {
        try await read { ledger in
            try ledger.db.records("SELECT * FROM enrollment WHERE contact_id = :contact ORDER BY id DESC", ["contact": contact.rawValue])
                .map(Enrollment.init)
        }
    }

    package func enrollments(workspace: WorkspaceID, sequenceName: String, after: Enrollment.ID?, limit: Int) async throws(StoreError)
        -> [Enrollment]
    {
        try await read { ledger in
            try ledger.db.records(
                """
                SELECT * FROM enrollment
                WHERE sequence_id = (SELECT id FROM sequence WHERE workspace_id = :workspace AND name = :name) AND id > :after
                ORDER BY id LIMIT :limit
                """,
                ["workspace": workspace.rawValue, "name": sequenceName, "after": after?.rawValue ?? 0, "limit": max(0, limit)]
            ).map(Enrollment.init)
        }
    }

    package func lastEnrollment(workspace: WorkspaceID, sequenceName: String) async throws(StoreError) -> Enrollment.ID? {
        try await read { ledger in
            try ledger.db.record(
                """
                SELECT MAX(id) AS id FROM enrollment
                WHERE sequence_id = (SELECT id FROM sequence WHERE workspace_id = :workspace AND name = :name)
                """, ["workspace": workspace.rawValue, "name": sequenceName]
            )?.idOrNil("id")
        }
    }

    package func claimDue(now: Timestamp, limit: Int, lease: Lease) async throws(StoreError) -> [DueEnrollment] {
        let claimed: [Record] = try await write { ledger in
            guard try ledger.stopReason() == nil else { return [] }
            return try ledger.db.records(
                Self.claimDueSQL,
                ["owner": lease.owner, "until": lease.until.milliseconds, "now": now.milliseconds, "limit": max(0, limit)])
        }
        guard !claimed.isEmpty else { return [] }
        // Beside the writer: an enrollment that changes meanwhile raises its version, and what is decided on the old one is not stored. A
        // contact may change between being read and being decided on, as within one transaction it could between that and the message.
        let due = try await read { ledger in
            var versions = self.versions.withLock { $0.count < Self.mostVersions ? $0 : [:] }
            defer { self.versions.withLock { $0 = versions } }
            return try ledger.due(claimed.map(Enrollment.init), &versions)
        }
        // The statement returns them in no order.
        return due.sorted { a, b in
            let (first, second) = (a.enrollment, b.enrollment)
            return first.dueAt == second.dueAt ? first.id < second.id : (first.dueAt ?? now) < (second.dueAt ?? now)
        }
    }

    /// How many versions are remembered between claims.
    private static let mostVersions = 100

    static let claimDueSQL = """
        UPDATE enrollment SET lease_owner = :owner, lease_until = :until
        WHERE id IN (
            SELECT id FROM enrollment
            WHERE due_at <= :now AND (lease_until IS NULL OR lease_until <= :now)
            ORDER BY due_at LIMIT :limit)
        RETURNING *
        """

    package func releaseLeases(owner: String) async throws(StoreError) {
        try await write { ledger in
            try ledger.db.run(
                "UPDATE enrollment SET lease_owner = NULL, lease_until = NULL WHERE lease_owner = :owner", ["owner": owner])
            // A message whose dot was announced is not free: what became of it is unknown until it is recorded or recovered.
            try ledger.db.run(
                """
                UPDATE outbox
                SET state = CASE attempts WHEN 0 THEN 'incoming' ELSE 'deferred' END, lease_owner = NULL, lease_until = NULL
                WHERE state = 'active' AND lease_owner = :owner AND final_dot_at IS NULL
                """, ["owner": owner])
            try ledger.db.run(
                "UPDATE webhook_call SET lease_owner = NULL, lease_until = NULL WHERE state = 'queued' AND lease_owner = :owner",
                ["owner": owner])
            try ledger.db.run(
                "UPDATE intake SET lease_owner = NULL, lease_until = NULL WHERE state = 'received' AND lease_owner = :owner",
                ["owner": owner])
            return
        }
    }

    package func hasLeases() async throws(StoreError) -> Bool {
        try await read { ledger in
            try ledger.db.exists("SELECT 1 FROM enrollment WHERE lease_owner IS NOT NULL")
                || ledger.db.exists("SELECT 1 FROM outbox WHERE state = 'active'")
        }
    }

    package func nextDue() async throws(StoreError) -> Timestamp? {
        try await read { ledger in
            guard try ledger.stopReason() == nil else { return nil }
            return try ledger.db.record(
                """
                SELECT MIN(due) AS due FROM (
                    SELECT * FROM (
                        SELECT due_at AS due FROM enrollment WHERE due_at IS NOT NULL AND lease_owner IS NULL ORDER BY due_at LIMIT 1)
                    UNION ALL
                    SELECT MAX(due_at, lease_until) FROM enrollment WHERE lease_owner IS NOT NULL)
                """)?.momentOrNil("due")
        }
    }

    package func store(_ verdicts: [StepVerdict]) async throws(StoreError) -> [CommitResult] {
        try await write { ledger in
            let isStopped = try ledger.stopReason() != nil
            return try verdicts.map { verdict in
                switch verdict {
                case .queued(let message, let consequence, let rule):
                    isStopped ? .stale : try ledger.dispatch(message, with: consequence, under: rule)
                case .postponed(let enrollment, let version, let until, let why):
                    try ledger.postpone(enrollment, expectedVersion: version, until: until, heldBy: why)
                case .changed(let consequence):
                    try ledger.applyIfCurrent(consequence) ? .committed : .stale
                }
            }
        }
    }

    package func history(of enrollment: Enrollment, withTouches: Bool) async throws(StoreError) -> SequenceHistory {
        try await read { try $0.history(of: enrollment, withTouches: withTouches) }
    }

    package func absences(of enrollment: Enrollment) async throws(StoreError) -> [Absence] {
        try await read { ledger in
            try ledger.db.records(
                Ledger.repliesSQL, ["contact": enrollment.contact.rawValue, "enrollment": enrollment.id.rawValue]
            ).compactMap { record in
                let replyClass: ReplyClass = try record.word("class")
                return replyClass == .outOfOffice
                    ? Absence(at: try record.moment("sorted_at"), returnDate: record.dayOrNil("return_day")) : nil
            }
        }
    }

    package func reconsiderPostponed(now: Timestamp) async throws(StoreError) -> Int {
        try await write { try $0.reconsiderPostponed(now: now, heldBy: "", in: .instance) }
    }
}

extension Ledger {
    /// Makes steps due that were postponed for a reason that begins so; how many.
    ///
    /// - Parameter workspace: only those of this one; `.instance`: of all.
    func reconsiderPostponed(now: Timestamp, heldBy beginning: String, in workspace: WorkspaceID) throws -> Int {
        // The latest come due at `now` itself, each earlier one a millisecond before the next: their order stays.
        try db.run(
            """
            UPDATE enrollment
            SET due_at = :now - postponed.place, version = version + 1
            FROM (
                SELECT id, ROW_NUMBER() OVER (ORDER BY due_at DESC, id DESC) - 1 AS place
                FROM enrollment
                WHERE due_at > :now AND held_by IS NOT NULL AND state IN ('active', 'held') AND lease_owner IS NULL
                    AND substr(held_by, 1, length(:beginning)) = :beginning AND :workspace IN (0, workspace_id)) AS postponed
            WHERE enrollment.id = postponed.id
            """, ["now": now.milliseconds, "beginning": beginning.storable, "workspace": workspace.rawValue])
    }

    /// Enrollments with what is needed to decide on them.
    fileprivate func due(_ enrollments: [Enrollment], _ versions: inout [SequenceVersion.ID: SequenceVersion]) throws -> [DueEnrollment] {
        var contacts: [Contact.ID: Contact] = [:]
        let contactIDs: [Int64] = Set(enrollments.map(\.contact.rawValue)).sorted()
        for record in try db.records("SELECT * FROM contact WHERE id IN (SELECT value FROM json_each(:ids))", ["ids": jsonText(contactIDs)])
        {
            let contact = try Contact(record)
            contacts[contact.id] = contact
        }
        let earlier = try messages(of: enrollments.map(\.id))
        return try enrollments.map { enrollment in
            guard let contact = contacts[enrollment.contact],
                let version = try versions[enrollment.sequence] ?? sequence(enrollment.sequence)
            else { throw StoreError(code: .unusable, message: "an enrollment has no contact or no sequence; run 'postrider db check'") }
            versions[version.id] = version
            return DueEnrollment(enrollment: enrollment, contact: contact, sequence: version, earlier: earlier[enrollment.id] ?? [])
        }
    }

    func enrollment(_ id: Enrollment.ID) throws -> Enrollment? {
        try db.record("SELECT * FROM enrollment WHERE id = :id", ["id": id.rawValue]).map(Enrollment.init)
    }

    fileprivate func dispatch(_ message: OutboxMessage, with consequence: Consequence, under rule: FrequencyRule?) throws -> CommitResult {
        guard try !hasLiveMessage(of: message.enrollment, step: message.step) else { return .stale }
        if !message.isToOurs,
            let suppression = try suppression(workspace: message.workspace, address: message.recipient, now: message.createdAt)
        {
            // One that outlived it has come to a message.
            if let enrollment = try message.enrollment.flatMap({ try enrollment($0) }),
                enrollment.version == consequence.transition?.expectedVersion
            {
                try stop(enrollment, cause: .suppressed, because: "suppressed: \(suppression.reason.rawValue)", at: message.createdAt)
            }
            return .stale
        }
        if let transition = consequence.transition, let hold = try rule.flatMap({ try self.hold(message, under: $0) }) {
            let postponed = try postpone(
                transition.enrollment, expectedVersion: transition.expectedVersion, until: hold.until, heldBy: hold.heldBy)
            return postponed == .committed ? .held : .stale
        }
        // First the transition, so that it cannot cancel its own message; then the message, so that events can name it.
        if let transition = consequence.transition, try !applyIfCurrent(transition) { return .stale }
        try insert(message)
        try applyRest(of: [consequence])
        return .committed
    }

    fileprivate func postpone(_ enrollment: Enrollment.ID, expectedVersion: Int, until: Timestamp, heldBy: String) throws -> CommitResult {
        let changed = try db.run(
            """
            UPDATE enrollment
            SET due_at = :until, held_by = :held_by, lease_owner = NULL, lease_until = NULL, version = version + 1
            WHERE id = :id AND version = :version AND state IN ('active', 'held')
            """,
            ["id": enrollment.rawValue, "version": expectedVersion, "until": until.milliseconds, "held_by": heldBy.storable])
        return changed == 1 ? .committed : .stale
    }

    /// Whether the outbox has a message of that step that was not cancelled.
    fileprivate func hasLiveMessage(of enrollment: Enrollment.ID?, step: Int) throws -> Bool {
        guard let enrollment else { return false }
        return try db.exists(
            "SELECT 1 FROM outbox WHERE enrollment_id = :enrollment AND step = :step AND state <> 'cancelled'",
            ["enrollment": enrollment.rawValue, "step": step])
    }

    func enroll(_ enrollment: Enrollment, again: Bool) throws -> EnrollVerdict {
        let contact = try db.record(
            "SELECT * FROM contact WHERE id = :id AND workspace_id = :workspace AND erased_at IS NULL",
            ["id": enrollment.contact.rawValue, "workspace": enrollment.workspace.rawValue]
        ).map(Contact.init)
        guard let contact else { return .noSuchContact }
        if let suppression = try suppression(workspace: contact.workspace, address: contact.address, now: enrollment.createdAt) {
            return .suppressed(reason: suppression.reason.rawValue)
        }
        let version: Arguments = ["version": enrollment.sequence.rawValue, "workspace": enrollment.workspace.rawValue]
        guard
            let sequence = try db.record(
                """
                SELECT sequence.id AS id FROM sequence_version JOIN sequence ON sequence.id = sequence_version.sequence_id
                WHERE sequence_version.id = :version AND sequence.workspace_id = :workspace
                """, version)?.integer("id")
        else {
            throw StoreError(code: .constraint, message: "a contact was to be enrolled in a sequence that its workspace does not have")
        }
        // Whoever is on their way first, then the latest.
        let earlier = try db.record(
            """
            SELECT id, state, cause FROM enrollment WHERE contact_id = :contact AND sequence_id = :sequence
            ORDER BY state IN ('finished', 'stopped'), id DESC LIMIT 1
            """, ["contact": contact.id.rawValue, "sequence": sequence])
        if let earlier {
            let (id, state): (Enrollment.ID, Enrollment.State) = (try earlier.id("id"), try earlier.word("state"))
            if state != .finished, state != .stopped { return .alreadyEnrolled(id) }
            if !again { return .enrolledBefore(id, state, try earlier.wordOrNil("cause")) }
        }
        try db.run(
            """
            INSERT INTO enrollment (id, workspace_id, contact_id, sequence_id, version_id, identity, state, cause, reason, next_step, due_at,
                held_by, version, created_at, done_at)
            VALUES (:id, :workspace, :contact, :sequence, :version_id, :identity, :state, :cause, :reason, :next_step, :due_at,
                :held_by, :version, :created_at, :done_at)
            """,
            [
                "id": enrollment.id.rawValue, "workspace": enrollment.workspace.rawValue, "contact": enrollment.contact.rawValue,
                "sequence": sequence, "version_id": enrollment.sequence.rawValue, "identity": enrollment.identity,
                "state": enrollment.state.rawValue, "cause": enrollment.cause?.rawValue, "reason": enrollment.reason.storable,
                "next_step": enrollment.nextStep, "due_at": enrollment.dueAt?.milliseconds, "held_by": enrollment.heldBy?.storable,
                "version": enrollment.version, "created_at": enrollment.createdAt.milliseconds,
                "done_at": enrollment.doneAt?.milliseconds,
            ])
        return .enrolled(enrollment.id)
    }
}

extension Transition {
    /// As the log has it, which does not keep whether it withdrew a message or moved to another version.
    fileprivate init(_ record: Record) throws {
        self.init(
            enrollment: try record.id("enrollment_id"), expectedVersion: try record.count("version") - 1, at: try record.moment("at"),
            state: try record.word("state"), cause: try record.wordOrNil("cause"), reason: try record.text("reason"),
            nextStep: try record.count("next_step"), dueAt: record.momentOrNil("due_at"), doneAt: record.momentOrNil("done_at"))
    }
}

extension Enrollment {
    init(_ record: Record) throws {
        self.init(
            id: try record.id("id"), workspace: WorkspaceID(rawValue: try record.integer("workspace_id")),
            contact: try record.id("contact_id"),
            sequence: try record.id("version_id"), identity: try record.text("identity"), state: try record.word("state"),
            cause: try record.wordOrNil("cause"), reason: try record.text("reason"), nextStep: try record.count("next_step"),
            dueAt: record.momentOrNil("due_at"), heldBy: record.textOrNil("held_by"), version: try record.count("version"),
            createdAt: try record.moment("created_at"), doneAt: record.momentOrNil("done_at"))
    }
}
