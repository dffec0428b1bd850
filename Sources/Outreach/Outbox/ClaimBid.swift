package import InternetMessage

/// A waiting message as far as it is looked at before it is claimed.
package struct OutboxCandidate: Sendable, Equatable {
    package let id: OutboxMessage.ID
    package let workspace: WorkspaceID
    package let identity: String
    package let route: String
    package let recipient: EmailAddress
    /// Lower-case A-label domain of the recipient.
    package let domain: String
    /// See `OutboxMessage.awaits`.
    package let awaits: String?
    /// The route that it was composed for, while it goes by another one.
    package let firstRoute: String?
    /// See `OutboxMessage.isToOurs`.
    package let isToOurs: Bool
    /// When it was due; nil: that is not known.
    package let dueAt: Timestamp?

    package init(
        id: OutboxMessage.ID, workspace: WorkspaceID, identity: String, route: String, recipient: EmailAddress, domain: String,
        awaits: String?, firstRoute: String? = nil, isToOurs: Bool = false, dueAt: Timestamp? = nil
    ) {
        self.id = id
        self.workspace = workspace
        self.identity = identity
        self.route = route
        self.recipient = recipient
        self.domain = domain
        self.awaits = awaits
        self.firstRoute = firstRoute
        self.isToOurs = isToOurs
        self.dueAt = dueAt
    }

    /// When a person had it tried at once, whatever is known of its site; nil: nobody did.
    package var flushedAt: Timestamp? { awaits.flatMap { $0.utf8.elementsEqual(OutboxMessage.flushed.utf8) ? dueAt : nil } }
}

/// What is wanted for one candidate.
package struct ClaimBid: Sendable, Equatable {
    package enum Wish: Sendable, Equatable {
        /// To leave, when all these limits let it through.
        case leave([SendingLimit])
        /// To come back later, for a reason that is no limit of those; with `isOurs` the time is not part of its lifetime.
        case wait(until: Timestamp, awaiting: String, because: String, isOurs: Bool = false)
        /// To go on by another route, due as it was.
        case move(to: String, because: String)
    }

    package let id: OutboxMessage.ID
    package let wish: Wish

    package init(id: OutboxMessage.ID, wish: Wish) {
        self.id = id
        self.wish = wish
    }
}

/// What became of a bid.
package enum ClaimAnswer: Sendable, Equatable {
    /// With its enrollment as it stood then; nil for a message without one.
    case claimed(OutboxMessage, Enrollment?)
    /// It waits, as the bid wished or because of a limit.
    case postponed(until: Timestamp)
    /// It was cancelled, or somebody else was faster, or the STOP is set.
    case gone
}

extension OutboxMessage {
    /// The value of `awaits` for a limit.
    package static func awaiting(limit id: String) -> String { "limit \(id)" }
    /// The value of `awaits` for room at a site.
    package static func awaiting(site name: String) -> String { "site \(name)" }
    /// The value of `awaits` for a site that did not answer when the message was tried.
    package static func awaiting(answerOf name: String) -> String { "answer of \(name)" }
    /// The value of `awaits` for what conf allows no mail to.
    package static let awaitingPermission = "safety allow_recipients"
    /// The value of `awaits` for nothing: a person had it tried at once, at the moment at which it is due.
    package static let flushed = "flush"
    package static func awaiting(dns domain: String) -> String { "dns \(domain)" }
}
