import DNS
import InternetMessage
import Outreach
import SQLiteStore
import Synchronization
import TestKit
import Testing

@testable import Mailroom

/// What DNS says of the domains of contacts, over a made-up zone and a real store.
@Suite("domains of contacts", .timeLimit(.minutes(5)))
struct MailDomainCheckerTests {
    /// A zone that notes who is asked for, and how many at once.
    final class Zone: DNS.Resolver {
        private struct Notes {
            var asked: [String] = []
            var underWay = 0
            var most = 0
        }

        private let zone: StaticResolver
        private let notes = Mutex(Notes())

        init(_ zone: StaticResolver) { self.zone = zone }

        func lookup(_ name: String, _ type: RecordType) async -> DNSAnswer {
            guard type == .mx else { return await zone.lookup(name, type) }
            notes.withLock {
                $0.asked.append(name)
                $0.underWay += 1
                $0.most = max($0.most, $0.underWay)
            }
            for _ in 0..<10 { await Task.yield() }
            let answer = await zone.lookup(name, type)
            notes.withLock { $0.underWay -= 1 }
            return answer
        }

        var asked: [String] { notes.withLock { $0.asked } }
        var most: Int { notes.withLock { $0.most } }
    }

    private static let zone: [String: [StaticResolver.Record]] = [
        "good.example": [.mx(10, "mx.good.example")], "mx.good.example": [.a("192.0.2.1")], "implicit.example": [.a("192.0.2.2")],
        "null.example": [.mx(0, ".")], "bare.example": [.txt("no mail here")], "dead.example": [.mx(10, "gone.good.example")],
        "office.example": [.mx(10, "mx.office.example")], "mx.office.example": [.a("10.0.0.9")],
        "half.example": [.mx(10, "silent.example")],
    ]
    private static let failures: [String: DNSFailure] = [
        "silent.example": .timedOut, "servfail.example": .responseCode(2), "bogus.example": .bogus("no signature"),
        "off.example": .unavailable("the resolver has stopped"),
    ]

    private let folder: TemporaryFolder
    private let store: SQLiteStore
    private let clock = HandClock(Office.start)

    init() throws {
        folder = try TemporaryFolder()
        store = try SQLiteStore.open(
            path: folder("p.sqlite"), mode: .createIfMissing(seed: Array(repeating: 1, count: 32)),
            ids: RecordIDs(now: { Office.start }, random: { 7 }))
    }

    private func zone() -> Zone { Zone(StaticResolver(Self.zone, failures: Self.failures)) }

    private func checker(_ zone: Zone, keeps: Bool = true, limits: MailDomainChecker.Limits = .init()) -> MailDomainChecker {
        MailDomainChecker(resolver: zone, store: store, clock: clock, keeps: keeps, limits: limits)
    }

    @Test(
        "each answer is what it means for mail",
        arguments: [
            ("good.example", MailDomainChecker.Finding.accepts), ("implicit.example", .accepts), ("office.example", .accepts),
            ("null.example", .refuses("the domain takes no mail (null MX)")), ("nowhere.example", .refuses("the domain does not exist")),
            ("bare.example", .refuses("the domain has no mail host with an address")),
            ("dead.example", .refuses("the domain has no mail host with an address")),
            ("a_b.example", .refuses("not a domain that mail can be sent to")),
            ("servfail.example", .unknown("the lookup failed: SERVFAIL")), ("silent.example", .unknown("the lookup failed: no answer in time")),
            ("half.example", .unknown("the lookup failed: no answer in time")),
            ("bogus.example", .unknown("the lookup failed: DNSSEC validation failed: no signature")),
            ("off.example", .unknown("the lookup failed: the resolver has stopped")),
        ])
    func findings(domain: String, finding: MailDomainChecker.Finding) async throws {
        #expect(try await checker(zone()).findings(of: [domain]) == [domain: finding])
    }

    @Test("a domain is asked for once, in an import and in those that follow, until what was found has ended")
    func once() async throws {
        let first = zone()
        let checker = checker(first)
        let domains = ["good.example", "null.example", "servfail.example"]
        let found = try await checker.findings(of: domains + domains)
        #expect(try await checker.findings(of: domains.reversed()) == found && found.count == 3)
        #expect(first.asked.sorted() == domains)

        // What gave no answer is not kept: the next import asks again.
        let second = zone()
        #expect(try await self.checker(second).findings(of: domains) == found)
        #expect(second.asked == ["servfail.example"])

        clock.wind(.seconds(3600))
        let third = zone()
        _ = try await self.checker(third).findings(of: domains)
        #expect(third.asked.sorted() == ["null.example", "servfail.example"], "what is missing may be there soon")

        clock.wind(.seconds(7 * 86_400))
        let fourth = zone()
        _ = try await self.checker(fourth).findings(of: domains)
        #expect(fourth.asked.sorted() == domains)
    }

    @Test("a dry run uses what is known and keeps nothing")
    func dry() async throws {
        _ = try await checker(zone()).findings(of: ["good.example"])
        let dry = zone()
        _ = try await checker(dry, keeps: false).findings(of: ["good.example", "null.example"])
        #expect(dry.asked == ["null.example"])
        #expect(try await store.mailDomains(["good.example", "null.example"], at: clock.now()).map(\.domain) == ["good.example"])
    }

    @Test("only so many are asked for at the same time")
    func atOnce() async throws {
        let zone = zone()
        var limits = MailDomainChecker.Limits()
        limits.atOnce = 4
        let found = try await checker(zone, limits: limits).findings(of: (0..<100).map { "d\($0).example" })
        #expect(found.count == 100 && zone.asked.count == 100)
        #expect((2...4).contains(zone.most))
    }

    @Test("a resolver that never answers is not asked for ever, and one that stumbles is asked on")
    func silences() async throws {
        var failures: [String: DNSFailure] = [:]
        for number in 0..<90 where number % 5 != 4 { failures["d\(number).example"] = .timedOut }
        for number in 90..<400 { failures["d\(number).example"] = .timedOut }
        let zone = Zone(StaticResolver([:], failures: failures))
        var limits = MailDomainChecker.Limits()
        (limits.atOnce, limits.silences) = (1, 20)
        let checker = checker(zone, limits: limits)
        // One after the other, in the order of their numbers.
        for number in 0..<90 { _ = try await checker.findings(of: ["d\(number).example"]) }
        #expect(zone.asked.count == 90)
        let found = try await checker.findings(of: (90..<400).map { "d\($0).example" })
        #expect(zone.asked.count == 110, "twenty more, and then no more")
        #expect(found.count == 310)
        #expect(found.values.count { $0 == .unknown("DNS gave no answer for 20 domains in a row; no more were asked for") } == 290)
        _ = try await checker.findings(of: ["good.example"])
        #expect(zone.asked.count == 110)
    }
}
