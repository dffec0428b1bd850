import InternetMessage
package import Logging
import MailAuthentication
package import MailTransport
package import Outreach
import SMTP
import ServiceLifecycle
import Synchronization

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
        /// Limits, sites and seat belts.
        package let policy: DeliveryPolicy

        package init(
            courier: Courier, signer: AttemptSigner, decider: DeliveryDecider, judge: FailureJudge, identities: [String: SenderIdentity],
            lifetime: Duration, limits: [String: Int], addresses: TokenAddresses? = nil, policy: DeliveryPolicy = DeliveryPolicy()
        ) {
            self.courier = courier
            self.signer = signer
            self.decider = decider
            self.judge = judge
            self.identities = identities
            self.lifetime = lifetime
            self.limits = limits
            self.addresses = addresses
            self.policy = policy
        }
    }

    /// Longer than any attempt may last.
    private static let leaseTime = Duration.seconds(3600)
    /// After this an attempt is ended as if the connection were lost, so that none outlives its lease.
    private static let longestAttempt = Duration.seconds(3000)
    /// How much mail of routes that are not in the conf is looked at together; each attempt says so and is deferred.
    private static let roomForUnknown = 5
    /// Sleep when something is due and cannot be claimed; an attempt that ends rings.
    private static let shortestSleep = Duration.milliseconds(500)
    private static let longestSleep = Duration.seconds(30)
    private static let sweepEvery = Duration.seconds(60)
    /// For each delivery that has room, so many candidates of `mx` routes are looked at: some go to sites that have none.
    private static let choice = 4
    /// How many messages of a route that rests are told so in one round.
    private static let toldAtOnce = 100
    /// What connections have to end in order, once nothing is delivered any more.
    private static let longestFarewell = Duration.seconds(5)

    private let store: any OutboxStore & SequenceStore
    private let desk: Swappable<Desk>
    private let clock: any MailClock
    private let bell: Bell
    private let sequenceBell: Bell
    private let owner: String
    private let logger: Logger
    private let loop: ServiceLoop
    private let board = SiteBoard()
    private let lookups = SiteLookups()
    /// What each source with a warm-up may send today, as the latest sweep found.
    private let ramps = Swappable<[String: Rate]>([:])

    /// - Parameters:
    ///   - bell: rung when a message may have become due.
    ///   - sequenceBell: rung when an outcome made an enrollment move.
    package init(
        store: any OutboxStore & SequenceStore, desk: Swappable<Desk>, clock: any MailClock, bell: Bell, sequenceBell: Bell, owner: String,
        logger: Logger
    ) {
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
                while !flow.isStopping, !Task.isCancelled {
                    let desk = desk.current
                    if clock.now() - lastSweep >= Self.sweepEvery {
                        lastSweep = clock.now()
                        try await loop.round { try await sweep(desk) }
                    }
                    guard let round = try await loop.round({ try await claim(desk, flow) { work in group.addTask { await work() } } })
                    else {
                        continue
                    }
                    for errand in round.errands {
                        flow.began(errand.message.route)
                        group.addTask {
                            defer {
                                flow.ended(errand.message.route)
                                self.bell.ring()
                            }
                            try await self.deliver(errand, desk: desk)
                        }
                    }
                    if !round.hasMore, !flow.isStopping { try await loop.round { try await rest() } }
                }
            }
        } onGracefulShutdown: {
            flow.stop()
            bell.ring()
        }
        try await loop.round { try await store.releaseLeases(owner: owner) }
        await desk.current.courier.drain(within: Self.longestFarewell)
    }

    /// What one round of claiming gave.
    private struct Round {
        var errands: [Errand] = []
        /// Whether another round may find something at once.
        var hasMore = false
    }

    /// A claimed message with the site that it goes to.
    private struct Errand {
        let message: OutboxMessage
        let site: MailSite?
        let claimedAt: Timestamp
    }

    /// Claims what each route, each site and every limit have room for; what they have none for is told when to come back.
    private func claim(_ desk: Desk, _ flow: Flow, ask: (@escaping @Sendable () async -> Void) -> Void) async throws -> Round {
        if desk.policy.safety.isDryRun { return Round() }
        let now = clock.now()
        let active = flow.active
        var room = desk.limits
        var unknown = Self.roomForUnknown
        for (route, count) in active {
            if let known = room[route] { room[route] = max(0, known - count) } else { unknown -= count }
        }
        let calls = board.calls(at: now)
        var wanted: [String: Int] = [:]
        for (route, count) in room {
            if desk.policy.exchangerRoutes.contains(route) {
                wanted[route] = count * Self.choice
            } else if desk.policy.sinkRoutes.contains(route) {
                wanted[route] = count
            } else {
                let site = DeliveryGate.site(ofRoute: route).name
                let free = board.room(of: site, at: now) ?? SiteFeedback.Policy(ceiling: count, rests: []).initial
                if free == 0, active[route, default: 0] == 0 {
                    // A host that rests: those who wait for it are told so.
                    wanted[route] = Self.toldAtOnce
                } else {
                    // One that is busy: they stay as they are, and those who were told to wait come first.
                    room[route] = min(count, free)
                    let ahead = calls[OutboxMessage.awaiting(site: site)] ?? calls[OutboxMessage.awaiting(answerOf: site)] ?? 0
                    wanted[route] = max(0, min(count, free) - ahead)
                }
            }
        }
        let candidates = try await store.candidates(now: now, limit: max(0, unknown), routes: wanted, sites: calls)
        if !calls.isEmpty {
            var came: [String: Int] = [:]
            for case let awaited? in candidates.map(\.awaits) where calls[awaited] != nil { came[awaited, default: 0] += 1 }
            board.answered(calls, came)
        }
        // Who was called may not be there any more; others may be.
        guard !candidates.isEmpty else { return Round(hasMore: !calls.isEmpty) }
        let gate = DeliveryGate(board: board, lookups: lookups)
        var policy = desk.policy
        for (source, rate) in ramps.current { policy.limits.sources[source, default: []].append(rate) }
        let tickets = await gate.tickets(
            for: candidates, room: room, policy: policy, ceilings: desk.limits, identities: desk.identities, at: now, ask: ask)
        guard !tickets.isEmpty else { return Round() }
        let answers: [ClaimAnswer]
        do {
            answers = try await store.claim(
                tickets.map(\.bid), now: now, lease: Lease(owner: owner, until: now + Self.leaseTime))
        } catch {
            for ticket in tickets { giveUpRoom(of: ticket, at: now) }
            throw error
        }
        var round = Round(hasMore: true)
        for (ticket, answer) in zip(tickets, answers) {
            if case .claimed(let message) = answer {
                round.errands.append(Errand(message: message, site: ticket.site, claimedAt: now))
            } else {
                giveUpRoom(of: ticket, at: now)
            }
        }
        return round
    }

    private func giveUpRoom(of ticket: DeliveryGate.Ticket, at now: Timestamp) {
        if ticket.hasRoom, let site = ticket.site { _ = board.ended(site, .nothing, lasted: .zero, at: now) }
    }

    private func rest() async throws {
        let limit = clock.now() + Self.longestSleep
        let next = try await store.nextAttempt() ?? limit
        let now = clock.now()
        await bell.wait(until: min(next > now ? next : now + Self.shortestSleep, limit), clock: clock)
    }

    /// How many attempts are in flight, and whether new ones may begin.
    private final class Flow: Sendable {
        private let state = Mutex((active: [String: Int](), stopping: false))

        /// Attempts by route.
        var active: [String: Int] { state.withLock { $0.active } }
        var isStopping: Bool { state.withLock { $0.stopping } }

        func began(_ route: String) { state.withLock { $0.active[route, default: 0] += 1 } }
        func ended(_ route: String) { state.withLock { $0.active[route, default: 1] -= 1 } }
        func stop() { state.withLock { $0.stopping = true } }
    }

    /// One attempt for one claimed message. What the store refuses about it is told and concerns no other message.
    private func deliver(_ errand: Errand, desk: Desk) async throws {
        let course = Course()
        defer {
            let now = clock.now()
            let revived = errand.site.map { board.ended($0, course.experience, lasted: now - errand.claimedAt, at: now) } ?? false
            if revived, let site = errand.site {
                logger.notice("a site answers again; its mail is released", metadata: ["site": "\(site.name)"])
            }
        }
        do {
            try await attempt(errand, course: course, desk: desk)
        } catch let error as StoreError where error.code == .constraint {
            logger.critical(
                "what became of a message cannot be stored; it stays claimed until the next start",
                metadata: ["message.id": "\(errand.message.id)", "reason": "\(error.message)"])
        } catch is CancellationError {
            // The process ends; its successor finds the message claimed, and as ambiguous when its dot was announced.
        }
    }

    /// How far an attempt came, seen from outside the courier.
    private final class Course: Sendable {
        private let state = Mutex((experience: SiteFeedback.Experience.nothing, connectedAt: Timestamp?.none))

        var experience: SiteFeedback.Experience {
            get { state.withLock { $0.experience } }
            set { state.withLock { $0.experience = newValue } }
        }
        /// When a connection was ready for MAIL FROM; nil before.
        var connectedAt: Timestamp? {
            get { state.withLock { $0.connectedAt } }
            set { state.withLock { $0.connectedAt = newValue } }
        }
    }

    /// One attempt, from signature to stored outcome.
    private func attempt(_ errand: Errand, course: Course, desk: Desk) async throws {
        let message = errand.message
        let started = clock.now()
        let content: [UInt8]
        do {
            content = try desk.signer.signed(message, identity: desk.identities[message.identity], at: started)
        } catch {
            let reason = "cannot be signed: \(error)"
            try await giveBack(message, until: started + .seconds(900), reason: reason)
            logger.error("signing failed", metadata: ["message.id": "\(message.id)", "reason": "\(reason)"])
            return
        }
        let parcel = OutboundMessage(
            reversePath: message.reversePath, recipient: message.recipient, content: content,
            envelopeID: desk.addresses?.envelopeID(for: message.id, at: started) ?? message.id.description,
            earlierAttempts: message.attempts)
        let report = await Self.bounded { [self] in
            await desk.courier.deliver(parcel, route: message.route, checks: checks(on: message, course: course))
        }
        guard case .outcome(let outcome) = report.result else {
            if course.connectedAt != nil { course.experience = .answered }
            return try await giveBack(message, until: clock.now(), reason: "withdrawn before it left")
        }
        course.experience = outcome.experience(of: report)
        let judgement = desk.judge.judgement(of: outcome)
        if judgement?.failureClass == "rate_limited", course.experience == .answered { course.experience = .overloaded }
        var awaits: String?
        if let site = errand.site, course.experience == .unreachable {
            awaits = OutboxMessage.awaiting(answerOf: site.name)
        }
        let attempt = DeliveryAttempt(
            outcome, report: report, of: message.id, startedAt: started, endedAt: clock.now(), awaits: awaits)
        let state = try await settle(attempt, of: message, judgement: judgement, desk: desk)
        if let site = errand.site, let reply = outcome.failure?.reply { react(to: reply, of: site, desk: desk) }
        log(attempt, errand, state, judgement: judgement, connectedAt: course.connectedAt)
        if let pause = judgement?.pause {
            // Its mail waits, and no retry mends it: a login, a quota, a signature.
            logger.error(
                "somebody must see to this \(pause.rawValue)",
                metadata: [
                    "route": "\(message.route)", "identity": "\(message.identity)", "class": "\(judgement?.failureClass ?? "")",
                    "reason": "\(attempt.text)",
                ])
        }
        sequenceBell.ring()
    }

    /// What is asked right before MAIL FROM and right before the dot; the conf that holds then counts.
    private func checks(on message: OutboxMessage, course: Course) -> DeliveryChecks {
        DeliveryChecks(
            mayLeave: { [self] in
                course.connectedAt = clock.now()
                guard desk.current.policy.safety.refusal(of: message.recipient) == nil else { return false }
                return (try? await store.mayLeave(message.id, claim: message.claim, now: clock.now())) ?? false
            },
            finalDot: { [self] in (try? await store.markFinalDot(message.id, claim: message.claim, at: clock.now())) ?? false })
    }

    private func react(to reply: Reply, of site: MailSite, desk: Desk) {
        let text = Array("\(reply.code) ".utf8) + Array(reply.text.utf8)
        for measure in board.replied(site, text, rules: desk.policy.providers.reactions, at: clock.now()) {
            logger.warning(
                "a site is slowed because of what it replied",
                metadata: [
                    "site": "\(site.name)", "action": "\(measure.action.words)", "until": "\(measure.until.iso8601)",
                    "rule": "\(measure.rule)", "reply": "\(reply.text)",
                ])
        }
    }

    /// Cancels an attempt that takes too long, which ends it as a lost connection does; sockets follow the real time.
    private static func bounded(_ delivery: @escaping @Sendable () async -> DeliveryReport) async -> DeliveryReport {
        await withTaskGroup(of: DeliveryReport?.self) { group in
            group.addTask { await delivery() }
            group.addTask {
                try? await Task.sleep(for: longestAttempt)
                return nil
            }
            var report: DeliveryReport?
            for await result in group {
                report = report ?? result
                group.cancelAll()
            }
            return report ?? DeliveryReport(result: .withdrawn)
        }
    }

    private func giveBack(_ message: OutboxMessage, until: Timestamp, reason: String) async throws {
        try await loop.patiently { try await store.giveBack(message.id, claim: message.claim, until: until, reason: reason) }
    }

    /// Stores the outcome; decides anew as long as something else moves the enrollment at the same time.
    ///
    /// A consequence that the store refuses is left out and told: the outcome itself must not be lost, or the message would leave again.
    private func settle(_ attempt: DeliveryAttempt, of message: OutboxMessage, judgement: FailureJudgement?, desk: Desk) async throws
        -> OutboxMessage.State
    {
        while true {
            let machine: SequenceMachine? = try await loop.patiently { try await self.machine(of: message, desk: desk) }
            let decision = desk.decider.decide(attempt, of: message, machine: machine, judgement: judgement)
            func record(_ consequence: Consequence) async throws -> CommitResult {
                try await loop.patiently {
                    try await store.record(
                        attempt, claim: message.claim, state: decision.state, nextAttemptAt: decision.nextAttemptAt,
                        consequence: consequence)
                }
            }
            do {
                if try await record(decision.consequence) == .committed { return decision.state }
            } catch let error as StoreError where error.code == .constraint {
                logger.critical(
                    "what follows from an outcome cannot be stored; the outcome alone is",
                    metadata: ["message.id": "\(message.id)", "reason": "\(error.message)"])
                if try await record(Consequence()) == .committed { return decision.state }
            }
        }
    }

    /// Gives up what has waited longer than its lifetime; what a person holds waits for the person.
    private func sweep(_ desk: Desk) async throws {
        let now = clock.now()
        // Nobody is given up while nothing may leave.
        if desk.policy.safety.isDryRun {
            logger.warning("DRY RUN: everything is composed and queued, and nothing is delivered ([safety] dry_run)")
            return
        }
        try await store.forgetLevels(now: now)
        try await warmUp(desk, at: now)
        _ = try await store.claim([], now: now, lease: Lease(owner: owner, until: now + Self.leaseTime))
        for message in try await store.overdue(waitingSinceBefore: now - desk.lifetime, limit: 500) {
            let consequence = desk.decider.expire(message, machine: try await machine(of: message, desk: desk), at: now)
            _ = try await store.expire(message.id, at: now, consequence: consequence)
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

    private func machine(of message: OutboxMessage, desk: Desk) async throws -> SequenceMachine? {
        try await store.machine(of: message.enrollment, identities: desk.identities)
    }

    /// Tells what was decided: a refusal that blames the sender is tried again, and an attempt that was the last one gives the message up.
    private func log(
        _ attempt: DeliveryAttempt, _ errand: Errand, _ state: OutboxMessage.State, judgement: FailureJudgement?, connectedAt: Timestamp?
    ) {
        logger.info(
            "delivery",
            metadata: DeliveryLine.metadata(
                attempt, errand.message, state, failureClass: judgement?.failureClass, claimedAt: errand.claimedAt,
                connectedAt: connectedAt))
    }
}

extension DeliveryOutcome {
    /// What a delivery said about the site, whatever it said about the message.
    fileprivate func experience(of report: DeliveryReport) -> SiteFeedback.Experience {
        guard let failure else { return .answered }
        if case .routing = failure.cause { return .nothing }
        if case .ambiguous = self { return .overloaded }
        guard failure.scope == .session else { return .answered }
        if failure.cause == .replyCode, let reply = failure.reply { return reply.code == 421 ? .overloaded : .answered }
        switch failure.cause {
        // A login that fails fails for every message: to try on would lock the account.
        case .connectionLost, .timeout, .tlsFailed, .tlsUnavailable, .authenticationFailed, .authenticationUnavailable: return .unreachable
        default: return .answered
        }
    }
}

extension ReactionRule.Action {
    fileprivate var words: String {
        switch self {
        case .suspend: "suspended"
        case .rate(let rate): "at most \(rate)"
        case .connections(let count): "at most \(count) at a time"
        }
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
        return SequenceMachine(enrollment: enrollment, plan: sequence.plan, zone: zone)
    }
}
