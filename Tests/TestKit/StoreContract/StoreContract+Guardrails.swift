import InternetMessage
import Outreach

extension StoreContract {
    static var guardrails: [Self] {
        [
            .init("what is counted of identities, sequences and the instance is found by day") { world in
                let store = world.store
                _ = try await world.figures(accepted: 3, bounced: 1)
                try await store.countAllEvents()
                let day = CivilDate(StoreWorld<Store>.start)
                for (scope, subject) in [
                    (GuardrailRule.Scope.identity, SendingPause.Subject.identity("sales")), (.sequence, .sequence("hello")),
                    (.instance, .instance),
                ] {
                    let found = try await store.watched(scope, since: day)
                    try expect(found.map(\.subject), [subject], "\(scope.rawValue) is watched")
                    try expect(found.first?.tally.bounced, 1, "its bounces are counted")
                    try expect(try await store.watched(scope, since: day.adding(days: 1)).count, 0, "days before do not count")
                }
            },
            .init("a violation pauses once, is explained, and lasts until the figures are better") { world in
                let store = world.store
                let rule = world.rule(lasts: .seconds(3600))
                func finding(_ count: Int, at seconds: Int64) -> GuardrailFinding {
                    var tally = Tally()
                    tally[.accepted] = 100
                    tally[.bouncedHard] = count
                    return rule.judge(.sequence("hello"), tally, override: nil, at: world.later(seconds))
                }
                let first = try await store.keep([finding(10, at: 0)], at: world.later(0))
                try expect(first.paused.map(\.subject), [.sequence("hello")], "it is paused")
                try expect(first.alerts.count, 1, "and said")
                let pause = try await store.pauses().first
                try expect(pause?.failureClass, "guardrail bounce", "the rule is named")
                try expect(pause?.finding?.origin, "a.conf:3", "where it stands as well")
                try expect(pause?.finding?.rate, SampledRate(10, of: 100), "with its figures")
                try expect(pause?.until, world.later(3600), "it ends when the rule says")
                let second = try await store.keep([finding(11, at: 900)], at: world.later(900))
                try expect(second, GuardrailOutcome(), "a pause that lasts changes nothing, and is not said again")
                let (other, isNew) = try await store.pause(
                    .sequence("hello"), failureClass: "x", reason: "y", began: world.later(4000), at: world.later(4000), rests: [])
                try expect(!isNew && other.finding != nil, true, "failures do not take over what a guardrail paused")
                let third = try await store.keep([finding(11, at: 3600)], at: world.later(3600))
                try expect(third.paused.first?.renewals, 1, "it goes on while the figures are no better")
                let last = try await store.keep([finding(1, at: 7200)], at: world.later(7200))
                try expect(last.resumed, [.sequence("hello")], "it ends when they are")
                try expect(try await store.pauses().count, 0, "nothing is paused any more")
            },
            .init("a pause without an end is ended by a person only") { world in
                let store = world.store
                let finding = world.violation(of: .instance, at: 0)
                _ = try await store.keep([finding], at: world.later(0))
                for day in 1...3 as ClosedRange<Int64> {
                    try expect(try await store.keep([], at: world.later(day * 86_400)), GuardrailOutcome(), "it goes on without a word")
                }
                try expect(try await store.pauses().first?.until, world.later(4 * 86_400), "and is lengthened")
                let override = GuardrailOverride(subject: .instance, reason: "mended (bo)", at: world.later(300_000), until: nil)
                try expect(try await store.override(override), true, "a person ends it")
                try expect(try await store.overrides().keys.map { $0 }, [.instance], "and that is kept")
                let stale = try await store.keep([world.violation(of: .instance, at: 299_999)], at: world.later(300_001))
                try expect(stale.paused.count, 0, "figures from before it do not pause again")
            },
            .init("what a person overruled is not held against the subject again") { world in
                let store = world.store
                _ = try await world.figures(accepted: 60, bounced: 20)
                let rule = world.rule(lasts: nil)
                func judged() async throws -> GuardrailFinding.Verdict? {
                    try await store.countAllEvents()
                    let override = try await store.overrides()[.identity("sales")]
                    let day = max(rule.firstDay(at: world.later(60)), override?.day ?? rule.firstDay(at: world.later(60)))
                    let tally = try await store.watched(.identity, since: day).first { $0.subject == .identity("sales") }?.tally
                    return rule.judge(.identity("sales"), tally ?? Tally(), override: override, at: world.later(60)).verdict
                }
                try expect(try await judged(), .violated, "the figures are bad")
                _ = try await store.override(
                    GuardrailOverride(subject: .identity("sales"), reason: "old list (bo)", at: world.later(30), until: nil))
                try expect(try await judged(), .tooFew, "the same figures are not judged again")
                _ = try await world.figures(accepted: 49, bounced: 0)
                try expect(try await judged(), .tooFew, "nor with too few new ones")
                _ = try await world.figures(accepted: 1, bounced: 0)
                try expect(try await judged(), .within, "good ones since then are within")
                _ = try await world.figures(accepted: 0, bounced: 10)
                try expect(try await judged(), .violated, "bad ones since then are not")
            },
            .init("when a pause ends, the steps and messages that waited for it are due") { world in
                let store = world.store
                let subject = SendingPause.Subject.sequence("hello")
                let (_, message) = try await world.queued("ann@example.com")
                let step = try await world.enrolled("bob@example.com")
                let other = try await world.enrolled("eve@example.com")
                _ = try await store.keep([world.violation(of: subject, at: 0)], at: world.later(0))
                let pause = try await store.pauses().first
                let until = world.later(80_000)
                _ = try await store.claim(
                    [
                        ClaimBid(
                            id: message.id,
                            wish: .wait(until: until, awaiting: OutboxMessage.awaiting(subject), because: pause?.words ?? "", isOurs: true))
                    ], now: world.later(1), lease: world.lease("me"))
                for (enrollment, why) in [(step, pause?.words ?? ""), (other, "the window is shut")] {
                    let result = try await store.postpone(enrollment.id, expectedVersion: enrollment.version, until: until, heldBy: why)
                    try expect(result, .committed, "a step is postponed")
                }
                try expect(
                    try await store.sequenceNames(of: [message.id]), [message.id: "hello"], "what sequence a message is of can be asked")
                _ = try await store.override(GuardrailOverride(subject: subject, reason: "go (bo)", at: world.later(9), until: nil))
                try expect(try await store.message(id: message.id)?.nextAttemptAt, world.later(9), "its message is due")
                try expect(try await world.current(step).dueAt, world.later(9), "its step is due")
                try expect(try await world.current(other).dueAt, until, "what waits for something else is not")
            },
            .init("findings are dropped but for those that a pause stands on") { world in
                let store = world.store
                _ = try await store.keep([world.violation(of: .instance, at: 0)], at: world.later(0))
                _ = try await store.keep([world.violation(of: .instance, at: 900)], at: world.later(900))
                try expect(try await store.violations(since: world.later(900)).map(\.at), [world.later(900)], "the latest is told")
                try expect(try await store.dropFindings(before: world.later(9000), limit: 10), 1, "one is dropped")
                try expect(try await store.pauses().first?.finding != nil, true, "the pause is explained all the same")
            },
        ]
    }
}

