import InternetMessage
import Outreach

extension StoreContract {
    static var sequences: [Self] {
        [
            Self("a sequence version is its name and hash") { world in
                let first = try await world.store.load(try world.version(hash: "aa"))
                try expect(try await world.store.load(try world.version(hash: "aa")), first, "the same file is the same version")
                let second = try await world.store.load(try world.version(hash: "bb", steps: 2))
                try expect(second.id != first.id, "another file is another version")
                try expect(try await world.store.sequence(workspace: .default, name: "hello"), second, "the latest version counts")
                try expect(try await world.store.sequence(id: first.id), first, "an old version stays")
                _ = try await world.store.load(try world.version("other"))
                try expect(
                    try await world.store.sequences(workspace: .default).map(\.plan.name).sorted(), ["hello", "other"],
                    "the latest version of each name is listed")
                _ = try await world.store.load(try world.version(hash: "aa"))
                try expect(
                    try await world.store.sequence(workspace: .default, name: "hello"), first, "a file that went back is the latest again")
                try expect(try await world.store.sequence(workspace: .default, name: "nobody") == nil, "nil when there is none")
            },
            Self("enrolling tells what it did with each contact") { world in
                let version = try await world.store.load(try world.version())
                let ann = try await world.savedContact("ann@example.com")
                let bob = try await world.savedContact("bob@example.com")
                try await world.store.suppress([try world.suppression(of: "bob@example.com")])
                let enrollments = [ann.id, ann.id, bob.id, world.ids.next()].map { world.enrollment(of: $0, in: version.id) }
                let timeline = enrollments.dropLast().map { world.event(.enrolled, contact: $0.contact, enrollment: $0.id) }
                let verdicts = try await world.store.enroll(enrollments, timeline: timeline)
                let wanted: [EnrollVerdict] = [
                    .enrolled(enrollments[0].id), .alreadyEnrolled(enrollments[0].id), .suppressed(reason: "manual"), .noSuchContact,
                ]
                try expect(verdicts, wanted, "each contact has its verdict")
                let enrolled = try await world.store.timeline(after: nil, limit: 99).filter { $0.kind == .enrolled }
                try expect(enrolled, [timeline[0]], "only who was enrolled has an event")
                try expect(try await world.current(enrollments[0]), enrollments[0], "an enrollment is read back as it was given")
            },
            Self("a contact is in one running enrollment of a sequence name, whatever the version") { world in
                let first = try await world.enrolled("ann@example.com")
                let version = try await world.store.load(try world.version(hash: "bb"))
                let again = world.enrollment(of: first.contact, in: version.id)
                try expect(try await world.store.enroll([again], timeline: []), [.alreadyEnrolled(first.id)], "a second one is refused")
                _ = try await world.store.apply(Consequence(transition: world.transition(first, to: .stopped, cause: .person)))
                let before = EnrollVerdict.enrolledBefore(first.id, .stopped, .person)
                try expect(try await world.store.enroll([again], timeline: []), [before], "who was stopped is not taken again unasked")
                try expect(
                    try await world.store.enroll([again], timeline: [], again: true), [.enrolled(again.id)], "a stopped one makes room")
                try expect(
                    try await world.store.transitions(of: first.id).map(\.state), [.stopped], "its transitions are read back, oldest first")
                try expect(try await world.store.enrollments(contact: first.contact).map(\.id), [again.id, first.id], "newest first")
            },
            Self("enrollments are paged by sequence name") { world in
                let all = [
                    try await world.enrolled("a@example.com"), try await world.enrolled("b@example.com"),
                    try await world.enrolled("c@example.com"),
                ]
                _ = try await world.enrolled("a@example.com", sequence: "other")
                let first = try await world.store.enrollments(workspace: .default, sequenceName: "hello", after: nil, limit: 2)
                let rest = try await world.store.enrollments(workspace: .default, sequenceName: "hello", after: first.last?.id, limit: 2)
                try expect((first + rest).map(\.id), all.map(\.id), "every enrollment comes once, in id order")
                try expect(
                    try await world.store.lastEnrollment(workspace: .default, sequenceName: "hello"), all.last?.id, "the last is known")
                try expect(try await world.store.lastEnrollment(workspace: .default, sequenceName: "gone"), nil, "where there is one")
            },
        ]
    }

