import Testing

@testable import DNS

/// Where mail goes when the DNS server lies, breaks off or says nothing: the verdict of RFC 5321 §5.1, and in a bounded time.
@Suite("MX routes through a hostile server", .timeLimit(.minutes(5)))
struct HostileServerTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let script: [String: ScriptedServer.Reply]
        /// As ``MXRouteTests/told(_:)`` says it; what follows may be of libunbound's choice where there are several right ways to fail.
        let verdict: String

        var testDescription: String { name }
    }

    static let deadline = Duration.seconds(2)
    static let host: ScriptedServer.Reply = .records([.a("203.0.113.1")])
    static let many: [StaticResolver.Record] = (0..<200).map { .mx($0, "h\($0).example.net") }

    static let cases: [Case] = [
        Case(name: "SERVFAIL", script: ["d.example.com mx": .code(2), "d.example.com a": host], verdict: "temporary 4.4.3"),
        Case(name: "REFUSED", script: ["d.example.com mx": .code(5), "d.example.com a": host], verdict: "temporary 4.4.3"),
        Case(name: "FORMERR", script: ["d.example.com mx": .code(1), "d.example.com a": host], verdict: "temporary 4.4.3"),
        Case(name: "NOTIMP", script: ["d.example.com mx": .code(4), "d.example.com a": host], verdict: "temporary 4.4.3"),
        Case(name: "silence", script: ["d.example.com mx": .silence, "d.example.com a": host], verdict: "temporary 4.4.3"),
        Case(name: "an answer that is cut", script: ["d.example.com mx": .cut, "d.example.com a": host], verdict: "temporary 4.4.3"),
        Case(name: "truncated, and no TCP", script: ["d.example.com mx": .truncated, "d.example.com a": host], verdict: "temporary 4.4.3"),
        Case(
            name: "another query's number", script: ["d.example.com mx": .wrongID([.mx(10, "evil.example.org")]), "d.example.com a": host],
            verdict: "temporary 4.4.3"),
        Case(name: "another question", script: ["d.example.com mx": .wrongQuestion, "d.example.com a": host], verdict: "temporary 4.4.3"),
        Case(name: "a pointer to itself", script: ["d.example.com mx": .pointerLoop, "d.example.com a": host], verdict: "temporary 4.4.3"),
        Case(
            name: "an alias of itself",
            script: ["d.example.com mx": .alias("d.example.com", []), "d.example.com a": host], verdict: "temporary 4.4.3"),
        Case(
            name: "two aliases of each other",
            script: [
                "d.example.com mx": .alias("e.example.com", []), "e.example.com mx": .alias("d.example.com", []), "d.example.com a": host,
            ],
            verdict: "temporary 4.4.3"),
        Case(
            name: "MX data that is none", script: ["d.example.com mx": .raw([0, 10]), "d.example.com a": host], verdict: "temporary 4.4.3"),
        Case(
            name: "the host's address fails",
            script: ["d.example.com mx": .records([.mx(10, "h.example.com")]), "h.example.com a": .code(2)],
            verdict: "temporary 4.4.3"),
        Case(
            name: "the host's address is silence",
            script: ["d.example.com mx": .records([.mx(10, "h.example.com")]), "h.example.com a": .silence], verdict: "temporary 4.4.3"),
        Case(
            name: "empty answers", script: ["d.example.com mx": .empty, "d.example.com a": .empty], verdict: "permanent 5.4.4 noMailHost"),
        Case(name: "no such name", script: [:], verdict: "permanent 5.1.2 noSuchDomain"),
        Case(
            name: "a null MX", script: ["d.example.com mx": .records([.mx(0, ".")]), "d.example.com a": host], verdict: "permanent 5.1.10"),
        Case(
            name: "MX to an address", script: ["d.example.com mx": .records([.mx(10, "203.0.113.1")])],
            verdict: "permanent 5.4.4 noMailHost"),
        Case(
            name: "MX to loopback",
            script: ["d.example.com mx": .records([.mx(10, "h.example.com")]), "h.example.com a": .records([.a("127.0.0.1")])],
            verdict: "permanent 5.4.4 onlyForbiddenHosts"),
        Case(
            name: "MX into a private network",
            script: [
                "d.example.com mx": .records([.mx(10, "h.example.com"), .mx(20, "i.example.com")]),
                "h.example.com a": .records([.a("10.0.0.1")]), "i.example.com a": .records([.a("169.254.169.254")]),
            ], verdict: "permanent 5.4.4 onlyForbiddenHosts"),
        Case(
            name: "MX to ourselves", script: ["d.example.com mx": .records([.mx(10, "me.example.com")])],
            verdict: "permanent 5.4.6 leadsBackHere"),
        Case(
            name: "200 MX", script: ["d.example.com mx": .records(many)].merging((0..<200).map { ("h\($0).example.net a", host) }) { $1 },
            verdict: "0 h0.example.net 203.0.113.1; 1 h1.example.net 203.0.113.1"),
    ]

    private func resolve(_ case: Case) async throws -> (MXResolution, ScriptedServer) {
        let server = try ScriptedServer(`case`.script)
        var configuration = server.resolver
        configuration.deadline = Self.deadline
        var options = MXRoute.Options()
        options.useVersion6 = false
        options.ownNames = ["me.example.com"]
        return (await MXRoute.resolve("d.example.com", via: UnboundResolver(configuration), options: options, seed: 1), server)
    }

    @Test("each lie has its verdict, and none takes longer than two lookups may", arguments: cases)
    func verdicts(_ example: Case) async throws {
        let started = ContinuousClock.now
        let (resolution, _) = try await resolve(example)
        #expect(ContinuousClock.now - started < Self.deadline * 2 + .seconds(3))
        #expect(MXRouteTests.told(resolution).hasPrefix(example.verdict), "\(MXRouteTests.told(resolution))")
    }

    @Test("of 200 MX, in whatever order they come, the best are looked up, and no more than the limit")
    func many() async throws {
        let example = try #require(Self.cases.last)
        let (resolution, server) = try await resolve(example)
        guard case .hosts(let hosts, let skipped) = resolution else { return #expect(Bool(false), "\(resolution)") }
        #expect(hosts.map(\.preference) == Array(0..<16) && skipped.count == 184 && skipped.allSatisfy { $0.reason == .tooMany })
        #expect(server.questions.filter { $0.hasSuffix(" a") }.count == 16)
    }

    @Test("an address that nobody asked for is not believed later")
    func poison() async throws {
        let server = try ScriptedServer([
            "d.example.com mx": .poisoned([.mx(10, "h.example.com")], name: "bank.example.org", address: "203.0.113.66"),
            "h.example.com a": Self.host, "bank.example.org a": .records([.a("203.0.113.7")]),
        ])
        let resolver = UnboundResolver(server.resolver)
        _ = await resolver.lookup("d.example.com", .mx)
        #expect(await resolver.lookup("bank.example.org", .a).addresses.map(\.description) == ["203.0.113.7"])
    }

    @Test("one silent name holds no other up", .timeLimit(.minutes(4)))
    func neighbours() async throws {
        let server = try ScriptedServer([
            "quiet.example.com mx": .silence, "d.example.com mx": .records([.mx(10, "h.example.com")]), "h.example.com a": Self.host,
        ])
        var configuration = server.resolver
        configuration.deadline = Self.deadline
        let resolver = UnboundResolver(configuration)
        async let quiet = resolver.lookup("quiet.example.com", .mx)
        while server.questions.isEmpty { await Task.yield() }
        let started = ContinuousClock.now
        #expect(await resolver.lookup("d.example.com", .mx).mailExchangers.count == 1)
        #expect(ContinuousClock.now - started < .seconds(1))
        #expect(await quiet.outcome == .failure(.timedOut))
    }
}
