package import InternetMessage

/// A composed message on its way out; its bytes never change once stored.
package struct OutboxMessage: Sendable, Equatable {
    package typealias ID = RecordID<OutboxMessage>

    /// Postfix's words where it has them.
    package enum State: String, Sendable, CaseIterable {
        /// Waits for its first attempt, or for the next one after `deferred`.
        case incoming
        /// Claimed by a deliverer.
        case active
        case deferred
        /// Held by a person, or ambiguous: the final dot may have left and no complete reply came.
        case hold
        case sent
        case bounced
        case expired
        case cancelled

        /// Whether nothing will happen to it any more without a person.
        package var isFinal: Bool { self == .sent || self == .bounced || self == .expired || self == .cancelled }
    }

    package let id: ID
    package let workspace: WorkspaceID
    package let enrollment: Enrollment.ID?
    package let contact: Contact.ID?
    package let step: Int
    /// Name of the variant of the step that it was written by; nil where the step has none.
    package let variant: String?
    /// The version of the sequence that it was written by; nil: of none, or it was written before that was noted.
    package let sequence: SequenceVersion.ID?
    /// 0, or higher when a person asked for the same step again.
    package let occurrence: Int
    package let identity: String
    /// Name of the route in conf by which it goes; another one when that of its composition failed.
    package let route: String
    package let reversePath: ReversePath
    package let recipient: EmailAddress
    package let messageID: MessageID
    /// Subject as a person reads it; follow-ups continue it.
    package let subject: String
    /// The message without DKIM signature: CRLF line ends, never changed.
    package let bytes: [UInt8]
    /// Octets of the message; stated where `bytes` is left out.
    package var size: Int
    package let createdAt: Timestamp
    /// The sender's local date whose budget it uses.
    package let budgetDate: CivilDate
    package var state: State
    /// Why it is in this state, or why it has not left.
    package var reason: String
    package var attempts: Int
    /// When the next attempt may start; nil in final states and on hold.
    package var nextAttemptAt: Timestamp?
    /// When "the final dot is about to be written" was made durable for the running or last attempt; nil before.
    package var finalDotAt: Timestamp?
    /// Number of its latest claim, 0 before the first; an attempt states the claim it works under.
    package var claim: Int
    /// From when its lifetime counts, if not from when it was made: a person released it then, or limits of our own kept it back for so long.
    package var releasedAt: Timestamp?
    /// What keeps it back beside its time: `limit ID` (a `SendingLimit.id`), `site NAME`, `answer of NAME`, `dns DOMAIN`, `route NAME` or
    /// `safety KEY`; nil when nothing does; `flush` when nothing does since a person had it tried at once.
    package var awaits: String?
    /// The route that it was composed for, while it goes by another one; nil when it goes by that.
    package var firstRoute: String?
    /// What the next host called it when it took it, where that host writes a Message-ID of its own; nil when it does not or said nothing.
    package var providerID: String?
    /// The Message-ID that its recipient sees, where the next host wrote one of its own and it is known.
    package var sentMessageID: MessageID?
    /// The provider whose hosts it was tried at, as provider files name it; nil: none was, or a smarthost.
    package var provider: String?
    /// Where its tracked links lead, which is stored with it; empty when it is read back.
    package var links: [LinkTarget]

    /// What keeps it back beside its time; nil when nothing does.
    package var obstacle: String? { awaits.flatMap { $0.utf8.elementsEqual(Self.flushed.utf8) ? nil : $0 } }

    /// From when its lifetime counts.
    package var waitsSince: Timestamp { releasedAt ?? createdAt }

    /// Whether it counts against budgets: it was not cancelled, nor refused or given up before a final dot.
    package var usesBudget: Bool {
        switch state {
        case .cancelled: false
        case .bounced, .expired: finalDotAt != nil
        case .incoming, .active, .deferred, .hold, .sent: true
        }
    }

    /// The Message-IDs by which the message is known: that of its bytes, and the one that its recipient sees when that is another one.
    package var knownAs: [MessageID] { [messageID] + (sentMessageID.map { [$0] } ?? []) }

    package init(
        id: ID, workspace: WorkspaceID, enrollment: Enrollment.ID?, contact: Contact.ID?, step: Int, occurrence: Int, identity: String,
        route: String,
        reversePath: ReversePath, recipient: EmailAddress, messageID: MessageID, subject: String, bytes: [UInt8], createdAt: Timestamp,
        budgetDate: CivilDate, state: State = .incoming, reason: String = "", attempts: Int = 0, nextAttemptAt: Timestamp?,
        finalDotAt: Timestamp? = nil, claim: Int = 0, releasedAt: Timestamp? = nil, awaits: String? = nil, firstRoute: String? = nil,
        providerID: String? = nil, sentMessageID: MessageID? = nil, variant: String? = nil,
        sequence: SequenceVersion.ID? = nil, provider: String? = nil, links: [LinkTarget] = []
    ) {
        self.id = id
        self.workspace = workspace
        self.enrollment = enrollment
        self.contact = contact
        self.step = step
        self.variant = variant
        self.sequence = sequence
        self.occurrence = occurrence
        self.identity = identity
        self.route = route
        self.reversePath = reversePath
        self.recipient = recipient
        self.messageID = messageID
        self.subject = subject
        self.bytes = bytes
        size = bytes.count
        self.createdAt = createdAt
        self.budgetDate = budgetDate
        self.state = state
        self.reason = reason
        self.attempts = attempts
        self.nextAttemptAt = nextAttemptAt
        self.finalDotAt = finalDotAt
        self.claim = claim
        self.releasedAt = releasedAt
        self.awaits = awaits
        self.firstRoute = firstRoute
        self.providerID = providerID
        self.sentMessageID = sentMessageID
        self.provider = provider
        self.links = links
    }
}

