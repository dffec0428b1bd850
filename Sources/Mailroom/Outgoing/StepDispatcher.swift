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
        package let safety: SendingSafety

        package init(
            identities: [String: SenderIdentity], composer: StepComposer, chance: Chance, safety: SendingSafety = SendingSafety()
        ) {
            self.identities = identities
            self.composer = composer
            self.chance = chance
            self.safety = safety
        }
    }

    /// How long a claim lasts if this process dies.
    private static let leaseTime = Duration.seconds(120)
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
        let desk = desk.current
        let due = try await store.claimDue(now: now, limit: desk.safety.batchLimit, lease: Lease(owner: owner, until: now + Self.leaseTime))
        // What a round queues is added to what was read of an identity: it is read once, not once for each step.
        var ledger = UsageLedger()
        for item in due {
            do {
                ledger = try await loop.patiently { try await dispatch(item, desk: desk, ledger: ledger) }
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

    /// What identities have used of their budgets, as far as one round knows.
    private struct UsageLedger {
        struct Account {
            var usage: IdentityUsage
            let date: CivilDate
            let history: SendingHistory?
        }

        var accounts: [String: Account] = [:]

        mutating func queued(_ identity: String, at now: Timestamp) {
            guard let account = accounts[identity] else { return }
            let usage = account.usage
            accounts[identity]?.usage = IdentityUsage(
                countOnDate: usage.countOnDate + 1, lastAt: now, countInHour: usage.countInHour + 1, lifting: usage.lifting ?? now)
        }
    }

    private func account(of identity: SenderIdentity, gate: PacingGate, at now: Timestamp) async throws(StoreError) -> UsageLedger.Account {
        let date = gate.budgetDate(at: now)
        var history: SendingHistory?
        if let warmUp = identity.pacing.warmUp {
            history = try await store.history(
                identities: [identity.name], before: date, since: date.adding(days: -warmUp.signals.days))
        }
        return UsageLedger.Account(
            usage: try await store.usage(identity: identity.name, localDate: date, at: now), date: date, history: history)
    }

    private func dispatch(_ due: DueEnrollment, desk: Desk, ledger: UsageLedger) async throws(StoreError) -> UsageLedger {
        var ledger = ledger
        let now = clock.now()
        let enrollment = due.enrollment
        guard let identity = desk.identities[enrollment.identity] else {
            let why = "identity '\(enrollment.identity)' is not in the conf"
            _ = try await store.postpone(enrollment.id, expectedVersion: enrollment.version, until: now + .seconds(3600), heldBy: why)
            return ledger
        }
        if !desk.safety.allows(due.contact.address) {
            let why = "the recipient is not among allow_recipients of [safety]"
            _ = try await store.postpone(enrollment.id, expectedVersion: enrollment.version, until: now + .seconds(3600), heldBy: why)
            return ledger
        }
        let gate = PacingGate(identity: identity.name, policy: identity.pacing, chance: desk.chance)
        var account = ledger.accounts[identity.name]
        if account?.date != gate.budgetDate(at: now) { account = nil }
        let known: UsageLedger.Account
        if let account { known = account } else { known = try await self.account(of: identity, gate: gate, at: now) }
        ledger.accounts[identity.name] = known
        let verdict = gate.verdict(at: now, usage: known.usage, history: known.history, enrollment: enrollment.id)
        if case .wait(let until, let because) = verdict {
            _ = try await store.postpone(enrollment.id, expectedVersion: enrollment.version, until: until, heldBy: because)
            return ledger
        }
        let machine = SequenceMachine(enrollment: enrollment, plan: due.sequence.plan, zone: identity.pacing.window.zone)
        guard let parsed = templates.templates(of: due.sequence) else {
            try await park(machine, .cannotCompose("the templates of its sequence cannot be read; load the sequence again"), at: now)
            return ledger
        }
        let earlier = try await store.messages(enrollment: enrollment.id)
        if let present = earlier.last(where: { $0.step == enrollment.nextStep && $0.state != .cancelled }) {
            try await park(machine, Self.event(of: present), at: now)
            return ledger
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
            if result == .committed { ledger.queued(identity.name, at: now) }
            logger.info(
                "step queued",
                metadata: [
                    "message.id": "\(message.id)", "enrollment.id": "\(enrollment.id)", "identity": "\(identity.name)",
                    "result": "\(result)",
                ])
        }
        return ledger
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
