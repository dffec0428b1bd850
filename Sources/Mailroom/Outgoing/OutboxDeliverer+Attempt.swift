import InternetMessage
import Logging
import MailTransport
import Outreach
import SMTP
import Synchronization

extension OutboxDeliverer {
    /// After this an attempt is ended as if the connection were lost, so that none outlives its lease.
    private static let longestAttempt = Duration.seconds(3000)
    /// For so long what the claim found about a message is not asked again before MAIL FROM.
    private static let freshClaim = Duration.milliseconds(500)

    /// One attempt for one claimed message. What the store refuses about it is told and concerns no other message.
    func deliver(_ errand: Errand, desk: Desk, flow: Flow, ticket: Flow.Ticket) async throws {
        let course = Course { [self] experience, beganAt in
            let now = clock.now()
            let revived = errand.site.map { board.ended($0, experience, lasted: now - (beganAt ?? errand.claimedAt), at: now) } ?? false
            if revived, let site = errand.site {
                logger.notice("a site answers again; its mail is released", metadata: ["site": "\(site.name)"])
            }
            if flow.ended(ticket) { bell.ring() }
        }
        defer {
            pauses.hasTried(errand.message.identity)
            course.end()
        }
        do {
            try await attempt(errand, course: course, desk: desk) { await flow.seat(ticket, of: desk.limits[ticket.route] ?? 1) }
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
        private struct State {
            var beganAt: Timestamp?
            var experience = SiteFeedback.Experience.nothing
            var connectedAt: Timestamp?
            var isOver = false
        }

        private let state = Mutex(State())
        private let ended: @Sendable (SiteFeedback.Experience, _ beganAt: Timestamp?) -> Void

        init(ended: @escaping @Sendable (SiteFeedback.Experience, _ beganAt: Timestamp?) -> Void) { self.ended = ended }

        var experience: SiteFeedback.Experience {
            get { state.withLock { $0.experience } }
            set { state.withLock { $0.experience = newValue } }
        }
        /// When there was a place for it; nil before.
        var beganAt: Timestamp? {
            get { state.withLock { $0.beganAt } }
            set { state.withLock { $0.beganAt = newValue } }
        }
        /// When a connection was ready for MAIL FROM; nil before.
        var connectedAt: Timestamp? {
            get { state.withLock { $0.connectedAt } }
            set { state.withLock { $0.connectedAt = newValue } }
        }

        /// Gives its place to another, once.
        func end() {
            let known = state.withLock { state -> State? in
                defer { state.isOver = true }
                return state.isOver ? nil : state
            }
            if let known { ended(known.experience, known.beganAt) }
        }
    }

    /// One attempt, from signature to stored outcome.
    ///
    /// - Parameter seat: waits for a place on a route that has more messages claimed than places; false: nothing begins any more.
    private func attempt(_ errand: Errand, course: Course, desk: Desk, seat: () async -> Bool) async throws {
        let message = errand.message
        let taken = clock.now()
        let content: [UInt8]
        do {
            content = try desk.signer.signed(message, identity: desk.identities[message.identity], at: taken)
        } catch {
            let reason = "cannot be signed: \(error)"
            try await giveBack(message, until: taken + .seconds(900), reason: reason)
            logger.error("signing failed", metadata: ["message.id": "\(message.id)", "reason": "\(reason)"])
            return
        }
        let parcel = OutboundMessage(
            reversePath: message.reversePath, recipient: message.recipient, content: content,
            envelopeID: desk.addresses?.envelopeID(for: message.id, at: taken) ?? message.id.description,
            earlierAttempts: message.attempts,
            messagesPerConnection: desk.policy.exchangerRoutes.contains(message.route) ? errand.site?.profile.messagesPerConnection : nil)
        if desk.policy.relayRoutes.contains(message.route) {
            guard await seat(), !isInVain(errand, at: clock.now()) else {
                return try await giveBack(message, until: clock.now(), reason: "withdrawn before it left")
            }
        }
        let started = clock.now()
        course.beganAt = started
        let report = await overseer.limited(to: Self.longestAttempt) { [self] in
            await desk.courier.deliver(parcel, route: message.route, checks: checks(on: errand, course: course))
        }
        guard case .outcome(let outcome) = report.result else {
            if course.connectedAt != nil { course.experience = .answered }
            return try await giveBack(message, until: clock.now(), reason: "withdrawn before it left")
        }
        course.experience = outcome.experience(ofExchanger: desk.policy.exchangerRoutes.contains(message.route))
        let judgement = desk.judge.judgement(of: outcome)
        if judgement?.failureClass == "rate_limited", course.experience == .answered { course.experience = .overloaded }
        let pause = try await pauseOrResume(errand, outcome, report, judgement: judgement, began: started, desk: desk)
        // Nothing in it keeps the next one back, and that need not wait until it is stored.
        if case .accepted = outcome { course.end() }
        let reroute = reroute(message, after: outcome, desk: desk)
        var awaits: String?
        if case .route? = pause?.subject, reroute == nil {
            awaits = OutboxMessage.awaiting(.route(message.route))
        } else if let site = errand.site, course.experience == .unreachable, reroute == nil {
            awaits = OutboxMessage.awaiting(answerOf: site.name)
        }
        var attempt = DeliveryAttempt(
            outcome, report: report, of: message.id, startedAt: started, endedAt: clock.now(), awaits: awaits)
        attempt.reroute = reroute
        if desk.policy.exchangerRoutes.contains(message.route), let profile = errand.site?.profile {
            let isKnown = !profile.name.utf8.elementsEqual(desk.policy.providers.fallback.name.utf8)
            attempt.provider = isKnown ? profile.name : RecipientProvider.other
        }
        switch pause?.subject {
        case .route?: attempt.pausedUntil = reroute == nil ? pause?.until : nil
        case .identity?: attempt.identityPausedUntil = pause?.until
        case .sequence?, .instance?, nil: break
        }
        if case .accepted(let reply) = outcome, let domain = desk.policy.renamingRoutes[message.route] {
            attempt.providerName = ProviderName(
                reply: reply.text, own: message.messageID, recipient: message.recipient, domain: domain)
        }
        let goesOn = try await sendOnOtherwise(message, after: attempt, judgement: judgement, desk: desk)
        let decision = try await settle(attempt, of: errand, judgement: judgement, desk: desk)
        if let site = errand.site, let reply = outcome.failure?.reply { react(to: reply, of: site, desk: desk) }
        log(attempt, errand, decision.state, judgement: judgement, connectedAt: course.connectedAt)
        if !goesOn { tell(of: message, decision.state, because: attempt.text, at: attempt.endedAt) }
        if pause == nil, let pause = judgement?.pause, report.loginTrouble?.remedy != .time {
            // Its mail waits, and no retry mends it: a login, a quota, a signature.
            logger.error(
                "somebody must see to this \(pause.rawValue)",
                metadata: [
                    "route": "\(message.route)", "identity": "\(message.identity)", "class": "\(judgement?.failureClass ?? "")",
                    "reason": "\(attempt.text)",
                ])
        }
        // Who looks for due steps sleeps no longer than that.
        if let due = decision.consequence.transition?.dueAt, due < attempt.endedAt + StepDispatcher.longestSleep { sequenceBell.ring() }
    }

    /// What is asked right before MAIL FROM and right before the dot; the conf that holds then counts.
    private func checks(on errand: Errand, course: Course) -> DeliveryChecks {
        let message = errand.message
        let claimed = ContinuousClock.now
        return DeliveryChecks(
            mayLeave: { [self] in
                course.connectedAt = clock.now()
                guard desk.current.policy.safety.refusal(of: message.recipient) == nil else { return false }
                // The claim looked, too; and before the dot it is asked again in any case.
                if ContinuousClock.now - claimed < Self.freshClaim { return true }
                return (try? await store.mayLeave(message.id, claim: message.claim, now: clock.now())) ?? false
            },
            finalDot: { [self] in (try? await store.markFinalDot(message.id, claim: message.claim, at: clock.now())) ?? false })
    }

    /// Whether others found out, while it stood ready, that nothing leaves by its route or for its identity.
    private func isInVain(_ errand: Errand, at now: Timestamp) -> Bool {
        let message = errand.message
        if let site = errand.site, board.hasDied(site, since: errand.claimedAt, now: now) { return true }
        return [.route(message.route), .identity(message.identity)].contains { pauses[$0]?.holds(at: now) ?? false }
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

    private func giveBack(_ message: OutboxMessage, until: Timestamp, reason: String) async throws {
        try await loop.patiently { try await store.giveBack(message.id, claim: message.claim, until: until, reason: reason) }
    }

    /// Stores the outcome; decides anew as long as something else moves the enrollment at the same time.
    ///
    /// A consequence that the store refuses is left out and told: the outcome itself must not be lost, or the message would leave again.
    private func settle(_ attempt: DeliveryAttempt, of errand: Errand, judgement: FailureJudgement?, desk: Desk) async throws
        -> DeliveryDecision
    {
        let message = errand.message
        // Mostly it is as it was when the message was claimed, and the store tells when it is not.
        var known = errand.enrollment
        let hours = attempt.outcome == .accepted ? [] : try await loop.patiently { try await self.hours(of: message, desk: desk) }
        let uncertain =
            attempt.outcome == .ambiguous
            ? try await loop.patiently { try await store.attempts(of: message.id).count { $0.outcome == .ambiguous } } : 0
        while true {
            let machine: SequenceMachine? = try await loop.patiently {
                if let known { return try await self.machine(of: known, desk: desk) }
                return try await self.machine(of: message, desk: desk)
            }
            known = nil
            let decision = desk.decider.decide(
                attempt, of: message, machine: machine, judgement: judgement, uncertain: uncertain, hours: hours)
            func record(_ consequence: Consequence) async throws -> CommitResult {
                try await loop.patiently {
                    try await store.record(
                        attempt, claim: message.claim, state: decision.state, nextAttemptAt: decision.nextAttemptAt,
                        consequence: consequence)
                }
            }
            do {
                if try await record(decision.consequence) == .committed { return decision }
            } catch let error as StoreError where error.code == .constraint {
                logger.critical(
                    "what follows from an outcome cannot be stored; the outcome alone is",
                    metadata: ["message.id": "\(message.id)", "reason": "\(error.message)"])
                if try await record(Consequence()) == .committed { return decision }
            }
        }
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
    /// Whether the server answered MAIL FROM: up to there, the route works.
    var cameToMail: Bool {
        guard let failure else { return true }
        switch failure.stage {
        case .connect, .greeting, .hello, .startTLS, .tls, .authentication: return false
        case .mail: return failure.reply != nil
        case .recipient, .data, .content, .finalDot, .reset, .quit: return true
        }
    }

    /// What a delivery said about the site, whatever it said about the message.
    ///
    /// - Parameter isExchanger: whether mail of others, who demand other things of its TLS, goes there, too.
    func experience(ofExchanger isExchanger: Bool) -> SiteFeedback.Experience {
        guard let failure else { return .answered }
        switch failure.cause {
        case .routing, .unasked: return .nothing
        case .tlsFailed where isExchanger, .tlsUnavailable where isExchanger: return .answered
        default: break
        }
        if case .ambiguous = self { return .overloaded }
        guard failure.scope == .session else { return .answered }
        if failure.cause == .replyCode, let reply = failure.reply { return reply.code == 421 ? .overloaded : .answered }
        switch failure.cause {
        // It spoke with us before it was gone: that may be the message's doing, and others need not wait for it.
        case .connectionLost where cameToMail, .timeout where cameToMail: return .overloaded
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
