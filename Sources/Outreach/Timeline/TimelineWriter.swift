import InternetMessage

/// Writes timeline events about one enrollment and its contact.
struct TimelineWriter {
    let ids: RecordIDs
    let at: Timestamp
    var contact: Contact.ID?
    var enrollment: Enrollment.ID?
    var outbox: OutboxMessage.ID?
    var intake: IncomingMessage.ID?

    func event(_ kind: TimelineEvent.Kind, _ summary: String, _ facts: [String: String] = [:]) -> TimelineEvent {
        TimelineEvent(
            id: ids.next(), at: at, kind: kind, contact: contact, enrollment: enrollment, outbox: outbox, intake: intake, summary: summary,
            facts: facts)
    }

    /// The event of a transition; nil when there is none.
    func event(of transition: Transition?, from state: Enrollment.State?) -> TimelineEvent? {
        guard let transition else { return nil }
        var facts = ["state": transition.state.rawValue, "next_step": "\(transition.nextStep)"]
        if let state { facts["from"] = state.rawValue }
        if let cause = transition.cause { facts["cause"] = cause.rawValue }
        if let due = transition.dueAt { facts["due"] = due.iso8601 }
        return event(.transition, "\(state?.rawValue ?? "new") → \(transition.state.rawValue): \(transition.reason)", facts)
    }
}
