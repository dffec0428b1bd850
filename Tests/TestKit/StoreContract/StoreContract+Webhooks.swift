import InternetMessage
import Outreach

extension StoreContract {
    static var webhooks: [Self] {
        [
            .init("a call comes to be with its transition, or not at all, and stands in the timeline") { world in
                let (enrollment, call) = try await called(world, "ann@example.com")
                try expect(try await world.store.call(id: call.id), call, "it is read as it was given")
                try expect(try await world.store.calls(contact: enrollment.contact), [call], "its contact has it")
                let events = try await world.store.timeline(contact: enrollment.contact).filter { $0.kind == .webhook }
                try expect(events.map(\.summary), ["webhook crm queued: step tell"], "the timeline says so")
                // Decided on what is not true any more.
                let stale = try self.call(world, enrollment, step: "other")
                let result = try await world.store.apply(
                    Consequence(transition: world.transition(enrollment, to: .active, due: 9), calls: [stale]))
                try expect(result, .stale, "the enrollment has moved")
                try expect(try await world.store.call(id: stale.id) == nil, "nothing was queued with it")
            },
            .init("a step that called already for its enrollment does not call again") { world in
                let (enrollment, call) = try await called(world, "ann@example.com")
                let now = try await world.current(enrollment)
                let twin = try self.call(world, enrollment)
                let result = try await world.store.apply(Consequence(transition: world.transition(now, to: .active, due: 9), calls: [twin]))
                try expect(result, .committed, "the transition is taken")
                try expect(try await world.store.calls(state: nil, after: nil, limit: 9, withBody: true), [call], "there is one call")
                let events = try await world.store.timeline(contact: enrollment.contact).filter { $0.kind == .webhook }
                try expect(events.count, 1, "and the timeline says so once")
            },
            .init("what is due is claimed for its webhook, once, oldest due first, and each claim counts") { world in
                let store = world.store
                let second = try await called(world, "ann@example.com", due: 20).call
                let first = try await called(world, "bob@example.com", due: 10).call
                let later = try await called(world, "cy@example.com", due: 500).call
                _ = try await called(world, "dan@example.com", webhook: "other")
                try expect(try await store.nextCall(webhooks: ["crm"]), world.later(10), "the first is due then")
                try expect(try await store.nextCall(webhooks: []) == nil, "none of these is due")
                func claim(_ owner: String, limit: Int = 9, at now: Int64 = 30) async throws -> [WebhookCall] {
                    try await store.claimCalls(
                        webhook: "crm", now: world.later(now), limit: limit, lease: world.lease(owner, until: now + 60))
                }
                let one = try await claim("me", limit: 1)
                try expect(one.map(\.id), [first.id], "the oldest due one")
                try expect(one.map(\.attempts), [1], "its first attempt")
                try expect(try await claim("you").map(\.id), [second.id], "what is claimed is not claimed again")
                try expect(try await claim("you").map(\.id), [], "nor what is not due")
                try expect(try await store.nextCall(webhooks: ["crm", "other"]), world.later(0), "another webhook has something")
                let again = try await claim("you", at: 90)
                try expect(Set(again.map(\.id)), [first.id, second.id], "a lease that ran out is free")
                try expect(again.map(\.attempts), [2, 2], "another attempt each")
                try await store.releaseLeases(owner: "you")
                try expect(try await claim("me", at: 91).count, 2, "leases that are given back are free")
                try expect(try await store.call(id: later.id)?.attempts, 0, "the last one was never claimed")
            },
            .init("under the global STOP nothing is claimed and nothing is due") { world in
                _ = try await called(world, "ann@example.com")
                try await world.store.setStop(reason: "holidays", at: world.later(0))
                let claimed = try await world.store.claimCalls(webhook: "crm", now: world.later(5), limit: 9, lease: world.lease("me"))
                try expect(claimed, [], "nothing is claimed")
                try expect(try await world.store.nextCall(webhooks: ["crm"]) == nil, "nothing is due")
            },
            .init("an attempt is noted by whoever holds the latest claim; a call that ends is told, and stays ended") { world in
                let store = world.store
                let (enrollment, _) = try await called(world, "ann@example.com")
                func claim(at now: Int64) async throws -> WebhookCall {
                    let all = try await store.claimCalls(
                        webhook: "crm", now: world.later(now), limit: 1, lease: world.lease("me", until: now + 10))
                    guard let call = all.first else { throw ContractBreach(description: "broken: a due call is claimed") }
                    return call
                }
                let lost = try await claim(at: 0)
                let held = try await claim(at: 20)
                let retry = WebhookJudge.verdict(
                    on: .nothing("nobody there"), of: held, waits: [.seconds(60), .seconds(60)], at: world.later(21))
                try expect(try await store.settle(lost, as: retry, owner: "me", at: world.later(21)), false, "an older claim notes nothing")
                try expect(try await store.settle(held, as: retry, owner: "you", at: world.later(21)), false, "nor does somebody else")
                try expect(try await store.settle(held, as: retry, owner: "me", at: world.later(21)), true, "the latest does")
                let waiting = try await store.call(id: held.id)
                try expect(waiting?.nextAttemptAt, world.later(81), "it waits")
                try expect(waiting?.reason, "nobody there", "for what is noted")
                let last = try await claim(at: 81)
                let taken = WebhookJudge.verdict(on: .status(204), of: last, waits: [], at: world.later(82))
                try expect(try await store.settle(last, as: taken, owner: "me", at: world.later(82)), true, "it is taken")
                try expect(try await store.settle(last, as: retry, owner: "me", at: world.later(83)), false, "what has ended stays so")
                let ended = try await store.call(id: last.id)
                try expect(ended?.state, .delivered, "it is delivered")
                try expect(ended?.lastStatus, 204, "with its status")
                try expect(ended?.endedAt, world.later(82), "and its moment")
                let events = try await store.timeline(contact: enrollment.contact).filter { $0.kind == .webhook }
                try expect(events.last?.summary, "webhook crm delivered: step tell, answered with status 204", "the timeline says so")
                try expect(events.count, 2, "and nothing of the attempt that failed")
            },
            .init("a claim that is given back counts for nothing, and only whoever holds it gives it back") { world in
                let store = world.store
                let (_, call) = try await called(world, "ann@example.com")
                func claim(at now: Int64) async throws -> WebhookCall {
                    let all = try await store.claimCalls(
                        webhook: "crm", now: world.later(now), limit: 1, lease: world.lease("me", until: now + 10))
                    guard let call = all.first else { throw ContractBreach(description: "broken: a due call is claimed") }
                    return call
                }
                let lost = try await claim(at: 0)
                let held = try await claim(at: 20)
                try expect(try await store.putBack(lost, owner: "me"), false, "an older claim gives nothing back")
                try expect(try await store.putBack(held, owner: "you"), false, "nor does somebody else")
                try expect(try await store.nextCall(webhooks: ["crm"]) == nil, "it is held")
                try expect(try await store.putBack(held, owner: "me"), true, "whoever holds it gives it back")
                try expect(try await store.call(id: call.id)?.attempts, 1, "its attempt does not count")
                try expect(try await store.nextCall(webhooks: ["crm"]), world.later(0), "it is due as before")
                try expect(try await store.putBack(held, owner: "me"), false, "once")
                try expect(try await claim(at: 21).attempts, 2, "and is claimed again at once")
            },
            .init("what waits is taken back, and is made after all when somebody names it") { world in
                let store = world.store
                let failed = try await failed(world, "cy@example.com")
                let (enrollment, call) = try await called(world, "ann@example.com")
                let held = try await called(world, "bob@example.com", webhook: "erp").call
                _ = try await store.claimCalls(webhook: "erp", now: world.later(1), limit: 9, lease: world.lease("me", until: 60))
                let taken = try await store.cancelCalls([call.id, held.id, failed], because: "the wrong place", at: world.later(2))
                try expect([taken.cancelled, taken.underWay], [2, 1], "two that wait, one of them being made")
                try expect(try await store.cancelCalls([call.id], because: "again", at: world.later(3)).cancelled, 0, "once")
                try expect(try await store.nextCall(webhooks: ["crm", "erp"]) == nil, "nothing is due")
                try expect(try await store.call(id: call.id)?.reason, "the wrong place", "the reason is kept")
                try expect(
                    try await store.timeline(contact: enrollment.contact).last?.summary,
                    "webhook crm cancelled: step tell, the wrong place", "and told")
                let verdict = WebhookJudge.verdict(on: .nothing("nobody there"), of: held, waits: [], at: world.later(4))
                try expect(
                    try await store.settle(held, as: verdict, owner: "me", at: world.later(4)), false, "who was making it notes nothing")
                try expect(try await store.retryCalls(nil, at: world.later(5)), 1, "all that failed are not those")
                try expect(try await store.retryCalls([call.id], at: world.later(5)), 1, "the one that is named is")
                let due = try await store.claimCalls(webhook: "crm", now: world.later(6), limit: 9, lease: world.lease("me"))
                try expect(Set(due.map(\.id)), [call.id, failed], "both are made")
            },
            .init("failed calls are queued anew with their waits counted from then, but for those without content") { world in
                let store = world.store
                let first = try await failed(world, "ann@example.com")
                let second = try await failed(world, "bob@example.com")
                let waiting = try await called(world, "cy@example.com").call
                try expect(
                    try await store.calls(state: .failed, after: nil, limit: 9, withBody: true).map(\.id), [first, second], "two failed")
                try expect(
                    try await store.calls(state: .failed, after: first, limit: 9, withBody: true).map(\.id), [second], "page by page")
                for state in [nil, WebhookCall.State.failed] {
                    let bare = try await store.calls(state: state, after: nil, limit: 1, withBody: false)
                    try expect(bare.map(\.id), [first], "the same without content")
                    try expect(bare.allSatisfy { $0.body == nil && $0.webhook == "crm" && $0.attempts == 1 }, true, "and only without that")
                }
                try expect(try await store.retryCalls([first, waiting.id], at: world.later(50)), 1, "the named one that failed")
                let again = try await store.call(id: first)
                try expect(again?.state, .queued, "it waits again")
                try expect(again?.nextAttemptAt, world.later(50), "from now on")
                try expect([again?.attempts, again?.attemptsBefore], [1, 1], "its attempts are known, and waits count anew")
                try expect(try await store.dropCallBodies(queuedBefore: world.later(60), limit: 9), 1, "what ended loses its content")
                try expect(try await store.call(id: second)?.body == nil, "it is gone")
                try expect(try await store.call(id: waiting.id)?.body != nil, "what waits keeps its own")
                try expect(try await store.retryCalls(nil, at: world.later(60)), 0, "without content nothing is made again")
                try expect(try await store.dropCalls(queuedBefore: world.later(60), limit: 9), 1, "what ended goes whole at last")
                try expect(
                    try await store.calls(state: nil, after: nil, limit: 9, withBody: true).map(\.id), [first, waiting.id],
                    "what waits stays")
            },
            .init("whoever is forgotten is handed over no more, and nothing of theirs stays in a call") { world in
                let store = world.store
                let (_, call) = try await called(world, "ann@example.com")
                let claimed = try await store.claimCalls(webhook: "crm", now: world.later(1), limit: 9, lease: world.lease("me"))
                let erasure = Erasure(workspace: .default, address: try world.address("ann@example.com"), person: "eve", at: world.later(2))
                guard case .erased(let report) = try await store.erase(erasure) else {
                    throw ContractBreach(description: "broken: nothing keeps it back")
                }
                try expect(report.calls, 1, "the call is counted")
                let left = try await store.call(id: call.id)
                try expect(left?.body == nil && left?.state == .failed && left?.reason == "erased", true, "nothing of theirs is left")
                guard let held = claimed.first else { throw ContractBreach(description: "broken: a due call is claimed") }
                let verdict = WebhookJudge.verdict(on: .status(400, text: "ann@example.com"), of: held, waits: [], at: world.later(3))
                try expect(
                    try await store.settle(held, as: verdict, owner: "me", at: world.later(3)), false, "nor does an answer bring it back")
                try expect(try await store.retryCalls(nil, at: world.later(4)), 0, "it is not made again")
            },
            .init(crash: "calls outlive the process, and are made again when the lease of the dead one is over") { world, bench in
                let (_, call) = try await called(world, "ann@example.com")
                _ = try await world.store.claimCalls(webhook: "crm", now: world.later(1), limit: 9, lease: world.lease("dead", until: 60))
                let again = try await bench.reopenAfterCrash(world.store)
                try expect(
                    try await again.claimCalls(webhook: "crm", now: world.later(59), limit: 9, lease: world.lease("me")).count, 0,
                    "its lease still holds")
                let claimed = try await again.claimCalls(webhook: "crm", now: world.later(60), limit: 9, lease: world.lease("me"))
                try expect(claimed.map(\.id), [call.id], "the same call")
                try expect(claimed.map(\.body), [call.body], "with the same content")
            },
            .init("what another database knows of calls is carried over: what was made is not made again") { world in
                let store = world.store
                let (enrollment, call) = try await called(world, "ann@example.com")
                var made = call
                (made.state, made.attempts, made.nextAttemptAt) = (.delivered, 1, nil)
                (made.lastStatus, made.reason, made.endedAt) = (200, "answered with status 200", world.later(7))
                let since = try self.call(world, enrollment, step: "next")
                let unknown = WebhookCall(
                    id: world.ids.next(), workspace: .default, enrollment: world.ids.next(), contact: enrollment.contact,
                    version: enrollment.sequence, step: "tell", webhook: "crm", body: "{}", createdAt: world.later(0),
                    nextAttemptAt: world.later(0))
                try expect(try await store.carry([made, since, unknown]), 2, "two are brought to where they were")
                try expect(try await store.calls(state: nil, after: nil, limit: 9, withBody: true), [made, since], "as they were")
                try expect(try await store.carry([made, since]), 0, "and stand there")
                let claimed = try await store.claimCalls(webhook: "crm", now: world.later(9), limit: 9, lease: world.lease("me"))
                try expect(claimed.map(\.id), [since.id], "only what was not made is due")
            },
            .init("what another database knew of calls before is not carried over, but for what was erased there") { world in
                let store = world.store
                let (_, call) = try await called(world, "ann@example.com")
                func carried(_ change: (inout WebhookCall) -> Void) async throws -> Bool {
                    var other = call
                    change(&other)
                    return try await store.carry([other]) == 1
                }
                func ended(_ state: WebhookCall.State, _ attempts: Int, _ call: inout WebhookCall) {
                    (call.state, call.attempts, call.nextAttemptAt, call.endedAt) = (state, attempts, nil, world.later(7))
                }
                try expect(try await carried { ($0.attempts, $0.reason) = (2, "status 503") }, true, "two attempts are later than none")
                try expect(try await carried { $0.attempts = 1 }, false, "one is not later than two")
                try expect(try await carried { ended(.delivered, 1, &$0) }, false, "whatever came of it")
                try expect(try await carried { ended(.failed, 2, &$0) }, true, "an end is later than the wait for it")
                try expect(try await carried { $0.attempts = 2 }, false, "and not the other way round")
                try expect(try await carried { ended(.delivered, 2, &$0) }, false, "nor another end")
                try expect(try await carried { ($0.attempts, $0.attemptsBefore) = (2, 2) }, true, "queued anew by a person is later")
                try expect(try await carried { ended(.failed, 3, &$0) }, true, "its end, too")
                try expect(try await carried { _ in }, false, "as it was at first")
                try expect(try await store.call(id: call.id)?.attempts, 3, "it stands as it was last")
                let erased = WebhookCall(
                    id: call.id, workspace: call.workspace, enrollment: call.enrollment, contact: call.contact, version: call.version,
                    step: call.step, webhook: call.webhook, body: nil, createdAt: call.createdAt, state: .failed, attempts: 1,
                    nextAttemptAt: nil, reason: "erased", endedAt: world.later(8))
                try expect(try await store.carry([erased]), 1, "what was erased stays so")
                try expect(try await store.call(id: call.id), erased, "and nothing brings it back")
                try expect(try await carried { $0.attempts = 9 }, false, "not even what is later")
            },
        ]
    }

