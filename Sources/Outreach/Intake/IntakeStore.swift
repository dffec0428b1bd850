package import InternetMessage

/// What comes in. One method, one transaction.
package protocol IntakeStore: UnreadMailStore, UndisposedMailStore {
    /// Stores a message durably: 250 may be said when this returns.
    func accept(_ message: IncomingMessage) async throws(StoreError)

    /// Stores messages of mailboxes in their order and moves the watermark to the UID of each, all of it or nothing; for each whether it is
    /// new.
    ///
    /// False when the watermark is past that UID already: nothing is stored then, unless the message was passed over; it takes the place of that
    /// record and is new. False as well when the account has a message of the same
    /// digest from under another UIDVALIDITY or from another folder: the watermark moves then and nothing else.
    ///
    /// Which of them are to be marked or moved is kept with them, new or not (``UndisposedMailStore``).
    func accept(_ arrivals: [MailboxArrival]) async throws(StoreError) -> [Bool]

    /// Moves the watermark over UIDs that are proven absent; never backwards within one UIDVALIDITY.
    func move(to watermark: MailboxWatermark) async throws(StoreError)

    /// The UIDs of a folder mean other messages from now on, under the same UIDVALIDITY: forgets its watermark and the troubles with its
    /// messages, and keeps what came from it as of another UIDVALIDITY, so that `accept` knows it by its digest alone.
    func numberAnew(account: String, folder: String, uidValidity: UInt32) async throws(StoreError)

    /// The watermarks of all folders of an account that were read before.
    func watermarks(account: String) async throws(StoreError) -> [MailboxWatermark]

    /// Counts a refused login; another `login` than the last time begins the count anew. What it stands at.
    func loginRefused(account: String, login: String, reason: String, at now: Timestamp) async throws(StoreError) -> LoginRefusals

    /// A login was accepted: forgets those that were refused.
    func loginAccepted(account: String) async throws(StoreError)

    /// nil when the latest login was accepted, or none was tried.
    func loginRefusals(account: String) async throws(StoreError) -> LoginRefusals?

    /// Claims received messages that are free of a living lease, oldest first. Nothing is counted yet: see `begin`.
    func claimReceived(now: Timestamp, limit: Int, lease: Lease) async throws(StoreError) -> [IncomingMessage]

    /// Counts an attempt on a claimed message right before it is sorted, so that one that ends the process is known by its count.
    ///
    /// False when the lease is somebody else's by now: it must not be sorted then.
    func begin(_ id: IncomingMessage.ID, owner: String) async throws(StoreError) -> Bool

    /// Gives a message that was begun back, for another attempt from `until` on.
    ///
    /// - Parameter reason: what the attempt failed on; nil: it was not the message's fault, and the attempt does not count.
    func putBack(_ id: IncomingMessage.ID, owner: String, until: Timestamp, reason: String?) async throws(StoreError)

    /// Stores what a message was found to be with all that follows from it, and ends its lease; the state becomes `sorted` or `duplicate`.
    ///
    /// Copies of the same message that were filed before and count for less become duplicates of this one.
    ///
    /// `stale` when an enrollment changed since the decision, or when another intake of the same message was stored meanwhile.
    /// An intake that is filed already stays as it is, and `committed` is said.
    ///
    /// `stale` as well when so many replies were sent on meanwhile that the cap allows no more.
    ///
    /// Where the record is mail of our own, nobody waits for an answer in its enrollment any more.
    ///
    /// - Parameters:
    ///   - consequences: one for each conversation that the message names, each on another enrollment.
    ///   - forward: goes into the outbox with it; nil: nothing does.
    func file(_ record: ReplyRecord, consequences: [Consequence], forward: ForwardOrder?) async throws(StoreError) -> CommitResult

    /// How many replies to the identity were sent on that day, and how many of those in the conversations of that contact.
    func forwards(as identity: String, contact: Contact.ID?, on date: CivilDate) async throws(StoreError) -> ForwardTally

    /// The messages by which a reply was sent on, without their content, oldest first.
    func forwards(of reply: IncomingMessage.ID) async throws(StoreError) -> [OutboxMessage]

    /// Puts a message aside after too many failed attempts, with its timeline event.
    func quarantine(_ id: IncomingMessage.ID, reason: String, event: TimelineEvent) async throws(StoreError)

    /// Makes quarantined messages `received` again, and has those that were passed over unread fetched anew.
    ///
    /// - Parameter ids: nil: all that are quarantined.
    func retryQuarantined(_ ids: [IncomingMessage.ID]?, at now: Timestamp) async throws(StoreError) -> RetryTally

    func incoming(id: IncomingMessage.ID) async throws(StoreError) -> IncomingMessage?

    /// Messages in that state, oldest first, from above `after`.
    func incoming(state: IncomingMessage.State, after: IncomingMessage.ID?, limit: Int) async throws(StoreError) -> [IncomingMessage]

    func reply(_ id: IncomingMessage.ID) async throws(StoreError) -> ReplyRecord?

    /// Replies, newest first; `contact` nil: all; unmatched ones have no enrollment. Mail of our own is none.
    ///
    /// - Parameters:
    ///   - workspace: only what answers mail of this one; nil: all.
    ///   - owner: only from contacts that this one looks after; nil: whoever does.
    ///   - waiting: only those that wait for an answer of ours.
    ///   - copies: those too that only repeat one that came in before.
    func replies(workspace: WorkspaceID?, contact: Contact.ID?, owner: String?, waiting: Bool, copies: Bool, limit: Int)
        async throws(StoreError) -> [ReplyRecord]

    /// Replies that a person has labelled, oldest first; copies and mail of our own are none.
    func labelledReplies() async throws(StoreError) -> [ReplyRecord]

    /// The other intake, filed before now, that `record` only repeats; nil when there is none.
    ///
    /// It has the same Message-ID and body hash, answers the same enrollment (nil: none of ours), counts as the same class, and took its
    /// effect already or is matched as certainly at least: a copy that could do nothing never takes the effect of one that can.
    func earlier(than record: ReplyRecord) async throws(StoreError) -> IncomingMessage.ID?

    /// A person's class for a reply, with all that follows from it; it wins over the reading and says anew whether somebody waits for an
    /// answer of ours.
    ///
    /// nil when there is no such reply; `stale` when the enrollment changed since the decision.
    func label(_ id: IncomingMessage.ID, as replyClass: ReplyClass, consequence: Consequence) async throws(StoreError) -> CommitResult?

    /// Makes a match of low certainty a certain one, as a person said, with all that follows from it.
    ///
    /// `stale` when the enrollment changed since the decision. A match that is certain already stays as it is, and `committed` is said.
    func confirm(_ id: IncomingMessage.ID, consequence: Consequence) async throws(StoreError) -> CommitResult

    // What a correlation needs to know.

    /// Our messages with these Message-IDs.
    func sentMessages(messageIDs: [MessageID]) async throws(StoreError) -> [SentMessage]

    /// The bytes of our messages with these Message-IDs that are still kept.
    func sentBytes(messageIDs: [MessageID]) async throws(StoreError) -> [[UInt8]]

    /// The messages of ours whose conversations hold what came in with these Message-IDs, by those; matches of low certainty do not count.
    func conversations(of messageIDs: [MessageID]) async throws(StoreError) -> [MessageID: SentMessage]

    /// Our message with that id.
    func sentMessage(id: OutboxMessage.ID) async throws(StoreError) -> SentMessage?

    /// The latest message of each workspace that reached its final dot for that address since `since`, else for a contact of that workspace
    /// of whom it is a further address.
    func latestSentMessages(to address: EmailAddress, since: Timestamp) async throws(StoreError) -> [SentMessage]
}

