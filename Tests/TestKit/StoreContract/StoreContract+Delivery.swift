import InternetMessage
import Outreach

extension StoreContract {
    static var delivery: [Self] {
        [
            Self("what is due is claimed oldest first, once, and as active") { world in
                let late = try await world.queued("a@example.com", due: 20).message
                let early = try await world.queued("b@example.com", due: 10).message
                _ = try await world.queued("c@example.com", due: 90)
                let claimed = try await world.store.claimDeliverable(now: world.later(50), limit: 9, lease: world.lease("me"))
                try expect(claimed.map(\.id), [early.id, late.id], "oldest due first")
                try expect(claimed.map(\.state), [.active, .active], "as active")
                try expect(claimed.first?.bytes, early.bytes, "with the bytes")
                try expect(
                    try await world.store.claimDeliverable(now: world.later(50), limit: 9, lease: world.lease("you")), [],
                    "a row is claimed once")
            },
            Self("many claimers never get the same message") { world in
                for number in 0..<40 {
                    _ = try await world.store.dispatch(try world.message(to: "c\(number)@example.com"), with: Consequence())
                }
                let claimed = try await withThrowingTaskGroup(of: [OutboxMessage.ID].self) { group in
                    for owner in 0..<8 {
                        group.addTask {
                            try await world.store.claimDeliverable(now: world.later(1), limit: 7, lease: world.lease("owner \(owner)")).map(
                                \.id)
                        }
                    }
                    return try await group.reduce(into: []) { $0 += $1 }
                }
                try expect(claimed.count, 40, "all are claimed")
                try expect(Set(claimed).count, 40, "each once")
            },
            Self("a dead owner's message is free again, unless its dot was announced") { world in
                let (_, before) = try await world.claimed("a@example.com", by: "dead")
                let (_, after) = try await world.claimed("b@example.com", by: "dead")
                _ = try await world.store.markFinalDot(after.id, claim: after.claim, at: world.later(2))
                try expect(
                    try await world.store.claimDeliverable(now: world.later(599), limit: 9, lease: world.lease("me")), [],
                    "a living lease holds")
                let claimed = try await world.store.claimDeliverable(now: world.later(600), limit: 9, lease: world.lease("me", until: 900))
                try expect(claimed.map(\.id), [before.id], "only what has not reached its dot is free")
            },
            Self("a claim cancels what is not wanted any more") { world in
                let stopped = try await world.enrolled("a@example.com")
                _ = try await world.store.apply(Consequence(transition: world.transition(stopped, to: .stopped, cause: .person)))
                let unwanted = try world.message(to: "a@example.com", enrollment: stopped)
                _ = try await world.store.dispatch(unwanted, with: Consequence())
                try await world.store.suppress([try world.suppression(of: "b@example.com", until: 100)])
                let suppressed = try world.message(to: "B@example.com", created: 200, due: 0)
                try expect(
                    try await world.store.dispatch(suppressed, with: Consequence()), .committed,
                    "a suppression that is over refuses nothing")
                let wanted = try world.message(to: "c@example.com", due: 5)
                _ = try await world.store.dispatch(wanted, with: Consequence())
                let claimed = try await world.store.claimDeliverable(now: world.later(50), limit: 1, lease: world.lease("me"))
                try expect(claimed.map(\.id), [wanted.id], "the wanted one is found behind the others")
                for message in [unwanted, suppressed] {
                    try expect(try await world.state(of: message), .cancelled, "the unwanted ones are cancelled")
                }
                let events = try await world.store.timeline(after: nil, limit: 99).filter { $0.kind == .cancelled }.map(\.outbox)
                try expect(Set(events), [unwanted.id, suppressed.id], "each with its event")
            },
            Self("right before MAIL FROM a message is looked at once more") { world in
                let (enrollment, message) = try await world.claimed("ann@example.com")
                try expect(try await world.store.mayLeave(message.id, claim: message.claim, now: world.later(2)), "it may leave")
                try expect(
                    try await !world.store.mayLeave(message.id, claim: message.claim + 1, now: world.later(2)),
                    "its claim alone may send it")
                try expect(try await world.state(of: message), .active, "and asking does not take it away from its owner")
                _ = try await world.store.apply(Consequence(transition: world.transition(enrollment, to: .stopped, cause: .replied)))
                try expect(
                    try await !world.store.mayLeave(message.id, claim: message.claim, now: world.later(3)), "after a stop it may not")
                try expect(try await !world.store.markFinalDot(message.id, claim: message.claim, at: world.later(3)), "nor reach its dot")
                try expect(try await world.state(of: message), .cancelled, "it is cancelled")
            },
            Self("the final dot is announced once") { world in
                let (_, message) = try await world.claimed("ann@example.com")
                try expect(
                    try await !world.store.markFinalDot(message.id, claim: message.claim - 1, at: world.later(2)), "only under the claim")
                let marks = try await withThrowingTaskGroup(of: Bool.self) { group in
                    for second in 2..<12 {
                        group.addTask {
                            try await world.store.markFinalDot(message.id, claim: message.claim, at: world.later(Int64(second)))
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                try expect(marks.count { $0 }, 1, "exactly one announcement is granted")
                try expect(try await world.store.message(id: message.id)?.finalDotAt != nil, "it is kept")
                try expect(try await world.state(of: message), .active, "the others change nothing")
            },
            Self("an accepted message is sent, with its attempt and its transition") { world in
                let (enrollment, message) = try await world.claimed("ann@example.com")
                _ = try await world.store.markFinalDot(message.id, claim: message.claim, at: world.later(2))
                let consequence = Consequence(transition: world.transition(enrollment, to: .active, step: 1, due: 86_400))
                let attempt = world.attempt(message, .accepted)
                let result = try await world.store.record(
                    attempt, claim: message.claim, state: .sent, nextAttemptAt: nil, consequence: consequence)
                try expect(result, .committed, "it is recorded")
                let sent = try await world.store.message(id: message.id)
                try expect(sent?.state, .sent, "the message is sent")
                try expect(sent?.finalDotAt, world.later(2), "the dot's moment stays")
                try expect(sent?.attempts, 1, "the attempt is counted")
                try expect(try await world.store.attempts(of: message.id), [attempt], "the attempt is read back as given")
                try expect(try await world.current(enrollment).nextStep, 1, "the enrollment moved")
            },
            Self("an outcome decided on an old enrollment writes nothing") { world in
                let (enrollment, message) = try await world.claimed("ann@example.com")
                _ = try await world.store.markFinalDot(message.id, claim: message.claim, at: world.later(2))
                let consequence = Consequence(transition: world.transition(enrollment, to: .active, step: 1, due: 86_400))
                _ = try await world.store.apply(Consequence(transition: world.transition(enrollment, to: .stopped, cause: .replied)))
                let attempt = world.attempt(message, .accepted)
                let stale = try await world.store.record(
                    attempt, claim: message.claim, state: .sent, nextAttemptAt: nil, consequence: consequence)
                try expect(stale, .stale, "stale is said")
                try expect(try await world.store.attempts(of: message.id), [], "no attempt is stored")
                try expect(try await world.state(of: message), .active, "the message stays as it was")
                let again = try await world.store.record(
                    attempt, claim: message.claim, state: .sent, nextAttemptAt: nil, consequence: Consequence())
                try expect(again, .committed, "decided anew it is stored")
                try expect(try await world.state(of: message), .sent, "and the message is sent")
            },
            Self("a deferred message comes back at its moment and can announce a new dot") { world in
                let (_, message) = try await world.claimed("ann@example.com")
                _ = try await world.store.markFinalDot(message.id, claim: message.claim, at: world.later(2))
                _ = try await world.store.record(
                    world.attempt(message, .deferred), claim: message.claim, state: .deferred, nextAttemptAt: world.later(300),
                    consequence: Consequence())
                let deferred = try await world.store.message(id: message.id)
                try expect(deferred?.state, .deferred, "it is deferred")
                try expect(deferred?.nextAttemptAt, world.later(300), "until its moment")
                try expect(deferred?.reason, "250 ok", "and says why")
                try expect(
                    try await world.store.claimDeliverable(now: world.later(299), limit: 9, lease: world.lease("you")), [], "not before")
                let claimed = try await world.store.claimDeliverable(now: world.later(300), limit: 9, lease: world.lease("you"))
                try expect(claimed.map(\.id), [message.id], "its lease was ended")
                try expect(
                    try await world.store.markFinalDot(message.id, claim: claimed[0].claim, at: world.later(301)),
                    "a new attempt has its own dot")
            },
            Self("a reply that arrives while the next step is deferred keeps it from leaving") { world in
                let (enrollment, message) = try await world.claimed("ann@example.com")
                _ = try await world.store.record(
                    world.attempt(message, .deferred), claim: message.claim, state: .deferred, nextAttemptAt: world.later(300),
                    consequence: Consequence())
                _ = try await world.store.apply(Consequence(transition: world.transition(enrollment, to: .stopped, cause: .replied)))
                try expect(
                    try await world.store.claimDeliverable(now: world.later(300), limit: 9, lease: world.lease("me")), [], "nothing leaves")
                try expect(try await world.state(of: message), .cancelled, "it is cancelled")
            },
            Self("a late outcome of a cancelled message is kept as a fact and changes nothing else") { world in
                let (enrollment, message) = try await world.claimed("ann@example.com")
                _ = try await world.store.apply(Consequence(transition: world.transition(enrollment, to: .stopped, cause: .person)))
                let result = try await world.store.record(
                    world.attempt(message, .deferred), claim: message.claim, state: .deferred, nextAttemptAt: world.later(9),
                    consequence: Consequence())
                try expect(result, .committed, "it is recorded")
                try expect(try await world.store.attempts(of: message.id).count, 1, "the attempt is kept")
                try expect(try await world.state(of: message), .cancelled, "cancelled stays cancelled")
            },
            Self("a message can be given back untouched") { world in
                let (_, message) = try await world.claimed("ann@example.com")
                try await world.store.giveBack(message.id, claim: message.claim + 1, until: world.later(40), reason: "not mine")
                try expect(try await world.state(of: message), .active, "only under its claim")
                try await world.store.giveBack(message.id, claim: message.claim, until: world.later(40), reason: "route rests")
                let back = try await world.store.message(id: message.id)
                try expect(back?.state, .incoming, "it waits as before")
                try expect(back?.attempts, 0, "no attempt is counted")
                try expect(back?.reason, "route rests", "it says why")
                try expect(try await world.store.nextAttempt(), world.later(40), "until then")
            },
            Self(crash: "after a crash what may have left is held as ambiguous, and the rest is free") { world, bench in
                let (enrollment, dotted) = try await world.claimed("a@example.com")
                _ = try await world.store.markFinalDot(dotted.id, claim: dotted.claim, at: world.later(2))
                let (_, claimed) = try await world.claimed("b@example.com")
                let waiting = try await world.queued("c@example.com").message
                let world = StoreWorld(store: try await bench.reopenAfterCrash(world.store))
                let ambiguous = try await world.store.recover(now: world.later(5))
                try expect(ambiguous.map(\.id), [dotted.id], "the ambiguous ones are named")
                try expect(ambiguous.map(\.state), [.hold], "and held")
                let events = try await world.store.timeline(contact: enrollment.contact).filter { $0.kind == .ambiguous }
                try expect(events.map(\.outbox), [dotted.id], "with an event")
                let free = try await world.store.claimDeliverable(now: world.later(5), limit: 9, lease: world.lease("new"))
                try expect(Set(free.map(\.id)), [claimed.id, waiting.id], "the others are free at once")
                try expect(try await world.store.recover(now: world.later(6)).count, 0, "the held ones are named once")
            },
            Self("an attempt whose claim was taken over changes nothing any more, and what it says is kept as a fact") { world in
                let (enrollment, late) = try await world.claimed("ann@example.com", by: "slow")
                try expect(
                    try await world.store.mayLeave(late.id, claim: late.claim, now: world.later(599)), "it may leave while its lease lives")
                try expect(try await !world.store.mayLeave(late.id, claim: late.claim, now: world.later(600)), "not after its lease")
                try expect(try await !world.store.markFinalDot(late.id, claim: late.claim, at: world.later(600)), "nor reach its dot")
                let claimed = try await world.store.claimDeliverable(now: world.later(600), limit: 9, lease: world.lease("new", until: 900))
                try expect(claimed.map(\.claim), [late.claim + 1], "each claim has its own number")
                try expect(
                    try await world.store.markFinalDot(late.id, claim: claimed[0].claim, at: world.later(601)),
                    "the new claim announces its dot")
                try await world.store.giveBack(late.id, claim: late.claim, until: world.later(602), reason: "late")
                let stopped = Consequence(transition: world.transition(enrollment, to: .stopped, cause: .bounced))
                for (outcome, state) in [(DeliveryAttempt.Outcome.deferred, OutboxMessage.State.deferred), (.rejected, .bounced)] {
                    let result = try await world.store.record(
                        world.attempt(late, outcome, at: 602), claim: late.claim, state: state, nextAttemptAt: world.later(700),
                        consequence: stopped)
                    try expect(result, .committed, "the late outcome is taken")
                }
                let found = try await world.store.message(id: late.id)
                try expect(found?.state, .active, "the row is the new claim's")
                try expect(found?.finalDotAt, world.later(601), "its dot stays announced")
                try expect(found?.attempts, 0, "no attempt of it is counted")
                try expect(try await world.current(enrollment), enrollment, "the enrollment stays")
                try expect(try await world.store.attempts(of: late.id).map(\.outcome), [.deferred, .rejected], "the attempts are facts")
                let sent = try await world.store.record(
                    world.attempt(late, .accepted, at: 603), claim: claimed[0].claim, state: .sent, nextAttemptAt: nil,
                    consequence: Consequence())
                try expect(sent, .committed, "the new claim is recorded")
                try expect(try await world.state(of: late), .sent, "and decides")
            },
            Self("what its own owner still works on is never claimed again") { world in
                let (_, message) = try await world.claimed("ann@example.com", by: "me")
                try expect(
                    try await world.store.claimDeliverable(now: world.later(9999), limit: 9, lease: world.lease("me", until: 99_999)), [],
                    "however late it is")
                try expect(try await world.state(of: message), .active, "it stays active")
            },
            Self("a route gives out what it has room for, and a full one keeps nobody else waiting") { world in
                for number in 0..<6 {
                    let route = number < 4 ? "dead" : "office"
                    let message = try world.message(to: "c\(number)@example.com", due: Int64(number), route: route)
                    _ = try await world.store.dispatch(message, with: Consequence())
                }
                func claim(_ limit: Int, _ routes: [String: Int]) async throws -> [String] {
                    try await world.store.claimDeliverable(now: world.later(50), limit: limit, routes: routes, lease: world.lease("me")).map
                    {
                        $0.route
                    }
                }
                try expect(try await claim(0, [:]), [], "no room at all")
                try expect(try await claim(9, ["dead": 2, "office": 1]), ["dead", "dead", "office"], "as many of each as it has room for")
                try expect(try await claim(9, ["dead": 0, "office": 5]), ["office"], "a full route is passed over")
                try expect(try await claim(1, [:]), ["dead"], "a route that is not named has room up to the limit")
            },
            Self("what is too old and still waits is expired") { world in
                let (enrollment, old) = try await world.queued("a@example.com")
                let (_, claimed) = try await world.claimed("b@example.com")
                let young = try world.message(to: "c@example.com", created: 50)
                _ = try await world.store.dispatch(young, with: Consequence())
                try await world.store.giveBack(old.id, claim: 1, until: world.later(9), reason: "greylisted")
                func overdue(_ before: Int64, at now: Int64) async throws -> [OutboxMessage.ID] {
                    try await world.store.overdue(waitingSinceBefore: world.later(before), now: world.later(now), limit: 9).map(\.id)
                }
                try expect(try await overdue(10, at: 8), [old.id], "what is claimed or young is not overdue")
                try expect(try await overdue(10, at: 9), [], "nor is what is due: it is tried first")
                let consequence = Consequence(transition: world.transition(enrollment, to: .stopped, cause: .undeliverable))
                try expect(try await world.store.expire(old.id, at: world.later(20), consequence: consequence), "it is expired")
                try expect(try await world.state(of: old), .expired, "expired is final")
                try expect(try await world.current(enrollment).cause, .undeliverable, "with its consequence")
                try expect(try await !world.store.expire(old.id, at: world.later(20), consequence: Consequence()), "not twice")
                try expect(
                    try await !world.store.expire(claimed.id, at: world.later(20), consequence: Consequence()), "not what is claimed")
                let all = OutboxSelection(ids: [young.id])
                _ = try await world.store.command(.hold(reason: "wait"), on: all, at: world.later(60))
                try expect(try await overdue(99, at: 0), [], "what is held waits for a person")
                try expect(try await !world.store.expire(young.id, at: world.later(99), consequence: Consequence()), "and is not expired")
                _ = try await world.store.command(.release(resend: false), on: all, at: world.later(200))
                try expect(try await world.store.message(id: young.id)?.waitsSince, world.later(200), "a release starts its time anew")
                try expect(try await overdue(200, at: 199), [], "so that it is not overdue")
                try expect(try await overdue(201, at: 199), [young.id], "until it is again")
            },
        ]
    }

    static var queue: [Self] {
        [
            Self("the queue is listed by what a person names, without the bytes") { world in
                let (_, ann) = try await world.queued("ann@example.com")
                let bob = try world.message(to: "bob@Example.NET")
                _ = try await world.store.dispatch(bob, with: Consequence())
                _ = try await world.store.command(.hold(reason: "wait"), on: OutboxSelection(ids: [bob.id]), at: world.later(1))
                func list(_ selection: OutboxSelection) async throws -> [OutboxMessage.ID] {
                    try await world.store.list(selection, after: nil, limit: 9).map(\.id)
                }
                try expect(try await list(OutboxSelection()), [ann.id, bob.id], "no part: all, oldest first")
                try expect(try await list(OutboxSelection(ids: [])), [], "no ids: none")
                try expect(try await list(OutboxSelection(recipient: try world.address("ANN@example.com"))), [ann.id], "by recipient")
                try expect(try await list(OutboxSelection(domain: "example.net")), [bob.id], "by domain")
                try expect(try await list(OutboxSelection(sequenceName: "hello")), [ann.id], "by sequence")
                try expect(try await list(OutboxSelection(states: [.hold, .sent])), [bob.id], "by state")
                try expect(try await list(OutboxSelection(domain: "example.net", states: [.sent])), [], "every part must match")
                let paged = try await world.store.list(OutboxSelection(), after: ann.id, limit: 1)
                try expect(paged.map(\.id), [bob.id], "from above the last one")
                try expect(paged.map(\.bytes), [[]], "without bytes")
                try expect(paged.map(\.size), [bob.bytes.count], "and with their number")
                var office = OutboxSelection(domain: "example.net")
                office.identity = "sales"
                try expect(try await list(office), [bob.id], "by identity")
                office.identity = "sale"
                try expect(try await list(office), [], "and no other")
                try expect(try await world.store.counts(), [.incoming: 1, .hold: 1], "and counted by state")
            },
            Self("a person can hold, release, flush and delete what waits") { world in
                let (_, message) = try await world.queued("ann@example.com", due: 500)
                let (_, active) = try await world.claimed("bob@example.com")
                let all = OutboxSelection()
                try expect(try await world.store.command(.flush, on: all, at: world.later(2)), 1, "flushed")
                try expect(try await world.store.nextAttempt(), world.later(2), "due at once")
                try expect(try await world.store.command(.hold(reason: "wait"), on: all, at: world.later(2)), 1, "held")
                let held = try await world.store.message(id: message.id)
                try expect(held?.reason, "wait", "with the reason")
                try expect(held?.nextAttemptAt == nil, "and not due")
                try expect(try await world.store.command(.flush, on: all, at: world.later(2)), 0, "what is held is not flushed")
                try expect(try await world.store.command(.release(resend: false), on: all, at: world.later(3)), 1, "released")
                try expect(try await world.store.nextAttempt(), world.later(3), "due again")
                try expect(try await world.store.command(.delete, on: all, at: world.later(4)), 1, "deleted")
                try expect(try await world.state(of: message), .cancelled, "deleted is cancelled")
                try expect(try await world.store.timeline(after: nil, limit: 9).map(\.kind), [.cancelled], "with its event")
                try expect(try await world.state(of: active), .active, "an active message is left alone all along")
                try expect(
                    try await world.store.command(.release(resend: true), on: all, at: world.later(4)), 0, "a final one is left alone")
            },
            Self("an ambiguous message is sent again only when that is stated") { world in
                let (_, message) = try await world.claimed("ann@example.com")
                _ = try await world.store.markFinalDot(message.id, claim: message.claim, at: world.later(2))
                _ = try await world.store.record(
                    world.attempt(message, .ambiguous), claim: message.claim, state: .hold, nextAttemptAt: nil, consequence: Consequence())
                let all = OutboxSelection()
                try expect(try await world.store.command(.release(resend: false), on: all, at: world.later(3)), 0, "not by a plain release")
                try expect(
                    try await world.store.overdue(waitingSinceBefore: world.later(99), now: world.later(0), limit: 9), [],
                    "nor is it called expired")
                try expect(try await world.state(of: message), .hold, "it stays held")
                try expect(try await world.store.command(.release(resend: true), on: all, at: world.later(3)), 1, "resend is stated")
                let claimed = try await world.store.claimDeliverable(now: world.later(3), limit: 9, lease: world.lease("me"))
                try expect(claimed.map(\.id), [message.id], "then it leaves again")
            },
            Self("the next attempt is the earliest that waits") { world in
                try expect(try await world.store.nextAttempt() == nil, "nil when none waits")
                _ = try await world.queued("a@example.com", due: 70)
                _ = try await world.queued("b@example.com", due: 30)
                try expect(try await world.store.nextAttempt(), world.later(30), "the earliest")
            },
        ]
    }
}
