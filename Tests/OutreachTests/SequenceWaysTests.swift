import InternetMessage
import TestKit
import Testing

@testable import Outreach

private let start = Timestamp(seconds: 1_772_438_400)  // 2026-03-02T08:00:00Z, a Monday
private let hour = Duration.seconds(3_600)
private let day = Duration.seconds(86_400)

@Suite("ways out of steps")
struct SequenceWaysTests {
    private static let file = """
        name = "branches"
        stop_on = ["reply", "hard_bounce"]
        [[step]]
        name = "intro"
        subject = "s"
        text = "t"
        [[step.transition]]
        on = "replied"
        class = ["positive", "question"]
        intent = "ready_to_meet"
        within = "P3D"
        to = "end"
        [[step.transition]]
        on = "replied"
        class = "not_now"
        within = "P3D"
        to = "month"
        [[step.transition]]
        on = "bounced"
        class = "mailbox_full"
        to = "month"
        [[step.transition]]
        on = "deferred"
        after = "PT6H"
        to = "nudge"
        [[step.transition]]
        on = "no_reply"
        after = "P3D"
        to = "nudge"
        [[step]]
        name = "nudge"
        delay = "P1D"
        text = "t"
        transition = []
        [[step]]
        type = "wait"
        name = "month"
        delay = "P30D"
        next = "end"
        [[step]]
        type = "stop"
        name = "end"
        reason = "enough"
        """
    private let plan: SequencePlan

    init() throws { plan = try SequenceFile(parsing: Array(Self.file.utf8), file: "x.toml").plan }

    private func machine(
        _ state: Enrollment.State, at step: Int = 0, done: Timestamp? = nil, due: Timestamp? = nil, cause: Enrollment.Cause? = nil
    ) throws -> SequenceMachine {
        SequenceMachine(
            enrollment: Enrollment(
                id: .init(rawValue: 7), workspace: .default, contact: .init(rawValue: 3), sequence: .init(rawValue: 5), identity: "anna",
                state: state, cause: cause, reason: "", nextStep: step, dueAt: due, heldBy: nil, version: 4, createdAt: start, doneAt: done),
            plan: plan, zone: try #require(LocalZone("Europe/Berlin")))
    }

    private func reply(_ replyClass: ReplyClass, intent: String? = nil, failure: String? = nil) -> SequenceEvent {
        .replied(
            replyClass, certainty: .high, returnDate: nil, permanentBounce: failure != nil, intent: intent, failureClass: failure)
    }

    @Test("an accepted step with ways waits where it stands, until the first moment that decides")
    func waits() throws {
        let transition = try #require(machine(.sending).advance(on: .accepted(step: 0), at: start))
        #expect(transition.state == .active && transition.nextStep == 0 && transition.doneAt == start)
        #expect(transition.dueAt == start + day * 3 && !transition.cancelsQueuedMail)
        #expect(transition.reason.contains("no_reply after P3D"))
        #expect(try machine(.active, done: start, due: start).advance(on: .accepted(step: 0), at: start) == nil)
    }

    @Test("an absence keeps its date, a pause its state, when the step is accepted under them")
    func waitsUnder() throws {
        let held = try #require(
            machine(.held, due: start + day * 9, cause: .outOfOffice).advance(on: .accepted(step: 0), at: start))
        #expect(held.state == .held && held.dueAt == start + day * 9 && held.doneAt == start)
        let paused = try #require(machine(.paused).advance(on: .accepted(step: 0), at: start))
        #expect(paused.state == .paused && paused.dueAt == nil && paused.doneAt == start)
    }

