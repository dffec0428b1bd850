import InternetMessage
package import Logging
import MailAuthentication
package import MailTransport
package import Outreach
import ServiceLifecycle
import Synchronization

/// Delivers what is in the outbox: claim, sign for this attempt, SMTP, and one transaction for outcome and transition.
///
/// Invariants: a message is in one attempt at a time (lease); the final dot is durable before it is written; an outcome that cannot be
/// stored leaves the message as ambiguous, never as unsent.
package struct OutboxDeliverer: Service {
    /// What conf decides; swapped as one.
    package struct Desk: Sendable {
        package let courier: Courier
        package let signer: AttemptSigner
        package let decider: DeliveryDecider
        package let judge: FailureJudge
        package let identities: [String: SenderIdentity]
        /// Age at which a message is given up whatever state it waits in.
        package let lifetime: Duration
        /// Messages in delivery at the same time.
        package let maximumActive: Int
        /// Sign the ENVID; nil: it is the message's number, which proves nothing in a report.
        package let addresses: TokenAddresses?

        package init(
            courier: Courier, signer: AttemptSigner, decider: DeliveryDecider, judge: FailureJudge, identities: [String: SenderIdentity],
            lifetime: Duration, maximumActive: Int, addresses: TokenAddresses? = nil
        ) {
            self.courier = courier
            self.signer = signer
            self.decider = decider
            self.judge = judge
            self.identities = identities
            self.lifetime = lifetime
            self.maximumActive = maximumActive
            self.addresses = addresses
        }
    }

    /// Longer than any transaction may last (RFC 5321 §4.5.3.2 timeouts added up).
    private static let leaseTime = Duration.seconds(3600)
    private static let longestSleep = Duration.seconds(30)
    private static let sweepEvery = Duration.seconds(60)

    private let store: any OutboxStore & SequenceStore
    private let desk: Swappable<Desk>
    private let clock: any MailClock
    private let bell: Bell
    private let sequenceBell: Bell
    private let owner: String
    private let logger: Logger

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
    }

    /// Runs until shutdown: then it stops claiming, lets the attempts in flight end, and gives its leases back.
    package func run() async throws {
        let flow = Flow()
        try await withGracefulShutdownHandler {
            try await withThrowingDiscardingTaskGroup { group in
                var lastSweep = clock.now() - Self.sweepEvery
                while !flow.isStopping, !Task.isCancelled {
                    let desk = desk.current
                    if clock.now() - lastSweep >= Self.sweepEvery {
                        lastSweep = clock.now()
                        try await sweep(desk)
                    }
                    let room = desk.maximumActive - flow.active
                    let claimed = room > 0 ? try await claim(room) : []
                    for message in claimed {
                        flow.began()
                        group.addTask {
                            defer {
                                flow.ended()
                                self.bell.ring()
                            }
                            try await self.deliver(message, desk: desk)
                        }
                    }
                    if claimed.isEmpty, !flow.isStopping { try await rest() }
                }
            }
        } onGracefulShutdown: {
            flow.stop()
            bell.ring()
        }
        try await store.releaseLeases(owner: owner)
    }

    private func claim(_ limit: Int) async throws -> [OutboxMessage] {
        let now = clock.now()
        return try await store.claimDeliverable(now: now, limit: limit, lease: Lease(owner: owner, until: now + Self.leaseTime))
    }

    private func rest() async throws {
        let limit = clock.now() + Self.longestSleep
        let next = try await store.nextAttempt() ?? limit
        await bell.wait(until: min(max(next, clock.now() + .milliseconds(50)), limit), clock: clock)
    }

    /// How many attempts are in flight, and whether new ones may begin.
    private final class Flow: Sendable {
        private let state = Mutex((active: 0, stopping: false))

        var active: Int { state.withLock { $0.active } }
        var isStopping: Bool { state.withLock { $0.stopping } }

        func began() { state.withLock { $0.active += 1 } }
        func ended() { state.withLock { $0.active -= 1 } }
        func stop() { state.withLock { $0.stopping = true } }
    }

    /// One attempt for one claimed message, from signature to stored outcome.
    private func deliver(_ message: OutboxMessage, desk: Desk) async throws {
        let started = clock.now()
        let content: [UInt8]
        do {
            content = try desk.signer.signed(message, identity: desk.identities[message.identity], at: started)
        } catch {
            let reason = "cannot be signed: \(error)"
            try await store.giveBack(message.id, owner: owner, until: started + .seconds(900), reason: reason)
            logger.error("signing failed", metadata: ["message.id": "\(message.id)", "reason": "\(reason)"])
            return
        }
        let parcel = OutboundMessage(
            reversePath: message.reversePath, recipient: message.recipient, content: content,
            envelopeID: desk.addresses?.envelopeID(for: message.id, at: started) ?? message.id.description, earlierAttempts: message.attempts)
        let store = store
        let owner = owner
        let clock = clock
        let checks = DeliveryChecks(
            mayLeave: { (try? await store.mayLeave(message.id, owner: owner, now: clock.now())) ?? false },
            finalDot: { (try? await store.markFinalDot(message.id, owner: owner, at: clock.now())) ?? false })
        let report = await desk.courier.deliver(parcel, route: message.route, checks: checks)
        guard case .outcome(let outcome) = report.result else {
            try await store.giveBack(message.id, owner: owner, until: clock.now(), reason: "withdrawn before it left")
            return
        }
        let attempt = DeliveryAttempt(outcome, report: report, of: message.id, startedAt: started, endedAt: clock.now())
        try await settle(attempt, of: message, judgement: desk.judge.judgement(of: outcome), desk: desk)
        log(attempt, message)
        sequenceBell.ring()
    }

    /// Stores the outcome; decides anew as long as something else moves the enrollment at the same time.
    private func settle(_ attempt: DeliveryAttempt, of message: OutboxMessage, judgement: FailureJudgement?, desk: Desk) async throws {
        while true {
            let machine = try await machine(of: message, desk: desk)
            let decision = desk.decider.decide(attempt, of: message, machine: machine, judgement: judgement)
            let result = try await store.record(
                attempt, state: decision.state, nextAttemptAt: decision.nextAttemptAt, consequence: decision.consequence)
            if result == .committed { return }
        }
    }

    /// Gives up what is older than its lifetime, in whatever state it waits.
    private func sweep(_ desk: Desk) async throws {
        let now = clock.now()
        for message in try await store.overdue(createdBefore: now - desk.lifetime, limit: 500) {
            let consequence = desk.decider.expire(message, machine: try await machine(of: message, desk: desk), at: now)
            _ = try await store.expire(message.id, at: now, consequence: consequence)
        }
    }

    private func machine(of message: OutboxMessage, desk: Desk) async throws -> SequenceMachine? {
        try await store.machine(of: message.enrollment, identities: desk.identities)
    }

    private func log(_ attempt: DeliveryAttempt, _ message: OutboxMessage) {
        let status =
            switch attempt.outcome {
            case .accepted: "sent"
            case .deferred: "deferred"
            case .rejected: "bounced"
            case .ambiguous: "ambiguous"
            }
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
