import InternetMessage
package import Logging
import MailAuthentication
package import MailTransport
package import Outreach
import SMTP
import ServiceLifecycle

/// Delivers what is in the outbox: claim, sign for this attempt, SMTP, and one transaction for outcome and transition.
///
/// Invariants: a message is in one attempt at a time (lease, and a number for each claim); the final dot is durable before it is written;
/// an outcome that cannot be stored leaves the message as ambiguous, never as unsent.
package struct OutboxDeliverer: Service {
    /// What conf decides; swapped as one.
    package struct Desk: Sendable {
        package let courier: Courier
        package let signer: AttemptSigner
        package let decider: DeliveryDecider
        package let judge: FailureJudge
        package let identities: [String: SenderIdentity]
        /// Age at which a message that waits is given up.
        package let lifetime: Duration
        /// Messages in delivery at the same time, by route: one that is slow or dead takes nothing from the others.
        package let limits: [String: Int]
        /// Sign the ENVID; nil: it is the message's number, which proves nothing in a report.
        package let addresses: TokenAddresses?
        /// Writes a reply that is sent on in another form; nil: none is.
        package let forwarder: ReplyForwarder?
        /// Limits, sites and seat belts.
        package let policy: DeliveryPolicy

        package init(
            courier: Courier, signer: AttemptSigner, decider: DeliveryDecider, judge: FailureJudge, identities: [String: SenderIdentity],
            lifetime: Duration, limits: [String: Int], addresses: TokenAddresses? = nil, forwarder: ReplyForwarder? = nil,
            policy: DeliveryPolicy = DeliveryPolicy()
        ) {
            self.courier = courier
            self.signer = signer
            self.decider = decider
            self.judge = judge
            self.identities = identities
            self.lifetime = lifetime
            self.limits = limits
            self.addresses = addresses
            self.forwarder = forwarder
            self.policy = policy
        }
    }

    /// Longer than any attempt may last.
    static let leaseTime = Duration.seconds(3600)
    /// Sleep when something is due and cannot be claimed; an attempt that ends rings.
    private static let shortestSleep = Duration.milliseconds(500)
    private static let longestSleep = Duration.seconds(30)
    /// How long room that became free waits for more of it.
    private static let gathering = Duration.milliseconds(5)
    private static let sweepEvery = Duration.seconds(60)
    /// What connections have to end in order, once nothing is delivered any more.
    private static let longestFarewell = Duration.seconds(5)

    let store: any ContactStore & IntakeStore & OutboxStore & PauseStore & SequenceStore
    let desk: Swappable<Desk>
    let clock: any MailClock
    let bell: Bell
    let sequenceBell: Bell
    let owner: String
    let logger: Logger
    let loop: ServiceLoop
    let forwards: ForwardBoard
    let board = SiteBoard()
    let lookups = SiteLookups()
    private let plans = PlanShelf()
    let overseer = Overseer()
    let pauses = PauseBoard()
    /// What each source with a warm-up may send today, as the latest sweep found.
    let ramps = Swappable<[String: Rate]>([:])

    /// - Parameters:
    ///   - bell: rung when a message may have become due.
    ///   - sequenceBell: rung when an outcome made a step due, or soon to be.
    ///   - forwards: learns which replies were not sent on.
    package init(
        store: any ContactStore & IntakeStore & OutboxStore & PauseStore & SequenceStore, desk: Swappable<Desk>, clock: any MailClock,
        bell: Bell,
        sequenceBell: Bell, forwards: ForwardBoard = ForwardBoard(), owner: String,
        logger: Logger
    ) {
        self.forwards = forwards
        self.store = store
        self.desk = desk
        self.clock = clock
        self.bell = bell
        self.sequenceBell = sequenceBell
        self.owner = owner
        self.logger = logger
        loop = ServiceLoop("delivery", logger: logger)
    }

    /// Runs until shutdown: then it stops claiming, lets the attempts in flight end, gives its leases back, and ends its connections.
    package func run() async throws {
        let flow = Flow()
        try await withGracefulShutdownHandler {
            try await withThrowingDiscardingTaskGroup { group in
                var lastSweep = clock.now() - Self.sweepEvery
                var watch = ClockWatch()
                var doubts = true
                while !flow.isStopping, !Task.isCancelled {
                    let desk = desk.current
                    if watch.isSetBack(at: clock.now()) {
                        lastSweep = clock.now() - Self.sweepEvery
                        try await loop.round { try await setRight() }
                        doubts = true
                    }
                    if doubts { doubts = try await loop.round { try await disbelieveFuture() } == nil }
                    if clock.now() - lastSweep >= Self.sweepEvery {
                        lastSweep = clock.now()
                        try await loop.round { try await sweep(desk) }
                    }
                    let looked = clock.now()
                    guard let round = try await loop.round({ try await claim(desk, flow) { work in group.addTask { await work() } } })
                    else {
                        continue
                    }
                    for errand in round.errands {
                        let ticket = flow.began(errand.message.route)
                        group.addTask { try await self.deliver(errand, desk: desk, flow: flow, ticket: ticket) }
                    }
                    guard !round.hasMore, !flow.isStopping else { continue }
                    if round.isFull {
                        await bell.wait(until: clock.now() + Self.longestSleep, clock: clock)
                    } else {
                        try await loop.round { try await rest(since: looked) }
                    }
                    // Room for one more is soon room for several: they are claimed together.
                    if flow.isFillingUp { await bell.wait(until: SystemClock().now() + Self.gathering, clock: SystemClock()) }
                }
            }
        } onGracefulShutdown: {
            flow.stop()
            bell.ring()
        }
        try await loop.round { try await store.releaseLeases(owner: owner) }
        await desk.current.courier.drain(within: Self.longestFarewell)
    }

    /// - Parameter looked: when it was looked for due messages: what came due after that is not waited for.
    private func rest(since looked: Timestamp) async throws {
        let limit = clock.now() + Self.longestSleep
        let next = try await store.nextAttempt() ?? limit
        let now = clock.now()
        if next > looked, next <= now { return }
        await bell.wait(until: min(next > now ? next : now + Self.shortestSleep, limit), clock: clock)
    }

    /// Gives up what has waited longer than its lifetime; what a person holds waits for the person. What is due is tried first: when nothing ran
    /// for a while, each message has one more attempt.
    private func sweep(_ desk: Desk) async throws {
        overseer.endOverdue()
        let now = clock.now()
        // Nobody is given up while nothing may leave.
        if desk.policy.safety.isDryRun {
            _ = try await store.prolong(waitingSinceBefore: now - desk.lifetime / 2, now: now)
            logger.warning("DRY RUN: everything is composed and queued, and nothing is delivered ([safety] dry_run)")
            return
        }
        if try await store.stopReason() != nil {
            _ = try await store.prolong(waitingSinceBefore: now - desk.lifetime / 2, now: now)
            return
        }
        try await store.forgetLevels(now: now)
        try await warmUp(desk, at: now)
        try await store.freeOverdue(except: owner, now: now)
        for message in try await store.overdue(waitingSinceBefore: now - desk.lifetime, now: now, limit: 500) {
            let consequence = desk.decider.expire(message, machine: try await machine(of: message, desk: desk), at: now)
            if try await store.expire(message.id, at: now, consequence: consequence) {
                tell(of: message, .expired, because: "given up after its lifetime: \(message.reason)", at: now)
            }
        }
    }

    /// What waits for a moment by a clock that was set back since waits for nothing.
    private func setRight() async throws {
        logger.warning("the clock was set back; what waits for a limit, a site or a pause is looked at anew")
        let now = clock.now()
        board.clockWasSetBack(now: now)
        _ = try await store.reconsiderWaiting(now: now)
        _ = try await store.reconsiderPostponed(now: now)
        sequenceBell.ring()
    }

    private func disbelieveFuture() async throws {
        let count = try await store.disbelieveFuture(now: clock.now())
        if count > 0 {
            logger.warning(
                "the clock was ahead once: turns, rates and pauses from then are not believed", metadata: ["count": "\(count)"])
        }
    }

    /// Finds what each source that is warmed up may send today.
    private func warmUp(_ desk: Desk, at now: Timestamp) async throws {
        var found: [String: Rate] = [:]
        for ramp in desk.policy.ramps {
            let zone = ramp.identities.first.flatMap { desk.identities[$0] }?.pacing.window.zone
            let date = zone?.date(at: now) ?? CivilDate(now)
            let history = try await store.history(
                identities: ramp.identities, before: date, since: date.adding(days: -ramp.warmUp.signals.days))
            found[ramp.source] = Rate(ramp.warmUp.limit(after: history).count, per: .day)
        }
        ramps.swap(found)
    }

    /// The machine of a message's enrollment as it stands now; nil when there is none.
    func machine(of message: OutboxMessage, desk: Desk) async throws(StoreError) -> SequenceMachine? {
        guard let id = message.enrollment, let enrollment = try await store.enrollment(id: id) else { return nil }
        return try await machine(of: enrollment, desk: desk)
    }

    func machine(of enrollment: Enrollment, desk: Desk) async throws(StoreError) -> SequenceMachine? {
        guard let plan = try await plans.plan(of: enrollment.sequence, in: store),
            let zone = desk.identities[enrollment.identity]?.pacing.window.zone ?? LocalZone("UTC")
        else { return nil }
        return SequenceMachine(
            enrollment: enrollment, plan: plan, zone: zone,
            holidays: desk.identities[enrollment.identity]?.pacing.window.holidays ?? .none)
    }
}