    @Test(
        "what comes back takes its way, or stops as the plan says, or neither",
        arguments: [
            // class, intent, failure, after hours, state, cause, step, due after hours; one of the 30 days has 23 hours
            (.positive, "ready_to_meet", nil, 1, .stopped, .replied, 3, nil),
            (.positive, "interested", nil, 1, .stopped, .replied, 0, nil),
            (.notNow, nil, nil, 1, .active, nil, 2, 1 + 719),
            (.notNow, nil, nil, 73, .stopped, .replied, 0, nil),
            (.unsubscribe, nil, nil, 1, .stopped, .unsubscribed, 0, nil),
            (.complaint, nil, nil, 1, .stopped, .complained, 0, nil),
            (.bounce, nil, "mailbox_full", 1, .active, nil, 2, 1 + 719),
            (.bounce, nil, "policy", 1, .stopped, .bounced, 0, nil),
            (.autoAcknowledgement, nil, nil, 1, nil, nil, 0, nil),
            (.delay, nil, nil, 1, nil, nil, 0, nil),
            (.outOfOffice, nil, nil, 1, .held, .outOfOffice, 0, 1 + 7 * 24),
        ] as [(ReplyClass, String?, String?, Int, Enrollment.State?, Enrollment.Cause?, Int, Int?)])
    func answers(
        replyClass: ReplyClass, intent: String?, failure: String?, after: Int, state: Enrollment.State?, cause: Enrollment.Cause?,
        step: Int,
        due: Int?
    ) throws {
        let waiting = try machine(.active, done: start, due: start + day * 3)
        let transition = waiting.advance(on: reply(replyClass, intent: intent, failure: failure), at: start + hour * after)
        #expect(transition?.state == state && transition?.cause == cause)
        guard let transition else { return }
        #expect(transition.nextStep == step && transition.dueAt == due.map { start + hour * $0 })
        // Whoever has left the step by an answer never waits there again.
        if step == 2 { #expect(transition.doneAt == start + hour * after && transition.reason.contains("goes to month")) }
    }

    @Test("a paused enrollment keeps what came back for when it is resumed; one that stopped or finished never takes a way")
    func notRunning() throws {
        #expect(try machine(.paused, done: start).advance(on: reply(.notNow), at: start + hour) == nil)
        #expect(try machine(.stopped, done: start).advance(on: reply(.notNow), at: start + hour) == nil)
        #expect(try machine(.finished, done: start).advance(on: reply(.notNow), at: start + hour)?.cause == .replied)
    }

    @Test("a step that is put off for longer than its way allows is left, and its message taken back")
    func deferred() throws {
        let sending = try machine(.sending)
        #expect(sending.advance(on: .deferred(step: 0, waitsSince: start), at: start + hour * 6) == nil)
        let transition = try #require(sending.advance(on: .deferred(step: 0, waitsSince: start), at: start + hour * 7))
        #expect(transition.nextStep == 1 && transition.state == .active && transition.cancelsQueuedMail && transition.doneAt == nil)
        #expect(transition.dueAt == start + hour * 7 + day)
        #expect(try machine(.sending, at: 1).advance(on: .deferred(step: 0, waitsSince: start), at: start + hour * 7) == nil)
        let uncertain = try machine(.sending, cause: .uncertainDelivery)
        #expect(uncertain.advance(on: .deferred(step: 0, waitsSince: start), at: start + hour * 7) == nil)
        // One more attempt is due as soon as the way is open, and none for that afterwards.
        let opens = start + hour * 6 + .milliseconds(1)
        #expect(sending.deferredWayOpens(step: 0, waitsSince: start, after: start + hour) == opens)
        #expect(sending.advance(on: .deferred(step: 0, waitsSince: start), at: opens) != nil)
        #expect(sending.deferredWayOpens(step: 0, waitsSince: start, after: opens) == nil)
    }

    @Test(
        "a refusal and an end of its lifetime take the way for their class, or stop",
        arguments: [
            (SequenceEvent.rejected(step: 0, text: "full", failureClass: "mailbox_full"), Enrollment.Cause?.none, 2),
            (.rejected(step: 0, text: "no", failureClass: "policy"), .bounced, 0), (.rejected(step: 0, text: "no"), .bounced, 0),
            (.expired(step: 0, text: "late"), .undeliverable, 0),
        ])
    func refused(event: SequenceEvent, cause: Enrollment.Cause?, step: Int) throws {
        let transition = try #require(machine(.sending).advance(on: event, at: start))
        #expect(transition.cause == cause && transition.nextStep == step)
        #expect((transition.state == .active) == (cause == nil))
        #expect(transition.outlivesSuppression == (cause == nil), "what the plan has for a failure is done though it suppresses")
    }

    private func decide(
        _ machine: SequenceMachine, _ entries: [SequenceHistory.Entry] = [], for address: String = "ann@example.com", at now: Timestamp
    ) throws
        -> SequenceMachine.Decision
    {
        let contact = Contact(id: .init(rawValue: 3), address: try #require(EmailAddress(address)), createdAt: start)
        let known = StepFacts(
            contact: contact, identity: "anna", plan: machine.plan, history: SequenceHistory(entries), messages: [])
        return machine.decide(known, chance: Chance(seed: [1]), at: now)
    }

    @Test(
        "when its time has passed, what came back counts first, however late one looks",
        arguments: [
            // hours passed, replies by hour, where it stands then
            (71, [], nil), (72, [], 1), (300, [], 1), (80, [(70, ReplyClass.notNow)], 2), (80, [(73, .notNow)], nil),
            (80, [(70, .autoAcknowledgement)], 1), (80, [(1, .neutral)], nil), (80, [(-1, .notNow)], 1),
        ] as [(Int, [(Int, ReplyClass)], Int?)])
    func timePasses(hours: Int, replies: [(Int, ReplyClass)], step: Int?) throws {
        let waiting = try machine(.active, done: start, due: start + day * 3)
        #expect(waiting.duty == .decide(needsHistory: true))
        let entries = replies.map { SequenceHistory.Entry(.reply($1, intent: nil), at: start + hour * $0) }
        switch try decide(waiting, entries, at: start + hour * hours) {
        case .move(let transition, _):
            #expect(transition.nextStep == step)
        case .wait(let until, let because):
            #expect(step == nil && until > start + hour * hours && because.contains("at intro since 2026-03-02T08:00:00Z"))
        }
    }

    @Test(
        "opens and clicks count for the message that they are of; a click is an open where nothing waits for it",
        arguments: [
            // ways of the step, what came back for which step, the step that it leads to
            (["opened"], PlanFact.open(step: 1), "b"), (["opened"], .open(step: 0), nil), (["clicked"], .click(step: 1), "b"),
            (["clicked"], .click(step: 0), nil), (["clicked"], .open(step: 1), nil), (["opened"], .click(step: 1), "b"),
            (["opened", "clicked"], .click(step: 1), "c"), (["no_open"], .click(step: 1), nil), (["no_open"], .open(step: 0), "b"),
            (["no_click"], .open(step: 1), "b"), (["no_click"], .click(step: 1), nil),
        ] as [([String], PlanFact, String?)])
    func touched(ways: [String], fact: PlanFact, step: String?) throws {
        let transitions = zip(ways, ["b", "c"]).map { on, to in
            "[[step.transition]]\non = \"\(on)\"\n\(on.hasPrefix("no") ? "after = \"P1D\"\n" : "")to = \"\(to)\"\n"
        }.joined()
        let ends = zip(ways, ["b", "c"]).map { "[[step]]\ntype = \"stop\"\nname = \"\($1)\"\n" }.joined()
        let source = """
            name = "touched"
            [[step]]
            name = "first"
            subject = "s"
            text = "t"
            html = "h"
            [[step]]
            name = "second"
            delay = "P1D"
            text = "t"
            html = "h"
            \(transitions)\(ends)
            """
        let plan = try SequenceFile(parsing: Array(source.utf8), file: "touched.toml").plan
        let zone = try #require(LocalZone("UTC"))
        let way = WaysOut(of: 1, in: plan, doneAt: start, zone: zone).look([.init(fact, at: start + hour)], at: start + day * 2)
        guard let step else {
            if case .take(let taken, let why) = way { Issue.record("goes to \(taken.to): \(why)") }
            return
        }
        guard case .take(let taken, _) = way else {
            Issue.record("takes none: \(way)")
            return
        }
        #expect(taken.to == step)
    }

    @Test("a wait ends by its length, a stop says why, and a plan that leads nowhere finishes")
    func ends() throws {
        let wait = try machine(.active, at: 2, done: start, due: start + day * 30)
        guard case .wait(let until, _) = try decide(wait, at: start + day) else { return #expect(Bool(false)) }
        // One of the days has 23 hours.
        #expect(until == start + day * 30 - hour)
        guard case .move(let end, _) = try decide(wait, at: start + day * 30) else { return #expect(Bool(false)) }
        #expect(end.state == .finished && end.cause == .completed && end.reason.contains("enough"))
        let nudge = try #require(machine(.sending, at: 1).advance(on: .accepted(step: 1), at: start))
        #expect(nudge.state == .finished && nudge.nextStep == 1)
    }

    @Test("a split gives the same contact the same way, and all contacts the ways by weight")
    func split() throws {
        let source = """
            name = "s"
            [[step]]
            type = "split"
            name = "s"
            [[step.transition]]
            weight = 80
            to = "a"
            [[step.transition]]
            weight = 20
            to = "b"
            [[step]]
            name = "a"
            subject = "s"
            text = "t"
            transition = []
            [[step]]
            name = "b"
            subject = "s"
            text = "t"
            """
        let plan = try SequenceFile(parsing: Array(source.utf8), file: "x.toml").plan
        var first = 0
        for id in 1...1000 {
            let enrollment = Enrollment(
                id: .init(rawValue: 7), workspace: .default, contact: .init(rawValue: Int64(id)), sequence: .init(rawValue: 5),
                identity: "anna", state: .active, cause: nil, reason: "", nextStep: 0, dueAt: start, heldBy: nil, version: 0,
                createdAt: start)
            let machine = SequenceMachine(enrollment: enrollment, plan: plan, zone: try #require(LocalZone("UTC")))
            let decision = try decide(machine, for: "c\(id)@example.com", at: start)
            #expect(try decide(machine, for: "C\(id)@example.com", at: start) == decision)
            if case .move(let transition, _) = decision, transition.nextStep == 1 { first += 1 }
        }
        #expect((750...850).contains(first))
    }

    @Test("random plans without loops under random events: no step twice, nothing after an end, always an end", arguments: 0..<200)
    func anyPlan(seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed) &+ 77)
        let count = Int.random(in: 1...12, using: &random)
        let events: [SequencePlan.Trigger] = [.replied, .outOfOffice, .bounced, .noReply, .done, .deferred, .delivered]
        let steps = (0..<count).map { index -> SequencePlan.Step in
            let works: [SequencePlan.Work] = [
                .send(.init(subject: "s", text: "t")), .send(.init(subject: "s", text: "t")), .wait, .condition, .split,
                .action([.set(field: "a", value: "b")]), .stop(reason: nil),
            ]
            let work = index == 0 ? works[0] : works.randomElement(using: &random) ?? works[0]
            var ways: [SequencePlan.Way]?
            if index + 1 < count, Bool.random(using: &random) {
                ways = (0..<Int.random(in: 0...3, using: &random)).map { _ in
                    let isMessage = if case .send = work { true } else { false }
                    let on = isMessage || work == .wait ? events.randomElement(using: &random) ?? .done : .done
                    return .init(
                        on: on, after: ISODuration("P\(Int.random(in: 0...5, using: &random))D"), weight: 1,
                        to: "s\(Int.random(in: (index + 1)..<count, using: &random))")
                }
            }
            return .init(name: "s\(index)", work: work, delay: work == .wait ? ISODuration("P2D") ?? .none : .none, ways: ways)
        }
        let plan = SequencePlan(name: "r", description: "", steps: steps, stopOn: Bool.random(using: &random) ? [.reply] : [])
        let zone = try #require(LocalZone("UTC"))
        var now = start
        let entry = plan.entry(at: now, in: zone)
        var enrollment = Enrollment(
            id: .init(rawValue: 7), workspace: .default, contact: .init(rawValue: 3), sequence: .init(rawValue: 5), identity: "anna",
            state: .active, cause: nil, reason: "", nextStep: entry.step, dueAt: entry.dueAt, heldBy: nil, version: 0, createdAt: now,
            doneAt: entry.doneAt)
        var entered = [entry.step]
        var history: [SequenceHistory.Entry] = []
        func apply(_ transition: Transition?) {
            guard let transition else { return }
            #expect(enrollment.state != .stopped, "nothing moves after a stop")
            if transition.nextStep != enrollment.nextStep, transition.nextStep < plan.steps.count {
                #expect(!entered.contains(transition.nextStep), "a step is come to once")
                entered.append(transition.nextStep)
            }
            enrollment.state = transition.state
            enrollment.cause = transition.cause
            enrollment.nextStep = transition.nextStep
            enrollment.doneAt = transition.doneAt
            enrollment.dueAt = transition.dueAt
            enrollment.version += 1
            #expect((enrollment.dueAt != nil) == (enrollment.state == .active || enrollment.state == .held))
        }
        for _ in 0..<400 {
            let machine = SequenceMachine(enrollment: enrollment, plan: plan, zone: zone)
            switch Int.random(in: 0...9, using: &random) {
            case 0:
                let replyClass = [ReplyClass.positive, .notNow, .outOfOffice, .bounce, .autoAcknowledgement].randomElement(using: &random)
                guard let replyClass else { continue }
                history.append(.init(replyClass == .bounce ? .bounce(failureClass: nil) : .reply(replyClass, intent: nil), at: now))
                apply(
                    machine.advance(
                        on: .replied(replyClass, certainty: .high, returnDate: nil, permanentBounce: replyClass == .bounce), at: now))
            case 1: apply(machine.advance(on: .paused(by: "x"), at: now))
            case 2: apply(machine.advance(on: .resumed(by: "x", log: [], absences: []), at: now))
            case 3...5 where enrollment.state == .sending:
                let step = enrollment.nextStep
                let outcomes: [SequenceEvent] = [
                    .accepted(step: step), .accepted(step: step), .rejected(step: step, text: "no"),
                    .deferred(step: step, waitsSince: now + .seconds(-9 * 86_400)),
                ]
                apply(outcomes.randomElement(using: &random).flatMap { machine.advance(on: $0, at: now) })
            default:
                guard let due = enrollment.dueAt else { continue }
                now = max(now, due)
                switch machine.duty {
                case .send:
                    apply(machine.advance(on: .queued, at: now))
                case .decide:
                    switch try decide(machine, history, at: now) {
                    case .move(let transition, _): apply(transition)
                    case .wait(let until, _):
                        #expect(until > now)
                        enrollment.dueAt = until
                    }
                }
            }
        }
        for _ in 0..<200 where enrollment.state != .stopped && enrollment.state != .finished {
            let machine = SequenceMachine(enrollment: enrollment, plan: plan, zone: zone)
            if enrollment.state == .paused || enrollment.state == .needsData {
                apply(machine.advance(on: .resumed(by: "x", log: [], absences: []), at: now))
            } else if enrollment.state == .sending {
                apply(machine.advance(on: .accepted(step: enrollment.nextStep), at: now))
            } else {
                now = max(now, enrollment.dueAt ?? now)
                switch machine.duty {
                case .send: apply(machine.advance(on: .queued, at: now))
                case .decide:
                    switch try decide(machine, history, at: now) {
                    case .move(let transition, _): apply(transition)
                    case .wait(let until, _): enrollment.dueAt = until
                    }
                }
            }
        }
        #expect(enrollment.state == .stopped || enrollment.state == .finished, "it comes to an end: \(enrollment)")
    }

    @Test(
        "the winner of a trial: enough people, a difference that is no chance, and more of it where there are more variants",
        arguments: [
            ([(100, 10)], VariantTrial.Verdict.alone), ([(29, 20), (500, 1)], .tooFew(name: "a", sent: 29, floor: 30)),
            ([(100, 10), (100, 10)], .undecided(best: "a", confidence: 0)), ([(30, 0), (30, 0)], .undecided(best: "a", confidence: 0)),
            // By hand: z = 0.10 / sqrt(0.10 * 0.90 * 0.01) = 3.33, p = 0.00086.
            ([(200, 10), (200, 30)], .winner(name: "b", confidence: 0.99914)),
            // z = 2.0484, p = 0.0405: enough for two, and for three not.
            ([(200, 20), (200, 34)], .winner(name: "b", confidence: 0.9595)),
            ([(200, 20), (200, 34), (200, 20)], .undecided(best: "b", confidence: 0.9190)),
        ] as [([(Int, Int)], VariantTrial.Verdict)])
    func trial(arms: [(Int, Int)], expected: VariantTrial.Verdict) {
        let names = ["a", "b", "c"]
        let verdict = VariantTrial(zip(names, arms).map { .init(name: $0, sent: $1.0, replied: $1.1) }).verdict()
        switch (verdict, expected) {
        case (.winner(let name, let confidence), .winner(let wanted, let near)): #expect(name == wanted && abs(confidence - near) < 0.0005)
        case (.undecided(let name, let confidence), .undecided(let wanted, let near)):
            #expect(name == wanted && abs(confidence - near) < 0.001, "\(confidence)")
        default: #expect(verdict == expected)
        }
    }
}
