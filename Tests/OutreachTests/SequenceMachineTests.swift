import InternetMessage
import Testing

@testable import Outreach

private let start = Timestamp(seconds: 1_772_438_400)  // 2026-03-02T08:00:00Z, a Monday
private let day = Duration.seconds(86_400)

private let plan = SequencePlan(
    name: "intro", description: "",
    steps: [
        .init(name: "intro", delay: iso("PT0S"), subject: "Hello", text: "a"),
        .init(name: "nudge", delay: iso("P3D"), subject: nil, text: "b"),
        .init(name: "last", delay: iso("P4D"), subject: nil, text: "c"),
    ], stopOn: Set(SequencePlan.StopRule.allCases))

private func iso(_ text: String) -> ISODuration {
    guard let value = ISODuration(text) else { preconditionFailure("not a duration: \(text)") }
    return value
}

private func machine(
    _ state: Enrollment.State, step: Int, due: Timestamp? = nil, plan: SequencePlan = plan, cause: Enrollment.Cause? = nil
) throws -> SequenceMachine {
    let zone = try #require(LocalZone("Europe/Berlin"))
    return SequenceMachine(
        enrollment: Enrollment(
            id: .init(rawValue: 7), workspace: .default, contact: .init(rawValue: 3), sequence: .init(rawValue: 5), identity: "anna",
            state: state, cause: cause, reason: "", nextStep: step, dueAt: due, heldBy: nil, version: 4, createdAt: start), plan: plan,
        zone: zone)
}

@Suite("sequence machine")
struct SequenceMachineTests {
    @Test("an accepted step makes the next one due after its delay, counted from the acceptance")
    func acceptedMovesOn() throws {
        let transition = try #require(machine(.sending, step: 0).advance(on: .accepted(step: 0), at: start))
        #expect(transition.state == .active)
        #expect(transition.nextStep == 1)
        #expect(transition.dueAt == start + day * 3)
        #expect(transition.expectedVersion == 4)
        #expect(!transition.cancelsQueuedMail)
    }

    @Test("a delay of business days counts neither weekends nor the holidays of the identity")
    func businessDelay() throws {
        let zone = try #require(LocalZone("Europe/Berlin"))
        let step = SequencePlan.Step(name: "nudge", delay: iso("P2D"), businessDays: true, subject: nil, text: "b")
        // Thursday before Easter 2026; Friday and Monday are holidays.
        let thursday = Timestamp(seconds: 1_775_124_000)
        let friday = try #require(CivilDate(year: 2026, month: 4, day: 3))
        let easter = Holidays([friday: "Good Friday", friday.adding(days: 3): "Easter Monday"])
        #expect(step.due(after: thursday, in: zone) == thursday + day * 4)
        #expect(step.due(after: thursday, in: zone, holidays: easter) == thursday + day * 6)
        let plan = SequencePlan(name: "p", description: "", steps: [plan.steps[0], step], stopOn: [])
        let enrollment = try machine(.sending, step: 0, plan: plan).enrollment
        let transition = SequenceMachine(enrollment: enrollment, plan: plan, zone: zone, holidays: easter)
            .advance(on: .accepted(step: 0), at: thursday)
        #expect(transition?.dueAt == thursday + day * 6)
    }

    @Test("the last accepted step finishes the enrollment")
    func lastStepFinishes() throws {
        let transition = try #require(machine(.sending, step: 2).advance(on: .accepted(step: 2), at: start))
        #expect(transition.state == .finished)
        #expect(transition.nextStep == 3)
        #expect(transition.dueAt == nil)
    }

    @Test("an outcome of a step that was counted already changes nothing")
    func acceptedTwice() throws {
        #expect(try machine(.active, step: 1).advance(on: .accepted(step: 0), at: start) == nil)
    }

    @Test(
        "every human class ends a running enrollment and marks a finished one as answered",
        arguments: [ReplyClass.positive, .question, .negative, .notNow, .referral, .neutral],
        [Enrollment.State.active, .sending, .held, .paused, .needsData, .finished])
    func humanReplyStops(replyClass: ReplyClass, state: Enrollment.State) throws {
        let event = SequenceEvent.replied(replyClass, certainty: .high, returnDate: nil, permanentBounce: false)
        let transition = try #require(machine(state, step: 1).advance(on: event, at: start))
        #expect(transition.state == .stopped)
        #expect(transition.cause == .replied)
        #expect(transition.cancelsQueuedMail)
    }