extension OutboxDeliverer {
    /// The hours in which a message of a sequence is tried again: its identity's, and its recipient's where they are known.
    func hours(of message: OutboxMessage, desk: Desk) async throws(StoreError) -> [SendingWindow] {
        guard message.enrollment != nil, let pacing = desk.identities[message.identity]?.pacing else { return [] }
        var hours = [pacing.window]
        if let recipients = pacing.recipients, let id = message.contact, let contact = try await store.contact(id: id),
            let theirs = recipients.window(of: contact)
        {
            hours.append(theirs)
        }
        return hours.map(\.withoutPreferredHour)
    }
}

extension SequenceStore {
    /// The machine of an enrollment as it stands now; nil when there is none.
    package func machine(of enrollment: Enrollment.ID?, identities: [String: SenderIdentity]) async throws(StoreError)
        -> SequenceMachine?
    {
        guard let id = enrollment, let enrollment = try await self.enrollment(id: id),
            let sequence = try await sequence(id: enrollment.sequence),
            let zone = identities[enrollment.identity]?.pacing.window.zone ?? LocalZone("UTC")
        else { return nil }
        return SequenceMachine(
            enrollment: enrollment, plan: sequence.plan, zone: zone,
            holidays: identities[enrollment.identity]?.pacing.window.holidays ?? .none)
    }
}
