package import InternetMessage

/// Steps with ways of their own: where an enrollment goes from them, and why.
extension SequenceMachine {
    /// What a due enrollment is due for.
    package enum Duty: Sendable, Equatable {
        /// Its step's message.
        case send
        /// A decision.
        /// - Parameters:
        ///   - needsHistory: whether it looks at what came back.
        ///   - needsGroups: whether it looks at tags and lists.
        case decide(needsHistory: Bool, needsGroups: Bool = false)
    }

    /// What a decision came to.
    package enum Decision: Sendable, Equatable {
        /// It moves on, and this happens to its contact.
        case move(Transition, [SequencePlan.Action])
        /// Nothing before `until`, with what it waits for.
        case wait(until: Timestamp, because: String)
    }

    package var duty: Duty {
        let index = enrollment.nextStep
        guard plan.steps.indices.contains(index) else { return .send }
        let step = plan.steps[index]
        if enrollment.doneAt == nil {
            switch step.work {
            case .send: return .send
            case .condition:
                let conditions = plan.ways(of: index).compactMap(\.condition)
                return .decide(
                    needsHistory: conditions.contains { $0.asksForReplies }, needsGroups: conditions.contains { $0.asksForGroups })
            case .wait, .split, .action, .webhook, .stop: return .decide(needsHistory: false)
            }
        }
        return .decide(needsHistory: plan.ways(of: index).contains { $0.on.isEvent || $0.on.absent != nil })
    }

    /// Decides what becomes of a due enrollment whose duty is no message.
    package func decide(_ known: StepFacts, chance: Chance, at now: Timestamp) -> Decision {
        let index = enrollment.nextStep
        let step = plan.steps[index]
        let name = stepName(index)
        if let doneAt = enrollment.doneAt { return waited(since: doneAt, known, at: now) }
        func go(_ way: SequencePlan.Way?, _ why: String, _ actions: [SequencePlan.Action] = []) -> Decision {
            guard let way, let target = plan.index(of: way.to) else { return .move(end("\(why): nothing follows", at: now), actions) }
            return .move(enter(target, because: "\(why): goes to \(way.to)", at: now), actions)
        }
        let ways = plan.ways(of: index)
        switch step.work {
        case .send: return .wait(until: now, because: "its message is due")
        case .wait: return .move(enter(index, because: "waits at \(name)", at: now), [])
        case .stop: return .move(enter(index, because: "came to \(name)", at: now), [])
        case .condition:
            let way = ways.first { $0.condition?.holds(for: known) ?? true }
            return go(way, "at \(name), \(way?.condition.map { "\($0.source) holds" } ?? "no condition holds")")
        case .split:
            let place = chance.fraction("split", [plan.name, step.name, known.contact.address.suppressionKey])
            let way = Weighted.pick(ways, at: place) { $0.weight ?? 1 }
            return go(way, "at \(name), by lot")
        case .action(let written):
            let actions = written.map { $0.settled(for: known.contact, step: step.name, in: plan.name, chance: chance) }
            let words = actions.compactMap(\.words).joined(separator: ", ")
            return go(ways.first, words.utf8.isEmpty ? "\(name) done" : "\(name) done (\(words))", actions)
        case .webhook(let call):
            return go(ways.first, "\(name) done (\(call.words))")
        }
    }

    /// Behind a step that is done: what came back, or the time that passed.
    private func waited(since doneAt: Timestamp, _ known: StepFacts, at now: Timestamp) -> Decision {
        let index = enrollment.nextStep
        let name = stepName(index)
        // What came while the message was still in the outbox is an answer to those before it, and counts all the same.
        let sent = known.messages.last { $0.step == index && $0.state != .cancelled }
        let since = min(sent?.createdAt ?? doneAt, doneAt)
        let ways = WaysOut(of: index, in: plan, doneAt: doneAt, zone: calendar, holidays: holidays)
        switch ways.look(known.history.entries.filter { $0.at >= since }, at: now) {
        case .take(let way, let because):
            guard let target = plan.index(of: way.to) else { return .move(end("nothing follows \(name)", at: now), []) }
            return .move(enter(target, because: "at \(name) since \(doneAt.iso8601), \(because): goes to \(way.to)", at: now), [])
        case .wait(let until):
            return .wait(until: until, because: "at \(name) since \(doneAt.iso8601), waits for \(ways.words)")
        case .over:
            return .move(end("at \(name) since \(doneAt.iso8601), nothing came of \(ways.words)", at: now), [])
        }
    }

