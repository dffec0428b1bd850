import GRDB
import InternetMessage
import Outreach

/// The open transaction of one store method: the writes that several methods have in common.
struct Ledger {
    let db: Database
    let ids: RecordIDs

    /// Writes a consequence; false, and nothing is written, when it was decided on an enrollment that has moved since.
    func applyIfCurrent(_ consequence: Consequence) throws -> Bool {
        if let transition = consequence.transition, try !applyIfCurrent(transition) { return false }
        try applyRest(of: [consequence])
        return true
    }

    /// Whether the consequence was decided on the enrollment as it stands.
    func isCurrent(_ consequence: Consequence) throws -> Bool {
        guard let transition = consequence.transition else { return true }
        return try db.exists(
            "SELECT 1 FROM enrollment WHERE id = :id AND version = :version",
            ["id": transition.enrollment.rawValue, "version": transition.expectedVersion])
    }

    /// Writes all of a consequence that `isCurrent`.
    func apply(_ consequence: Consequence) throws { try apply([consequence]) }

    /// Writes all of several consequences that are each `isCurrent`, on different enrollments.
    func apply(_ consequences: [Consequence]) throws {
        // A suppression may stop the enrollment that another transition is about: that one was decided first.
        for consequence in consequences { if let transition = consequence.transition { try apply(transition) } }
        try applyRest(of: consequences)
    }

    /// Writes what consequences say beside their transitions, which are written.
    func applyRest(of consequences: [Consequence]) throws {
        // Whoever answers in the same moment is decided on their own answer.
        for consequence in consequences { for stop in consequence.companies { try add(stop) } }
        for consequence in consequences { for change in consequence.fields { try apply(change) } }
        for consequence in consequences { for change in consequence.groups { try apply(change) } }
        for consequence in consequences { for call in consequence.calls { try queue(call) } }
        for consequence in consequences {
            for enrollment in consequence.enrollments { try begin(enrollment, by: consequence.transition?.enrollment) }
        }
        for consequence in consequences {
            for suppression in consequence.suppressions { try add(suppression, sparing: consequence.spared) }
        }
        for consequence in consequences { for event in consequence.timeline { try append(event) } }
        for consequence in consequences { for strike in consequence.strikes { try add(strike, sparing: consequence.spared) } }
    }

    /// Moves the enrollment, keeps the transition, and cancels queued mail where the new state does not want it.
    func apply(_ transition: Transition) throws {
        guard try applyIfCurrent(transition) else {
            throw StoreError(code: .constraint, message: "a stale transition was about to be applied")
        }
    }

    /// The same; false, and nothing is written, when it was decided on an enrollment that has moved since.
    func applyIfCurrent(_ transition: Transition) throws -> Bool {
        guard try move(transition) else { return false }
        try cancelUnwantedMail(transition)
        return true
    }

    /// Moves the enrollment and keeps the transition; false, and nothing is written, when the enrollment has moved since.
    func move(_ transition: Transition) throws -> Bool {
        let changed = try db.run(
            """
            UPDATE enrollment
            SET state = :state, cause = :cause, reason = :reason, next_step = :next_step, due_at = :due_at, done_at = :done_at,
                version_id = COALESCE(:moves_to, version_id), held_by = NULL, lease_owner = NULL, lease_until = NULL, version = version + 1
            WHERE id = :id AND version = :version
            """,
            [
                "id": transition.enrollment.rawValue, "version": transition.expectedVersion, "state": transition.state.rawValue,
                "cause": transition.cause?.rawValue, "reason": transition.reason.storable, "next_step": transition.nextStep,
                "due_at": transition.dueAt?.milliseconds, "done_at": transition.doneAt?.milliseconds,
                "moves_to": transition.movesTo?.rawValue,
            ])
        guard changed == 1 else { return false }
        try db.run(
            """
            INSERT INTO transition_log (enrollment_id, version, at, state, cause, reason, next_step, due_at, done_at)
            VALUES (:id, :version, :at, :state, :cause, :reason, :next_step, :due_at, :done_at)
            """,
            [
                "id": transition.enrollment.rawValue, "version": transition.expectedVersion + 1, "at": transition.at.milliseconds,
                "state": transition.state.rawValue, "cause": transition.cause?.rawValue, "reason": transition.reason.storable,
                "next_step": transition.nextStep, "due_at": transition.dueAt?.milliseconds, "done_at": transition.doneAt?.milliseconds,
            ])
        return true
    }

    /// Cancels queued mail where the new state does not want it.
    func cancelUnwantedMail(_ transition: Transition) throws {
        if transition.cancelsQueuedMail { try cancelMail(of: transition.enrollment, because: transition.reason, at: transition.at) }
    }

    /// Appends an event; an id that another process took meanwhile is replaced by the next free one.
    func append(_ event: TimelineEvent) throws {
        let sql = """
            INSERT INTO timeline (id, at, kind, contact_id, enrollment_id, outbox_id, intake_id, summary, facts)
            VALUES (:id, :at, :kind, :contact, :enrollment, :outbox, :intake, :summary, :facts)
            ON CONFLICT (id) DO NOTHING
            """
        let facts = event.facts.isEmpty ? nil : jsonText(event.facts)
        func insert(_ id: Int64) throws -> Bool {
            try db.run(
                sql,
                [
                    "id": id, "at": event.at.milliseconds, "kind": event.kind.rawValue, "contact": event.contact?.rawValue,
                    "enrollment": event.enrollment?.rawValue, "outbox": event.outbox?.rawValue, "intake": event.intake?.rawValue,
                    "summary": event.summary.storable, "facts": facts,
                ]) == 1
        }
        if try insert(event.id.rawValue) == false { _ = try insert(try nextFreeID(in: "SELECT MAX(id) + 1 AS id FROM timeline")) }
    }

    /// The id that the statement computes.
    func nextFreeID(in sql: String) throws -> Int64 { try db.record(sql)?.integer("id") ?? 1 }

    /// The reason of the global STOP; nil when mail may leave.
    func stopReason() throws -> String? { try db.record("SELECT stop_reason FROM installation")?.textOrNil("stop_reason") }
}
