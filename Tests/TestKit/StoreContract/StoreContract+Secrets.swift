import InternetMessage
import Outreach

extension StoreContract {
    static var secrets: [Self] {
        [
            Self("a secret is kept by kind and name, and a new one takes its place") { world in
                func secret(_ name: String, _ bytes: [UInt8]) -> SealedSecret {
                    let bytes = bytes + [UInt8](repeating: 7, count: 33)
                    return SealedSecret(
                        id: world.ids.next(), kind: .refreshToken, name: name, sealed: bytes, changedAt: StoreWorld<Store>.start)
                }
                try expect(try await world.store.secret(.refreshToken, name: "a") == nil, "there is none at first")
                let first = secret("a", [0, 255, 0])
                let other = secret("A", [9])
                try expect(try await world.store.keep(first, replacing: nil), "a first one is kept")
                try expect(try await world.store.keep(other, replacing: nil), "names are compared as bytes")
                try expect(try await world.store.secret(.refreshToken, name: "a"), first, "it is read back as it was kept")
                let second = secret("a", [1])
                try expect(try await world.store.keep(second, replacing: first.id), "it is replaced by who knows it")
                try expect(
                    try await world.store.keep(secret("a", [2]), replacing: first.id) == false, "who knows an older one replaces nothing")
                try expect(try await world.store.secret(.refreshToken, name: "a"), second, "and the newer one stays")
                let third = secret("a", [3])
                try expect(try await world.store.keep(third, replacing: nil), "a new login replaces whatever there is")
                try expect(try await world.store.secret(.refreshToken, name: "a"), third, "and stands there")
                try expect(try await world.store.forgetSecret(.refreshToken, name: "a"), "one that is there is forgotten")
                try expect(try await world.store.forgetSecret(.refreshToken, name: "a") == false, "and then it is gone")
                try expect(try await world.store.secret(.refreshToken, name: "A"), other, "the other one stays")
            },
            Self(crash: "a secret that was kept survives a crash") { world, bench in
                let secret = SealedSecret(
                    id: world.ids.next(), kind: .refreshToken, name: "a", sealed: [UInt8](repeating: 5, count: 33),
                    changedAt: StoreWorld<Store>.start)
                _ = try await world.store.keep(secret, replacing: nil)
                let reopened = try await bench.reopenAfterCrash(world.store)
                try expect(try await reopened.secret(.refreshToken, name: "a"), secret, "the new process has it")
            },
        ]
    }
}