    @Test("a low certainty changes nothing, whatever was said", arguments: ReplyClass.allCases)
    func lowCertainty(replyClass: ReplyClass) throws {
        let event = SequenceEvent.replied(replyClass, certainty: .low, returnDate: nil, permanentBounce: true)
        #expect(try machine(.active, step: 1).advance(on: event, at: start) == nil)
    }

    @Test("a stopped enrollment never moves again")
    func stoppedStays() throws {
        let events: [SequenceEvent] = [
            .queued, .accepted(step: 1), .rejected(step: 1, text: "x"), .unsubscribed(.link), .paused(by: "a"),
            .resumed(by: "a", log: [], absences: []),
            .stopped(by: "a"),
            .replied(.positive, certainty: .high, returnDate: nil, permanentBounce: false), .suppressed(reason: "x"), .missingValues(["x"]),
        ]
        for event in events { #expect(try machine(.stopped, step: 1, cause: .bounced).advance(on: event, at: start) == nil) }
    }

    @Test("a person stops what runs, and what has come to its end stays as it ended")
    func stoppedByPerson() throws {
        #expect(try machine(.finished, step: 1, cause: .completed).advance(on: .stopped(by: "a"), at: start) == nil)
        #expect(try machine(.paused, step: 1, cause: .person).advance(on: .stopped(by: "a"), at: start)?.cause == .person)
    }

    @Test(
        "an absence holds until the business day after the return, or a week without a date",
        arguments: [
            // returns on, due before, expected due
            ("2026-03-10", 3, "2026-03-10T23:00:00Z"),  // Tuesday -> Wednesday 00:00 in Berlin
            ("2026-03-13", 3, "2026-03-15T23:00:00Z"),  // Friday -> Monday
            (nil, 3, "2026-03-09T08:00:00Z"),
        ] as [(String?, Int, String)])
    func absence(returns: String?, due: Int, expected: String) throws {
        let date = returns.flatMap(CivilDate.init(iso:))
        #expect((returns == nil) == (date == nil))
        let event = SequenceEvent.replied(.outOfOffice, certainty: .high, returnDate: date, permanentBounce: false)
        let transition = try #require(machine(.active, step: 1, due: start + day * due).advance(on: event, at: start))
        #expect(transition.state == .held)
        #expect(transition.cause == .outOfOffice)
        #expect(transition.dueAt?.iso8601 == expected)
        #expect(transition.nextStep == 1)
        #expect(transition.cancelsQueuedMail)
    }

    @Test("an absence that ends before the next step is due changes nothing")
    func shortAbsence() throws {
        let event = SequenceEvent.replied(
            .outOfOffice, certainty: .high, returnDate: CivilDate(year: 2026, month: 3, day: 3), permanentBounce: false)
        #expect(try machine(.active, step: 1, due: start + day * 3).advance(on: event, at: start) == nil)
    }

    @Test("a step accepted while an absence holds still counts, and the hold keeps its date")
    func acceptedWhileHeld() throws {
        let until = start + day * 20
        let transition = try #require(machine(.held, step: 1, due: until, cause: .outOfOffice).advance(on: .accepted(step: 1), at: start))
        #expect(transition.state == .held)
        #expect(transition.nextStep == 2)
        #expect(transition.dueAt == until)
    }

    @Test("a hard bounce stops only where the plan says so; unsubscribe and complaint always")
    func stopRules() throws {
        let lenient = SequencePlan(name: "x", description: "", steps: plan.steps, stopOn: [])
        #expect(try machine(.sending, step: 0, plan: lenient).advance(on: .rejected(step: 0, text: "no"), at: start)?.nextStep == 1)
        #expect(try machine(.sending, step: 0).advance(on: .rejected(step: 0, text: "no"), at: start)?.cause == .bounced)
        let reply = SequenceEvent.replied(.positive, certainty: .high, returnDate: nil, permanentBounce: false)
        #expect(try machine(.active, step: 1, plan: lenient).advance(on: reply, at: start) == nil)
        let leave = SequenceEvent.replied(.unsubscribe, certainty: .medium, returnDate: nil, permanentBounce: false)
        #expect(try machine(.active, step: 1, plan: lenient).advance(on: leave, at: start)?.cause == .unsubscribed)
        let complaint = SequenceEvent.replied(.complaint, certainty: .high, returnDate: nil, permanentBounce: false)
        #expect(try machine(.active, step: 1, plan: lenient).advance(on: complaint, at: start)?.cause == .complained)
    }

    @Test("an uncertain delivery leaves the step with the person and does not go on")
    func uncertain() throws {
        let transition = try #require(machine(.sending, step: 1).advance(on: .uncertain(step: 1), at: start))
        #expect(transition.state == .sending)
        #expect(transition.cause == .uncertainDelivery)
        #expect(transition.nextStep == 1)
        #expect(transition.dueAt == nil)
    }

    @Test("an absence leaves an uncertain step with the person: no due date, the marker stays, and the reason tells of the absence")
    func absentWhileUncertain() throws {
        let uncertain = try machine(.sending, step: 1, cause: .uncertainDelivery)
        let event = SequenceEvent.replied(.outOfOffice, certainty: .high, returnDate: nil, permanentBounce: false)
        let transition = try #require(uncertain.advance(on: event, at: start))
        #expect(transition.state == .sending && transition.cause == .uncertainDelivery && transition.dueAt == nil)
        #expect(transition.nextStep == 1 && !transition.cancelsQueuedMail)
        #expect(transition.reason.contains("held for a person") && transition.reason.contains("out of office"))
        var told = uncertain.enrollment
        told.reason = transition.reason
        #expect(SequenceMachine(enrollment: told, plan: plan, zone: uncertain.zone).advance(on: event, at: start) == nil)
    }

    @Test(
        "a due step whose message is there already goes back to that message, with no due date",
        arguments: [Enrollment.State.active, .held], [true, false])
    func unsettled(state: Enrollment.State, isUncertain: Bool) throws {
        let due = try machine(state, step: 1, due: start)
        let transition = try #require(due.advance(on: .unsettled(step: 1, uncertain: isUncertain), at: start))
        #expect(transition.state == .sending && transition.dueAt == nil && transition.nextStep == 1)
        #expect(transition.cause == (isUncertain ? .uncertainDelivery : nil) && !transition.cancelsQueuedMail)
        #expect(due.advance(on: .unsettled(step: 0, uncertain: isUncertain), at: start) == nil)
    }

    @Test("an absence that came before the reply to the dot was lost does not make the step due again")
    func uncertainWhileHeld() throws {
        let held = try machine(.held, step: 1, due: start + day, cause: .outOfOffice)
        let transition = try #require(held.advance(on: .uncertain(step: 1), at: start))
        #expect(transition.state == .sending && transition.cause == .uncertainDelivery && transition.dueAt == nil)
        #expect(held.advance(on: .uncertain(step: 0), at: start) == nil)
        #expect(try machine(.stopped, step: 1).advance(on: .uncertain(step: 1), at: start) == nil)
    }

    @Test("missing values park; giving them and resuming makes the same step due at once")
    func parkAndResume() throws {
        let parked = try #require(machine(.active, step: 1).advance(on: .missingValues(["company"]), at: start))
        #expect(parked.state == .needsData)
        #expect(parked.reason.utf8.elementsEqual("no value and no fallback for company".utf8))
        let resumed = try #require(machine(.needsData, step: 1).advance(on: .resumed(by: "Ann", log: [], absences: []), at: start + day))
        #expect(resumed.state == .active)
        #expect(resumed.dueAt == start + day)
        #expect(resumed.nextStep == 1)
    }

    private func logged(
        _ state: Enrollment.State, _ cause: Enrollment.Cause? = nil, _ reason: String = "", step: Int = 1, due: Timestamp? = nil,
        at moment: Timestamp = start
    ) -> Transition {
        Transition(
            enrollment: .init(rawValue: 7), expectedVersion: 1, at: moment, state: state, cause: cause, reason: reason, nextStep: step,
            dueAt: due)
    }

    @Test("who is resumed goes on no earlier than without the pause, and an absence that is not over holds on")
    func resumes() throws {
        let away = "out of office until 2026-03-20"
        let cases: [(log: [Transition], absences: [Absence], step: Int, state: Enrollment.State, due: Timestamp, reason: String)] = [
            ([logged(.active, due: start + day * 3), logged(.paused, .person)], [], 1, .active, start + day * 3, "resumed by Ann"),
            ([logged(.active, due: start + .seconds(60)), logged(.paused, .person)], [], 1, .active, start + day, "resumed by Ann"),
            ([logged(.active, due: start), logged(.sending), logged(.paused, .person)], [], 1, .active, start + day, "resumed by Ann"),
            ([logged(.held, .outOfOffice, away, due: start + day * 18), logged(.paused, .person)], [], 1, .held, start + day * 18, away),
            (
                [logged(.held, .outOfOffice, away, due: start + .seconds(9)), logged(.paused, .person)], [], 1, .active, start + day,
                "resumed by Ann"
            ),
            // It was paused twice, and its message was accepted between.
            (
                [
                    logged(.sending, step: 0), logged(.paused, .person, step: 0),
                    logged(.paused, .person, step: 1, at: start + .seconds(600)),
                ], [], 1,
                .active, start + .seconds(600) + day * 3, "resumed by Ann"
            ),
            // Enrolled a day before it was paused, with nothing since.
            ([logged(.paused, .person, step: 0)], [], 0, .active, start + day, "resumed by Ann"),
            // Told to be away before the pause, which is known, during it, twice, and for days that are over.
            (
                [logged(.active, due: start), logged(.paused, .person, at: start + .seconds(60))],
                [Absence(at: start + .seconds(30), returnDate: CivilDate(year: 2026, month: 3, day: 30))], 1, .active, start + day,
                "resumed by Ann"
            ),
            (
                [logged(.active, due: start), logged(.paused, .person), logged(.paused, .person, at: start + .seconds(900))],
                [
                    Absence(at: start + .seconds(600), returnDate: CivilDate(year: 2026, month: 3, day: 20)),
                    Absence(at: start + .seconds(700), returnDate: nil),
                ], 1, .held, Timestamp(seconds: 1_774_220_400), away
            ),
            (
                [logged(.active, due: start + day * 5), logged(.needsData, .missingValue)],
                [Absence(at: start + .seconds(600), returnDate: CivilDate(year: 2026, month: 2, day: 20))], 1, .active, start + day * 5,
                "resumed by Ann"
            ),
            (
                [logged(.held, .outOfOffice, away, due: start + day * 18), logged(.paused, .person)],
                [Absence(at: start + .seconds(600), returnDate: nil)], 1, .held, start + day * 18, away
            ),
        ]
        for one in cases {
            let resumed = try #require(
                machine(.paused, step: one.step).advance(on: .resumed(by: "Ann", log: one.log, absences: one.absences), at: start + day))
            #expect(resumed.state == one.state && resumed.dueAt == one.due && resumed.nextStep == one.step, "\(one) \(resumed)")
            #expect(resumed.reason.utf8.elementsEqual(one.reason.utf8))
        }
    }

