import InternetMessage
import Outreach

extension StoreContract {
    static var policies: [Self] {
        [
            Self("a policy is kept once for each domain, the last one that came") { world in
                let first = policy("example.com", id: "1", fetched: 0, expires: 100)
                let second = policy("example.com", id: "2", fetched: 10, expires: 200)
                try await world.store.keep(first)
                try await world.store.keep(second)
                try expect(try await world.store.keptPolicy(domain: "example.com"), second, "the last one is kept, as it was given")
                try expect(try await world.store.keptPolicy(domain: "example.net") == nil, "other domains have none")
            },
            Self(crash: "a policy outlives the process") { world, bench in
                let kept = policy("example.com", id: "1", fetched: 0, expires: 100)
                try await world.store.keep(kept)
                let again = try await bench.reopenAfterCrash(world.store)
                try expect(try await again.keptPolicy(domain: "example.com"), kept, "it is there after a crash")
            },
            Self("what ends soon and is used is named, and what has ended is dropped") { world in
                try await world.store.keep(policy("later.example.com", id: "1", fetched: 0, expires: 90))
                try await world.store.keep(policy("sooner.example.com", id: "1", fetched: 0, expires: 60))
                try await world.store.keep(policy("ended.example.com", id: "1", fetched: 0, expires: 40))
                try await world.store.keep(policy("far.example.com", id: "1", fetched: 0, expires: 1000))
                try await world.store.keep(policy("idle.example.com", id: "1", fetched: 0, expires: 60))
                for name in ["later", "sooner", "ended", "far"] {
                    try await world.store.markPolicyUsed(domain: "\(name).example.com", at: world.later(30))
                }
                try await world.store.markPolicyUsed(domain: "none.example.com", at: world.later(30))
                func ending(limit: Int) async throws -> [String] {
                    try await world.store.policiesEnding(
                        after: world.later(50), before: world.later(100), usedSince: world.later(20), limit: limit
                    ).map(\.domain)
                }
                try expect(try await ending(limit: 9), ["sooner.example.com", "later.example.com"], "the first to end comes first")
                try expect(try await ending(limit: 1), ["sooner.example.com"], "at most as many as asked for")
                try expect(try await world.store.dropPolicies(endedBefore: world.later(50)), 1, "one has ended")
                try expect(try await world.store.keptPolicy(domain: "ended.example.com") == nil, "it is gone")
                try await world.store.markPolicyUsed(domain: "sooner.example.com", at: world.later(10))
                try expect(
                    try await world.store.keptPolicy(domain: "sooner.example.com")?.usedAt, world.later(30), "use never goes back in time")
            },
        ]
    }

    private static func policy(_ domain: String, id: String, fetched: Int64, expires: Int64) -> KeptPolicy {
        let start = StoreWorld<Store>.start
        return KeptPolicy(
            domain: domain, recordID: id, document: Array("version: STSv1\nmode: none\nmax_age: 1\n".utf8),
            fetchedAt: start + .seconds(fetched), expiresAt: start + .seconds(expires), usedAt: start + .seconds(fetched))
    }
}
