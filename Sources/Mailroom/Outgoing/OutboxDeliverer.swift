import InternetMessage
package import Logging
import MailAuthentication
package import MailTransport
package import Outreach
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

        package init(
            courier: Courier, signer: AttemptSigner, decider: DeliveryDecider, judge: FailureJudge, identities: [String: SenderIdentity],
            lifetime: Duration, limits: [String: Int], addresses: TokenAddresses? = nil
        ) {
            self.courier = courier
            self.signer = signer
            self.decider = decider
            self.judge = judge
            self.identities = identities
            self.lifetime = lifetime
            self.limits = limits
            self.addresses = addresses
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
                    guard let claimed = try await loop.round({ try await claim(desk, flow) }) else { continue }
                    for message in claimed {
                        flow.began(message.route)
                        group.addTask {
                            defer {
                                flow.ended(message.route)
                                self.bell.ring()
                            }
                            try await self.deliver(message, desk: desk)
                        }
                    }
                    if claimed.isEmpty, !flow.isStopping { try await loop.round { try await rest() } }
                }
            }
        } onGracefulShutdown: {
            flow.stop()
            bell.ring()
        }
        try await loop.round { try await store.releaseLeases(owner: owner) }
        await desk.current.courier.drain(within: Self.longestFarewell)
    }

    /// Claims what each route has room for.
    private func claim(_ desk: Desk, _ flow: Flow) async throws -> [OutboxMessage] {
        let now = clock.now()
        let active = flow.active
        var room = desk.limits
        var limit = Self.roomForUnknown
        for (route, count) in active {
            if let known = room[route] { room[route] = max(0, known - count) } else { limit -= count }
        }
        limit = max(0, limit) + room.values.reduce(0, +)
        guard limit > 0 else { return [] }
        return try await store.claimDeliverable(
            now: now, limit: limit, routes: room, lease: Lease(owner: owner, until: now + Self.leaseTime))
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
    private func deliver(_ message: OutboxMessage, desk: Desk) async throws {
        do {
            try await attempt(message, desk: desk)
        } catch let error as StoreError where error.code == .constraint {
            logger.critical(
                "what became of a message cannot be stored; it stays claimed until the next start",
                metadata: ["message.id": "\(message.id)", "reason": "\(error.message)"])
        } catch is CancellationError {
            // The process ends; its successor finds the message claimed, and as ambiguous when its dot was announced.
        }
    }

    /// One attempt, from signature to stored outcome.
    private func attempt(_ message: OutboxMessage, desk: Desk) async throws {
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
        let store = store
        let clock = clock
        let checks = DeliveryChecks(
            mayLeave: { (try? await store.mayLeave(message.id, claim: message.claim, now: clock.now())) ?? false },
            finalDot: { (try? await store.markFinalDot(message.id, claim: message.claim, at: clock.now())) ?? false })
        let report = await Self.bounded { await desk.courier.deliver(parcel, route: message.route, checks: checks) }
        guard case .outcome(let outcome) = report.result else {
            return try await giveBack(message, until: clock.now(), reason: "withdrawn before it left")
        }
        let attempt = DeliveryAttempt(outcome, report: report, of: message.id, startedAt: started, endedAt: clock.now())
        let state = try await settle(attempt, of: message, judgement: desk.judge.judgement(of: outcome), desk: desk)
        log(attempt, message, state)
        sequenceBell.ring()
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
        for message in try await store.overdue(waitingSinceBefore: now - desk.lifetime, limit: 500) {
            let consequence = desk.decider.expire(message, machine: try await machine(of: message, desk: desk), at: now)
            _ = try await store.expire(message.id, at: now, consequence: consequence)
        }
    }

    private func machine(of message: OutboxMessage, desk: Desk) async throws -> SequenceMachine? {
        try await store.machine(of: message.enrollment, identities: desk.identities)
    }

    /// Tells what was decided: a refusal that blames the sender is tried again, and an attempt that was the last one gives the message up.
    private func log(_ attempt: DeliveryAttempt, _ message: OutboxMessage, _ state: OutboxMessage.State) {
        let status = attempt.outcome == .ambiguous && state == .hold ? "ambiguous" : state.rawValue
        logger.info(
            "delivery",
            metadata: [
                "message.id": "\(message.id)", "to": "\(message.recipient.text)", "relay": "\(attempt.remoteMTA ?? "none")",
                "dsn": "\(attempt.enhancedStatus?.text ?? "-")", "status": "\(status)", "reply": "\(attempt.text)",
                "message.message_id": "\(message.messageID.text)",
            ])
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
