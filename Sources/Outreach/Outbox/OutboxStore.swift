package import InternetMessage

/// Which queued messages a person means; every given part must match.
package struct OutboxSelection: Sendable, Equatable {
    package var ids: [OutboxMessage.ID]?
    package var recipient: EmailAddress?
    /// Lower-case A-label domain of the recipient.
    package var domain: String?
    package var sequenceName: String?
    /// That it is of.
    package var workspace: WorkspaceID?
    /// The route by which it goes at present.
    package var route: String?
    /// The identity that it is sent by.
    package var identity: String?
    package var states: Set<OutboxMessage.State>?

    package init(
        ids: [OutboxMessage.ID]? = nil, recipient: EmailAddress? = nil, domain: String? = nil, sequenceName: String? = nil,
        states: Set<OutboxMessage.State>? = nil
    ) {
        self.ids = ids
        self.recipient = recipient
        self.domain = domain
        self.sequenceName = sequenceName
        self.states = states
    }
}

/// What a person can do to queued messages.
package enum OutboxCommand: Sendable, Equatable {
    case hold(reason: String)
    /// Lets held messages go, their lifetime starting anew; an ambiguous one only when `resend` is stated.
    case release(resend: Bool)
    /// Due at once.
    case flush
    case delete
}

/// The outbox. One method, one transaction.
package protocol OutboxStore: Sendable {
    /// What could be claimed at `now`: first of each site in `sites` what waits for it, due or not, then of each route what is due; both
    /// oldest first.
    ///
    /// Reads only. Nothing while the global STOP is set.
    ///
    /// - Parameters:
    ///   - limit: how many of a route that `routes` does not name.
    ///   - routes: how many of each route at most.
    ///   - sites: how many of those that wait for each `site NAME` or `answer of NAME`, beside those of the routes.
    func candidates(now: Timestamp, limit: Int, routes: [String: Int], sites: [String: Int]) async throws(StoreError) -> [OutboxCandidate]

    /// The names of the sequences that messages belong to; those that belong to none are not in it.
    func sequenceNames(of messages: [OutboxMessage.ID]) async throws(StoreError) -> [OutboxMessage.ID: String]

    /// Decides on a batch of bids in their order: claims as `active`, each under a claim number of its own, what all its limits let through,
    /// and postpones what they do not, with the limit that binds and the time it lifts. What is taken from limits is taken here, and given
    /// back when the claim ends without a final dot.
    ///
    /// Messages whose enrollment no longer wants them or whose recipient is suppressed are cancelled instead, with a timeline event.
    /// Being postponed is no attempt, and the time that a limit of ours keeps a message back is not part of its lifetime. Nor is the time in
    /// which it was due and nobody came for it, because nothing ran or others were first.
    /// Nothing is claimed while the global STOP is set.
    ///
    /// - Returns: one answer for each bid.
    func claim(_ bids: [ClaimBid], now: Timestamp, lease: Lease) async throws(StoreError) -> [ClaimAnswer]

    /// Frees rows whose lease ran out, unless it is of `owner`, who still works on them however late it is, or their dot was announced.
    func freeOverdue(except owner: String, now: Timestamp) async throws(StoreError)

    /// Makes everything due that waits for a limit, a site or DNS, and forgets when who was told to come back: the conf is another one.
    /// Returns how many there were.
    func reconsiderWaiting(now: Timestamp) async throws(StoreError) -> Int

    /// Does not believe what was stored while the clock was ahead by more than a minute: turns of messages that were tried or made then are due,
    /// lifetimes begin now, rates are empty, and pauses for failures that began then end. Returns how much that concerned.
    func disbelieveFuture(now: Timestamp) async throws(StoreError) -> Int

    /// Forgets levels of limits that mean nothing any more, and times that were kept for messages which do not wait for a limit any more.
    func forgetLevels(now: Timestamp) async throws(StoreError)

    /// Whether the message may still leave under this claim, whose lease must not have run out: asked right before MAIL FROM.
    ///
    /// Cancels it when its enrollment or a suppression forbids it, and gives it back under the global STOP, which ends some day.
    func mayLeave(_ id: OutboxMessage.ID, claim: Int, now: Timestamp) async throws(StoreError) -> Bool

    /// Makes "the final dot is about to be written" durable, once for a claim; false when the message may not leave, as in `mayLeave`.
    func markFinalDot(_ id: OutboxMessage.ID, claim: Int, at: Timestamp) async throws(StoreError) -> Bool

    /// Stores an attempt with the message's new state and what follows from it, and ends the lease; a final state stays as it is.
    ///
    /// An attempt under a claim that is not the latest is kept as a fact and changes nothing else.
    ///
    /// - Parameters:
    ///   - claim: the one that the attempt was made under.
    ///   - state: `sent`, `bounced`, `expired`, `deferred` (with `nextAttemptAt`) or `hold`.
    ///   - consequence: when its transition is stale nothing is written: look at the enrollment again and decide anew.
    func record(
        _ attempt: DeliveryAttempt, claim: Int, state: OutboxMessage.State, nextAttemptAt: Timestamp?, consequence: Consequence
    ) async throws(StoreError) -> CommitResult

    /// Gives a claimed message back untouched, for instance at shutdown or when its route rests until `until`.
    func giveBack(_ id: OutboxMessage.ID, claim: Int, until: Timestamp, reason: String) async throws(StoreError)

    /// Brings order after a crash: messages whose dot was announced and has no outcome go to `hold` as ambiguous, others of dead owners are
    /// free again. Returns the ambiguous ones, each with its timeline event. Called once at start, before anything is claimed.
    func recover(now: Timestamp) async throws(StoreError) -> [OutboxMessage]

    /// Messages that wait (not claimed, not held) since before `before`, counted from their release where a person released them, to be
    /// expired. What is due by `now` is tried first, however late that is.
    func overdue(waitingSinceBefore before: Timestamp, now: Timestamp, limit: Int) async throws(StoreError) -> [OutboxMessage]

    /// Lets the lifetime of those that wait since before `before` begin at `now`: nothing may leave at present, which is not their fault.
    /// Returns how many there were.
    func prolong(waitingSinceBefore before: Timestamp, now: Timestamp) async throws(StoreError) -> Int

    /// Ends an overdue message with its consequence; false when it is claimed, held or final meanwhile.
    func expire(_ id: OutboxMessage.ID, at: Timestamp, consequence: Consequence) async throws(StoreError) -> Bool

    func message(id: OutboxMessage.ID) async throws(StoreError) -> OutboxMessage?
    func attempts(of id: OutboxMessage.ID) async throws(StoreError) -> [DeliveryAttempt]

    /// Every message of one enrollment, cancelled ones included, by step and occurrence.
    func messages(enrollment: Enrollment.ID) async throws(StoreError) -> [OutboxMessage]

    /// Messages that match, without their content (`bytes` is empty, `size` is stated), oldest first, from above `after`.
    func list(_ selection: OutboxSelection, after: OutboxMessage.ID?, limit: Int) async throws(StoreError) -> [OutboxMessage]

    /// How many messages are in each state.
    func counts() async throws(StoreError) -> [OutboxMessage.State: Int]

    /// Does what a person asked, and says to how many messages; final and active messages are left alone.
    func command(_ command: OutboxCommand, on selection: OutboxSelection, at: Timestamp) async throws(StoreError) -> Int

    /// The earliest moment a waiting message becomes due; nil when none waits, or under the global STOP. What is claimed does not wait.
    func nextAttempt() async throws(StoreError) -> Timestamp?
}
