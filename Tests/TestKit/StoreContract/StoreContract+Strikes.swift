import InternetMessage
import Outreach

extension StoreContract {
    static var strikes: [Self] {
        [
            Self("whatever way somebody is suppressed, a message that failed at its dot does not leave again") { world in
                func suppression(_ subject: Suppression.Subject, _ workspace: WorkspaceID = .default) -> Suppression {
                    Suppression(
                        id: world.ids.next(), workspace: workspace, subject: subject, reason: .manual, source: .manual, note: "",
                        at: world.later(3))
                }
                let everywhere = WorkspaceID(rawValue: 0)
                let kinds = [
                    suppression(.address("p0@a.example.com")), suppression(.address("p1@a.example.com"), everywhere),
                    suppression(.domain("b.example.com"), everywhere), suppression(.pattern("p3@*.example.com")),
                    suppression(.pattern("*@d.example.com"), everywhere),
                ]
                let people = ["p0@a.example.com", "p1@a.example.com", "p2@b.example.com", "p3@c.example.com", "p4@d.example.com"]
                for (person, suppression) in zip(people, kinds) {
                    let waiting = try world.message(to: person)
                    _ = try await world.store.dispatch(waiting, with: Consequence())
                    let claimed = try await world.store.claimDeliverable(now: world.later(1), limit: 9, lease: world.lease("me"))
                    guard let message = claimed.first, claimed.count == 1 else {
                        throw ContractBreach(description: "broken: \(person) is claimed alone")
                    }
                    try expect(
                        try await world.store.markFinalDot(message.id, claim: message.claim, at: world.later(2)), "it comes to its dot")
                    try await world.store.suppress([suppression])
                    _ = try await world.store.record(
                        world.attempt(message, .deferred, at: 4), claim: message.claim, state: .deferred, nextAttemptAt: world.later(5),
                        consequence: Consequence())
                    try expect(
                        try await world.store.claimDeliverable(now: world.later(9), limit: 9, lease: world.lease("me")), [],
                        "\(suppression.subject) keeps it from leaving")
                    try expect(try await world.state(of: message), .cancelled, "\(suppression.subject) cancels it")
                }
            },
            Self("what a plan has for a failure is done though it suppresses the address, until it comes to a message") { world in
                let spared = try await world.enrolled("ann@example.com")
                let other = try await world.enrolled("ann@example.com", sequence: "other")
                var transition = world.transition(spared, to: .active, step: 1, due: 5)
                transition.outlivesSuppression = true
                _ = try await world.store.apply(
                    Consequence(transition: transition, suppressions: [try world.suppression(of: "ann@example.com")]))
                let now = try await world.current(spared)
                try expect(now.state, .active, "it goes on")
                try expect(try await world.current(other).state, .stopped, "everything else of theirs ends")
                let message = try world.message(to: "ann@example.com", enrollment: now, step: 1)
                let verdict = StepVerdict.queued(
                    message, Consequence(transition: world.transition(now, to: .sending, step: 1)), under: nil)
                try expect(try await world.store.store([verdict]), [.stale], "no message is queued for it")
                let ended = try await world.current(spared)
                try expect(ended.state, .stopped, "and there it ends")
                try expect(ended.cause, .suppressed, "as suppressed")
            },
            Self("one failure too many of one kind, within its time, suppresses the address") { world in
                let limit = StrikeLimit(count: 2, within: .seconds(100))
                func strike(_ message: OutboxMessage, _ failureClass: String, at seconds: Int64) async throws {
                    let strike = Strike(
                        message: message.id, workspace: .default, address: message.recipient, failureClass: failureClass, limit: limit,
                        at: world.later(seconds))
                    _ = try await world.store.apply(Consequence(strikes: [strike]))
                }
                func isSuppressed() async throws -> Bool {
                    try await world.store.suppression(
                        workspace: .default, address: try world.address("ann@example.com"), now: world.later(500)) != nil
                }
                var messages: [OutboxMessage] = []
                for number in 0..<5 {
                    let message = try world.message(to: number == 3 ? "bob@example.com" : "Ann@Example.com", created: Int64(number))
                    _ = try await world.store.dispatch(message, with: Consequence())
                    messages.append(message)
                }
                try await strike(messages[0], "mailbox_full", at: 10)
                try await strike(messages[0], "mailbox_full", at: 20)
                try expect(try await !isSuppressed(), "a message counts once")
                try await strike(messages[1], "inactive_mailbox", at: 30)
                try expect(try await !isSuppressed(), "another kind is counted by itself")
                try await strike(messages[3], "mailbox_full", at: 40)
                try expect(try await !isSuppressed(), "and so is another address")
                try await strike(messages[2], "mailbox_full", at: 110)
                try expect(try await !isSuppressed(), "what is older than the time does not count")
                try await strike(messages[4], "mailbox_full", at: 150)
                try expect(try await isSuppressed(), "the second within the time is one too many")
                let kept = try await world.store.suppressions(workspace: .default, after: nil, limit: 9)
                try expect(kept.map(\.reason), [.refused], "suppressed once, as refused")
                try expect(kept.first?.expiresAt == nil, "for ever")
                let events = try await world.store.timeline(after: nil, limit: 99).filter { $0.kind == .suppressed }
                try expect(events.map(\.outbox), [messages[4].id], "with an event at the message that was one too many")
            },
        ]
    }
}
