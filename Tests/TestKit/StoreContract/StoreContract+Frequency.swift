import InternetMessage
import Outreach

extension StoreContract {
    static var frequency: [Self] {
        [
            Self("of two messages to a contact in one round the second waits for its cap, whichever sequence it is of") { world in
                let rule = try world.rule(.contact, 1)
                let first = try await world.enrolled("ann@example.com", sequence: "one")
                let second = try await world.enrolled("ann@example.com", sequence: "two")
                let verdicts = try [first, second].enumerated().map { place, enrollment in
                    try world.step(of: enrollment, to: "ann@example.com", created: Int64(place), under: rule)
                }
                try expect(try await world.store.store(verdicts), [.committed, .held], "the second is held")
                let held = try await world.current(second)
                try expect(held.state, .active, "it goes on later")
                try expect(held.dueAt, world.later(86_400), "when the first is out of the window")
                try expect(
                    held.heldBy, "frequency cap of 1 in 1d for the contact, over all sequences, is reached", "and says what holds it")
                try expect(try await world.store.messages(enrollment: second.id), [], "nothing of it is queued")
                let due = try await world.store.claimDue(now: world.later(86_399), limit: 9, lease: world.lease("me"))
                try expect(due.map(\.enrollment.id), [], "a moment before nothing is due")
                let again = try await world.store.claimDue(now: world.later(86_400), limit: 9, lease: world.lease("me", until: 90_000))
                try expect(again.map(\.enrollment.id), [second.id], "then it is")
                let late = try world.step(of: again[0].enrollment, to: "ann@example.com", created: 86_400, under: rule)
                try expect(try await world.store.store(late), .committed, "and leaves")
            },
            Self("what was cancelled, or failed before its dot, counts for no cap; what may have left does") { world in
                let rule = try world.rule(.contact, 1)
                func isHeld(_ person: String) async throws -> Bool {
                    let next = try await world.enrolled(person, sequence: "two")
                    let step = try world.step(of: next, to: person, created: 9, under: rule)
                    return try await world.store.store(step) == .held
                }
                let (cancelled, _) = try await world.queued("a@example.com")
                _ = try await world.store.apply(Consequence(transition: world.transition(cancelled, to: .stopped, cause: .person)))
                try expect(try await !isHeld("a@example.com"), "a cancelled one does not count")
                for (person, hasDot) in [("b@example.com", false), ("c@example.com", true)] {
                    let (_, message) = try await world.claimed(person)
                    if hasDot {
                        _ = try await world.store.markFinalDot(message.id, claim: message.claim, at: world.later(2))
                    }
                    _ = try await world.store.record(
                        world.attempt(message, .rejected), claim: message.claim, state: .bounced, nextAttemptAt: nil,
                        consequence: Consequence())
                    try expect(try await isHeld(person), hasDot, "a refused one counts from its dot on")
                }
                _ = try await world.queued("d@example.com")
                try expect(try await isHeld("d@example.com"), "a waiting one counts")
            },
            Self("what was queued while the clock was far ahead counts for no cap; what is a little ahead does") { world in
                let rule = try world.rule(.contact, 1)
                for (person, ahead, result) in [
                    ("a@example.com", 86_401, CommitResult.committed), ("b@example.com", 86_400, .held), ("c@example.com", 60, .held),
                ] {
                    let early = try await world.enrolled(person, sequence: "one")
                    let step = try world.step(of: early, to: person, created: Int64(ahead), under: rule)
                    try expect(try await world.store.store(step), .committed, "the first leaves, whatever the clock says")
                    let next = try await world.enrolled(person, sequence: "two")
                    try expect(
                        try await world.store.store(try world.step(of: next, to: person, created: 0, under: rule)), result,
                        "\(ahead) seconds ahead")
                }
            },
            Self("what belongs to no sequence counts for no cap") { world in
                let contact = try await world.savedContact("ann@example.com")
                _ = try await world.store.dispatch(try world.message(to: "ann@example.com"), with: Consequence())
                let enrollment = try await world.enrolled("ann@example.com")
                let rule = FrequencyRule(
                    clauses: try world.rule(.contact, 1).clauses + world.rule(.company("example.com"), 1).clauses)
                let step = try world.step(of: enrollment, to: "ann@example.com", created: 5, under: rule)
                try expect(try await world.store.store(step), .committed, "a forwarded reply is no message to \(contact.id)")
            },
            Self(crash: "a company's cap counts all its people, and the same after a crash") { world, bench in
                let rule = try world.rule(.company("example.com"), 2)
                for (place, person) in ["a@example.com", "b@Example.com"].enumerated() {
                    let enrollment = try await world.enrolled(person)
                    let step = try world.step(of: enrollment, to: person, created: Int64(place) * 10, under: rule)
                    try expect(try await world.store.store(step), .committed, "there is room for two")
                }
                let third = try await world.enrolled("c@example.com")
                let other = try await world.enrolled("c@sub.example.com")
                let step = try world.step(of: third, to: "c@example.com", created: 20, under: rule)
                let elsewhere = try world.step(
                    of: other, to: "c@sub.example.com", created: 20, under: world.rule(.company("sub.example.com"), 2))
                let after = StoreWorld(store: try await bench.reopenAfterCrash(world.store))
                try expect(try await after.store.store(step), .held, "the third waits")
                try expect(try await after.current(third).dueAt, world.later(86_400), "until the first of the two is a day old")
                try expect(try await after.store.store(elsewhere), .committed, "another domain is another company")
            },
            Self("a step that was decided on an old version is stale and not held") { world in
                let rule = try world.rule(.contact, 1)
                _ = try await world.queued("ann@example.com")
                let second = try await world.enrolled("ann@example.com", sequence: "two")
                _ = try await world.store.apply(Consequence(transition: world.transition(second, to: .paused, cause: .person)))
                let step = try world.step(of: second, to: "ann@example.com", created: 1, under: rule)
                try expect(try await world.store.store(step), .stale, "nothing is written")
                try expect(try await world.current(second).state, .paused, "it stays paused")
            },
        ]
    }
}

extension StoreWorld {
    fileprivate func rule(_ subject: FrequencyRule.Subject, _ count: Int) throws -> FrequencyRule {
        guard let cap = FrequencyCap(count, in: .seconds(86_400)) else {
            throw ContractBreach(description: "the check's own cap is wrong")
        }
        return FrequencyRule(clauses: [.init(subject: subject, cap: cap)])
    }

    fileprivate func step(of enrollment: Enrollment, to text: String, created: Int64, under rule: FrequencyRule) throws -> StepVerdict {
        .queued(
            try message(to: text, enrollment: enrollment, created: created),
            Consequence(transition: transition(enrollment, to: .sending)), under: rule)
    }
}
