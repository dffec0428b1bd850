import InternetMessage
import Outreach

extension StoreContract {
    /// The second gate at the store: limits are decided where the claim is.
    static var limits: [Self] {
        [
            Self("what a limit does not let through waits with the limit's name and the time it lifts, and is no attempt") { world in
                let first = try world.message(to: "a@example.com", due: 0)
                let second = try world.message(to: "b@example.com", due: 1)
                for message in [first, second] { _ = try await world.store.dispatch(message, with: Consequence()) }
                let limit = try world.limit("route office", "1/min")
                let answers = try await world.store.claim(
                    [first, second].map { ClaimBid(id: $0.id, wish: .leave([limit])) }, now: world.later(10), lease: world.lease("me"))
                guard case .claimed(let claimed, _)? = answers.first else {
                    throw ContractBreach(description: "broken: one is let through")
                }
                try expect(claimed.id, first.id, "the first bid comes first")
                try expect(answers.last, .postponed(until: world.later(70)), "the other is told when")
                let waiting = try await world.store.message(id: second.id)
                try expect(waiting?.state, .deferred, "it is deferred")
                try expect(waiting?.awaits, "limit route office/min", "by the limit that binds")
                try expect(waiting?.reason, "limit of 1/min for route office is reached", "in words")
                try expect(waiting?.nextAttemptAt, world.later(70), "until it lifts")
                try expect(waiting?.attempts, 0, "without an attempt")
                try expect(waiting?.waitsSince, world.later(60), "and the time is not part of its lifetime")
                try expect(
                    try await world.store.candidates(now: world.later(69), limit: 9, routes: [:], sites: [:]), [],
                    "nobody looks at it before")
            },
            Self("the time in which a message was due and nobody came for it is not part of its lifetime, whatever it waits for then") {
                world in
                let limit = try world.limit("route office", "1/min")
                let until = world.later(9090)
                let wishes: [(ClaimBid.Wish, Int64)] = [
                    (.leave([]), 9000), (.wait(until: until, awaiting: "limit x", because: "a limit", isOurs: true), 9090),
                    (.wait(until: until, awaiting: "site x", because: "a site", isOurs: false), 9000), (.leave([limit]), 9000),
                    (.leave([limit]), 9060),
                ]
                for (number, (wish, since)) in wishes.enumerated() {
                    let message = try world.message(to: "m\(number)@example.com", due: 0)
                    _ = try await world.store.dispatch(message, with: Consequence())
                    _ = try await world.store.claim(
                        [ClaimBid(id: message.id, wish: wish)], now: world.later(9000), lease: world.lease("me", until: 9999))
                    try expect(try await world.store.message(id: message.id)?.waitsSince, world.later(since), "wish \(number)")
                }
                // A minute is nothing that anybody was late.
                let message = try world.message(to: "soon@example.com", due: 0)
                _ = try await world.store.dispatch(message, with: Consequence())
                _ = try await world.store.claim(
                    [ClaimBid(id: message.id, wish: .leave([]))], now: world.later(60), lease: world.lease("me", until: 999))
                try expect(try await world.store.message(id: message.id)?.waitsSince, message.createdAt, "in time")
            },
            Self("what was stored while the clock was ahead is not believed, and what was stored at its time is") { world in
                // 400 days ahead, and back again.
                let ahead: Int64 = 400 * 86_400
                func queued(_ text: String, created: Int64 = 0) async throws -> OutboxMessage {
                    let message = try world.message(to: text, created: created, due: created)
                    _ = try await world.store.dispatch(message, with: Consequence())
                    return message
                }
                /// Claims and defers it, the attempt ending then.
                func deferred(_ message: OutboxMessage, at moment: Int64) async throws {
                    let claims = try await world.store.claim(
                        [ClaimBid(id: message.id, wish: .leave([]))], now: world.later(moment),
                        lease: world.lease("me", until: moment + 100))
                    guard case .claimed(let claimed, _)? = claims.first else { throw ContractBreach(description: "broken: it is due") }
                    _ = try await world.store.record(
                        world.attempt(claimed, .deferred, at: moment), claim: claimed.claim, state: .deferred,
                        nextAttemptAt: world.later(moment + 5000), consequence: Consequence())
                }
                let usual = try await queued("usual@example.com")
                try await deferred(usual, at: 10)
                let tried = try await queued("tried@example.com")
                try await deferred(tried, at: ahead)
                let made = try await queued("made@example.com", created: ahead)
                let rates = [try world.limit("route office", "1/h"), try world.limit("route home", "1/h")]
                for (rate, moment) in zip(rates, [10, ahead]) {
                    let message = try await queued("r\(moment)@example.com")
                    _ = try await world.store.claim(
                        [ClaimBid(id: message.id, wish: .leave([rate]))], now: world.later(moment),
                        lease: world.lease("me", until: ahead + 99))
                }
                for (route, moment) in [("office", 10), ("home", ahead)] as [(String, Int64)] {
                    _ = try await world.store.pause(
                        .route(route), failureClass: "route_auth", reason: "no", began: world.later(moment), at: world.later(moment),
                        rests: [.seconds(900)])
                }
                let now: Int64 = 100
                // Two turns, two lifetimes, a rate and a pause.
                try expect(try await world.store.disbelieveFuture(now: world.later(now)), 6, "it says how much that was")
                try expect(try await world.store.message(id: usual.id)?.nextAttemptAt, world.later(5010), "its own time stays")
                try expect(try await world.store.message(id: usual.id)?.waitsSince, usual.createdAt, "and its age")
                for message in [tried, made] {
                    let found = try await world.store.message(id: message.id)
                    try expect(found?.nextAttemptAt, world.later(now), "due at once")
                    try expect(found?.waitsSince, world.later(now), "and its lifetime runs")
                }
                try expect(try await world.store.pauses().map(\.subject), [.route("office")], "the pause of that time is over")
                for (rate, until) in zip(rates, [3610, nil] as [Int64?]) {
                    let message = try await queued("x\(until ?? 0)@example.com", created: now)
                    let answer = try await world.store.claim(
                        [ClaimBid(id: message.id, wish: .leave([rate]))], now: world.later(now), lease: world.lease("me", until: 999)
                    ).first
                    if let until {
                        try expect(answer, .postponed(until: world.later(until)), "a rate that holds")
                    } else if case .claimed? = answer {
                        continue
                    } else {
                        throw ContractBreach(description: "broken: the rate of that time is empty, and not \(String(describing: answer))")
                    }
                }
                try expect(try await world.store.disbelieveFuture(now: world.later(now)), 0, "and nothing is left to doubt")
            },
            Self("levels survive, and a budget goes back unless a dot was written, however the claim ends") { world in
                let limit = try world.limit("the instance", "3/day")
                func bid(_ message: OutboxMessage, at seconds: Int64, limits: [SendingLimit]) async throws -> ClaimAnswer? {
                    try await world.store.claim(
                        [ClaimBid(id: message.id, wish: .leave(limits))], now: world.later(seconds), lease: world.lease("me", until: 5000)
                    ).first
                }
                func claimed(_ text: String, at seconds: Int64) async throws -> OutboxMessage {
                    let message = try world.message(to: text)
                    _ = try await world.store.dispatch(message, with: Consequence())
                    guard case .claimed(let claimed, _)? = try await bid(message, at: seconds, limits: [limit]) else {
                        throw ContractBreach(description: "broken: there is budget for \(text)")
                    }
                    return claimed
                }
                // Four ways to end without a dot, and the budget of three is whole after each.
                let back = try await claimed("a@example.com", at: 1)
                try await world.store.giveBack(back.id, claim: back.claim, until: world.later(9000), reason: "withdrawn")
                let deferred = try await claimed("b@example.com", at: 2)
                _ = try await world.store.record(
                    world.attempt(deferred, .deferred), claim: deferred.claim, state: .deferred, nextAttemptAt: world.later(9000),
                    consequence: Consequence())
                let suppressed = try await claimed("c@example.com", at: 3)
                try await world.store.suppress([try world.suppression(of: "c@example.com", at: 3)])
                try expect(try await world.state(of: suppressed), .cancelled, "a suppression takes it back")
                let left = try await claimed("d@example.com", at: 4)
                try await world.store.releaseLeases(owner: "me")
                try expect(try await world.state(of: left), .incoming, "the lease is given back")
                // Three that write their dot use it up, whatever the peer says then.
                for (number, outcome) in [(5, DeliveryAttempt.Outcome.accepted), (6, .rejected), (7, .deferred)] {
                    let message = try await claimed("e\(number)@example.com", at: Int64(number))
                    try expect(
                        try await world.store.markFinalDot(message.id, claim: message.claim, at: world.later(Int64(number))), "a dot")
                    let state: OutboxMessage.State = outcome == .accepted ? .sent : outcome == .rejected ? .bounced : .deferred
                    _ = try await world.store.record(
                        world.attempt(message, outcome), claim: message.claim, state: state, nextAttemptAt: world.later(9000),
                        consequence: Consequence())
                }
                let last = try world.message(to: "f@example.com")
                _ = try await world.store.dispatch(last, with: Consequence())
                try expect(
                    try await bid(last, at: 8, limits: [limit]), .postponed(until: limit.nextDay), "then the day's budget is used up")
            },
            Self(crash: "after a crash a claim without a dot has its budget back, and one with a dot has not") { world, bench in
                let limit = try world.limit("the instance", "2/day")
                func queue(_ text: String, in world: StoreWorld<Store>) async throws -> ClaimBid {
                    let message = try world.message(to: text)
                    _ = try await world.store.dispatch(message, with: Consequence())
                    return ClaimBid(id: message.id, wish: .leave([limit]))
                }
                let bids = [try await queue("a@example.com", in: world), try await queue("b@example.com", in: world)]
                let late = try await queue("c@example.com", in: world)
                let answers = try await world.store.claim(bids, now: world.later(1), lease: world.lease("dead"))
                guard case .claimed(let dotted, _)? = answers.first else { throw ContractBreach(description: "broken: two have budget") }
                _ = try await world.store.markFinalDot(dotted.id, claim: dotted.claim, at: world.later(2))
                let reopened = StoreWorld(store: try await bench.reopenAfterCrash(world.store))
                _ = try await reopened.store.recover(now: reopened.later(5))
                let more = try await reopened.store.claim(bids.suffix(1), now: reopened.later(6), lease: reopened.lease("new"))
                guard case .claimed? = more.first else { throw ContractBreach(description: "broken: what was free again has budget") }
                let none = try await reopened.store.claim(
                    [late], now: reopened.later(7), lease: reopened.lease("new"))
                try expect(none, [.postponed(until: limit.nextDay)], "the two that are used stay used")
            },
            Self(crash: "after a restart nobody waits for deliveries that ended with the process") { world, bench in
                let message = try world.message(to: "ann@example.com")
                _ = try await world.store.dispatch(message, with: Consequence())
                let wish = ClaimBid.Wish.wait(
                    until: world.later(600), awaiting: OutboxMessage.awaiting(site: "mx.example.com"), because: "it is full", isOurs: false)
                let answers = try await world.store.claim(
                    [ClaimBid(id: message.id, wish: wish)], now: world.later(1), lease: world.lease("dead"))
                try expect(answers, [.postponed(until: world.later(600))], "it waits for its turn")
                let world = StoreWorld(store: try await bench.reopenAfterCrash(world.store))
                _ = try await world.store.recover(now: world.later(5))
                let free = try await world.store.claimDeliverable(now: world.later(5), limit: 9, lease: world.lease("new"))
                try expect(free.map(\.id), [message.id], "its turn has come")
            },
            Self("what waits for a site comes when the site is called, oldest first, and what waits for a limit does not") { world in
                var messages: [OutboxMessage] = []
                for number in 0..<3 {
                    let message = try world.message(to: "c\(number)@example.com", due: Int64(number))
                    _ = try await world.store.dispatch(message, with: Consequence())
                    messages.append(message)
                }
                let waits = messages.prefix(2).enumerated().map { place, message in
                    ClaimBid(
                        id: message.id,
                        wish: .wait(until: world.later(500 + Int64(place)), awaiting: "site mx.example.com", because: "it rests"))
                }
                let answers = try await world.store.claim(waits, now: world.later(10), lease: world.lease("me"))
                try expect(
                    answers, [.postponed(until: world.later(500)), .postponed(until: world.later(501))], "they wait as they were told")
                try expect(try await world.store.message(id: messages[0].id)?.waitsSince, messages[0].createdAt, "their lifetime goes on")
                let due = try await world.store.candidates(now: world.later(11), limit: 9, routes: [:], sites: [:])
                try expect(due.map(\.id), [messages[2].id], "nobody else is held up")
                let called = try await world.store.candidates(
                    now: world.later(11), limit: 9, routes: ["office": 0], sites: ["site mx.example.com": 1, "site other": 5])
                try expect(called.map(\.id), [messages[0].id], "as many as are called")
                try expect(called.map(\.awaits), ["site mx.example.com"], "with what they waited for")
                let claimed = try await world.store.claim(
                    [ClaimBid(id: messages[0].id, wish: .leave([]))], now: world.later(11), lease: world.lease("me"))
                guard case .claimed(let first, _)? = claimed.first else { throw ContractBreach(description: "broken: it is claimed early") }
                try expect(first.awaits == nil, "and waits for nothing any more")
                let second = try await world.store.claim(
                    [ClaimBid(id: messages[2].id, wish: .wait(until: world.later(900), awaiting: "dns x", because: "DNS"))],
                    now: world.later(12), lease: world.lease("me"))
                try expect(second, [.postponed(until: world.later(900))], "another waits for DNS")
            },
            Self("an attempt that a dead site ended waits for the site") { world in
                let (_, message) = try await world.claimed("ann@example.com")
                let attempt = DeliveryAttempt(
                    outbox: message.id, startedAt: world.later(1), endedAt: world.later(2), outcome: .deferred, stage: "connect",
                    replyCode: nil, enhancedStatus: nil, text: "cannot connect", remoteMTA: nil, tls: nil, transcript: "",
                    awaits: "site mx.example.com")
                _ = try await world.store.record(
                    attempt, claim: message.claim, state: .deferred, nextAttemptAt: world.later(300), consequence: Consequence())
                try expect(try await world.store.message(id: message.id)?.awaits, "site mx.example.com", "it is noted")
                let called = try await world.store.candidates(now: world.later(3), limit: 9, routes: [:], sites: ["site mx.example.com": 5])
                try expect(called.map(\.id), [message.id], "and called with the site")
            },
            Self("a person's flush and another conf look at everything anew") { world in
                let message = try world.message(to: "a@example.com")
                let other = try world.message(to: "b@example.com", due: 1)
                for message in [message, other] { _ = try await world.store.dispatch(message, with: Consequence()) }
                let limit = try world.limit("site google", "1/h")
                let bids = [message, other].map { ClaimBid(id: $0.id, wish: .leave([limit])) }
                _ = try await world.store.claim(bids, now: world.later(10), lease: world.lease("me"))
                try expect(try await world.store.reconsiderWaiting(now: world.later(20)), 1, "one waited")
                let again = try await world.store.message(id: other.id)
                try expect(again?.nextAttemptAt, world.later(20), "it is due")
                try expect(again?.awaits == nil, "and waits for nothing")
                try expect(again?.waitsSince, world.later(10), "its lifetime was lengthened by the time that it did wait")
                _ = try await world.store.claim([bids[1]], now: world.later(20), lease: world.lease("me"))
                _ = try await world.store.command(.flush, on: OutboxSelection(), at: world.later(30))
                try expect(
                    try await world.store.candidates(now: world.later(30), limit: 9, routes: [:], sites: [:]).map(\.id), [other.id],
                    "a flush makes it due")
                try expect(
                    try await world.store.claim([bids[1]], now: world.later(30), lease: world.lease("me")),
                    [.postponed(until: world.later(3610))], "and the limit holds all the same, without taking its turn from it")
            },
            Self("nothing is claimed under the STOP, and a bid that came too late is told so") { world in
                let message = try world.message(to: "a@example.com")
                _ = try await world.store.dispatch(message, with: Consequence())
                let bid = ClaimBid(id: message.id, wish: .leave([]))
                try await world.store.setStop(reason: "complaints", at: world.later(1))
                try expect(try await world.store.candidates(now: world.later(2), limit: 9, routes: [:], sites: [:]), [], "no candidates")
                try expect(try await world.store.claim([bid], now: world.later(2), lease: world.lease("me")), [.gone], "no claim")
                try await world.store.setStop(reason: nil, at: world.later(3))
                _ = try await world.store.claim([bid], now: world.later(4), lease: world.lease("me"))
                try expect(try await world.store.claim([bid], now: world.later(4), lease: world.lease("you")), [.gone], "taken")
            },
            Self("a level that means nothing any more is forgotten, and one that holds is kept") { world in
                let limit = try world.limit("site google", "1/min")
                let day = try world.limit("the instance", "1/day")
                func bid(_ text: String, _ seconds: Int64, _ limits: [SendingLimit]) async throws -> ClaimAnswer? {
                    let message = try world.message(to: text)
                    _ = try await world.store.dispatch(message, with: Consequence())
                    return try await world.store.claim(
                        [ClaimBid(id: message.id, wish: .leave(limits))], now: world.later(seconds), lease: world.lease("me")
                    ).first
                }
                _ = try await bid("a@example.com", 0, [limit, day])
                try await world.store.forgetLevels(now: world.later(30))
                try expect(try await bid("b@example.com", 30, [limit]), .postponed(until: world.later(60)), "the rate holds")
                try await world.store.forgetLevels(now: world.later(7200))
                try expect(try await bid("c@example.com", 7200, [day]), .postponed(until: day.nextDay), "so does the day")
            },
            Self("a time that was kept for a message which is gone keeps nobody waiting") { world in
                let limit = try world.limit("site google", "1/min")
                func bid(_ text: String, _ seconds: Int64) async throws -> ClaimAnswer? {
                    let message = try world.message(to: text)
                    _ = try await world.store.dispatch(message, with: Consequence())
                    return try await world.store.claim(
                        [ClaimBid(id: message.id, wish: .leave([limit]))], now: world.later(seconds), lease: world.lease("me")
                    ).first
                }
                _ = try await bid("a@example.com", 0)
                for (number, seconds) in [(1, 60), (2, 120), (3, 180)] as [(Int, Int64)] {
                    try expect(try await bid("b\(number)@example.net", 1), .postponed(until: world.later(seconds)), "each has a time")
                }
                try await world.store.forgetLevels(now: world.later(2))
                try expect(try await bid("c@example.com", 3), .postponed(until: world.later(240)), "who comes new stands behind them")
                _ = try await world.store.command(.delete, on: OutboxSelection(domain: "example.net"), at: world.later(4))
                _ = try await world.store.command(.hold(reason: "x"), on: OutboxSelection(domain: "example.com"), at: world.later(4))
                try await world.store.forgetLevels(now: world.later(5))
                try expect(try await bid("d@example.org", 6), .postponed(until: world.later(60)), "the first time is free again")
            },
            Self("the lifetime of what may not leave begins anew, but for what is young, claimed or held") { world in
                let old = try world.message(to: "old@example.com", created: 0)
                let young = try world.message(to: "young@example.com", created: 50)
                let held = try world.message(to: "held@example.com", created: 0)
                for message in [old, young, held] { _ = try await world.store.dispatch(message, with: Consequence()) }
                _ = try await world.store.command(.hold(reason: "x"), on: OutboxSelection(ids: [held.id]), at: world.later(60))
                try expect(try await world.store.prolong(waitingSinceBefore: world.later(40), now: world.later(100)), 1, "one is old")
                try expect(try await world.store.message(id: old.id)?.waitsSince, world.later(100), "it begins anew")
                try expect(try await world.store.message(id: young.id)?.waitsSince, world.later(50), "the young one goes on")
                try expect(try await world.store.message(id: held.id)?.waitsSince, world.later(0), "a person has the held one")
            },
            Self("what senders sent is counted by days, and bounces and complaints with it") { world in
                let (enrollment, message) = try await world.claimed("ann@example.com")
                _ = try await world.store.markFinalDot(message.id, claim: message.claim, at: world.later(2))
                _ = try await world.store.record(
                    world.attempt(message, .rejected), claim: message.claim, state: .bounced, nextAttemptAt: nil,
                    consequence: Consequence())
                _ = enrollment
                let date = message.budgetDate
                let since = date.adding(days: -7)
                let today = try await world.store.history(identities: ["sales"], before: date, since: since)
                try expect(today, SendingHistory(days: 0, sent: 1, bounced: 1, complained: 0), "today is no day before")
                let later = try await world.store.history(identities: ["sales", "nobody"], before: date.adding(days: 1), since: since)
                try expect(later, SendingHistory(days: 1, sent: 1, bounced: 1, complained: 0), "tomorrow it is")
                let old = try await world.store.history(identities: ["sales"], before: date.adding(days: 90), since: date.adding(days: 60))
                try expect(old, SendingHistory(days: 1, sent: 0, bounced: 0, complained: 0), "old signals count no more")
                let usage = try await world.store.usage(identity: "sales", localDate: date, at: world.later(60))
                try expect(usage.countInHour, 1, "it is one of this hour")
                try expect(usage.lifting, message.createdAt, "and the first of it")
                let after = try await world.store.usage(identity: "sales", localDate: date, at: world.later(3601))
                try expect(after.countInHour, 0, "not of the next")
            },
        ]
    }
}

extension StoreWorld {
    /// A limit whose day ends an hour after the start.
    func limit(_ subject: String, _ rate: String) throws -> SendingLimit {
        guard let rate = Rate(rate) else { throw ContractBreach(description: "the check's own rate \(rate) is wrong") }
        return SendingLimit(subject: subject, rate: rate, date: CivilDate(Self.start), nextDay: later(36_000))
    }
}
