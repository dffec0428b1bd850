import DNS
import Foundation
import InternetMessage
import NIOCore
import NIOPosix
import OpenSSL
import SMTP
import TestKit
import Testing

@testable import MailTransport

/// The courier against servers that say no, break off and lie.
@Suite("courier")
struct CourierTests {
    @Test(
        "each answer of a server is one outcome, and the sink knows whether the message arrived",
        arguments: [
            (SinkSMTP.Answer.accept, "accepted", 1), (.refuse("451 4.7.1 Greylisted"), "deferred", 0),
            (.refuse("550 5.1.1 No such user"), "rejected", 0), (.refuseData("452 4.3.1 Full"), "deferred", 1),
            (.refuseData("554 5.7.1 Spam"), "rejected", 1), (.dropWithinData, "deferred", 0), (.dropAfterDot, "ambiguous", 1),
            (.cutReply("250 2.0.0 OK"), "ambiguous", 1), (.cutReply("554 5.7"), "ambiguous", 1),
            (.delayReply(.milliseconds(30)), "accepted", 1),
        ], [SinkSMTP.Dialect.smtp, .lmtp])
    func outcomes(_ answer: (SinkSMTP.Answer, String, Int), _ dialect: SinkSMTP.Dialect) async throws {
        let sink = try SinkSMTP(dialect)
        sink.script(Bench.bo, then: answer.0)
        let kind: Route.Kind =
            dialect == .smtp ? .submission(host: "127.0.0.1", port: sink.port) : .lmtp(.host("127.0.0.1", port: sink.port))
        let report = await Bench.deliver(try Bench.message(), over: try Bench.route(kind))
        // A small message and its dot may have left before the loss is seen; then only "ambiguous" is honest.
        #expect(report.word == answer.1 || (answer.1 == "deferred" && report.word == "ambiguous"), "\(report)")
        #expect(sink.messages.count == answer.2 && sink.connections == 1)
        if answer.1 == "accepted" {
            #expect(sink.messages[0].text.hasSuffix("\r\n\r\n.dot\r\n\r\nend\r\n") && sink.messages[0].bareLineEnds == 0)
            #expect(sink.messages[0].isAcknowledged && report.remoteMTA?.contains("\(sink.port)") == true)
        }
    }

    @Test("no reply to the final dot in time is ambiguous, not a deferral")
    func silentAfterDot() async throws {
        let sink = try SinkSMTP()
        sink.script(Bench.bo, then: .holdReply)
        let route = try Bench.route(.submission(host: "127.0.0.1", port: sink.port), finalDot: .milliseconds(100))
        let report = await Bench.deliver(try Bench.message(), over: route)
        #expect(report.word == "ambiguous" && report.failure?.cause == .timeout && sink.messages.count == 1)
    }

