import InternetMessage
import Outreach

extension StoreContract {
    /// Routes that are paused, and messages that go on by another one.
    static var routing: [Self] {
        [
            Self("a route is paused once, renewed by what failed after its end, and its mail is due when it ends") { world in
                let rests: [Duration] = [.seconds(10), .seconds(100)]
                func pause(began: Int64, at: Int64, reason: String = "535 no") async throws -> (pause: SendingPause, isNew: Bool) {
                    try await world.store.pause(
                        .route("office"), failureClass: "route_auth", reason: reason, began: world.later(began), at: world.later(at),
                        rests: rests)
                }
                let first = try await pause(began: 1, at: 5)
                try expect(first.isNew && first.pause.until == world.later(15), "it lasts as long as the first rest")
                let same = try await pause(began: 2, at: 6)
                try expect(!same.isNew && same.pause == first.pause, "others that were under way change nothing")
                let renewed = try await pause(began: 15, at: 20, reason: "535 still no")
                try expect(
                    renewed.isNew && renewed.pause.until == world.later(120) && renewed.pause.renewals == 1
                        && renewed.pause.since == world.later(5), "a failure behind its end renews it for the next rest")
                try expect(try await world.store.pauses(), [renewed.pause], "it is listed as it stands")

                let message = try world.message(to: "a@example.com")
                _ = try await world.store.dispatch(message, with: Consequence())
                _ = try await world.store.claim(
                    [
                        ClaimBid(
                            id: message.id,
                            wish: .wait(
                                until: world.later(120), awaiting: OutboxMessage.awaiting(.route("office")), because: renewed.pause.words,
                                isOurs: true))
                    ], now: world.later(21), lease: world.lease("me"))
                try expect(
                    try await world.store.message(id: message.id)?.waitsSince, world.later(99), "the pause is no part of its lifetime")
                try expect(
                    try await world.store.resume(.identity("office"), by: "me", at: world.later(30)), false,
                    "nor has an identity of its name")
                try expect(try await world.store.resume(.route("relay"), by: "me", at: world.later(30)), false, "another route has none")
                try expect(try await world.store.resume(.route("office"), by: "me", at: world.later(30)), true, "a person ends it")
                let due = try await world.store.message(id: message.id)
                try expect(due?.nextAttemptAt, world.later(30), "its mail is due")
                try expect(due?.waitsSince, world.later(9), "its lifetime gets back what was not waited")
                try expect(due?.awaits == nil, "and waits for nothing")
                try expect(try await world.store.pauses(), [], "nothing is paused")
                try expect(try await world.store.resume(.route("office"), by: "me", at: world.later(31)), false, "it ends once")
                _ = try await world.store.claim(
                    [
                        ClaimBid(
                            id: message.id,
                            wish: .wait(
                                until: world.later(120), awaiting: OutboxMessage.awaiting(.route("office")), because: "paused", isOurs: true
                            ))
                    ], now: world.later(32), lease: world.lease("me"))
                let late = try await world.store.message(id: message.id)
                try expect(late?.nextAttemptAt, world.later(32), "who comes too late to wait for it does not")
                try expect(late?.awaits == nil, "nor waits for anything")
                try expect(late?.waitsSince, world.later(9), "and has the lifetime that it had")
                let again = try await pause(began: 40, at: 41)
                try expect(again.isNew && again.pause.until == world.later(51) && again.pause.renewals == 0, "a later one begins anew")
            },
            Self(crash: "a pause outlives the process") { world, bench in
                let (pause, _) = try await world.store.pause(
                    .route("office"), failureClass: "route_auth", reason: "535 no", began: world.later(0), at: world.later(1),
                    rests: [.seconds(60)])
                let again = try await bench.reopenAfterCrash(world.store)
                try expect(try await again.pauses(), [pause], "it is there after a crash")
            },
            Self("a message that waits goes on by another route and remembers its first one until it is back") { world in
                let claimed = try await world.claimed("a@example.com")
                var attempt = world.attempt(claimed.message, .deferred)
                attempt.reroute = .init(route: "relay", isAtOnce: true)
                _ = try await world.store.record(
                    attempt, claim: claimed.message.claim, state: .deferred, nextAttemptAt: world.later(2), consequence: Consequence())
                var moved = try await world.store.message(id: claimed.message.id)
                try expect(moved?.route, "relay", "it goes by the other")
                try expect(moved?.firstRoute, "office", "and remembers the first")
                func move(to route: String, at seconds: Int64) async throws -> [ClaimAnswer] {
                    try await world.store.claim(
                        [ClaimBid(id: claimed.message.id, wish: .move(to: route, because: "relay is paused"))], now: world.later(seconds),
                        lease: world.lease("me"))
                }
                try expect(try await move(to: "third", at: 3), [.postponed(until: world.later(3))], "a claim moves it, too")
                moved = try await world.store.message(id: claimed.message.id)
                try expect(moved?.route, "third", "it goes by the third")
                try expect(moved?.firstRoute, "office", "and still remembers the first")
                try expect(moved?.reason, "relay is paused", "with the reason")
                try expect(moved?.attempts, 1, "without an attempt")
                _ = try await move(to: "office", at: 4)
                moved = try await world.store.message(id: claimed.message.id)
                try expect(moved?.route, "office", "it is back")
                try expect(moved?.firstRoute == nil, "and has nothing to remember")
            },
            Self("what the next host called a message is kept with it, and found by it") { world in
                let claimed = try await world.claimed("a@example.com")
                try expect(
                    try await world.store.markFinalDot(claimed.message.id, claim: claimed.message.claim, at: world.later(2)), "it leaves")
                var attempt = world.attempt(claimed.message, .accepted)
                attempt.providerName = ProviderName(
                    reply: "Ok 0102018f3a7b-1a2b3c4d-000000", own: claimed.message.messageID, domain: "eu-west-1.amazonses.com")
                _ = try await world.store.record(
                    attempt, claim: claimed.message.claim, state: .sent, nextAttemptAt: nil, consequence: Consequence())
                let sent = try await world.store.message(id: claimed.message.id)
                try expect(sent?.providerID, "0102018f3a7b-1a2b3c4d-000000", "its name is kept")
                try expect(sent?.sentMessageID?.text, "0102018f3a7b-1a2b3c4d-000000@eu-west-1.amazonses.com", "as the recipient sees it")
                for text in ["0102018f3a7b-1a2b3c4d-000000@eu-west-1.amazonses.com", "0102018f3a7b-1a2b3c4d-000000@other.example"] {
                    guard let id = MessageID(text) else { throw ContractBreach(description: "the check's own Message-ID is wrong") }
                    try expect(try await world.store.sentMessages(messageIDs: [id]).map(\.outbox), [claimed.message.id], "\(text) finds it")
                }
                guard let other = MessageID("000000@eu-west-1.amazonses.com") else { throw ContractBreach(description: "wrong Message-ID") }
                try expect(try await world.store.sentMessages(messageIDs: [other]), [], "a part of it does not")
            },
        ]
    }
}
