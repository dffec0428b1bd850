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

    /// The consequence of an event that concerns only the enrollment.
    package static func changed(_ machine: SequenceMachine, _ event: SequenceEvent, ids: RecordIDs, at now: Timestamp) -> Consequence {
        let writer = TimelineWriter(ids: ids, at: now, contact: machine.enrollment.contact, enrollment: machine.enrollment.id)
        let transition = machine.advance(on: event, at: now)
        return Consequence(
            transition: transition, timeline: [writer.event(of: transition, from: machine.enrollment.state)].compactMap { $0 })
    }
}
