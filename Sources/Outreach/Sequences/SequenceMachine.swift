package import InternetMessage

/// What happened to an enrollment, from outside.
package enum SequenceEvent: Sendable, Equatable {
    /// Its next step was put into the outbox.
    case queued
    /// Template tags without value and without fallback.
    case missingValues([String])
    /// Its message cannot be built, for the stated reason.
    case cannotCompose(String)
    case accepted(step: Int)
    /// Refused for good by the recipient's server.
    case rejected(step: Int, text: String, failureClass: String? = nil)
    /// Put off once more; it waits since then.
    case deferred(step: Int, waitsSince: Timestamp)
    /// Given up: it never left within its lifetime.
    case expired(step: Int, text: String)
    /// The final dot may have left and no complete reply came.
    case uncertain(step: Int)
    /// Its due step is in the outbox already and not settled: held as uncertain, or still on its way.
    case unsettled(step: Int, uncertain: Bool)
    /// A reply or report came in and was tied to it.
    case replied(
        ReplyClass, certainty: Correlation.Certainty, returnDate: CivilDate?, permanentBounce: Bool, intent: String? = nil,
        failureClass: String? = nil)
    /// A person opened the message of a step, or clicked in it, at that moment.
    case touched(PlanFact, at: Timestamp)
    /// Unsubscribed by link, button or mailto.
    case unsubscribed(Suppression.Source)
    case suppressed(reason: String)
    case paused(by: String)
    /// Goes on; `log` is every transition of it, oldest first, which tells what was interrupted, and `absences` are those that its
    /// contact ever told of.
    case resumed(by: String, log: [Transition], absences: [Absence])
    case stopped(by: String)
}

/// That somebody was told to be away.
package struct Absence: Sendable, Equatable {
    /// When it was told.
    package let at: Timestamp
    /// nil: no day was named.
    package let returnDate: CivilDate?

    package init(at: Timestamp, returnDate: CivilDate?) {
        self.at = at
        self.returnDate = returnDate
    }

    /// From when on they are written to again.
    func end(in zone: LocalZone) -> Timestamp {
        returnDate.map { zone.moment(SequenceMachine.nextBusinessDay(after: $0), minuteOfDay: 0) } ?? at + SequenceMachine.holdWithoutDate
    }

    /// For a person.
    var words: String { returnDate.map { "out of office until \($0.iso8601)" } ?? "out of office, no date given" }
}

