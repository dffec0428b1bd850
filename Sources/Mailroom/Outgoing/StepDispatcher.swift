import InternetMessage
package import Logging
package import Outreach
import ServiceLifecycle

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
        package let frequency: FrequencyPolicy
        /// What steps may call.
        package let webhooks: WebhookBook

        package init(
            identities: [String: SenderIdentity], composer: StepComposer, chance: Chance, safety: SendingSafety = SendingSafety(),
            frequency: FrequencyPolicy = FrequencyPolicy(), webhooks: WebhookBook = WebhookBook()
        ) {
            self.identities = identities
            self.composer = composer
            self.chance = chance
            self.safety = safety
            self.frequency = frequency
            self.webhooks = webhooks
        }
    }

    /// How long a claim lasts if this process dies.
    private static let leaseTime = Duration.seconds(120)
    /// How long an enrollment rests whose step the store refused.
    private static let setAsideTime = Duration.seconds(3600)
    /// How long a step is put off at least for a pause, which may be over and not ended yet.
    private static let comeBackForPause = Duration.seconds(60)
    /// Longest sleep without looking, so that foreign commits and clock changes are noticed.
    static let longestSleep = Duration.seconds(30)

    private let store: any ContactGroupStore & OutboxStore & PauseStore & SequenceStore
    private let desk: Swappable<Desk>
    private let ids: RecordIDs
    private let clock: any MailClock
    private let bell: Bell
    private let outboxBell: Bell
    private let callBell: Bell
    private let owner: String
    private let logger: Logger
    private let loop: ServiceLoop
    private let templates = TemplateShelf()
    private let lines = SendingLines()
    private let pauses = PauseBoard()
    private let accounts = SenderAccounts()

    /// - Parameters:
    ///   - bell: rung when an enrollment may have become due.
    ///   - outboxBell: rung when a message entered the outbox.
    ///   - callBell: rung when a call to another system was queued.
    ///   - owner: name of this process on its leases.
    package init(
        store: any ContactGroupStore & OutboxStore & PauseStore & SequenceStore, desk: Swappable<Desk>, ids: RecordIDs,
        clock: any MailClock, bell: Bell,
        outboxBell: Bell, callBell: Bell = Bell(), owner: String, logger: Logger
    ) {
        self.store = store
        self.desk = desk
        self.ids = ids
        self.clock = clock
        self.bell = bell
        self.outboxBell = outboxBell
        self.callBell = callBell
        self.owner = owner
        self.logger = logger
        loop = ServiceLoop("dispatch", logger: logger)
    }

    package func run() async throws {
        try await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                guard let count = try await loop.round({ try await dispatchDue() }), count == 0 else { continue }
                let limit = clock.now() + Self.longestSleep
                guard let next = try await loop.round({ try await store.nextDue() ?? limit }) else { continue }
                await bell.wait(until: min(max(next, clock.now() + .milliseconds(50)), limit), clock: clock)
            }
        }
    }

    /// Claims what is due, decides each, and stores what was decided, in rounds as long as more is due than one takes; how many were decided.
    ///
    /// The next are claimed while the last are being decided, and each round is stored before the next one is decided. An enrollment that the
    /// store refuses is postponed with the reason, so that it keeps nobody else waiting.
    package func dispatchDue() async throws -> Int {
        var count = 0
        var claim = try await claim()
        while claim.isFull {
            async let next = self.claim()
            try await dispatch(claim)
            count += claim.due.count
            claim = try await next
            // What is claimed is free again when this process has ended.
            if Task.isCancelled { return count }
        }
        try await dispatch(claim)
        return count + claim.due.count
    }

    private struct Claim {
        let due: [DueEnrollment]
        /// When it runs out: what was decided then is decided anew.
        let end: Timestamp
        /// More may be due.
        let isFull: Bool
    }

    private func claim() async throws -> Claim {
        let now = clock.now()
        let limit = desk.current.safety.batchLimit
        let due = try await store.claimDue(now: now, limit: limit, lease: Lease(owner: owner, until: now + Self.leaseTime))
        return Claim(due: due, end: now + Self.leaseTime, isFull: due.count == limit)
    }

    private func dispatch(_ claim: Claim) async throws {
        guard !claim.due.isEmpty else { return lines.clear() }
        let generation = self.desk.generation
        let desk = desk.current
        let now = clock.now()
        var round = Round(end: claim.end, accounts: accounts.take(at: now))
        round.pauses = try await loop.patiently { try await pauses.current(of: store, at: now) }
        round.marks = try await loop.patiently { try await store.pausedSequences() }
        for item in claim.due {
            let verdict = try await loop.patiently { try await decide(item, desk: desk, round: &round) }
            round.add(verdict, about: item.enrollment)
        }
        try await commit(&round)
        outboxBell.ring()
        if self.desk.generation == generation {
            accounts.keep(round.accounts)
        } else {
            // What the conf of before held back was on its way to the store when the new one had everything looked at anew.
            _ = try await loop.patiently { try await store.reconsiderPostponed(now: clock.now()) }
        }
    }

    /// What one round has decided so far, and what identities have used of their budgets with it: each is read once, not once for each step.
    private struct Round {
        /// When the claims run out.
        let end: Timestamp
        var accounts: [String: SenderAccount]
        /// Whose account is of an earlier round.
        var carried: Set<String>
        var pauses: [SendingPause.Subject: SendingPause] = [:]
        var marks: [SequencePauseMark] = []
        var starts = StartTally()
        /// Not stored yet.
        var decided: [(enrollment: Enrollment, verdict: StepVerdict)] = []

        init(end: Timestamp, accounts: [String: SenderAccount]) {
            self.end = end
            self.accounts = accounts
            carried = Set(accounts.keys)
        }

        mutating func add(_ verdict: StepVerdict, about enrollment: Enrollment) {
            decided.append((enrollment, verdict))
            guard case .queued(let message, _, _) = verdict else { return }
            accounts[message.identity]?.add(message)
        }

        /// Whether messages count that may turn out not to have been queued.
        var isUncertain: Bool { decided.contains { if case .queued = $0.verdict { true } else { false } } }

        /// A message was not queued in the end: what was counted with it is read anew.
        mutating func forget(_ message: OutboxMessage) {
            accounts[message.identity] = nil
            starts = StartTally()
        }

        /// Whether messages of that identity count that may turn out not to have been queued.
        func isUncertain(_ identity: String) -> Bool {
            decided.contains { if case .queued(let message, _, _) = $0.verdict { message.identity == identity } else { false } }
        }
    }

    /// Stores what the round decided; what the store refuses is found by storing each alone.
    private func commit(_ round: inout Round) async throws {
        guard !round.decided.isEmpty else { return }
        let decided = round.decided
        round.decided = []
        do {
            let end = round.end
            let results = try await loop.patiently {
                clock.now() < end ? try await store.store(decided.map(\.verdict)) : decided.map { _ in .stale }
            }
            for (item, result) in zip(decided, results) { note(result, of: item.verdict, in: &round) }
        } catch let error as StoreError where error.code == .constraint {
            for item in decided {
                do {
                    let result = try await loop.patiently { try await store.store(item.verdict) }
                    note(result, of: item.verdict, in: &round)
                } catch let error as StoreError where error.code == .constraint {
                    if case .queued(let message, _, _) = item.verdict { round.forget(message) }
                    try await setAside(item.enrollment, because: error)
                }
            }
        }
    }

    private func note(_ result: CommitResult, of verdict: StepVerdict, in round: inout Round) {
        switch verdict {
        case .queued(let message, _, _):
            if result != .committed { round.forget(message) }
            logger.info(
                result == .held ? "step held by a frequency cap" : "step queued",
                metadata: [
                    "message.id": "\(message.id)", "enrollment.id": "\(message.enrollment.map(\.description) ?? "-")",
                    "identity": "\(message.identity)", "result": "\(result)",
                ])
        case .changed(let consequence):
            if !consequence.calls.isEmpty, result == .committed { callBell.ring() }
            guard let transition = consequence.transition else { return }
            // The timeline has them all; the log names those that a person must see to.
            logger.log(
                level: transition.state == .needsData ? .info : .debug, transition.state == .needsData ? "step parked" : "step decided",
                metadata: ["enrollment.id": "\(transition.enrollment)", "reason": "\(transition.reason)"])
        case .postponed: break
        }
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

    private func account(of identity: SenderIdentity, gate: PacingGate, at now: Timestamp, round: inout Round) async throws(StoreError)
        -> SenderAccount
    {
        let date = gate.budgetDate(at: now)
        if let known = round.accounts[identity.name], known.date == date { return known }
        var history: SendingHistory?
        if let warmUp = identity.pacing.warmUp {
            history = try await store.history(
                identities: [identity.name], before: date, since: date.adding(days: -warmUp.signals.days))
        }
        let account = SenderAccount(
            usage: try await store.usage(identity: identity.name, localDate: date, at: now), date: date, history: history, readAt: now)
        round.accounts[identity.name] = account
        return account
    }

    private func decide(_ due: DueEnrollment, desk: Desk, round: inout Round) async throws -> StepVerdict {
        let now = clock.now()
        let enrollment = due.enrollment
        func postponed(until: Timestamp, because why: String) -> StepVerdict {
            let rest = Postponement(until: until, because: why, at: now)
            return .postponed(enrollment.id, expectedVersion: enrollment.version, until: rest.until, heldBy: rest.heldBy)
        }
        guard let identity = desk.identities[enrollment.identity] else {
            return postponed(until: now + Postponement.longest, because: "identity '\(enrollment.identity)' is not in the conf")
        }
        if identity.workspace != enrollment.workspace {
            let why = "identity '\(identity.name)' belongs to another workspace"
            return postponed(until: now + Postponement.longest, because: why)
        }
        if !desk.safety.allows(due.contact.address) {
            return postponed(until: now + Postponement.longest, because: "the recipient is not among allow_recipients of [safety]")
        }
        let mark = round.marks.first { $0.workspace == enrollment.workspace && $0.sequence.utf8.elementsEqual(due.sequence.plan.name.utf8) }
        if let mark { return postponed(until: now + Postponement.longest, because: mark.words) }
        let watched: [SendingPause.Subject] = [
            .instance, .sequence(due.sequence.plan.name, in: enrollment.workspace), .identity(identity.name),
        ]
        let paused = watched.compactMap({ round.pauses[$0] }).first { $0.finding != nil }
        if let paused { return postponed(until: max(paused.until, now + Self.comeBackForPause), because: paused.words) }
        let plan = due.sequence.plan
        let machine = SequenceMachine(
            enrollment: enrollment, plan: plan, zone: identity.pacing.window.zone, holidays: identity.pacing.window.holidays)
        if case .decide(let needsHistory, let needsGroups) = machine.duty {
            var call: WebhookCall?
            switch self.call(of: due, identity: identity, desk: desk, at: now) {
            case .none: break
            case .call(let composed): call = composed
            case .unknown(let why): return postponed(until: now + Postponement.longest, because: why)
            case .impossible(let event): return .changed(OutboxConsequence.changed(machine, event, ids: ids, at: now))
            }
            return try await decide(
                due, machine, needsHistory: needsHistory, needsGroups: needsGroups, call: call, chance: desk.chance, at: now)
        }
        let gate = PacingGate(identity: identity.name, policy: identity.pacing, chance: desk.chance)
        var account = try await account(of: identity, gate: gate, at: now, round: &round)
        var verdict = gate.verdict(at: now, usage: account.usage, history: account.history, enrollment: enrollment.id, contact: due.contact)
        if case .line = verdict, round.carried.contains(identity.name) || round.isUncertain(identity.name) {
            // Nobody waits for a message that was not queued in the end, or was cancelled a moment ago.
            try await commit(&round)
            if round.carried.remove(identity.name) != nil { round.accounts[identity.name] = nil }
            account = try await self.account(of: identity, gate: gate, at: now, round: &round)
            verdict = gate.verdict(at: now, usage: account.usage, history: account.history, enrollment: enrollment.id, contact: due.contact)
        }
        switch verdict {
        case .leave: break
        case .wait(let until, let because): return postponed(until: until, because: because)
        case .line(let free, let because):
            return postponed(until: lines.place(of: identity.name, free: free, gate: gate), because: because)
        }
        if let quiet = plan.quietHours, let end = quiet.end(at: now, in: machine.calendar) {
            return postponed(until: end, because: "quiet hours of the sequence (\(machine.calendar.name))")
        }
        let caps =
            due.isStart
            ? StartCap.all(of: due, identity: identity, among: desk.identities.keys.sorted(), on: gate.budgetDate(at: now)) : []
        if !caps.isEmpty {
            var reached = try await round.starts.reached(caps, store: store)
            if reached != nil, round.isUncertain {
                try await commit(&round)
                // What was not queued in the end took the account with it.
                _ = try await self.account(of: identity, gate: gate, at: now, round: &round)
                reached = try await round.starts.reached(caps, store: store)
            }
            if let reached { return postponed(until: gate.hours.nextDay(after: now), because: reached.words) }
        }
        func parked(_ event: SequenceEvent) -> StepVerdict { .changed(OutboxConsequence.changed(machine, event, ids: ids, at: now)) }
        guard let parsed = templates.templates(of: due.sequence) else {
            return parked(.cannotCompose("the templates of its sequence cannot be read; load the sequence again"))
        }
        if let present = due.earlier.last(where: { $0.step == enrollment.nextStep && $0.state != .cancelled }) {
            return parked(Self.event(of: present))
        }
        let order = StepComposer.Order(due: due, templates: parsed, identity: identity, earlier: due.earlier, now: now)
        switch desk.composer.compose(order) {
        case .missing(let names): return parked(.missingValues(names))
        case .impossible(let why): return parked(.cannotCompose(why))
        case .message(let message):
            round.starts.note(caps)
            return .queued(
                message, OutboxConsequence.queued(message, machine: machine, ids: ids, at: now),
                under: desk.frequency.rule(for: message.recipient))
        }
    }

    /// What a due step hands over to another system.
    private enum CallOrder {
        /// It calls nothing.
        case none
        case call(WebhookCall)
        /// It calls what conf does not know.
        case unknown(String)
        case impossible(SequenceEvent)
    }

    private func call(of due: DueEnrollment, identity: SenderIdentity, desk: Desk, at now: Timestamp) -> CallOrder {
        let (enrollment, plan) = (due.enrollment, due.sequence.plan)
        guard enrollment.doneAt == nil, case .webhook(let order) = plan.steps[enrollment.nextStep].work else { return .none }
        guard let parsed = templates.templates(of: due.sequence) else {
            return .impossible(.cannotCompose("the templates of its sequence cannot be read; load the sequence again"))
        }
        do throws(WebhookBook.Unknown) {
            let name = try desk.webhooks.name(of: order)
            switch WebhookComposer.compose(order, to: name, of: due, templates: parsed, identity: identity, id: ids.next(), at: now) {
            case .call(let call): return .call(call)
            case .missing(let names): return .impossible(.missingValues(names))
            }
        } catch {
            return .unknown("its step calls a webhook: \(error)")
        }
    }

    /// A step that is no message: it needs no hours and no budget.
    private func decide(
        _ due: DueEnrollment, _ machine: SequenceMachine, needsHistory: Bool, needsGroups: Bool, call: WebhookCall?, chance: Chance,
        at now: Timestamp
    ) async throws -> StepVerdict {
        let enrollment = due.enrollment
        let groups = needsGroups ? try await store.groups(of: [due.contact.id])[due.contact.id] : nil
        let known = StepFacts(
            contact: due.contact, identity: enrollment.identity, plan: due.sequence.plan,
            history: needsHistory
                ? try await store.history(of: enrollment, withTouches: due.sequence.plan.asksForTouches) : SequenceHistory(),
            messages: due.earlier,
            groups: groups ?? [])
        switch machine.decide(known, chance: chance, at: now) {
        case .wait(let until, let because):
            return .postponed(enrollment.id, expectedVersion: enrollment.version, until: until, heldBy: because)
        case .move(let transition, let actions):
            var versions: [String: SequenceVersion] = [:]
            for case .enroll(let name) in actions {
                guard let version = try await store.sequence(workspace: enrollment.workspace, name: name) else {
                    let why = "its step begins the sequence '\(name)', which is not loaded; load it, then resume"
                    return .changed(OutboxConsequence.changed(machine, .cannotCompose(why), ids: ids, at: now))
                }
                versions[name] = version
            }
            return .changed(
                OutboxConsequence.decided(
                    transition, actions, of: due, machine: machine, versions: versions, call: call, ids: ids, at: now))
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
}
