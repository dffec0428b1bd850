import InternetMessage
import Outreach

extension OutboxDeliverer {
    /// How much mail of routes that are not in the conf is looked at together; each attempt says so and is deferred.
    private static let roomForUnknown = 5
    /// For each delivery that has room, so many candidates of `mx` routes are looked at: some go to sites that have none.
    private static let choice = 4
    /// How many messages of a route that rests are told so in one round.
    private static let toldAtOnce = 100

    /// What one round of claiming gave.
    struct Round {
        var errands: [Errand] = []
        /// Whether another round may find something at once.
        var hasMore = false
        /// Nothing was looked for, because there is no room: a delivery that ends rings.
        var isFull = false
    }

    /// A claimed message with the site that it goes to.
    struct Errand {
        let message: OutboxMessage
        /// As it stood when the message was claimed.
        let enrollment: Enrollment?
        let site: MailSite?
        let claimedAt: Timestamp
    }

    /// Claims what each route, each site and every limit have room for; what they have none for is told when to come back.
    func claim(_ desk: Desk, _ flow: Flow, ask: (@escaping @Sendable () async -> Void) -> Void) async throws -> Round {
        if desk.policy.safety.isDryRun { return Round() }
        let now = clock.now()
        let active = flow.survey()
        var room: [String: Int] = [:]
        for (route, limit) in desk.limits { room[route] = limit + desk.policy.ahead(of: route, limit: limit) }
        var unknown = Self.roomForUnknown
        for (route, count) in active {
            if let known = room[route] { room[route] = max(0, known - count) } else { unknown -= count }
        }
        let before = self.pauses.subjects
        let pauses = try await self.pauses.current(of: store, at: now)
        // A person ended the pause: what was learned of the host while it stood is asked again.
        for case .route(let route) in before where pauses[.route(route)] == nil {
            board.wake(DeliveryGate.site(ofRoute: route).name, at: now, now: now)
        }
        for case (.route(let route), let pause) in pauses where !pause.holds(at: now) {
            // The pause is over: one delivery tries whether it works again.
            if let known = room[route] { room[route] = min(known, active[route, default: 0] == 0 ? 1 : 0) }
        }
        var gate = DeliveryGate(board: board, lookups: lookups, pauses: pauses)
        let calls = board.calls(at: now)
        var wanted: [String: Int] = [:]
        for (route, count) in room {
            let stand = desk.policy.fallbacks.chain(behind: route).first {
                gate.isOpen($0, desk.policy, at: now)
            }
            if gate.holding(.route(route), at: now) != nil {
                // Those who wait are told so; where another route stands in, as many go there as it has room for.
                wanted[route] = stand == nil ? Self.toldAtOnce : min(Self.toldAtOnce, stand.flatMap { room[$0] } ?? 0)
                room[route] = wanted[route]
            } else if desk.policy.exchangerRoutes.contains(route) {
                wanted[route] = count * Self.choice
            } else if desk.policy.sinkRoutes.contains(route) {
                wanted[route] = count
            } else {
                let site = DeliveryGate.site(ofRoute: route).name
                let free = board.room(of: site, at: now) ?? SiteFeedback.Policy(ceiling: count, rests: []).initial
                if free == 0, active[route, default: 0] == 0 {
                    // A host that rests: those who wait for it are told so.
                    wanted[route] = stand == nil ? Self.toldAtOnce : min(Self.toldAtOnce, stand.flatMap { room[$0] } ?? 0)
                } else {
                    // One that is busy: they stay as they are, and those who were told to wait come first.
                    room[route] = min(count, free)
                    let ahead = calls[OutboxMessage.awaiting(site: site)] ?? calls[OutboxMessage.awaiting(answerOf: site)] ?? 0
                    wanted[route] = max(0, min(count, free) - ahead)
                }
            }
        }
        if calls.isEmpty, !active.isEmpty, wanted.values.allSatisfy({ $0 == 0 }) { return Round(isFull: true) }
        let candidates = try await store.candidates(now: now, limit: max(0, unknown), routes: wanted, sites: calls)
        if !calls.isEmpty {
            var came: [String: Int] = [:]
            for case let awaited? in candidates.map(\.awaits) where calls[awaited] != nil { came[awaited, default: 0] += 1 }
            board.answered(calls, came)
        }
        // Who was called may not be there any more; others may be.
        guard !candidates.isEmpty else { return Round(hasMore: !calls.isEmpty) }
        if pauses.keys.contains(where: \.isOfSequences) {
            gate.sequences = try await store.sequenceNames(of: candidates.map(\.id))
        }
        var policy = desk.policy
        for (source, rate) in ramps.current { policy.limits.sources[source, default: []].append(rate) }
        let tickets = await gate.tickets(
            for: candidates, room: room, policy: policy, ceilings: desk.limits, identities: desk.identities, at: now, ask: ask,
            tries: { self.pauses.tries($0, at: now) })
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
            if case .claimed(let message, let enrollment) = answer {
                round.errands.append(Errand(message: message, enrollment: enrollment, site: ticket.site, claimedAt: now))
            } else {
                giveUpRoom(of: ticket, at: now)
            }
        }
        return round
    }

    private func giveUpRoom(of ticket: DeliveryGate.Ticket, at now: Timestamp) {
        if ticket.hasRoom, let site = ticket.site { _ = board.ended(site, .nothing, lasted: .zero, at: now) }
        if ticket.tries { pauses.hasTried(ticket.candidate.identity) }
    }
}
