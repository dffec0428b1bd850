package import InternetMessage

/// A call to another system that a step of a sequence decided on.
///
/// It is stored together with the decision and made afterwards, at least once: who is called tells a call that comes twice by its id.
package struct WebhookCall: Sendable, Equatable {
    package typealias ID = RecordID<WebhookCall>

    package enum State: String, Sendable, CaseIterable {
        /// It is to be made at `nextAttemptAt`, or being made.
        case queued
        /// The other system took it.
        case delivered
        /// Given up, or refused for good.
        case failed
        /// Taken back by a person.
        case cancelled
    }

    package let id: ID
    package let workspace: WorkspaceID
    package let enrollment: Enrollment.ID
    package let contact: Contact.ID
    /// The version of the sequence that decided it.
    package let version: SequenceVersion.ID
    /// Name of the step; an enrollment calls once for each.
    package let step: String
    /// Name of the webhook in conf.
    package let webhook: String
    /// JSON, the same at each attempt; nil once it was dropped or erased, then it is never made again.
    package let body: String?
    package let createdAt: Timestamp
    package var state: State
    /// How many attempts were begun.
    package var attempts: Int
    /// How many of these came before a person queued it anew; waits are counted from there.
    package var attemptsBefore: Int
    /// When it is made next; nil once it has ended.
    package var nextAttemptAt: Timestamp?
    /// HTTP status of the latest answer; nil when there was none.
    package var lastStatus: Int?
    /// Words for a person: what the latest attempt came to; nil before there was one.
    package var reason: String?
    package var endedAt: Timestamp?

    package init(
        id: ID, workspace: WorkspaceID, enrollment: Enrollment.ID, contact: Contact.ID, version: SequenceVersion.ID, step: String,
        webhook: String, body: String?, createdAt: Timestamp, state: State = .queued, attempts: Int = 0, attemptsBefore: Int = 0,
        nextAttemptAt: Timestamp?, lastStatus: Int? = nil, reason: String? = nil, endedAt: Timestamp? = nil
    ) {
        self.id = id
        self.workspace = workspace
        self.enrollment = enrollment
        self.contact = contact
        self.version = version
        self.step = step
        self.webhook = webhook
        self.body = body
        self.createdAt = createdAt
        self.state = state
        self.attempts = attempts
        self.attemptsBefore = attemptsBefore
        self.nextAttemptAt = nextAttemptAt
        self.lastStatus = lastStatus
        self.reason = reason
        self.endedAt = endedAt
    }

    /// What the timeline says of it.
    ///
    /// - Parameter words: what follows the state.
    package func event(_ words: String, id: TimelineEvent.ID, at now: Timestamp) -> TimelineEvent {
        var facts = ["webhook": webhook, "call": self.id.description, "state": state.rawValue, "step": step, "attempts": "\(attempts)"]
        facts["status"] = lastStatus.map { "\($0)" }
        return TimelineEvent(
            id: id, at: now, kind: .webhook, contact: contact, enrollment: enrollment,
            summary: "webhook \(webhook) \(state.rawValue): \(words)", facts: facts)
    }
}