/// What came of one attempt to deliver a message.
package struct DeliveryAttempt: Sendable, Equatable {
    package enum Outcome: String, Sendable, CaseIterable {
        case accepted
        case deferred
        case rejected
        /// The final dot may have left and no complete reply came.
        case ambiguous
    }

    package let outbox: OutboxMessage.ID
    package let startedAt: Timestamp
    package let endedAt: Timestamp
    package let outcome: Outcome
    /// How far the dialogue came (`connect`, `RCPT TO`, `final dot`, ...).
    package let stage: String
    package let replyCode: Int?
    package let enhancedStatus: EnhancedStatusCode?
    /// The peer's words, or ours where it said none; never empty.
    package let text: String
    /// `host[address]:port`; nil when no connection stood.
    package let remoteMTA: String?
    /// TLS version and cipher with whether the certificate was verified; nil: in clear.
    package let tls: String?
    /// The dialogue with credentials masked and content left out.
    package let transcript: String
    /// `answer of NAME` for a mail site that did not answer: a message that is deferred by that leaves when it does. Not kept with the attempt.
    package let awaits: String?
    /// By which route a message goes on that is deferred by this attempt; nil: by the same. Not kept with the attempt.
    package var reroute: Reroute?
    /// Until when its route is paused because of this attempt; nil: it is not. Not kept with the attempt.
    package var pausedUntil: Timestamp?
    /// Until when its identity is paused because of this attempt; nil: it is not. Not kept with the attempt.
    package var identityPausedUntil: Timestamp?
    /// What the next host called the message that it took; nil: nothing that counts. Not kept with the attempt.
    package var providerName: ProviderName?
    /// The provider whose hosts were tried, as provider files name it; nil: a smarthost was. Kept with the message, the first one for good.
    package var provider: String?

    /// Another route for a message.
    package struct Reroute: Sendable, Equatable {
        package let route: String
        /// At once, because the other one failed; false: in its turn.
        package let isAtOnce: Bool

        package init(route: String, isAtOnce: Bool) {
            self.route = route
            self.isAtOnce = isAtOnce
        }
    }

    package init(
        outbox: OutboxMessage.ID, startedAt: Timestamp, endedAt: Timestamp, outcome: Outcome, stage: String, replyCode: Int?,
        enhancedStatus: EnhancedStatusCode?, text: String, remoteMTA: String?, tls: String?, transcript: String, awaits: String? = nil
    ) {
        self.outbox = outbox
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.outcome = outcome
        self.stage = stage
        self.replyCode = replyCode
        self.enhancedStatus = enhancedStatus
        self.text = text
        self.remoteMTA = remoteMTA
        self.tls = tls
        self.transcript = transcript
        self.awaits = awaits
    }
}
