import InternetMessage
import Outreach

/// What a contact has beside its own row.
struct ContactTies {
    /// Tags and lists.
    var groups: [ContactGroup.Name] = []
    /// Further addresses.
    var addresses: [EmailAddress] = []
}

/// The JSON forms of records, the same in every command.
extension OpenState {
    func json(_ contact: Contact, _ ties: ContactTies) -> JSONValue {
        [
            "id": .id(contact.id), "address": .string(contact.address.text), "further_addresses": .texts(ties.addresses.map(\.text)),
            "name": .text(contact.displayName),
            "time_zone": .text(contact.timeZone), "consent_source": .text(contact.consent.source),
            "consent_date": .text(contact.consent.date),
            "fields": .texts(contact.fields), "tags": .texts(ties.groups.texts(.tag)),
            "lists": .texts(ties.groups.texts(.list)), "created_at": .moment(contact.createdAt),
        ]
    }

    func json(_ count: ContactGroup.Count) -> JSONValue {
        [
            "name": .string(count.group.name.text), "contacts": .count(count.members), "description": .string(count.group.description),
            "created_at": .moment(count.group.createdAt),
        ]
    }

    func json(_ enrollment: Enrollment, of version: SequenceVersion?) -> JSONValue {
        [
            "id": .id(enrollment.id), "sequence": .text(version?.plan.name), "version": .text(version?.hash),
            "contact": .id(enrollment.contact), "identity": .string(enrollment.identity), "state": .string(enrollment.state.rawValue),
            "cause": .text(enrollment.cause?.rawValue), "reason": .string(enrollment.reason), "next_step": .count(enrollment.nextStep),
            "step": .text(version?.plan.stepName(enrollment.nextStep)), "step_done_at": .moment(enrollment.doneAt),
            "steps": .count(version?.plan.steps.count), "due_at": .moment(enrollment.dueAt), "held_by": .text(enrollment.heldBy),
            "created_at": .moment(enrollment.createdAt),
        ]
    }

    func json(_ event: TimelineEvent) -> JSONValue {
        [
            "id": .id(event.id), "at": .moment(event.at), "kind": .string(event.kind.rawValue), "summary": .string(event.summary),
            "enrollment": .id(event.enrollment), "message": .id(event.outbox), "reply": .id(event.intake), "facts": .texts(event.facts),
        ]
    }

    /// - Parameters:
    ///   - withBody: with what is handed over.
    ///   - heldBy: what keeps it from being made beside its own time.
    func json(_ call: WebhookCall, withBody: Bool, heldBy: String? = nil) -> JSONValue {
        let facts: [(key: String, value: JSONValue)] = [
            (key: "id", value: .id(call.id)), (key: "webhook", value: .string(call.webhook)),
            (key: "state", value: .string(call.state.rawValue)),
            (key: "step", value: .string(call.step)), (key: "enrollment", value: .id(call.enrollment)),
            (key: "contact", value: .id(call.contact)),
            (key: "attempts", value: .count(call.attempts)), (key: "status", value: .count(call.lastStatus)),
            (key: "reason", value: .text(call.reason)), (key: "created_at", value: .moment(call.createdAt)),
            (key: "next_attempt_at", value: .moment(call.nextAttemptAt)), (key: "ended_at", value: .moment(call.endedAt)),
            (key: "held_by", value: .text(heldBy)), (key: "workspace", value: .string(name(of: call.workspace))),
        ]
        return .object(withBody ? facts + [(key: "content", value: .text(call.body))] : facts)
    }

    func json(_ suppression: Suppression) -> JSONValue {
        [
            "id": .id(suppression.id), "scope": .string(suppression.scope), "kind": .string(suppression.subject.kind),
            "subject": .string(suppression.subject.text),
            "reason": .string(suppression.reason.rawValue), "source": .string(suppression.source.rawValue),
            "note": .string(suppression.note), "at": .moment(suppression.at), "expires_at": .moment(suppression.expiresAt),
        ]
    }

    /// The JSON of every enrollment of a contact, newest first.
    func enrollments(of contact: Contact.ID) async throws -> [JSONValue] {
        var found: [JSONValue] = []
        for enrollment in try await store.enrollments(contact: contact) {
            found.append(json(enrollment, of: try await store.sequence(id: enrollment.sequence)))
        }
        return found
    }

    /// The timeline for people, under a heading.
    func writeTimeline(_ events: [TimelineEvent]) {
        Console.out("")
        if events.isEmpty { return Console.out("Nothing has happened yet.") }
        var table = Table([.init("AT"), .init("WHAT"), .init("SUMMARY")])
        for event in events { table.add([event.at.iso8601, event.kind.rawValue, event.summary]) }
        table.write()
    }
}
