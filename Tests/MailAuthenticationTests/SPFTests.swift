import DNS
import InternetMessage
import Testing

@testable import MailAuthentication

@Suite("SPF")
struct SPFTests {
    private func check(
        _ record: String, client: String = "192.0.2.1", path: String = "ann@example.com", more: [String: [StaticResolver.Record]] = [:],
        failures: [String: DNSFailure] = [:]
    ) async throws -> SPFResult {
        var zone = more
        zone["example.com", default: []].append(.txt(record))
        let checker = SPFChecker(resolver: StaticResolver(zone, failures: failures), receiver: "mx.example.net")
        let peer = SMTPPeer(address: try #require(IPAddress(client)), helloName: "out.example.com", reversePath: path)
        return await checker.check(peer, at: Timestamp(seconds: 0))
    }

    @Test(
        "records that are no records",
        arguments: [
            ("v=spf1 foo", SPFResult.Outcome.permanentError), ("v=spf1 a:", .permanentError), ("v=spf1 ip4:192.0.2.0/33", .permanentError),
            ("v=spf1 ip4:192.0.2.0/08", .permanentError), ("v=spf1 redirect=a.example redirect=b.example", .permanentError),
            ("v=spf1 exp=a.example exp=b.example", .permanentError), ("v=spf1 all:x", .permanentError),
            ("v=spf1 a:%{x}.example.com", .permanentError),
            ("v=spf1 a:%{d0}.example.com", .permanentError), ("v=spf1 include", .permanentError), ("v=spf1 a:example", .permanentError),
            ("v=spf1 =x", .permanentError), ("v=spf10 -all", .none), ("V=SPF1 IP4:192.0.2.1 -ALL", .pass),
            ("v=spf1 x-y.z=%{d} +all", .pass),
            ("v=spf1", .neutral), ("v=spf1 ip6:::/0 ?all", .neutral), ("v=spf1 ip4:192.0.2.0/31 -all", .pass),
            ("v=spf1 ip4:192.0.2.2/32 -all", .fail),
        ])
    func records(record: String, outcome: SPFResult.Outcome) async throws {
        let result = try await check(record)
        #expect(result.outcome == outcome)
        #expect((result.problem != nil) == (outcome == .permanentError))
    }

    @Test("ten terms that need DNS are enough, eleven too many")
    func terms() async throws {
        let hosts: [String: [StaticResolver.Record]] = ["h.example.com": [.a("198.51.100.1")]]
        let ten = String(repeating: " a:h.example.com", count: 10)
        #expect(try await check("v=spf1\(ten) +all", more: hosts).outcome == .pass)
        #expect(try await check("v=spf1\(ten) a:h.example.com +all", more: hosts).outcome == .permanentError)
        // Each include costs too, also within another, and a circle ends.
        #expect(try await check("v=spf1 include:example.com -all").outcome == .permanentError)
        #expect(try await check("v=spf1 redirect=example.com").outcome == .permanentError)
    }

    @Test("two lookups without an answer are enough, three too many")
    func voids() async throws {
        #expect(try await check("v=spf1 a:a.example.com exists:b.example.com +all").outcome == .pass)
        #expect(try await check("v=spf1 a:a.example.com exists:b.example.com mx:c.example.com +all").outcome == .permanentError)
    }

    @Test("ten MX hosts are enough, eleven too many")
    func mailExchangers() async throws {
        var zone: [String: [StaticResolver.Record]] = ["h.example.com": [.a("198.51.100.1")]]
        zone["m.example.com"] = (0..<10).map { .mx($0, "h.example.com") }
        #expect(try await check("v=spf1 mx:m.example.com ~all", more: zone).outcome == .softFail)
        zone["m.example.com"]?.append(.mx(10, "h.example.com"))
        #expect(try await check("v=spf1 mx:m.example.com ~all", more: zone).outcome == .permanentError)
    }

    @Test("DNS without an answer is temporary wherever it counts, and time that is over too")
    func temporary() async throws {
        #expect(try await check("v=spf1 -all", failures: ["example.com": .timedOut]).outcome == .temporaryError)
        #expect(try await check("v=spf1 a:h.example.com -all", failures: ["h.example.com": .responseCode(2)]).outcome == .temporaryError)
        #expect(try await check("v=spf1 include:i.example.com -all", failures: ["i.example.com": .timedOut]).outcome == .temporaryError)
        let zone = StaticResolver(["example.com": [.txt("v=spf1 +all")]])
        let late = SPFChecker(resolver: zone, receiver: "mx.example.net", isOverdue: { true })
        let peer = SMTPPeer(address: try #require(IPAddress("192.0.2.1")), helloName: "a.example", reversePath: "ann@example.com")
        #expect(await late.check(peer, at: Timestamp(seconds: 0)).outcome == .temporaryError)
    }

    @Test("the owner's words come only with a failure, and only in plain ASCII")
    func explanation() async throws {
        let words: [String: [StaticResolver.Record]] = [
            "exp.example.com": [.txt("%{c} may not send for %{o}, see %{L}")], "bad.example.com": [.txt("n\u{F6}")],
        ]
        let result = try await check("v=spf1 -all exp=exp.example.com", path: "a+b@example.com", more: words)
        #expect(result.explanation == "192.0.2.1 may not send for example.com, see a%2Bb")
        #expect(result.directive == "-all" && result.identity == .mailFrom && result.domain == "example.com")
        #expect(try await check("v=spf1 ~all exp=exp.example.com", more: words).explanation == nil)
        #expect(try await check("v=spf1 -all exp=bad.example.com", more: words).explanation == nil)
    }

    @Test("a null reverse-path is checked by the HELO name; an IPv4-mapped client by its IPv4 address")
    func identities() async throws {
        let helo = try await check("v=spf1 -all", path: "", more: ["out.example.com": [.txt("v=spf1 ip4:192.0.2.1 -all")]])
        #expect(helo.outcome == .pass && helo.identity == .helo && helo.domain == "out.example.com")
        #expect(try await check("v=spf1 ip4:192.0.2.1 -all", client: "::ffff:192.0.2.1").outcome == .pass)
        #expect(try await check("v=spf1 -all", path: "ann@[192.0.2.1]").outcome == .none)
        #expect(try await check("v=spf1 -all", path: "ann@localhost").outcome == .none)
    }

    @Test("arbitrary octets as a record end with a result", arguments: [1, 7, 42])
    func arbitrary(seed: UInt64) async throws {
        var state = seed &* 0x9E37_79B9_7F4A_7C15
        let pieces = [
            "a", "mx", "ptr", ":", "/", "//", "%{", "}", "%", "d", "r", "2", "exp=", "redirect=", "include:", " ", "-", "all", "é", ".",
            "ip4:", "ip6:", "::",
        ]
        for _ in 0..<500 {
            var record = "v=spf1 "
            for _ in 0..<12 {
                state ^= state << 13
                state ^= state >> 7
                state ^= state << 17
                record += pieces[Int(state % UInt64(pieces.count))]
            }
            let outcome = try await check(record).outcome
            #expect(outcome != .temporaryError, "\(record)")
        }
    }
}
