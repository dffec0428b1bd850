package import InternetMessage

/// One line of what happened to a contact, in the order it happened; never changed once written.
package struct TimelineEvent: Sendable, Equatable {
    package typealias ID = RecordID<TimelineEvent>

    package enum Kind: String, Sendable, CaseIterable {
        case enrolled
        case transition
        case queued
        case delivered = "accepted"
        case deferred
        case rejected
        case ambiguous
        case cancelled
        case received
        case correlated
        case classified
        case bounced
        case suppressed
        case unsubscribed
        case expired
        case quarantined
        case webhook
        /// A person gave the contact another value, tag or list, or took one.
        case edited
        /// Somebody, or something, fetched the picture of a message.
        case opened
        /// Somebody, or something, followed a link of a message.
        case clicked
    }

    package let id: ID
    package let at: Timestamp
    package let kind: Kind
    package let contact: Contact.ID?
    package let enrollment: Enrollment.ID?
    package let outbox: OutboxMessage.ID?
    package let intake: IncomingMessage.ID?
    /// One line for a person.
    package let summary: String
    /// Facts by name (reply code, remote MTA, class, confidence, rule, ...).
    package let facts: [String: String]

    package init(
        id: ID, at: Timestamp, kind: Kind, contact: Contact.ID? = nil, enrollment: Enrollment.ID? = nil, outbox: OutboxMessage.ID? = nil,
        intake: IncomingMessage.ID? = nil, summary: String, facts: [String: String] = [:]
    ) {
        self.id = id
        self.at = at
        self.kind = kind
        self.contact = contact
        self.enrollment = enrollment
        self.outbox = outbox
        self.intake = intake
        self.summary = summary
        self.facts = facts
    }
}

extension TimelineEvent {
    /// A person gave a field of a contact another value, or took it.
    package init(_ change: Consequence.FieldChange, id: ID, at now: Timestamp) {
        let words = change.value.utf8.isEmpty ? "was taken" : "is '\(change.value)' now"
        self.init(id: id, at: now, kind: .edited, contact: change.contact, summary: "field \(change.name) \(words)")
    }

    /// A person said something of the consent of a contact.
    package init(_ change: Consent.Change, id: ID, at now: Timestamp) {
        let words = change.given?.words.map { "is '\($0)' now" } ?? "was taken"
        self.init(id: id, at: now, kind: .edited, contact: change.contact, summary: "consent \(words)")
    }

    /// A person gave a contact a tag or list, or took it.
    package init(_ change: ContactGroup.Change, id: ID) {
        let words = change.isMember ? "given" : "taken"
        self.init(id: id, at: change.at, kind: .edited, contact: change.contact, summary: "\(change.name) \(words)")
    }
}

/// The timeline as it can be read; it is written only together with what it tells of.
package protocol TimelineStore: Sendable {
    /// All events of one contact, oldest first.
    func timeline(contact: Contact.ID) async throws(StoreError) -> [TimelineEvent]

    /// Events with ids above `after` (nil: from the start), oldest first, at most `limit`.
    func timeline(after: TimelineEvent.ID?, limit: Int) async throws(StoreError) -> [TimelineEvent]
}