    static var enrollments: [Self] {
        [
            Self("what is due is claimed oldest first, and once") { world in
                let late = try await world.enrolled("a@example.com", due: 20)
                let early = try await world.enrolled("b@example.com", due: 10)
                let future = try await world.enrolled("c@example.com", due: 90)
                let paused = try await world.enrolled("d@example.com", due: 5)
                _ = try await world.store.apply(Consequence(transition: world.transition(paused, to: .paused, cause: .person)))
                let held = try await world.enrolled("e@example.com", due: 5)
                _ = try await world.store.apply(Consequence(transition: world.transition(held, to: .held, cause: .outOfOffice, due: 30)))
                let first = try await world.store.claimDue(now: world.later(50), limit: 2, lease: world.lease("me"))
                try expect(first.map(\.enrollment.id), [early.id, late.id], "oldest due first, at most the limit")
                try expect(first.first?.contact.address.text, "b@example.com", "with its contact")
                try expect(first.first?.sequence.plan.name, "hello", "with its sequence")
                let second = try await world.store.claimDue(now: world.later(50), limit: 9, lease: world.lease("you"))
                try expect(second.map(\.enrollment.id), [held.id], "what is leased, paused or not due yet is not claimed")
                try expect(
                    try await world.store.claimDue(now: world.later(90), limit: 9, lease: world.lease("you")).map(\.enrollment.id),
                    [future.id], "")
            },
            Self("a lease that ran out is free again") { world in
                let enrollment = try await world.enrolled("a@example.com")
                _ = try await world.store.claimDue(now: world.later(1), limit: 9, lease: world.lease("dead", until: 60))
                try expect(
                    try await world.store.claimDue(now: world.later(59), limit: 9, lease: world.lease("me")), [], "a living lease holds")
                let claimed = try await world.store.claimDue(now: world.later(60), limit: 9, lease: world.lease("me"))
                try expect(claimed.map(\.enrollment.id), [enrollment.id], "a dead owner's lease ends")
            },
            Self("an owner can end its leases") { world in
                let (_, message) = try await world.claimed("a@example.com", by: "me")
                let (_, theirs) = try await world.claimed("b@example.com", by: "you")
                _ = try await world.enrolled("c@example.com")
                _ = try await world.store.claimDue(now: world.later(1), limit: 9, lease: world.lease("me"))
                try await world.store.releaseLeases(owner: "me")
                try expect(
                    try await world.store.claimDue(now: world.later(1), limit: 9, lease: world.lease("x")).count, 1, "enrollments are free")
                let claimed = try await world.store.claimDeliverable(now: world.later(1), limit: 9, lease: world.lease("x"))
                try expect(claimed.map(\.id), [message.id], "its messages are free, those of others are not")
                try expect(try await world.state(of: theirs), .active, "another owner keeps its lease")
            },
            Self("whether somebody works on something is known") { world in
                _ = try await world.enrolled("a@example.com")
                try expect(try await world.store.hasLeases(), false, "nobody does")
                _ = try await world.store.claimDue(now: world.later(1), limit: 9, lease: world.lease("me"))
                try expect(try await world.store.hasLeases(), true, "a step is being decided")
                try await world.store.releaseLeases(owner: "me")
                try expect(try await world.store.hasLeases(), false, "no more")
                _ = try await world.claimed("b@example.com")
                try expect(try await world.store.hasLeases(), true, "a message is on its way")
            },
            Self("a message past its dot is not freed with its owner's leases") { world in
                let (_, message) = try await world.claimed("a@example.com")
                _ = try await world.store.markFinalDot(message.id, claim: message.claim, at: world.later(2))
                try await world.store.releaseLeases(owner: "me")
                let claimed = try await world.store.claimDeliverable(
                    now: world.later(9999), limit: 9, lease: world.lease("x", until: 99999))
                try expect(claimed.map(\.id), [], "what may have left never leaves again by itself")
            },
            Self("the next due moment is the earliest that waits") { world in
                try expect(try await world.store.nextDue() == nil, "nil when nothing waits")
                _ = try await world.enrolled("a@example.com", due: 70)
                _ = try await world.enrolled("b@example.com", due: 30)
                try expect(try await world.store.nextDue(), world.later(30), "the earliest")
                _ = try await world.store.claimDue(now: world.later(30), limit: 9, lease: world.lease("me", until: 60))
                try expect(try await world.store.nextDue(), world.later(60), "a claimed one comes back when its lease ends")
            },
            Self("a postponed enrollment comes back later and says what held it") { world in
                let enrollment = try await world.enrolled("a@example.com")
                _ = try await world.store.claimDue(now: world.later(1), limit: 9, lease: world.lease("me"))
                let result = try await world.store.postpone(
                    enrollment.id, expectedVersion: enrollment.version, until: world.later(40), heldBy: "daily cap")
                try expect(result, .committed, "it is moved")
                let now = try await world.current(enrollment)
                try expect(now.heldBy, "daily cap", "it says why")
                try expect(now.version, enrollment.version + 1, "every change counts the version up")
                try expect(try await world.store.claimDue(now: world.later(39), limit: 9, lease: world.lease("me")), [], "not before")
                try expect(
                    try await world.store.claimDue(now: world.later(40), limit: 9, lease: world.lease("me")).count, 1, "its lease was ended"
                )
                let stale = try await world.store.postpone(
                    enrollment.id, expectedVersion: enrollment.version, until: world.later(80), heldBy: "cap")
                try expect(stale, .stale, "a decision on an old version is stale")
                try expect(try await world.current(enrollment), now, "and writes nothing")
            },
            Self("what was postponed is due at once, in its order, when the conf is another one; nothing else is") { world in
                let first = try await world.enrolled("a@example.com", due: 1)
                let second = try await world.enrolled("b@example.com", due: 2)
                let leased = try await world.enrolled("c@example.com", due: 3)
                let waiting = try await world.enrolled("d@example.com", due: 70)
                let paused = try await world.enrolled("e@example.com", due: 4)
                _ = try await world.store.claimDue(now: world.later(9), limit: 9, lease: world.lease("me", until: 50))
                for (enrollment, until): (Enrollment, Int64) in [(second, 90), (first, 80), (leased, 60), (paused, 60)] {
                    _ = try await world.store.postpone(
                        enrollment.id, expectedVersion: enrollment.version, until: world.later(until), heldBy: "daily limit")
                }
                let stopped = try await world.current(paused)
                _ = try await world.store.apply(Consequence(transition: world.transition(stopped, to: .paused, cause: .person)))
                _ = try await world.store.claimDue(now: world.later(60), limit: 9, lease: world.lease("me", until: 200))
                let leasedNow = try await world.current(leased)

                try expect(try await world.store.reconsiderPostponed(now: world.later(65)), 2, "the two that nobody works on")
                let due = try await world.store.claimDue(now: world.later(65), limit: 9, lease: world.lease("me", until: 200))
                try expect(due.map(\.enrollment.id), [first.id, second.id], "in the order in which they would have come")
                try expect(try await world.current(leased), leasedNow, "a leased one stays with its owner")
                try expect(try await world.current(waiting).dueAt, world.later(70), "a delay of the sequence is not a limit")
                try expect(try await world.current(paused).state, .paused, "nothing wakes a paused one")
                try expect(try await world.store.reconsiderPostponed(now: world.later(65)), 0, "nothing is left")
            },
            Self("a transition on an old version writes nothing") { world in
                let enrollment = try await world.enrolled("a@example.com")
                let stop = Consequence(
                    transition: world.transition(enrollment, to: .stopped, cause: .person),
                    suppressions: [try world.suppression(of: "z@example.com")],
                    timeline: [world.event(.transition, contact: enrollment.contact, enrollment: enrollment.id)])
                _ = try await world.store.apply(Consequence(transition: world.transition(enrollment, to: .paused, cause: .person)))
                try expect(try await world.store.apply(stop), .stale, "stale is said")
                try expect(try await world.current(enrollment).state, .paused, "the enrollment stays")
                try expect(try await world.store.timeline(contact: enrollment.contact), [], "no event is written")
                try expect(try await world.store.suppressions(workspace: .default, after: nil, limit: 9), [], "no suppression is written")
            },
            Self("a transition is applied whole") { world in
                let enrollment = try await world.enrolled("a@example.com")
                let transition = world.transition(enrollment, to: .held, cause: .outOfOffice, reason: "back soon", step: 1, due: 500)
                let event = world.event(.transition, contact: enrollment.contact, enrollment: enrollment.id)
                try expect(try await world.store.apply(Consequence(transition: transition, timeline: [event])), .committed, "it is applied")
                let now = try await world.current(enrollment)
                try expect(
                    [now.state.rawValue, now.cause?.rawValue, now.reason, "\(now.nextStep)"], ["held", "out_of_office", "back soon", "1"],
                    "state, cause, reason and step follow the transition")
                try expect(now.dueAt, world.later(500), "so does the due moment")
                try expect(now.version, enrollment.version + 1, "the version goes up by one")
                try expect(try await world.store.timeline(contact: enrollment.contact), [event], "the event is read back as given")
            },
            Self("a suppression in a consequence stops the other enrollments of the address") { world in
                let first = try await world.enrolled("ann@example.com")
                let second = try await world.enrolled("ann@example.com", sequence: "other")
                let consequence = Consequence(
                    transition: world.transition(first, to: .stopped, cause: .replied, reason: "replied"),
                    suppressions: [try world.suppression(of: "ann@example.com", .unsubscribed)])
                try expect(try await world.store.apply(consequence), .committed, "it is applied")
                try expect(try await world.current(first).cause, .replied, "the enrollment keeps its own cause")
                try expect(try await world.current(second).cause, .unsubscribed, "the other one is stopped by the suppression")
            },
            Self("under the global STOP nothing is claimed, queued or sent, and nothing is lost") { world in
                let (_, message) = try await world.claimed("a@example.com")
                let (_, waiting) = try await world.queued("b@example.com")
                let due = try await world.enrolled("c@example.com")
                try await world.store.setStop(reason: "wrong list", at: world.later(1))
                try expect(try await world.store.stopReason(), "wrong list", "the reason is kept")
                try expect(
                    try await world.store.claimDue(now: world.later(9), limit: 9, lease: world.lease("x")), [], "no enrollment is claimed")
                try expect(
                    try await world.store.claimDeliverable(now: world.later(9), limit: 9, lease: world.lease("x")), [],
                    "no message is claimed")
                let step = try world.message(to: "c@example.com", enrollment: due)
                let dispatched = try await world.store.dispatch(step, with: Consequence(transition: world.transition(due, to: .sending)))
                try expect(dispatched, .stale, "nothing enters the outbox")
                try expect(
                    try await !world.store.mayLeave(message.id, claim: message.claim, now: world.later(9)),
                    "a claimed message may not leave")
                try expect(try await !world.store.markFinalDot(message.id, claim: message.claim, at: world.later(9)), "nor reach its dot")
                try await world.store.setStop(reason: nil, at: world.later(10))
                try expect(try await world.store.stopReason() == nil, "the STOP ends")
                let claimed = try await world.store.claimDeliverable(now: world.later(10), limit: 9, lease: world.lease("x"))
                try expect(Set(claimed.map(\.id)), [message.id, waiting.id], "everything is still there")
            },
        ]
    }
}
