package import InternetMessage

/// What follows from decisions that nobody outside caused: a step queued, an enrollment parked or changed by a person.
package enum OutboxConsequence {
    /// The consequence of putting a step's message into the outbox.
    package static func queued(_ message: OutboxMessage, machine: SequenceMachine, ids: RecordIDs, at now: Timestamp) -> Consequence {
        var writer = TimelineWriter(ids: ids, at: now, contact: message.contact, enrollment: message.enrollment)
        writer.outbox = message.id
        let transition = machine.advance(on: .queued, at: now)
        let step = machine.plan.steps.indices.contains(message.step) ? machine.plan.steps[message.step].name : "\(message.step + 1)"
        var facts = [
            "step": "\(message.step)", "message_id": message.messageID.text, "identity": message.identity, "route": message.route,
        ]
        // What it waited for at last, which is gone from the enrollment with the transition.
        facts["held_by"] = machine.enrollment.heldBy
        let events = [
            writer.event(.queued, "step \(step): \(message.subject)", facts),
            writer.event(of: transition, from: machine.enrollment.state),
        ]
        return Consequence(transition: transition, timeline: events.compactMap { $0 })
    }

    /// The consequence of a decision about a step that is no message.
    ///
    /// - Parameters:
    ///   - versions: the latest of each sequence that it begins.
    ///   - call: what it hands over to another system; nil: nothing.
    package static func decided(
        _ transition: Transition, _ actions: [SequencePlan.Action], of due: DueEnrollment, machine: SequenceMachine,
        versions: [String: SequenceVersion], call: WebhookCall? = nil, ids: RecordIDs, at now: Timestamp
    ) -> Consequence {
        let enrollment = due.enrollment
        let writer = TimelineWriter(ids: ids, at: now, contact: enrollment.contact, enrollment: enrollment.id)
        var consequence = Consequence(transition: transition, calls: call.map { [$0] } ?? [])
        consequence.timeline = [writer.event(of: transition, from: enrollment.state)].compactMap { $0 }
        for action in actions {
            switch action {
            case .set(let field, let value):
                consequence.fields.append(.init(contact: enrollment.contact, name: field, value: value))
            case .assign(let owners):
                consequence.fields += owners.prefix(1).map {
                    .init(contact: enrollment.contact, name: SequencePlan.Action.ownerField, value: $0)
                }
            case .join(let group):
                consequence.groups.append(.init(contact: enrollment.contact, name: group, isMember: true, at: now))
            case .leave(let group):
                consequence.groups.append(.init(contact: enrollment.contact, name: group, isMember: false, at: now))
            case .suppress:
                consequence.suppressions.append(
                    Suppression(
                        id: ids.next(), workspace: enrollment.workspace, subject: .init(due.contact.address), reason: .manual,
                        source: .manual, note: "sequence \(due.sequence.plan.name)", at: now))
                consequence.timeline.append(writer.event(.suppressed, "manual (sequence \(due.sequence.plan.name))"))
            case .enroll(let name):
                guard let version = versions[name] else { continue }
                let entry = version.plan.entry(at: now, in: machine.zone, holidays: machine.holidays)
                consequence.enrollments.append(
                    Enrollment(
                        id: ids.next(), workspace: enrollment.workspace, contact: enrollment.contact, sequence: version.id,
                        identity: enrollment.identity, state: .active, cause: nil,
                        reason: "enrolled by the sequence \(due.sequence.plan.name)", nextStep: entry.step, dueAt: entry.dueAt, heldBy: nil,
                        version: 0, createdAt: now, doneAt: entry.doneAt))
            }
        }
        return consequence
    }

    /// A transition that was decided elsewhere, with its event, by which it is counted.
    package static func carried(_ transition: Transition, of enrollment: Enrollment, ids: RecordIDs) -> Consequence {
        let writer = TimelineWriter(ids: ids, at: transition.at, contact: enrollment.contact, enrollment: enrollment.id)
        return Consequence(transition: transition, timeline: [writer.event(of: transition, from: enrollment.state)].compactMap { $0 })
    }

    /// The consequence of an event that concerns only the enrollment.
    package static func changed(_ machine: SequenceMachine, _ event: SequenceEvent, ids: RecordIDs, at now: Timestamp) -> Consequence {
        let writer = TimelineWriter(ids: ids, at: now, contact: machine.enrollment.contact, enrollment: machine.enrollment.id)
        let transition = machine.advance(on: event, at: now)
        return Consequence(
            transition: transition, timeline: [writer.event(of: transition, from: machine.enrollment.state)].compactMap { $0 })
    }
}
