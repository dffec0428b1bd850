import Foundation
import Testing

@testable import DNS

@Suite("libunbound against a scripted server", .timeLimit(.minutes(5)))
struct UnboundResolverTests {
    private static func server() throws -> ScriptedServer {
        try ScriptedServer([
            "example.com mx": .records([.mx(20, "b.example.com"), .mx(10, "A.Example.COM")]),
            "a.example.com a": .records([.a("203.0.113.1"), .a("203.0.113.2")]),
            "a.example.com aaaa": .records([.aaaa("2001:db8::1")]),
            "b.example.com a": .records([.a("203.0.113.3")]),
            "b.example.com aaaa": .empty,
            "www.example.com a": .alias("web.example.net", [.a("203.0.113.4")]),
            "web.example.net a": .records([.a("203.0.113.4")]),
            "_dmarc.example.com txt": .records([.txt("v=DMARC1; " + String(repeating: "x", count: 300))]),
            "broken.example.com mx": .code(2),
            "refused.example.com mx": .code(5),
            "1.113.0.203.in-addr.arpa ptr": .records([.ptr("a.example.com")]),
            "1.0.168.192.in-addr.arpa ptr": .records([.ptr("inside.example.com")]),
            "mail.test a": .records([.a("203.0.113.9")]),
            "_25._tcp.a.example.com tlsa": .records([.tlsa(usage: 3, selector: 1, matchingType: 1, data: Array(repeating: 7, count: 32))]),
            "cut.example.com mx": .cut,
            "other.example.com a": .wrongQuestion,
        ])
    }