extension IntakeStore {
    /// Stores one message of a mailbox; whether it is new.
    package func accept(_ message: IncomingMessage, movingTo watermark: MailboxWatermark) async throws(StoreError) -> Bool {
        try await accept([MailboxArrival(message, movingTo: watermark)]) == [true]
    }

    /// The same, whether they wait for an answer or not.
    package func replies(contact: Contact.ID?, limit: Int) async throws(StoreError) -> [ReplyRecord] {
        try await replies(workspace: nil, contact: contact, owner: nil, waiting: false, copies: true, limit: limit)
    }

    /// Files a message that is not sent on.
    package func file(_ record: ReplyRecord, consequences: [Consequence]) async throws(StoreError) -> CommitResult {
        try await file(record, consequences: consequences, forward: nil)
    }

    /// Files a message that names one conversation at most.
    package func file(_ record: ReplyRecord, consequence: Consequence) async throws(StoreError) -> CommitResult {
        try await file(record, consequences: [consequence], forward: nil)
    }
}

/// A message of ours as a correlation sees it.
package struct SentMessage: Sendable, Equatable {
    package let outbox: OutboxMessage.ID
    package let workspace: WorkspaceID
    package let enrollment: Enrollment.ID?
    package let contact: Contact.ID?
    package let messageID: MessageID
    package let recipient: EmailAddress
    /// See `OutboxMessage.providerID`.
    package let providerID: String?
    /// The further address of its contact by which it was found; nil: it was found otherwise.
    package var furtherAddress: EmailAddress?

    package init(
        outbox: OutboxMessage.ID, workspace: WorkspaceID, enrollment: Enrollment.ID?, contact: Contact.ID?,
        messageID: MessageID, recipient: EmailAddress, providerID: String? = nil
    ) {
        self.outbox = outbox
        self.workspace = workspace
        self.enrollment = enrollment
        self.contact = contact
        self.messageID = messageID
        self.recipient = recipient
        self.providerID = providerID
    }

    /// Messages of one enrollment are one conversation; those without are on their own.
    func isConversation(of other: SentMessage) -> Bool {
        enrollment == nil && other.enrollment == nil ? outbox == other.outbox : enrollment == other.enrollment
    }

    /// Whether a Message-ID can mean this message: it is its own, or the one that the host behind it wrote. Hosts may give several messages
    /// the same one.
    func isNamed(by id: MessageID) -> Bool {
        if messageID == id { return true }
        guard let providerID else { return false }
        return ProviderName.possible(id).contains { $0.utf8.elementsEqual(providerID.utf8) }
    }
}