extension StoreWorld {
    fileprivate func rule(lasts: Duration?) -> GuardrailRule {
        GuardrailRule(
            name: "bounce", origin: "a.conf:3", metric: .bounce, comparison: .above, threshold: 0.05, minimumSends: 50, days: 7,
            scopes: [.identity], action: .pause, lasts: lasts)
    }

    fileprivate func violation(of subject: SendingPause.Subject, at seconds: Int64) -> GuardrailFinding {
        var tally = Tally()
        tally[.accepted] = 100
        tally[.bouncedHard] = 10
        return rule(lasts: nil).judge(subject, tally, override: nil, at: later(seconds))
    }

    /// Messages of the identity `sales` that were accepted, and others that were refused.
    fileprivate func figures(accepted: Int, bounced: Int) async throws {
        for index in 0..<(accepted + bounced) {
            let mark: OutboxMessage.ID = ids.next()
            let enrollment = try await enrolled("p\(mark)@example.com")
            let message = try message(to: "p\(mark)@example.com", enrollment: enrollment)
            _ = try await store.dispatch(message, with: Consequence())
            _ = try await store.apply(
                Consequence(timeline: [
                    index < accepted
                        ? event(.delivered, of: message, at: 1)
                        : event(.rejected, of: message, at: 1, facts: ["class": "invalid_recipient"])
                ]))
        }
    }
}
