package import InternetMessage

/// Somebody who must not be written to: an address, a domain, or all that a pattern covers.
package struct Suppression: Sendable, Equatable {
    package typealias ID = RecordID<Suppression>

    package enum Reason: String, Sendable, CaseIterable {
        case unsubscribed
        case invalidRecipient = "invalid_recipient"
        case complaint
        case refused
        case manual
        /// The person asked to be forgotten.
        case erased

        /// Whether the person said so: nobody else takes it back.
        package var isAskedFor: Bool { self == .unsubscribed || self == .complaint || self == .erased }

        /// Whether it is about the person, whichever of their addresses is named, and not about that address.
        package var isOfPerson: Bool {
            switch self {
            case .unsubscribed, .complaint, .manual, .erased: true
            case .invalidRecipient, .refused: false
            }
        }

        /// For ever, whatever is said of an end.
        package var isForEver: Bool { self == .unsubscribed || self == .erased }

        /// Which of two reasons for one subject is kept: the greater one, so that what a person asked for is never hidden.
        package var strength: Int {
            switch self {
            case .unsubscribed: 2
            case .complaint: 1
            case .invalidRecipient, .refused, .manual, .erased: 0
            }
        }
    }

    package enum Source: String, Sendable, CaseIterable {
        /// One-click POST or the page's button.
        case link
        /// Mail to the List-Unsubscribe mailto address.
        case mailto
        case replyText = "reply_text"
        case bounce
        case complaint
        case manual
        case `import`
    }

    package let id: ID
    /// `.instance`: it holds in every workspace.
    package let workspace: WorkspaceID
    package let subject: Subject
    package let reason: Reason
    package let source: Source
    /// Words for a person: which message, which line, who.
    package let note: String
    package let at: Timestamp
    /// nil: for ever. Unsubscribes and erasures never expire.
    package let expiresAt: Timestamp?

    package init(
        id: ID, workspace: WorkspaceID, subject: Subject, reason: Reason, source: Source, note: String, at: Timestamp,
        expiresAt: Timestamp? = nil
    ) {
        self.id = id
        self.workspace = workspace
        self.subject = subject
        self.reason = reason
        self.source = source
        self.note = note
        self.at = at
        self.expiresAt = reason.isForEver ? nil : expiresAt
    }

    /// Whether it no longer holds at `now`.
    package func isOver(at now: Timestamp) -> Bool { expiresAt.map { $0 <= now } ?? false }
}