    @Test(
        "days go by the calendar of the zone, hours by what passes",
        arguments: [
            // Berlin puts its clocks forward on 2026-03-29 and back on 2026-10-25.
            ("2026-03-25T16:00:00Z", "P7D", "2026-04-01T15:00:00Z"), ("2026-03-25T16:00:00Z", "PT168H", "2026-04-01T16:00:00Z"),
            ("2026-10-21T06:40:00Z", "P1W", "2026-10-28T07:40:00Z"), ("2026-10-21T06:40:00Z", "P7DT2H", "2026-10-28T09:40:00Z"),
            ("2026-06-01T06:00:00Z", "P3D", "2026-06-04T06:00:00Z"), ("2026-03-28T01:30:00Z", "P1D", "2026-03-29T01:30:00Z"),
        ])
    func calendarDays(_ from: String, _ delay: String, _ to: String) throws {
        let zone = try #require(LocalZone("Europe/Berlin"))
        // "2026-03-25T16:00:00Z"
        let date = try #require(CivilDate(iso: String(from.prefix(10))))
        let clock = from.dropFirst(11).dropLast().split(separator: ":").compactMap { Int64($0) }
        let moment = date.startOfDayUTC + .seconds(clock[0] * 3600 + clock[1] * 60)
        let step = SequencePlan.Step(name: "nudge", delay: iso(delay), subject: nil, text: "b")
        #expect(step.due(after: moment, in: zone).iso8601 == to)
    }

    @Test("where a refusal ends nothing the next step comes in its turn, and nothing counts as accepted")
    func refusedGoesOn() throws {
        let lenient = SequencePlan(name: "p", description: "", steps: plan.steps, stopOn: [.reply])
        let transition = try #require(machine(.sending, step: 0, plan: lenient).advance(on: .rejected(step: 0, text: "550 no"), at: start))
        #expect(transition.state == .active && transition.nextStep == 1 && transition.dueAt == start + day * 3)
        #expect(transition.reason.utf8.elementsEqual("step intro was refused: 550 no".utf8))
        let last = try #require(machine(.sending, step: 2, plan: lenient).advance(on: .rejected(step: 2, text: "550 no"), at: start))
        #expect(last.state == .finished && last.cause == .bounced && last.reason.contains("nothing follows"))
    }
}

extension CivilDate {
    init?(iso text: String) {
        let parts = text.split(separator: "-").compactMap { Int($0) }
        guard parts.count == 3 else { return nil }
        self.init(year: parts[0], month: parts[1], day: parts[2])
    }
}