    // MARK: What happens

    /// Its message is out: it stays behind the step and waits.
    func done(_ step: Int, waitsFor ways: [SequencePlan.Way], because why: String, at now: Timestamp) -> Transition {
        let look = WaysOut(of: step, in: plan, doneAt: now, zone: calendar, holidays: holidays).look([], at: now)
        guard look != .over else { return end("\(why), nothing follows", nextStep: step, done: now, at: now) }
        // A way that is open already is taken at once, by who looks for what is due.
        var due = now
        if case .wait(let until) = look { due = until }
        let words = "\(why); waits for \(ways.map(\.words).joined(separator: ", "))"
        switch enrollment.state {
        case .held:
            let later = max(due, enrollment.dueAt ?? due)
            return move(.held, enrollment.cause, enrollment.reason, nextStep: step, due: later, done: now, at: now)
        case .paused, .needsData:
            return move(enrollment.state, enrollment.cause, enrollment.reason, nextStep: step, done: now, at: now)
        default:
            return move(.active, nil, words, nextStep: step, due: due, done: now, at: now)
        }
    }

    enum Answer {
        case moved(Transition)
        /// It counts when the enrollment is resumed.
        case kept
        /// No way waits for it.
        case nothing
    }

    /// What came back while it waits behind a step that is done.
    ///
    /// - Parameter moment: when it came; nil: now.
    func answered(by fact: PlanFact, since moment: Timestamp? = nil, at now: Timestamp) -> Answer {
        guard isRunning, let doneAt = enrollment.doneAt, plan.steps.indices.contains(enrollment.nextStep) else { return .nothing }
        let ways = WaysOut(of: enrollment.nextStep, in: plan, doneAt: doneAt, zone: calendar, holidays: holidays)
        guard let way = ways.way(on: fact, at: moment ?? now), let target = plan.index(of: way.to) else { return .nothing }
        guard enrollment.isLive else { return .kept }
        let words = "at \(stepName(enrollment.nextStep)) since \(doneAt.iso8601), \(fact.words): goes to \(way.to)"
        // An open or a click is no answer: who is away has not come back by it.
        return .moved(enter(target, because: words, on: fact, keepsHold: fact.step != nil, at: now).outliving(fact))
    }

    /// The way out of a step whose message came to nothing; nil when the plan has none for that.
    func left(_ step: Int, on fact: PlanFact, because why: String, at now: Timestamp) -> Transition? {
        guard step == enrollment.nextStep, enrollment.doneAt == nil, plan.steps.indices.contains(step) else { return nil }
        let way = plan.steps[step].ways?.first { fact.isAwaited(by: $0) }
        guard let way, let target = plan.index(of: way.to) else { return nil }
        return enter(target, because: "step \(stepName(step)) \(why): goes to \(way.to)", on: fact, keepsHold: true, at: now).outliving(
            fact)
    }

    /// When the way for a message that is put off for too long opens next; nil: there is none that is not open.
    package func deferredWayOpens(step: Int, waitsSince: Timestamp, after now: Timestamp) -> Timestamp? {
        guard enrollment.state == .sending, enrollment.cause == nil, step == enrollment.nextStep, plan.steps.indices.contains(step) else {
            return nil
        }
        let moments = (plan.steps[step].ways ?? []).filter { $0.on == .deferred }.map { way in
            (way.after.map { calendar.adding($0, to: waitsSince) } ?? waitsSince) + .milliseconds(1)
        }
        return moments.filter { $0 > now }.min()
    }

