import InternetMessage
import Outreach

extension StoreContract {
    static var companies: [Self] {
        [
            Self("an answer ends what runs for the others of its company in the same transaction, up to the final dot") { world in
                let (ann, _) = try await world.queued("ann@example.com")
                let (bob, waiting) = try await world.queued("bob@Example.com")
                let (cyd, leaving) = try await world.claimed("cyd@example.com")
                _ = try await world.store.markFinalDot(leaving.id, claim: leaving.claim, at: world.later(2))
                let elsewhere = try await world.enrolled("bob@example.com", sequence: "two")
                let stranger = try await world.enrolled("dan@sub.example.com")
                let incoming = try await world.answer(from: ann, in: .sequence)

                let stopped = try await world.current(bob)
                try expect(stopped.state, .stopped, "a colleague in the same sequence is stopped")
                try expect(stopped.cause, .company, "the cause says why")
                try expect(
                    stopped.reason, "somebody else at example.com replied (negative), message \(incoming.id)", "the reason names the answer"
                )
                try expect(try await world.state(of: waiting), .cancelled, "mail that waits is cancelled")
                try expect(try await world.current(cyd).state, .stopped, "who is being written to is stopped too")
                try expect(try await world.state(of: leaving), .active, "but a message past its dot is not taken back")
                try expect(try await world.current(elsewhere).state, .active, "another sequence goes on")
                try expect(try await world.current(stranger).state, .active, "another domain is another company")
                try expect(try await world.current(ann).cause, .replied, "whoever answered is stopped for their own answer")
                let events = try await world.store.timeline(contact: bob.contact).filter { $0.kind == .transition }
                try expect(events.last?.facts["reply"], incoming.id.description, "the event names the answer")
                try expect(events.last?.facts["cause"], "company", "and the cause")
                try expect(events.last?.intake == nil, "but is no event of that answer")
            },
            Self("an answer that counts for all sequences ends them all, also the other ones of whoever answered") { world in
                let (ann, _) = try await world.queued("ann@example.com")
                let own = try await world.enrolled("ann@example.com", sequence: "two")
                let other = try await world.enrolled("bob@example.com", sequence: "three")
                let paused = try await world.enrolled("cyd@example.com", sequence: "three")
                _ = try await world.store.apply(Consequence(transition: world.transition(paused, to: .paused, cause: .person)))
                let done = try await world.enrolled("dan@example.com", sequence: "three")
                _ = try await world.store.apply(Consequence(transition: world.transition(done, to: .finished, cause: .completed)))
                _ = try await world.answer(from: ann, in: .workspace)
                for enrollment in [own, other, paused] {
                    try expect(try await world.current(enrollment).cause, .company, "whatever runs or rests is stopped")
                }
                try expect(
                    try await world.current(own).reason.hasPrefix("they replied (negative), message "), true, "their own other one names them")
                try expect(
                    try await world.current(other).reason.hasPrefix("somebody else at example.com replied (negative), message "), true,
                    "a colleague's does not")
                try expect(try await world.current(done).cause, .completed, "what has ended stays as it ended")
            },
            Self("an answer that was decided on what has changed stops nobody") { world in
                let (ann, _) = try await world.queued("ann@example.com")
                let (bob, waiting) = try await world.queued("bob@example.com")
                _ = try await world.store.apply(Consequence(transition: world.transition(ann, to: .paused, cause: .person)))
                do {
                    _ = try await world.answer(from: ann, in: .sequence)
                    throw ContractBreach(description: "broken: a stale answer is not filed")
                } catch is StaleAnswer {
                    try expect(try await world.current(bob), bob, "the colleague goes on")
                    try expect(try await world.state(of: waiting), .incoming, "with their mail")
                }
            },
            Self("starts are counted by identity and by sequence: the first message of each that left or waits") { world in
                guard let day = CivilDate(year: 2026, month: 9, day: 21) else {
                    throw ContractBreach(description: "the check's own date is wrong")
                }
                let (ann, first) = try await world.queued("ann@example.com")
                let two = try await world.enrolled("ann@example.com", sequence: "two")
                for (enrollment, step) in [(ann, 1), (two, 0)] {
                    let message = try world.message(to: "ann@example.com", enrollment: enrollment, step: step, created: 5)
                    let moved = Consequence(transition: world.transition(enrollment, to: .sending))
                    try expect(try await world.store.dispatch(message, with: moved), .committed, "more is queued")
                }
                let (bob, _) = try await world.queued("bob@example.com")
                func starts(_ sequence: SequenceVersion.ID? = nil, _ identities: [String] = ["sales", "none"], on date: CivilDate)
                    async throws
                    -> Int
                {
                    try await world.store.starts(identities: identities, sequence: sequence, on: date)
                }
                try expect(try await starts(on: day), 3, "a follow-up is no start")
                try expect(try await starts(two.sequence, on: day), 1, "each sequence has its own")
                try expect(try await starts(ann.sequence, on: day), 2, "of all its people")
                try expect(try await starts(nil, ["none"], on: day), 0, "another identity started nobody")
                try expect(try await starts(on: day.adding(days: 1)), 0, "nor did another day")
                _ = try await world.store.apply(
                    Consequence(transition: world.transition(try await world.current(bob), to: .stopped, cause: .person)))
                try expect(try await starts(ann.sequence, on: day), 1, "what was cancelled started nobody")
                try expect(first.usesBudget, "what waits does")
            },
            Self("who wrote to somebody last is known, also when it is about to") { world in
                let (ann, _) = try await world.queued("ann@example.com")
                let bob = try await world.enrolled("bob@example.com")
                let cyd = try await world.savedContact("cyd@example.com")
                let senders = try await world.store.senders(of: [ann.contact, bob.contact, cyd.id])
                try expect(senders, [ann.contact: "sales", bob.contact: "sales"], "a message and an enrollment bind, and nothing else")
                _ = try await world.store.apply(Consequence(transition: world.transition(bob, to: .stopped, cause: .person)))
                _ = try await world.store.apply(
                    Consequence(transition: world.transition(try await world.current(ann), to: .stopped, cause: .person)))
                try expect(
                    try await world.store.senders(of: [ann.contact, bob.contact]), [:], "nobody wrote whose message was cancelled")
            },
        ]
    }
}

/// The store called an answer stale.
private struct StaleAnswer: Error {}

extension StoreWorld {
    /// Files a negative answer of somebody to a sequence that ends it for their company.
    fileprivate func answer(from enrollment: Enrollment, in scope: SequencePlan.CompanyRule.Scope) async throws -> IncomingMessage {
        guard let zone = LocalZone("UTC"), let version = try await store.sequence(id: enrollment.sequence) else {
            throw ContractBreach(description: "the check's own zone or sequence is wrong")
        }
        let plan = SequencePlan(
            name: version.plan.name, description: "", steps: version.plan.steps, stopOn: [.reply],
            companyRule: .init(classes: [.negative], scope: scope))
        let incoming = try incoming()
        try await store.accept(incoming)
        let machine = SequenceMachine(enrollment: enrollment, plan: plan, zone: zone)
        guard let stop = CompanyStop(.negative, to: machine, company: "example.com", reply: incoming.id, at: later(3)) else {
            throw ContractBreach(description: "broken: the plan says what an answer ends")
        }
        let consequence = Consequence(transition: transition(enrollment, to: .stopped, cause: .replied), companies: [stop])
        let record = reply(to: incoming, enrollment: enrollment, replyClass: .negative)
        guard try await store.file(record, consequences: [consequence], forward: nil) == .committed else { throw StaleAnswer() }
        return incoming
    }
}
