import GRDB
import InternetMessage
import Outreach

/// What steps of a plan look at and do beside sending.
extension Ledger {
    func history(of enrollment: Enrollment, withTouches: Bool) throws -> SequenceHistory {
        let whose: Arguments = ["contact": enrollment.contact.rawValue, "enrollment": enrollment.id.rawValue]
        let replies = try db.records(Self.repliesSQL, whose).map { record -> SequenceHistory.Entry? in
            let replyClass: ReplyClass = try record.word("class")
            let at = try record.moment("sorted_at")
            guard replyClass == .bounce else { return .init(.reply(replyClass, intent: record.textOrNil("intent")), at: at) }
            let permanent = try (record.json("bounces") as [StoredBounce]).map(\.bounce).first(where: \.permanent)
            return permanent.map { .init(.bounce(failureClass: $0.failureClass), at: at) }
        }
        let refusals = try db.records(Self.refusalsSQL, whose).map { record in
            SequenceHistory.Entry(.bounce(failureClass: record.textOrNil("class")), at: try record.moment("at"))
        }
        guard withTouches else { return SequenceHistory(replies.compactMap { $0 } + refusals) }
        let touches = try db.records(Self.touchesSQL, ["enrollment": enrollment.id.rawValue]).map { record in
            let step = try record.count("step")
            return SequenceHistory.Entry(
                try record.integer("link_id") == 0 ? .open(step: step) : .click(step: step), at: try record.moment("human_at"))
        }
        return SequenceHistory(replies.compactMap { $0 } + refusals + touches)
    }

    static let repliesSQL = """
        SELECT sorted_at, COALESCE(label, effective_class) AS class, intent, bounces, return_day FROM reply
        WHERE contact_id = :contact AND enrollment_id = :enrollment AND certainty IN ('medium', 'high') AND duplicate_of IS NULL AND is_own = 0
        ORDER BY sorted_at
        """

    static let refusalsSQL = """
        SELECT at, CASE kind WHEN 'expired' THEN 'expired' ELSE facts ->> 'class' END AS class FROM timeline
        WHERE contact_id = :contact AND enrollment_id = :enrollment AND kind IN ('rejected', 'expired')
        ORDER BY id
        """

    /// Gives a field of a contact a value, or takes it with an empty one; false when nothing changed. One that was erased stays empty.
    @discardableResult func apply(_ change: Consequence.FieldChange) throws -> Bool {
        let contact = try db.record(
            "SELECT * FROM contact WHERE id = :id AND erased_at IS NULL", ["id": change.contact.rawValue]
        ).map(Contact.init)
        guard var fields = contact?.fields else { return false }
        let value = change.value.utf8.isEmpty ? nil : change.value
        guard fields[change.name].map({ Array($0.utf8) }) != value.map({ Array($0.utf8) }) else { return false }
        fields[change.name] = value
        try db.run("UPDATE contact SET fields = :fields WHERE id = :id", ["fields": jsonText(fields), "id": change.contact.rawValue])
        return true
    }

    /// Gives a contact a tag or list, or takes it; one that was erased has none.
    func apply(_ change: ContactGroup.Change) throws {
        var known = KnownGroups()
        _ = try apply(change, known: &known)
    }

    /// Begins a sequence for a contact, where it may be enrolled, and notes it.
    ///
    /// One that the contact came from by such steps is not begun again, and that is noted: sequences that begin each other would never end.
    ///
    /// - Parameter beginner: whose step begins it; nil: no step does.
    func begin(_ enrollment: Enrollment, by beginner: Enrollment.ID?) throws {
        if let beginner, let name = try sequenceBehind(beginner, of: enrollment.contact, sameAs: enrollment.sequence) {
            return try append(
                TimelineEvent(
                    id: ids.next(), at: enrollment.createdAt, kind: .transition, contact: enrollment.contact, enrollment: beginner,
                    summary: "does not begin the sequence '\(name)' again, from which it came here; only a person can enroll it there anew")
            )
        }
        guard try enroll(enrollment, again: true) == .enrolled(enrollment.id) else { return }
        var facts = ["identity": enrollment.identity]
        facts[Self.beginnerFact] = beginner?.description
        try append(
            TimelineEvent(
                id: ids.next(), at: enrollment.createdAt, kind: .enrolled, contact: enrollment.contact, enrollment: enrollment.id,
                summary: enrollment.reason, facts: facts))
    }

    /// Which enrollment's step began another one, as its event keeps it.
    private static let beginnerFact = "begun_by"

    /// The name of the sequence of a version when an enrollment is in it, or one of those is whose steps led to the enrollment.
    private func sequenceBehind(_ enrollment: Enrollment.ID, of contact: Contact.ID, sameAs version: SequenceVersion.ID) throws -> String? {
        var next: Enrollment.ID? = enrollment
        var seen: Set<Enrollment.ID> = []
        while let id = next, seen.insert(id).inserted {
            let found = try db.record(Self.sameSequenceSQL, ["id": id.rawValue, "version": version.rawValue])
            if let found { return try found.text("name") }
            let facts = ["contact": contact.rawValue, "enrollment": id.rawValue] as Arguments
            next = try db.record(Self.beginnerSQL, facts)?.textOrNil("begun_by").flatMap { Enrollment.ID($0) }
        }
        return nil
    }

    static let sameSequenceSQL = """
        SELECT sequence.name AS name FROM enrollment JOIN sequence ON sequence.id = enrollment.sequence_id
        WHERE enrollment.id = :id AND sequence.id = (SELECT sequence_id FROM sequence_version WHERE id = :version)
        """

    static let beginnerSQL = """
        SELECT facts ->> '\(beginnerFact)' AS begun_by FROM timeline
        WHERE contact_id = :contact AND enrollment_id = :enrollment AND kind = 'enrolled'
        """
}
