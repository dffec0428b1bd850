import InternetMessage
package import Logging
package import Outreach
import ServiceLifecycle
import Synchronization

/// Turns due enrollments into messages in the outbox: claim, gate, compose, and one transaction for both.
///
/// Invariants: nothing leaves here, only the outbox is filled; a step enters the outbox once; what keeps a due step back is noted on it.
package struct StepDispatcher: Service {
    /// What conf decides; swapped as one.
    package struct Desk: Sendable {
        package let identities: [String: SenderIdentity]
        package let composer: StepComposer
        package let chance: Chance

        package init(identities: [String: SenderIdentity], composer: StepComposer, chance: Chance) {
            self.identities = identities
            self.composer = composer
            self.chance = chance
        }
    }

    /// How long a claim lasts if this process dies.
    private static let leaseTime = Duration.seconds(120)
    private static let batch = 100
    /// How long an enrollment rests whose step the store refused.
    private static let setAsideTime = Duration.seconds(3600)
    /// Longest sleep without looking, so that foreign commits and clock changes are noticed.
    private static let longestSleep = Duration.seconds(30)

    private let store: any SequenceStore & OutboxStore
    private let desk: Swappable<Desk>
    private let ids: RecordIDs
    private let clock: any MailClock
    private let bell: Bell
    private let outboxBell: Bell
    private let owner: String
    private let logger: Logger
    private let loop: ServiceLoop
    private let templates = TemplateShelf()

    /// - Parameters:
    ///   - bell: rung when an enrollment may have become due.
    ///   - outboxBell: rung when a message entered the outbox.
    ///   - owner: name of this process on its leases.
    package init(
        store: any SequenceStore & OutboxStore, desk: Swappable<Desk>, ids: RecordIDs, clock: any MailClock, bell: Bell, outboxBell: Bell,
        owner: String, logger: Logger
    ) {
        self.store = store
        self.desk = desk
        self.ids = ids
        self.clock = clock
        self.bell = bell
        self.outboxBell = outboxBell
        self.owner = owner
        self.logger = logger
        loop = ServiceLoop("dispatch", logger: logger)
    }

    package func run() async throws {
        try await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                guard let count = try await loop.round({ try await dispatchDue() }) else { continue }
                if count > 0 { continue }
                let limit = clock.now() + Self.longestSleep
                guard let next = try await loop.round({ try await store.nextDue() ?? limit }) else { continue }
                await bell.wait(until: min(max(next, clock.now() + .milliseconds(50)), limit), clock: clock)
            }
        }
    }

    /// One round: claims what is due and decides each; how many were claimed.
    ///
    /// An enrollment that the store refuses is postponed with the reason, so that it keeps nobody else waiting.
    package func dispatchDue() async throws -> Int {
        let now = clock.now()
        let due = try await store.claimDue(now: now, limit: Self.batch, lease: Lease(owner: owner, until: now + Self.leaseTime))
        for item in due {
            do {
                try await loop.patiently { try await dispatch(item, desk: desk.current) }
            } catch let error as StoreError where error.code == .constraint {
                try await setAside(item.enrollment, because: error)
            }
        }
        if !due.isEmpty { outboxBell.ring() }
        return due.count
    }

    private func setAside(_ enrollment: Enrollment, because error: StoreError) async throws {
        logger.error(
            "a step cannot be queued; postponed", metadata: ["enrollment.id": "\(enrollment.id)", "reason": "\(error.message)"])
        do {
            _ = try await loop.patiently {
                try await store.postpone(
                    enrollment.id, expectedVersion: enrollment.version, until: clock.now() + Self.setAsideTime,
                    heldBy: "its step cannot be queued: \(error.message)")
            }
        } catch let error as StoreError where error.code == .constraint {
            logger.error(
                "a step cannot be postponed either; its claim runs out",
                metadata: ["enrollment.id": "\(enrollment.id)", "reason": "\(error.message)"])
        }
    }

    private func dispatch(_ due: DueEnrollment, desk: Desk) async throws(StoreError) {
        let now = clock.now()
        let enrollment = due.enrollment
        guard let identity = desk.identities[enrollment.identity] else {
            let why = "identity '\(enrollment.identity)' is not in the conf"
            _ = try await store.postpone(enrollment.id, expectedVersion: enrollment.version, until: now + .seconds(3600), heldBy: why)
            return
        }
        let gate = PacingGate(identity: identity.name, policy: identity.pacing, chance: desk.chance)
        let usage = try await store.usage(identity: identity.name, localDate: gate.budgetDate(at: now))
        if case .wait(let until, let because) = gate.verdict(at: now, usage: usage, enrollment: enrollment.id) {
            _ = try await store.postpone(enrollment.id, expectedVersion: enrollment.version, until: until, heldBy: because)
            return
        }
        let machine = SequenceMachine(enrollment: enrollment, plan: due.sequence.plan, zone: identity.pacing.window.zone)
        guard let parsed = templates.templates(of: due.sequence) else {
            try await park(machine, .cannotCompose("the templates of its sequence cannot be read; load the sequence again"), at: now)
            return
        }
        let earlier = try await store.messages(enrollment: enrollment.id)
        if let present = earlier.last(where: { $0.step == enrollment.nextStep && $0.state != .cancelled }) {
            return try await park(machine, Self.event(of: present), at: now)
        }
        let order = StepComposer.Order(due: due, templates: parsed, identity: identity, earlier: earlier, now: now)
        switch desk.composer.compose(order) {
        case .missing(let names):
            try await park(machine, .missingValues(names), at: now)
        case .impossible(let why):
            try await park(machine, .cannotCompose(why), at: now)
        case .message(let message):
            let consequence = OutboxConsequence.queued(message, machine: machine, ids: ids, at: now)
            let result = try await store.dispatch(message, with: consequence)
            logger.info(
                "step queued",
                metadata: [
                    "message.id": "\(message.id)", "enrollment.id": "\(enrollment.id)", "identity": "\(identity.name)",
                    "result": "\(result)",
                ])
        }
    }

    /// What a message that is there already makes of the enrollment whose step is due.
    private static func event(of present: OutboxMessage) -> SequenceEvent {
        switch present.state {
        case .sent: .accepted(step: present.step)
        case .bounced, .expired, .cancelled:
            .cannotCompose("its message \(present.id) is in the outbox already, as \(present.state.rawValue); stop it, or enroll anew")
        case .hold: .unsettled(step: present.step, uncertain: present.finalDotAt != nil)
        case .incoming, .active, .deferred: .unsettled(step: present.step, uncertain: false)
        }
    }

    private func park(_ machine: SequenceMachine, _ event: SequenceEvent, at now: Timestamp) async throws(StoreError) {
        let consequence = OutboxConsequence.changed(machine, event, ids: ids, at: now)
        _ = try await store.apply(consequence)
        logger.info(
            "step parked",
            metadata: ["enrollment.id": "\(machine.enrollment.id)", "reason": "\(consequence.transition?.reason ?? "")"])
    }
}

/// Parsed templates by sequence version, which never changes once loaded.
final class TemplateShelf: Sendable {
    private let parsed = Mutex<[SequenceVersion.ID: StepTemplates]>([:])

    /// nil when the stored sequence cannot be parsed, which loading it prevents.
    func templates(of sequence: SequenceVersion) -> StepTemplates? {
        if let known = parsed.withLock({ $0[sequence.id] }) { return known }
        guard let templates = try? StepTemplates(sequence.plan) else { return nil }
        parsed.withLock { $0[sequence.id] = templates }
        return templates
    }
}
