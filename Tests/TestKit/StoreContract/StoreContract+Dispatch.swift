import InternetMessage
import Outreach

extension StoreContract {
    static var dispatching: [Self] {
        [
            Self("a step enters the outbox together with its transition") { world in
                let enrollment = try await world.enrolled("ann@example.com")
                let bytes = [0, 10, 13, 255, 0] + Array("Hi\r\n".utf8)
                let message = try world.message(to: "ann@example.com", enrollment: enrollment, bytes: bytes)
                let event = TimelineEvent(
                    id: world.ids.next(), at: world.later(0), kind: .queued, contact: enrollment.contact, outbox: message.id,
                    summary: "queued")
                let consequence = Consequence(transition: world.transition(enrollment, to: .sending), timeline: [event])
                try expect(try await world.store.dispatch(message, with: consequence), .committed, "it is dispatched")
                try expect(try await world.store.message(id: message.id), message, "the message is read back byte for byte")
                try expect(try await world.current(enrollment).state, .sending, "the enrollment moved")
                try expect(try await world.store.timeline(contact: enrollment.contact), [event], "the event names the message")
            },
            Self("a dispatch decided on an old version writes nothing") { world in
                let enrollment = try await world.enrolled("ann@example.com")
                let message = try world.message(to: "ann@example.com", enrollment: enrollment)
                _ = try await world.store.apply(Consequence(transition: world.transition(enrollment, to: .paused, cause: .person)))
                let result = try await world.store.dispatch(
                    message, with: Consequence(transition: world.transition(enrollment, to: .sending)))
                try expect(result, .stale, "stale is said")
                try expect(try await world.store.message(id: message.id) == nil, "no message is stored")
                try expect(try await world.current(enrollment).state, .paused, "the enrollment stays")
            },
            Self("a suppressed contact gets nothing into the outbox") { world in
                let enrollment = try await world.enrolled("ann@example.com")
                try await world.store.suppress([world.suppression(.domain("example.com"))])
                let now = try await world.current(enrollment)
                let message = try world.message(to: "ann@example.com", enrollment: now)
                let result = try await world.store.dispatch(message, with: Consequence(transition: world.transition(now, to: .sending)))
                try expect(result, .stale, "suppression wins")
                try expect(try await world.store.message(id: message.id) == nil, "no message is stored")
            },
            Self("a step cannot be in the outbox twice") { world in
                let (enrollment, _) = try await world.queued("ann@example.com")
                for occurrence in [0, 1] {
                    let again = try world.message(to: "ann@example.com", enrollment: enrollment, occurrence: occurrence)
                    let result = try await world.store.dispatch(
                        again, with: Consequence(transition: world.transition(enrollment, to: .sending)))
                    try expect(result, .stale, "a second live message of a step is refused")
                    try expect(try await world.store.message(id: again.id) == nil, "no second message is stored")
                }
                try expect(try await world.current(enrollment), enrollment, "the enrollment stays as it was")
            },
            Self("a cancelled step can be sent again under the next occurrence") { world in
                let (enrollment, first) = try await world.queued("ann@example.com")
                _ = try await world.store.apply(
                    Consequence(transition: world.transition(enrollment, to: .held, cause: .outOfOffice, due: 60)))
                let held = try await world.current(enrollment)
                let second = try world.message(to: "ann@example.com", enrollment: held, occurrence: 1)
                let result = try await world.store.dispatch(second, with: Consequence(transition: world.transition(held, to: .sending)))
                try expect(result, .committed, "the next occurrence is taken")
                let all = try await world.store.messages(enrollment: enrollment.id)
                try expect(all.map(\.id), [first.id, second.id], "every message of the enrollment is listed, cancelled ones too")
                try expect(all.map(\.state), [.cancelled, .incoming], "with its state")
            },
            Self("a Message-ID is never used twice") { world in
                let first = try world.message(to: "ann@example.com")
                _ = try await world.store.dispatch(first, with: Consequence())
                let other = try world.message(to: "bob@example.com")
                let second = OutboxMessage(
                    id: other.id, workspace: .default, enrollment: nil, contact: nil, step: 0, occurrence: 0, identity: "sales",
                    route: "office",
                    reversePath: .null, recipient: other.recipient, messageID: first.messageID, subject: "Hi", bytes: [],
                    createdAt: world.later(0),
                    budgetDate: first.budgetDate, nextAttemptAt: world.later(0))
                try await expectError(.constraint, "a second use is refused") { () async throws(StoreError) in
                    _ = try await world.store.dispatch(second, with: Consequence())
                }
            },
            Self("a stop cancels what has not reached its final dot") { world in
                for state in [Enrollment.State.stopped, .paused, .held, .needsData] {
                    let (enrollment, waiting) = try await world.queued("\(state.rawValue)@example.com")
                    let consequence = Consequence(
                        transition: world.transition(enrollment, to: state, cause: .person, due: state == .held ? 60 : nil))
                    try expect(try await world.store.apply(consequence), .committed, "it is applied")
                    try expect(try await world.state(of: waiting), .cancelled, "\(state.rawValue) cancels queued mail")
                    let event = try await world.store.timeline(contact: enrollment.contact).last { $0.kind == .cancelled }
                    try expect(event?.outbox, waiting.id, "a cancelled message has its event")
                }
                let (enrollment, claimed) = try await world.claimed("claimed@example.com")
                _ = try await world.store.apply(Consequence(transition: world.transition(enrollment, to: .stopped, cause: .replied)))
                try expect(try await world.state(of: claimed), .cancelled, "a claimed message before its dot is cancelled too")
            },
            Self("a transition that goes on leaves queued mail alone") { world in
                let (enrollment, message) = try await world.queued("ann@example.com")
                _ = try await world.store.apply(Consequence(transition: world.transition(enrollment, to: .active, due: 60)))
                try expect(try await world.state(of: message), .incoming, "it still waits")
            },
            Self("an identity's budget counts what was queued and not cancelled") { world in
                let (_, message) = try await world.queued("a@example.com")
                let (enrollment, _) = try await world.queued("b@example.com")
                let usage = try await world.store.usage(identity: "sales", localDate: message.budgetDate)
                try expect(usage, IdentityUsage(countOnDate: 2, lastAt: message.createdAt), "both count")
                _ = try await world.store.apply(Consequence(transition: world.transition(enrollment, to: .stopped, cause: .person)))
                let after = try await world.store.usage(identity: "sales", localDate: message.budgetDate)
                try expect(after.countOnDate, 1, "a cancelled one does not")
                let (_, refused) = try await world.claimed("c@example.com")
                _ = try await world.store.record(
                    world.attempt(refused, .rejected), claim: refused.claim, state: .bounced, nextAttemptAt: nil, consequence: Consequence()
                )
                let (_, seen) = try await world.claimed("d@example.com")
                _ = try await world.store.markFinalDot(seen.id, claim: seen.claim, at: world.later(2))
                _ = try await world.store.record(
                    world.attempt(seen, .rejected), claim: seen.claim, state: .bounced, nextAttemptAt: nil, consequence: Consequence())
                let last = try await world.store.usage(identity: "sales", localDate: message.budgetDate)
                try expect(last.countOnDate, 2, "what was refused counts when its final dot was written, and only then")
                let other = try await world.store.usage(identity: "sales", localDate: message.budgetDate.adding(days: 1))
                try expect(
                    other, IdentityUsage(countOnDate: 0, lastAt: message.createdAt), "the date counts, the latest moment is of all days")
                let nobody = try await world.store.usage(identity: "nobody", localDate: message.budgetDate)
                try expect(nobody, IdentityUsage(countOnDate: 0, lastAt: nil), "nil when never")
            },
        ]
    }
}