    func deferred(step: Int, waitsSince: Timestamp, at now: Timestamp) -> Transition? {
        guard enrollment.state == .sending, enrollment.cause == nil, step == enrollment.nextStep, plan.steps.indices.contains(step) else {
            return nil
        }
        let way = plan.steps[step].ways?.first { way in
            way.on == .deferred && now > way.after.map { calendar.adding($0, to: waitsSince) } ?? waitsSince
        }
        guard let way, let target = plan.index(of: way.to) else { return nil }
        let words = "step \(stepName(step)) is put off since \(waitsSince.iso8601), \(way.words): goes to \(way.to)"
        return enter(target, because: words, withdraws: true, at: now)
    }

    // MARK: Where it goes

    /// Comes to a step.
    ///
    /// - Parameters:
    ///   - fact: what brought it there; nil: time.
    ///   - keepsHold: whether an absence goes on holding it, because nobody who is there has answered.
    func enter(
        _ index: Int, because why: String, on fact: PlanFact? = nil, keepsHold: Bool = false, withdraws: Bool = false, at now: Timestamp
    ) -> Transition {
        let step = plan.steps[index]
        if case .stop(let reason) = step.work {
            let words = reason.map { "\(why) (\($0))" } ?? why
            let isAnswered = fact.map { $0.step == nil } ?? false
            return move(isAnswered ? .stopped : .finished, fact.cause, words, nextStep: index, done: now, withdraws: withdraws, at: now)
        }
        let isWait = step.work == .wait
        var due = step.due(after: now, in: calendar, holidays: holidays)
        if isWait {
            switch WaysOut(of: index, in: plan, doneAt: now, zone: calendar, holidays: holidays).look([], at: now) {
            case .wait(let until): due = until
            case .take: due = now
            // Nothing follows the wait: it ends with it.
            case .over: break
            }
        }
        let done = isWait ? now : nil
        switch enrollment.state {
        case .paused, .needsData:
            return move(
                enrollment.state, enrollment.cause, enrollment.reason, nextStep: index, done: done, withdraws: withdraws, at: now)
        case .held where keepsHold:
            let later = max(due, enrollment.dueAt ?? due)
            return move(.held, enrollment.cause, enrollment.reason, nextStep: index, due: later, done: done, withdraws: withdraws, at: now)
        default:
            return move(.active, nil, why, nextStep: index, due: due, done: done, withdraws: withdraws, at: now)
        }
    }

    /// The end of the way.
    private func end(_ why: String, nextStep: Int? = nil, done: Timestamp? = nil, at now: Timestamp) -> Transition {
        move(.finished, .completed, why, nextStep: nextStep, done: done, at: now)
    }
}

extension Transition {
    /// A failure suppresses the address mostly; the way that the plan has for it is gone all the same.
    fileprivate func outliving(_ fact: PlanFact) -> Transition {
        guard case .bounce = fact else { return self }
        var transition = self
        transition.outlivesSuppression = true
        return transition
    }
}

extension PlanFact? {
    /// What a sequence is said to have ended by.
    fileprivate var cause: Enrollment.Cause {
        switch self {
        case .reply(.outOfOffice, _): .outOfOffice
        case .reply: .replied
        case .bounce: .bounced
        case .open, .click: .completed
        case nil: .completed
        }
    }
}

/// One of several by weight.
enum Weighted {
    /// - Parameter place: 0 ..< 1.
    /// - Returns: nil when there is none, or none has a weight.
    static func pick<Choice>(_ choices: [Choice], at place: Double, weight: (Choice) -> Int) -> Choice? {
        let weights = choices.map { max(0, weight($0)) }
        let total = weights.reduce(0, +)
        guard total > 0 else { return nil }
        var rest = place * Double(total)
        for (choice, weight) in zip(choices, weights) {
            rest -= Double(weight)
            if rest < 0 { return choice }
        }
        return choices.last
    }
}