    @Test("records arrive decoded")
    func records() async throws {
        let server = try Self.server()
        let resolver = UnboundResolver(server.resolver)
        let mx = await resolver.lookup("Example.com.", .mx)
        #expect(
            Set(mx.mailExchangers) == [
                MailExchanger(preference: 20, host: "b.example.com"), MailExchanger(preference: 10, host: "a.example.com"),
            ])
        #expect(!mx.isSecure && mx.canonicalName == nil)
        #expect(await resolver.lookup("a.example.com", .a).addresses.map(\.description).sorted() == ["203.0.113.1", "203.0.113.2"])
        #expect(await resolver.lookup("a.example.com", .aaaa).addresses.map(\.description) == ["2001:db8::1"])
        #expect(
            await resolver.lookup("_dmarc.example.com", .txt).texts == [Array(("v=DMARC1; " + String(repeating: "x", count: 300)).utf8)])
        #expect(await resolver.lookup("1.113.0.203.in-addr.arpa", .ptr).names == ["a.example.com"])
        let tlsa = await resolver.lookup("_25._tcp.a.example.com", .tlsa).tlsAssociations
        #expect(tlsa == [TLSAssociation(usage: 3, selector: 1, matchingType: 1, data: Array(repeating: 7, count: 32))])
        let alias = await resolver.lookup("www.example.com", .a)
        #expect(
            alias.addresses.map(\.description) == ["203.0.113.4"] && alias.canonicalName == "web.example.net",
            "\(alias) \(server.questions)")
    }

    @Test(
        "what is not an answer is told apart",
        arguments: [
            ("nowhere.example.com", RecordType.mx, DNSAnswer.Outcome.nameNotFound), ("b.example.com", .aaaa, .noData),
            ("broken.example.com", .mx, .failure(.responseCode(2))), ("refused.example.com", .mx, .failure(.responseCode(2))),
            ("cut.example.com", .mx, .failure(.responseCode(2))), ("other.example.com", .a, .failure(.responseCode(2))),
            ("not a name", .a, .failure(.invalidName)), ("a..b", .a, .failure(.invalidName)), ("", .a, .failure(.invalidName)),
            ("bücher.example", .a, .failure(.invalidName)), (String(repeating: "a", count: 64) + ".example", .a, .failure(.invalidName)),
        ])
    func outcomes(name: String, type: RecordType, expected: DNSAnswer.Outcome) async throws {
        let server = try Self.server()
        #expect(await UnboundResolver(server.resolver).lookup(name, type).outcome == expected)
    }

    @Test("test. and private reverse zones are asked for like all others")
    func localZones() async throws {
        let server = try Self.server()
        let resolver = UnboundResolver(server.resolver)
        let answer = await resolver.lookup("mail.test", .a)
        #expect(answer.addresses.map(\.description) == ["203.0.113.9"], "\(answer) \(server.questions)")
        #expect(await resolver.lookup("1.0.168.192.in-addr.arpa", .ptr).names == ["inside.example.com"])
    }

    @Test("many lookups at once are all answered, and answers are kept")
    func many() async throws {
        let server = try Self.server()
        let resolver = UnboundResolver(server.resolver)
        _ = await resolver.lookup("a.example.com", .a)
        let asked = server.questions.count
        let answers = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<300 { group.addTask { await resolver.lookup("a.example.com", .a).addresses.count } }
            return await group.reduce(into: [Int]()) { $0.append($1) }
        }
        #expect(answers == Array(repeating: 2, count: 300))
        #expect(server.questions.count == asked)
    }

    @Test("a server that says nothing costs no more than the deadline")
    func silence() async throws {
        let server = try ScriptedServer(["quiet.example.com a": .silence])
        var configuration = server.resolver
        configuration.deadline = .milliseconds(300)
        let resolver = UnboundResolver(configuration)
        let started = ContinuousClock.now
        #expect(await resolver.lookup("quiet.example.com", .a).outcome == .failure(.timedOut))
        let took = ContinuousClock.now - started
        #expect(took >= .milliseconds(300) && took < .seconds(5))
    }

    @Test("lookups under way when the resolver ends are answered, not lost")
    func ending() async throws {
        let server = try ScriptedServer(["quiet.example.com a": .silence])
        let queue = LookupQueue()
        let configuration = server.resolver
        Thread { UnboundWorker(configuration, queue).run() }.start()
        let answer = await withCheckedContinuation { (continuation: CheckedContinuation<DNSAnswer, Never>) in
            _ = queue.add(Lookup(name: "quiet.example.com", type: .a, started: .now) { continuation.resume(returning: $0) })
            Thread {
                while server.questions.isEmpty { sched_yield() }
                queue.stop()
            }.start()
        }
        #expect(answer.outcome == .failure(.unavailable("the resolver has stopped")))
        #expect(!queue.add(Lookup(name: "late.example.com", type: .a, started: .now) { _ in }))
    }

    @Test("a server address that libunbound does not take fails every lookup with the reason")
    func badServer() async {
        let resolver = UnboundResolver(UnboundResolver.Configuration(servers: ["not an address"], trustAnchorFile: nil))
        guard case .unavailable(let why)? = await resolver.lookup("example.com", .a).failure else { return #expect(Bool(false), "taken") }
        #expect(why.contains("not an address"))
    }

    @Test("when the servers pass no DNSSEC on, validation turns itself off and lookups still work")
    func withoutDNSSEC() async throws {
        let server = try ScriptedServer([". soa": .empty, ". 48": .empty, "a.example.com a": .records([.a("203.0.113.1")])])
        let anchor = FileManager.default.temporaryDirectory.appendingPathComponent("anchor-\(UUID().uuidString)")
        try Data(". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D\n".utf8).write(to: anchor)
        defer { try? FileManager.default.removeItem(at: anchor) }
        var configuration = server.resolver
        configuration.trustAnchorFile = anchor.path
        let resolver = UnboundResolver(configuration)
        let answer = await resolver.lookup("a.example.com", .a)
        #expect(answer.addresses.map(\.description) == ["203.0.113.1"] && !answer.isSecure)
        guard case .off(let why) = resolver.validation else { return #expect(Bool(false), "\(resolver.validation)") }
        #expect(why.contains("do not pass DNSSEC on"))
    }

    @Test("without a trust anchor validation is off from the start")
    func noAnchor() async throws {
        let server = try Self.server()
        let resolver = UnboundResolver(server.resolver)
        _ = await resolver.lookup("a.example.com", .a)
        #expect(resolver.validation == .off("there is no trust anchor"))
    }

    @Test("an MX route through libunbound")
    func route() async throws {
        let server = try Self.server()
        var options = MXRoute.Options()
        options.useVersion6 = false
        let resolution = await MXRoute.resolve("example.com", via: UnboundResolver(server.resolver), options: options, seed: 1)
        guard case .hosts(let hosts, _) = resolution else { return #expect(Bool(false), "\(resolution)") }
        #expect(hosts.map(\.name) == ["a.example.com", "b.example.com"])
        #expect(
            await MXRoute.resolve("nowhere.example.com", via: UnboundResolver(server.resolver), seed: 1)
                == .permanent(MXProblem(.noSuchDomain)))
        #expect(
            await MXRoute.resolve("broken.example.com", via: UnboundResolver(server.resolver), seed: 1)
                == .temporary(MXProblem(.lookupFailed(.responseCode(2)))))
    }
}