    private static func call(
        _ world: StoreWorld<Store>, _ enrollment: Enrollment, step: String = "tell", webhook: String = "crm", due: Int64 = 0
    ) throws -> WebhookCall {
        WebhookCall(
            id: world.ids.next(), workspace: .default, enrollment: enrollment.id, contact: enrollment.contact, version: enrollment.sequence,
            step: step, webhook: webhook, body: #"{"contact":{"email":"ann@example.com"}}"#, createdAt: world.later(0),
            nextAttemptAt: world.later(due))
    }

    /// An enrolled contact whose step decided on a call.
    private static func called(_ world: StoreWorld<Store>, _ text: String, webhook: String = "crm", due: Int64 = 0) async throws -> (
        enrollment: Enrollment, call: WebhookCall
    ) {
        let enrollment = try await world.enrolled(text)
        let call = try call(world, enrollment, webhook: webhook, due: due)
        let result = try await world.store.apply(
            Consequence(transition: world.transition(enrollment, to: .active, due: 1000), calls: [call]))
        try expect(result, .committed, "a call is queued with its transition")
        return (enrollment, call)
    }

    /// A call that was refused for good.
    private static func failed(_ world: StoreWorld<Store>, _ text: String) async throws -> WebhookCall.ID {
        let call = try await called(world, text).call
        let claimed = try await world.store.claimCalls(webhook: "crm", now: world.later(1), limit: 1, lease: world.lease("me"))
        guard let held = claimed.first, held.id == call.id else { throw ContractBreach(description: "broken: a due call is claimed") }
        let verdict = WebhookJudge.verdict(on: .status(404), of: held, waits: [], at: world.later(2))
        try expect(try await world.store.settle(held, as: verdict, owner: "me", at: world.later(2)), true, "it failed")
        return call.id
    }
}