/// Decides what an event makes of an enrollment: a value in, a transition out.
///
/// Overview: the enrollment goes `active` → `sending` → `active` ... → `finished`, one step at a time; a step counts as sent when the
/// peer accepted it. Whatever comes back may stop it, and an absence holds it. A stopped enrollment never moves again, but a reply to a
/// finished one still marks it as answered. Behind a step with ways of its own it waits where it stands, and what comes back may take one
/// of them (`SequenceMachine+Ways`); a wish to hear no more, a complaint and a suppression end it whatever the ways say.
package struct SequenceMachine: Sendable {
    package let enrollment: Enrollment
    package let plan: SequencePlan
    /// Zone in which dates of an absence are meant.
    package let zone: LocalZone
    /// Days that are no business days.
    let holidays: Holidays

    /// Zone in which business days are counted.
    package var calendar: LocalZone { plan.zone ?? zone }

    /// How long an absence without a date holds a sequence.
    package static let holdWithoutDate = Duration.seconds(7 * 86_400)

    package init(enrollment: Enrollment, plan: SequencePlan, zone: LocalZone, holidays: Holidays = .none) {
        self.enrollment = enrollment
        self.plan = plan
        self.zone = zone
        self.holidays = holidays
    }

    /// The transition that the event causes; nil when it changes nothing.
    package func advance(on event: SequenceEvent, at now: Timestamp) -> Transition? {
        switch event {
        case .queued:
            return (enrollment.state == .active || enrollment.state == .held) && enrollment.doneAt == nil
                ? move(.sending, nil, "step \(stepName(enrollment.nextStep)) is in the outbox", at: now) : nil
        case .missingValues(let names):
            return enrollment.isLive
                ? move(.needsData, .missingValue, "no value and no fallback for \(names.joined(separator: ", "))", at: now) : nil
        case .cannotCompose(let why):
            return enrollment.isLive ? move(.needsData, .missingValue, why, at: now) : nil
        case .accepted(let step):
            return accepted(step: step, at: now)
        case .rejected(let step, let text, let failureClass):
            guard isRunning else { return nil }
            if let left = left(step, on: .bounce(failureClass: failureClass), because: "was refused: \(text)", at: now) { return left }
            if !plan.stops(on: .hardBounce) { return refused(step: step, text: text, at: now) }
            return move(.stopped, .bounced, "step \(stepName(step)) was refused: \(text)", at: now)
        case .expired(let step, let text):
            guard isRunning else { return nil }
            let given = PlanFact.bounce(failureClass: "expired")
            return left(step, on: given, because: "could not be delivered in time: \(text)", at: now)
                ?? move(.stopped, .undeliverable, "step \(stepName(step)) could not be delivered in time: \(text)", at: now)
        case .deferred(let step, let waitsSince):
            return deferred(step: step, waitsSince: waitsSince, at: now)
        case .uncertain(let step):
            guard enrollment.isLive, step == enrollment.nextStep, enrollment.doneAt == nil else { return nil }
            return move(.sending, .uncertainDelivery, uncertainWords(step), at: now)
        case .unsettled(let step, let uncertain):
            guard enrollment.isLive, step == enrollment.nextStep, enrollment.doneAt == nil else { return nil }
            return uncertain
                ? move(.sending, .uncertainDelivery, uncertainWords(step), at: now)
                : move(.sending, nil, "step \(stepName(step)) is in the outbox", at: now)
        case .replied(let replyClass, let certainty, let returnDate, let permanentBounce, let intent, let failureClass):
            guard certainty != .low else { return nil }
            let isReport = replyClass == .bounce
            if !isReport || permanentBounce {
                let fact = isReport ? PlanFact.bounce(failureClass: failureClass) : .reply(replyClass, intent: intent)
                switch answered(by: fact, at: now) {
                case .moved(let transition): return transition
                case .kept: return nil
                case .nothing: break
                }
            }
            return replied(replyClass, returnDate: returnDate, permanentBounce: permanentBounce, at: now)
        case .touched(let fact, let moment):
            if case .moved(let transition) = answered(by: fact, since: moment, at: now) { return transition }
            return nil
        case .unsubscribed(let source):
            return stop(.unsubscribed, "unsubscribed (\(source.rawValue))", at: now)
        case .suppressed(let reason):
            return isRunning ? move(.stopped, .suppressed, "address is suppressed: \(reason)", at: now) : nil
        case .paused(let person):
            return isRunning && enrollment.state != .paused ? move(.paused, .person, "paused by \(person)", at: now) : nil
        case .resumed(let person, let log, let absences):
            guard enrollment.state == .paused || enrollment.state == .needsData else { return nil }
            return resumed(by: person, log, absences, at: now)
        case .stopped(let person):
            return isRunning ? stop(.person, "stopped by \(person)", at: now) : nil
        }
    }

    /// Neither ended nor answered.
    var isRunning: Bool { enrollment.state != .stopped && enrollment.state != .finished }

    private func accepted(step: Int, at now: Timestamp) -> Transition? {
        // A step can be accepted after something else (an absence, a pause) moved the enrollment: the step still counts as sent.
        guard isRunning, step == enrollment.nextStep, enrollment.doneAt == nil else { return nil }
        let words = "step \(stepName(step)) accepted"
        if let ways = plan.steps.indices.contains(step) ? plan.steps[step].ways : nil {
            return done(step, waitsFor: ways, because: words, at: now)
        }
        let next = step + 1
        guard next < plan.steps.count else {
            // In a plan that branches, the last step in the file is not the last of all.
            guard plan.isLine else { return done(step, waitsFor: [], because: words, at: now) }
            return move(.finished, .completed, "all \(plan.steps.count) steps left, no answer", nextStep: next, at: now)
        }
        return goOn(from: step, because: words, at: now)
    }

    /// A step that was refused where that ends nothing: those after it in the file come in their turn.
    private func refused(step: Int, text: String, at now: Timestamp) -> Transition? {
        guard step == enrollment.nextStep, enrollment.doneAt == nil, plan.steps.indices.contains(step) else { return nil }
        let words = "step \(stepName(step)) was refused: \(text)"
        // Its own ways wait for what becomes of a message that is not there.
        guard plan.steps[step].ways == nil, step + 1 < plan.steps.count else {
            return move(.finished, .bounced, "\(words); nothing follows", nextStep: step, done: now, at: now)
        }
        return goOn(from: step, because: words, at: now)
    }

    /// The step after one that is done, in the order of the file.
    private func goOn(from step: Int, because words: String, at now: Timestamp) -> Transition {
        let next = step + 1
        guard plan.steps[next].letter != nil else { return enter(next, because: words, keepsHold: true, at: now) }
        let due = plan.steps[next].due(after: now, in: calendar, holidays: holidays)
        switch enrollment.state {
        case .held:
            return move(.held, enrollment.cause, enrollment.reason, nextStep: next, due: max(due, enrollment.dueAt ?? due), at: now)
        case .paused, .needsData:
            return move(enrollment.state, enrollment.cause, enrollment.reason, nextStep: next, at: now)
        default:
            return move(.active, nil, words, nextStep: next, due: due, at: now)
        }
    }

    private func replied(_ replyClass: ReplyClass, returnDate: CivilDate?, permanentBounce: Bool, at now: Timestamp) -> Transition? {
        switch replyClass {
        case .unsubscribe:
            return stop(.unsubscribed, "asked by mail to be left alone", at: now)
        case .complaint:
            return stop(.complained, "complained about the message", at: now)
        case .positive, .question, .negative, .notNow, .referral, .neutral:
            return plan.stops(on: .reply) ? stop(.replied, "replied (\(replyClass.rawValue))", at: now) : nil
        case .leftCompany:
            return stop(.undeliverable, "has left the company", at: now)
        case .bounce:
            guard permanentBounce, plan.stops(on: .hardBounce) else { return nil }
            return stop(.bounced, "bounced after acceptance", at: now)
        case .outOfOffice:
            return absent(Absence(at: now, returnDate: returnDate), at: now)
        case .autoAcknowledgement, .challenge, .delay:
            return nil
        }
    }

    private func absent(_ absence: Absence, at now: Timestamp) -> Transition? {
        guard enrollment.isLive, enrollment.nextStep < plan.steps.count || enrollment.state == .sending else { return nil }
        // A message that may have left waits for a person; a due date would send its step again.
        let isUncertain = enrollment.state == .sending && enrollment.cause == .uncertainDelivery
        let back = absence.end(in: zone)
        // An absence that is over already, and one that ends before the next step anyway, changes nothing.
        let due = max(back, enrollment.dueAt ?? back)
        if isUncertain {
            let reason = "\(uncertainWords(enrollment.nextStep)); \(absence.words)"
            return back > now && !reason.utf8.elementsEqual(enrollment.reason.utf8)
                ? move(.sending, .uncertainDelivery, reason, at: now) : nil
        }
        guard back > now, due != enrollment.dueAt else { return nil }
        return move(.held, .outOfOffice, absence.words, due: due, at: now)
    }

    /// The day after the return on which people read mail again.
    static func nextBusinessDay(after date: CivilDate) -> CivilDate {
        var day = date.adding(days: 1)
        while [.saturday, .sunday].contains(Weekday(of: day)) { day = day.adding(days: 1) }
        return day
    }

    private func stop(_ cause: Enrollment.Cause, _ reason: String, at now: Timestamp) -> Transition? {
        enrollment.state == .stopped ? nil : move(.stopped, cause, reason, at: now)
    }

    func move(
        _ state: Enrollment.State, _ cause: Enrollment.Cause?, _ reason: String, nextStep: Int? = nil, due: Timestamp? = nil,
        done: Timestamp? = nil, withdraws: Bool = false, at now: Timestamp
    ) -> Transition {
        Transition(
            enrollment: enrollment.id, expectedVersion: enrollment.version, at: now, state: state, cause: cause, reason: reason,
            nextStep: nextStep ?? enrollment.nextStep, dueAt: due,
            doneAt: done ?? (nextStep == nil || nextStep == enrollment.nextStep ? enrollment.doneAt : nil), withdraws: withdraws)
    }

    private func uncertainWords(_ step: Int) -> String {
        "the reply to the final dot of step \(stepName(step)) was lost; held for a person"
    }

    func stepName(_ step: Int) -> String { plan.steps.indices.contains(step) ? plan.steps[step].name : "\(step + 1)" }
}
