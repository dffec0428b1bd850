import DNS
import HTTPFetch
import NIOPosix
import TestKit
import Testing

@testable import MailTransport

/// Calls to other systems against a real server on loopback.
@Suite("calls to other systems", .timeLimit(.minutes(5)))
struct WebhookPosterTests {
    private func post(
        _ url: String, zone: [String: [StaticResolver.Record]] = [:], allowsPrivate: Bool, time: Duration = .seconds(10)
    ) async -> WebhookPoster.Outcome {
        let http = HTTPFetcher(on: MultiThreadedEventLoopGroup.singleton)
        let poster = WebhookPoster(http: http, resolver: StaticResolver(zone))
        let outcome = await poster.post(
            Array("{}".utf8), to: .init(url: url, allowsPrivate: allowsPrivate, time: time), headers: [("Postrider-Id", "1")])
        await http.shutdown()
        return outcome
    }

    static let inner: [(String, [StaticResolver.Record])] = [
        ("hook.example.com", [.a("127.0.0.1")]), ("hook.example.com", [.a("10.1.2.3")]), ("hook.example.com", [.a("172.16.0.1")]),
        ("hook.example.com", [.a("192.168.1.1")]), ("hook.example.com", [.a("169.254.169.254")]), ("hook.example.com", [.a("100.64.0.1")]),
        ("hook.example.com", [.a("0.0.0.0")]), ("hook.example.com", [.aaaa("::1")]), ("hook.example.com", [.aaaa("fd00::1")]),
        ("hook.example.com", [.aaaa("fe80::1")]), ("hook.example.com", [.aaaa("::ffff:127.0.0.1")]),
        ("hook.example.com", [.aaaa("64:ff9b::7f00:1")]), ("hook.example.com", [.aaaa("2002:7f00:1::1")]),
        ("hook.example.com", [.cname("localhost.example.com")]), ("localhost", []), ("127.0.0.1", []), ("[::1]", []),
        ("169.254.169.254", []), ("[::ffff:169.254.169.254]", []),
    ]

    @Test("an inner address is refused after the look-up, in both families, and nobody is called", arguments: inner)
    func refusesInner(host: String, records: [StaticResolver.Record]) async throws {
        let server = try await WebPeer.start { _, _ in .reply(200, body: "") }
        let zone = [host: records, "localhost.example.com": [.a("127.0.0.1")]]
        for scheme in ["http", "https"] {
            let outcome = await post("\(scheme)://\(host):\(server.port)/", zone: zone, allowsPrivate: false)
            guard case .refused(let why) = outcome else {
                Issue.record("\(outcome)")
                continue
            }
            #expect(why.contains("is on a private address, and allow_private is not set"), "\(why)")
        }
        await server.stop()
        #expect(server.requests.isEmpty)
    }

    @Test("with allow_private it is called at the address that was looked up, by its own name")
    func callsInner() async throws {
        let server = try await WebPeer.start { _, _ in .reply(200, body: "ok") }
        let zone = ["crm.example.com": [StaticResolver.Record.a("127.0.0.1")]]
        let outcome = await post("http://crm.example.com:\(server.port)/hook", zone: zone, allowsPrivate: true)
        #expect(outcome == .answered(status: 200, retryAfter: nil, body: []))
        for host in ["localhost", "127.0.0.1"] {
            #expect(await post("http://\(host):\(server.port)/", allowsPrivate: true) == outcome)
        }
        await server.stop()
        #expect(server.requests.count == 3 && server.requests[0].header("host") == "crm.example.com:\(server.port)")
    }

    @Test("http to a public address is refused, whatever conf allows; beside an inner one only that is called")
    func nothingInClear() async throws {
        let server = try await WebPeer.start { _, _ in .reply(200, body: "") }
        let outside = await post(
            "http://crm.example.com:\(server.port)/", zone: ["crm.example.com": [.a("192.0.2.1"), .a("203.0.113.9")]], allowsPrivate: true)
        #expect(outside == .refused("crm.example.com is on a public address, and http:// is for private ones; use https://"))
        let both = await post(
            "http://crm.example.com:\(server.port)/", zone: ["crm.example.com": [.a("203.0.113.9"), .a("127.0.0.1")]], allowsPrivate: true)
        #expect(both == .answered(status: 200, retryAfter: nil, body: []))
        await server.stop()
    }

    @Test("behind an address where nobody takes the connection the next one is called; one that breaks off is the last")
    func nextAddress() async throws {
        let server = try await WebPeer.start { _, number in number == 1 ? .reply(200, body: "") : .reset }
        let hole = try await BlackHole.start(host: "127.0.0.2", port: server.port)
        let url = "http://crm.example.com:\(server.port)/"
        let zone = ["crm.example.com": [StaticResolver.Record.a("127.0.0.2"), .a("127.0.0.1")]]
        let outcome = await post(url, zone: zone, allowsPrivate: true, time: .seconds(3))
        #expect(outcome == .answered(status: 200, retryAfter: nil, body: []))
        await hole.stop()
        let twice = ["crm.example.com": [StaticResolver.Record.a("127.0.0.1"), .a("127.0.0.1")]]
        guard case .nothing = await post(url, zone: twice, allowsPrivate: true) else { return #expect(Bool(false), "it broke off") }
        #expect(server.requests.count == 2)
        await server.stop()
    }

    @Test("a redirect is an answer and leads nowhere")
    func redirect() async throws {
        let other = try await WebPeer.start { _, _ in .reply(200, body: "") }
        let server = try await WebPeer.start { _, _ in .reply(307, headers: ["Location: http://127.0.0.1:\(other.port)/"], body: "") }
        guard case .answered(let status, _, let body) = await post("http://127.0.0.1:\(server.port)/", allowsPrivate: true) else {
            return #expect(Bool(false), "an answer")
        }
        #expect(status == 307 && body.isEmpty)
        await server.stop()
        await other.stop()
        #expect(other.requests.isEmpty)
    }

    @Test("who says nothing, breaks off or has no address may do so later; an answer without end counts by its status")
    func faults() async throws {
        for answer in [WebPeer.Answer.silence, .drop, .raw("SSH-2.0-x\r\n")] {
            let server = try await WebPeer.start { _, _ in answer }
            let outcome = await post("http://127.0.0.1:\(server.port)/", allowsPrivate: true, time: .milliseconds(500))
            guard case .nothing = outcome else {
                Issue.record("\(outcome)")
                continue
            }
            await server.stop()
        }
        let server = try await WebPeer.start { _, _ in .endless }
        guard case .answered(let status, _, let body) = await post("http://127.0.0.1:\(server.port)/", allowsPrivate: true) else {
            return #expect(Bool(false), "an answer")
        }
        #expect(status == 200 && body.isEmpty)
        await server.stop()
        #expect(await post("https://none.example.com/", allowsPrivate: false) == .nothing("none.example.com has no address"))
        guard case .nothing = await post("http://127.0.0.1:\(try FreePort.next())/", allowsPrivate: true) else {
            return #expect(Bool(false), "nobody there")
        }
    }
}