    private final class Brusque: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        func channelActive(context: ChannelHandlerContext) {
            context.channel.writeAndFlush(ByteBuffer(string: "554 5.3.2 No mail here\r\n"), promise: nil)
            context.close(promise: nil)
        }
    }

    @Test("a server that speaks and is gone at once was heard, however soon that is")
    func goneAtOnce() async throws {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton).childChannelInitializer { channel in
            channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Brusque()) }
        }.bind(host: "127.0.0.1", port: 0).get()
        let route = try Bench.route(.submission(host: "127.0.0.1", port: server.localAddress?.port ?? 0))
        for _ in 0..<300 {
            let report = await Bench.deliver(try Bench.message(), over: route)
            #expect(report.failure?.stage == .greeting && report.failure?.reply?.code == 554, "\(report)")
        }
        try await server.close()
    }

    @Test("a delivery that is cancelled after the final dot is ambiguous")
    func cancelled() async throws {
        let sink = try SinkSMTP()
        sink.script(Bench.bo, then: .holdReply)
        let route = try Bench.route(.submission(host: "127.0.0.1", port: sink.port))
        let message = try Bench.message()
        let delivery = Task { await Bench.deliver(message, over: route) }
        _ = try await sink.waitForMessages(1)
        delivery.cancel()
        #expect(await delivery.value.word == "ambiguous")
    }

    @Test("a check that says no withdraws the message, and nothing arrives", arguments: [(false, true), (true, false)])
    func withdrawn(mayLeave: Bool, finalDot: Bool) async throws {
        let sink = try SinkSMTP()
        let report = await Bench.deliver(
            try Bench.message(), over: try Bench.route(.submission(host: "127.0.0.1", port: sink.port)),
            checks: DeliveryChecks(mayLeave: { mayLeave }, finalDot: { finalDot }))
        #expect(report.word == "withdrawn", "\(report)")
        #expect(report.transcript.contains("> MAIL FROM") == mayLeave)
        // Another message on the same sink is the first one that arrives.
        #expect(
            await Bench.deliver(try Bench.message(), over: try Bench.route(.submission(host: "127.0.0.1", port: sink.port))).word
                == "accepted")
        #expect(sink.messages.count == 1)
    }

    @Test("a host that is out of order is passed over for the next; a verdict on the recipient is final")
    func failover() async throws {
        let sink = try SinkSMTP()
        // Both hosts of the zone use the port of the route: the first has nobody there, on an address of its own.
        let zone = StaticResolver([
            "example.net": [.mx(10, "down.example.net"), .mx(20, "up.example.net")], "down.example.net": [.a("127.0.0.99")],
            "up.example.net": [.a("127.0.0.1")],
        ])
        let route = try Bench.route(.mx(port: sink.port))
        let report = await Bench.deliver(try Bench.message(), over: route, resolver: zone)
        #expect(report.word == "accepted" && report.remoteMTA?.contains("up.example.net[127.0.0.1]") == true, "\(report)")

        let both = StaticResolver([
            "example.net": [.mx(10, "a.example.net"), .mx(20, "b.example.net")], "a.example.net": [.a("127.0.0.1")],
            "b.example.net": [.a("127.0.0.1")],
        ])
        let connections = sink.connections
        sink.script(Bench.bo, then: .refuse("550 5.1.1 No such user"))
        #expect(await Bench.deliver(try Bench.message(), over: route, resolver: both).word == "rejected")
        #expect(sink.connections == connections + 1)
        sink.script(Bench.bo, then: .dropAfterDot)
        #expect(await Bench.deliver(try Bench.message(), over: route, resolver: both).word == "ambiguous")
        #expect(sink.connections == connections + 2)
    }

    @Test("what a host said that answered is told, though another one was tried in vain after it")
    func mostTelling() async throws {
        let sink = try SinkSMTP()
        sink.script(Bench.bo, then: .refuse("421 4.7.0 too many"))
        let zone = StaticResolver([
            "example.net": [.mx(10, "up.example.net"), .mx(20, "down.example.net")], "down.example.net": [.a("127.0.0.99")],
            "up.example.net": [.a("127.0.0.1")],
        ])
        let route = try Bench.route(.mx(port: sink.port))
        let report = await Bench.deliver(try Bench.message(), over: route, resolver: zone)
        #expect(report.word == "deferred" && report.failure?.stage == .recipient && report.failure?.reply?.code == 421, "\(report)")
        #expect(report.remoteMTA?.contains("up.example.net") == true)
        #expect(report.transcript.contains("421 4.7.0 too many") && report.transcript.contains("* cannot connect to down.example.net"))
        // And what was tried before a host that took it.
        let other = StaticResolver([
            "example.net": [.mx(10, "down.example.net"), .mx(20, "up.example.net")], "down.example.net": [.a("127.0.0.99")],
            "up.example.net": [.a("127.0.0.1")],
        ])
        sink.script(Bench.bo, then: .accept)
        let taken = await Bench.deliver(try Bench.message(), over: route, resolver: other)
        #expect(taken.word == "accepted" && taken.transcript.hasPrefix("* cannot connect to down.example.net"), "\(taken.transcript)")
    }

    @Test("a domain that does not exist is believed from the second attempt on; a null MX at once")
    func noHosts() async throws {
        let route = try Bench.route(.mx(port: 25))
        let zone = StaticResolver(["null.example.net": [.mx(0, ".")]], failures: ["broken.example.net": .timedOut])
        let courier = Courier(routes: [route], resolver: zone, eventLoops: Bench.eventLoops, seed: 1, logger: Bench.logger)
        func report(_ domain: String, attempts: Int, wasMissing: Bool = false) async throws -> DeliveryReport {
            await courier.deliver(
                try Bench.message(to: "x@\(domain)", attempts: attempts, domainWasMissing: wasMissing), route: "r",
                checks: DeliveryChecks(mayLeave: { true }, finalDot: { true }))
        }
        // Tried before, but not found missing before: something else went wrong then.
        #expect(try await report("gone.example.org", attempts: 2).word == "deferred")
        #expect(try await report("gone.example.org", attempts: 3).word == "rejected")
        // Another message to the same recipient begins anew.
        #expect(try await report("gone.example.org", attempts: 0).word == "deferred")
        #expect(try await report("away.example.org", attempts: 1, wasMissing: true).word == "rejected")
        let null = try await report("null.example.net", attempts: 0)
        #expect(null.word == "rejected" && null.failure?.reply == nil && null.enhancedStatusCode?.description == "5.1.10")
        #expect(null.reason == "the domain takes no mail (null MX)")
        #expect(try await report("broken.example.net", attempts: 3).word == "deferred")
    }

    @Test("hosts with IPv6 only are reached where the machine has IPv6, and waited for where it has not")
    func version6() async throws {
        let zone = StaticResolver([
            "example.net": [.mx(10, "six.example.net")], "six.example.net": [.aaaa("2001:db8::25")],
            "both.example.net": [.mx(10, "two.example.net")], "two.example.net": [.aaaa("2001:db8::25"), .a("127.0.0.1")],
        ])
        let sink = try SinkSMTP()
        let route = try Bench.route(.mx(port: sink.port))
        func find(_ domain: String, hasVersion6: Bool) async throws -> Destination.Finding {
            await Destination.find(
                for: try #require(EmailAddress("x@\(domain)")), on: route, resolver: zone,
                search: .init(seed: 1, domainWasMissing: false, network: MachineNetwork(hasVersion4: true, hasVersion6: hasVersion6)))
        }
        for (domain, hasVersion6, places) in [
            ("example.net", true, ["six.example.net[2001:db8::25]"]), ("both.example.net", false, ["two.example.net[127.0.0.1]"]),
            ("both.example.net", true, ["two.example.net[127.0.0.1]", "two.example.net[2001:db8::25]"]),
        ] {
            guard case .hosts(let hosts) = try await find(domain, hasVersion6: hasVersion6) else {
                Issue.record("no hosts for \(domain)")
                continue
            }
            #expect(hosts.map(\.description) == places.map { "\($0):\(sink.port)" })
        }
        guard case .none(let report) = try await find("example.net", hasVersion6: false) else {
            Issue.record("a host that cannot be reached")
            return
        }
        #expect(report.word == "deferred" && report.reason.contains("IPv6 addresses only"), "\(report.reason)")
        #expect(report.failure?.cause == .unasked(nil))
        #expect(!MachineNetwork.current(sendingFrom: "192.0.2.1").hasVersion6)
        #expect(!MachineNetwork.current(sendingFrom: "2001:db8::1").hasVersion4)
    }

    @Test("hosts of equal preference take turns from message to message")
    func turns() async throws {
        let sink = try SinkSMTP()
        let zone = StaticResolver([
            "example.net": [.mx(10, "a.example.net"), .mx(10, "b.example.net")], "a.example.net": [.a("127.0.0.1")],
            "b.example.net": [.a("127.0.0.1")],
        ])
        let route = try Bench.route(.mx(port: sink.port))
        var first: Set<String> = []
        for number in 0..<12 {
            let report = await Bench.deliver(try Bench.message(id: "e\(number)"), over: route, resolver: zone)
            first.insert(report.remoteMTA?.first.map(String.init) ?? "")
        }
        #expect(first == ["a", "b"])
    }

    @Test("nobody listens, or a server that greets with a refusal: deferred, and no MAIL was sent")
    func unavailable() async throws {
        let report = await Bench.deliver(try Bench.message(), over: try Bench.route(.submission(host: "127.0.0.1", port: FreePort.next())))
        #expect(report.word == "deferred" && report.failure?.scope == .session && report.note?.isEmpty == false)
        #expect(await Bench.deliver(try Bench.message(), over: try Bench.route(.sink)).word == "accepted")
    }

    // MARK: TLS

    /// What a route asks, what the server shows, and what must come of it.
    struct TLSCase: Sendable, CustomTestStringConvertible {
        let level: Route.TLSLevel
        /// A certificate of certs/make-test-certs; nil: the server offers no STARTTLS.
        let certificate: String?
        let outcome: String
        var isEncrypted = true

        var testDescription: String { "\(level.rawValue) with \(certificate ?? "no TLS"): \(outcome)" }
    }

    static let tlsCases = [
        TLSCase(level: .verify, certificate: "good", outcome: "accepted"),
        TLSCase(level: .verify, certificate: "wrong-name", outcome: "deferred"),
        TLSCase(level: .verify, certificate: "unknown-ca", outcome: "deferred"),
        TLSCase(level: .verify, certificate: "expired", outcome: "deferred"),
        TLSCase(level: .verify, certificate: "self-signed", outcome: "deferred"),
        TLSCase(level: .verify, certificate: nil, outcome: "deferred"),
        TLSCase(level: .encrypt, certificate: "unknown-ca", outcome: "accepted"),
        TLSCase(level: .encrypt, certificate: nil, outcome: "deferred"),
        TLSCase(level: .may, certificate: "wrong-name", outcome: "accepted"),
        TLSCase(level: .may, certificate: nil, outcome: "accepted", isEncrypted: false),
    ]

    @Test("what a route asks of TLS is kept, or nothing of the message is sent")
    func tls() async throws {
        let folder = try TemporaryFolder()
        try await Command.succeed("/bin/bash", [Checkout.url("certs/make-test-certs").path, folder("certs")], within: .seconds(120))
        let trust = try TLSClientContext(trust: .caFile(folder("certs/ca.pem")))
        // The name of these certificates, at an address of loopback.
        let zone = StaticResolver(["r.example.com": [.mx(10, "mx.test.example.com")], "mx.test.example.com": [.a("127.0.0.1")]])
        for example in Self.tlsCases {
            let desk = RecordingDesk()
            let server = try example.certificate.map {
                try TLSServerContext(certificateChainFile: folder("certs/\($0).pem"), keyFile: folder("certs/\($0).key"))
            }
            let open = try await OpenListener.start(desk: desk, tls: server)
            let route = try Bench.route(.mx(port: open.port), tls: .starttls, level: example.level, trust: trust)
            let report = await Bench.deliver(try Bench.message(to: "reply@r.example.com"), over: route, resolver: zone)
            #expect(report.word == example.outcome, "\(example.testDescription): \(report)")
            if example.outcome == "accepted" {
                #expect(desk.mail.count == 1 && desk.mail.allSatisfy { $0.envelope.isEncrypted == example.isEncrypted })
                #expect((report.tls?.hasSuffix(" verified") ?? false) == (example.level == .verify))
            } else {
                #expect(desk.mail.isEmpty && desk.paths.isEmpty && !report.transcript.contains("> MAIL"), "\(example.testDescription)")
                #expect(report.failure?.scope == .session)
            }
            try await open.end()
        }
    }
}
