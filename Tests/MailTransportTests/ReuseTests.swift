import DNS
import InternetMessage
import NIOCore
import OpenSSL
import SASL
import SMTP
import Synchronization
import TestKit
import Testing

@testable import MailTransport

/// Connections that serve several messages.
@Suite("connections used again", .timeLimit(.minutes(4)))
struct ReuseTests {
    static let checks = DeliveryChecks(mayLeave: { true }, finalDot: { true })
    /// Kept for longer than any test lasts.
    static let long = ConnectionLimits(idle: .seconds(60))
    /// Who asks for another one waits.
    static let one = ConnectionLimits(total: 1, idle: .seconds(60))

    private static func courier(
        _ peer: HostilePeer, _ connections: ConnectionLimits = long, dialect: Dialect = .smtp, timeouts: Timeouts = Timeouts()
    ) throws -> Courier {
        let kind: Route.Kind =
            dialect == .lmtp ? .lmtp(.host("127.0.0.1", port: peer.port)) : .submission(host: "127.0.0.1", port: peer.port)
        return Bench.courier(try Bench.route(kind, timeouts: timeouts, connections: connections))
    }

    @Test("messages follow one another on one connection, without RSET; each attempt has its own dialogue", arguments: [true, false])
    func sequence(pipelined: Bool) async throws {
        let peer = try await HostilePeer.start(.init(extensions: pipelined ? ["PIPELINING"] : []))
        let courier = try Self.courier(peer)
        var transcripts: [String] = []
        for _ in 0..<3 {
            let report = await courier.deliver(try Bench.message(), route: "r", checks: Self.checks)
            #expect(report.word == "accepted" && report.remoteMTA == "127.0.0.1[127.0.0.1]:\(peer.port)", "\(report)")
            transcripts.append(report.transcript)
        }
        #expect(peer.now.connections == 1 && peer.now.contents.count == 3 && peer.now.open == 1)
        #expect(!peer.now.lines.contains("RSET") && peer.now.lines.count { $0.hasPrefix("EHLO") } == 1)
        #expect(transcripts[0].hasPrefix("* connection 1 from 127.0.0.1:") && transcripts[0].contains("> EHLO"))
        #expect(transcripts[2].hasPrefix("* connection 1 from 127.0.0.1:"))
        #expect(transcripts[2].split(separator: "\n")[0].contains(" used again, for message 3; in clear"))
        #expect(!transcripts[2].contains("EHLO") && transcripts[2].contains("> MAIL FROM") && transcripts[2].contains("< 250 2.0.0 taken"))
        await courier.drain(within: .seconds(10))
        try await eventually("the end of the connection") { peer.now.open == 0 }
        #expect(peer.now.lines.last == "QUIT")
        await peer.stop()
    }

    @Test("the lower bound counts, the route's or the provider's", arguments: [(nil, 2), (3, 2), (1, 4), (2, 2)] as [(Int?, Int)])
    func bounded(provider: Int?, connections: Int) async throws {
        let peer = try await HostilePeer.start(.init(extensions: ["PIPELINING"]))
        let courier = try Self.courier(peer, ConnectionLimits(messages: 2, idle: .seconds(60)))
        for _ in 0..<4 {
            let message = try Bench.message(messagesPerConnection: provider)
            #expect(await courier.deliver(message, route: "r", checks: Self.checks).word == "accepted")
        }
        #expect(peer.now.connections == connections && peer.now.contents.count == 4)
        await courier.drain(within: .seconds(10))
        await peer.stop()
    }

    @Test("messages at the same time have a connection each, up to the limit; the rest follow on those")
    func atOnce() async throws {
        let peer = try await HostilePeer.start(.init(extensions: ["PIPELINING"]))
        var limits = Self.long
        limits.perHost = 3
        let courier = try Self.courier(peer, limits)
        let message = try Bench.message()
        await withTaskGroup(of: String.self) { group in
            for _ in 0..<40 { group.addTask { await courier.deliver(message, route: "r", checks: Self.checks).word } }
            for await word in group { #expect(word == "accepted") }
        }
        #expect((1...3).contains(peer.now.connections) && peer.now.contents.count == 40)
        await courier.drain(within: .seconds(10))
        await peer.stop()
    }

    @Test("a delivery that is cancelled while it waits for a connection ends at once")
    func cancelledWaiting() async throws {
        let peer = try await HostilePeer.start(.init(answers: [".": nil]))
        var limits = Self.long
        limits.total = 1
        let courier = try Self.courier(peer, limits)
        let message = try Bench.message()
        let first = Task { await courier.deliver(message, route: "r", checks: Self.checks) }
        try await eventually("the first message") { peer.now.contents.count == 1 }
        let second = Task { await courier.deliver(message, route: "r", checks: Self.checks) }
        second.cancel()
        #expect(await second.value.word == "deferred")
        first.cancel()
        #expect(await first.value.word == "ambiguous")
        await courier.drain(within: .seconds(10))
        #expect(peer.now.connections == 1)
        await peer.stop()
    }

    /// What a server says to a first message, and whether the second one finds the connection fit.
    struct Sequel: Sendable, CustomTestStringConvertible {
        let answers: [String: String]
        let word: String
        let connections: Int
        let reset: Bool
        var testDescription: String { "\(answers)" }

        init(_ answers: [String: String], _ word: String, isUsedAgain: Bool, reset: Bool = false) {
            self.answers = answers
            self.word = word
            connections = isUsedAgain ? 1 : 2
            self.reset = reset
        }
    }

    static let sequels = [
        Sequel(["RCPT bad@example.net": "550 5.1.1 no\r\n"], "rejected", isUsedAgain: true, reset: true),
        Sequel(["RCPT bad@example.net": "451 4.7.1 later\r\n"], "deferred", isUsedAgain: true, reset: true),
        Sequel(["RCPT bad@example.net": "552 5.2.2 full\r\n"], "deferred", isUsedAgain: true, reset: true),
        Sequel(["RCPT bad@example.net": "550 no\r\n", "RSET": "550 no\r\n"], "rejected", isUsedAgain: false, reset: true),
        Sequel(["RCPT bad@example.net": "503 5.5.1 what\r\n"], "deferred", isUsedAgain: false),
        Sequel(["RCPT bad@example.net": "421 4.3.2 bye\r\n"], "deferred", isUsedAgain: false),
        Sequel(["RCPT bad@example.net": "354 go\r\n"], "deferred", isUsedAgain: false),
    ]

    @Test("a clean refusal of the recipient leaves the connection fit; anything else ends it", arguments: sequels)
    func afterRefusal(_ sequel: Sequel) async throws {
        let peer = try await HostilePeer.start(.init(answers: sequel.answers.mapValues { $0 }))
        let courier = try Self.courier(peer, Self.one)
        let first = await courier.deliver(try Bench.message(to: "bad@example.net"), route: "r", checks: Self.checks)
        #expect(first.word == sequel.word, "\(first)")
        // There may be one connection, so this waits for the reset or for the end of the first.
        _ = await courier.deliver(try Bench.message(), route: "r", checks: Self.checks)
        #expect(peer.now.connections == sequel.connections)
        #expect(peer.now.lines.contains("RSET") == sequel.reset)
        await courier.drain(within: .seconds(10))
        await peer.stop()
    }

    @Test(
        "after a refusal at DATA or at the dot, and after a loss, the connection is not used again",
        arguments: [
            ["DATA": "451 4.3.0 no\r\n"], [".": "554 5.7.1 no\r\n"], [".": "452 4.3.1 no\r\n"], [".": "421 4.3.2 bye\r\n"],
            [".": "354 what\r\n"],
        ])
    func afterContent(_ answers: [String: String]) async throws {
        let peer = try await HostilePeer.start(.init(answers: answers.mapValues { $0 }))
        let courier = try Self.courier(peer, Self.one)
        for number in 1...2 {
            #expect(await courier.deliver(try Bench.message(), route: "r", checks: Self.checks).word != "accepted")
            #expect(peer.now.connections == number)
        }
        #expect(!peer.now.lines.contains("RSET"))
        await peer.stop()
    }

    @Test("LMTP: a store that took the message is used again, one that refused it is not")
    func lmtp() async throws {
        let peer = try await HostilePeer.start(
            .init(isLMTP: true, extensions: ["PIPELINING"], answers: [". full@example.net": "452 4.2.2 full\r\n"]))
        let courier = try Self.courier(peer, dialect: .lmtp)
        for (recipient, word, connections) in [
            ("a@example.net", "accepted", 1), ("full@example.net", "deferred", 1), ("b@example.net", "accepted", 2),
        ] {
            #expect(await courier.deliver(try Bench.message(to: recipient), route: "r", checks: Self.checks).word == word)
            #expect(peer.now.connections == connections)
        }
        await courier.drain(within: .seconds(10))
        await peer.stop()
    }

    @Test(
        "limits of messages, age and idleness end a connection with QUIT",
        arguments: [
            (ConnectionLimits(messages: 2, idle: .seconds(60)), [1, 1, 2, 2]),
            (ConnectionLimits(idle: .seconds(60), age: .zero), [1, 2, 3]),
            (ConnectionLimits(idle: .zero), [1, 2, 3]), (.single, [1, 2, 3]),
        ])
    func limits(_ limits: ConnectionLimits, _ connections: [Int]) async throws {
        let peer = try await HostilePeer.start(.init())
        let courier = try Self.courier(peer, limits)
        for expected in connections {
            #expect(await courier.deliver(try Bench.message(), route: "r", checks: Self.checks).word == "accepted")
            #expect(peer.now.connections == expected)
        }
        await courier.drain(within: .seconds(10))
        try await eventually("every QUIT") { peer.now.lines.count { $0 == "QUIT" } == connections.last }
        await peer.stop()
    }

    @Test("a connection that nobody needs is ended with QUIT by itself")
    func idle() async throws {
        let peer = try await HostilePeer.start(.init())
        let courier = try Self.courier(peer, ConnectionLimits(idle: .milliseconds(30)))
        #expect(await courier.deliver(try Bench.message(), route: "r", checks: Self.checks).word == "accepted")
        try await eventually("QUIT") { peer.now.lines.last == "QUIT" && peer.now.open == 0 }
        #expect(await courier.deliver(try Bench.message(), route: "r", checks: Self.checks).word == "accepted")
        #expect(peer.now.connections == 2)
        await peer.stop()
    }

    @Test("a courier that is retired ends what it keeps, and still delivers what it has begun")
    func retired() async throws {
        let peer = try await HostilePeer.start(.init())
        let courier = try Self.courier(peer)
        #expect(await courier.deliver(try Bench.message(), route: "r", checks: Self.checks).word == "accepted")
        #expect(peer.now.open == 1)
        courier.retire()
        try await eventually("QUIT") { peer.now.lines.last == "QUIT" && peer.now.open == 0 }
        #expect(await courier.deliver(try Bench.message(), route: "r", checks: Self.checks).word == "accepted")
        try await eventually("QUIT again") { peer.now.lines.count { $0 == "QUIT" } == 2 && peer.now.open == 0 }
        await peer.stop()
    }

    @Test("a drain does not wait longer than it may for a server that never lets go")
    func drainOfDeafServer() async throws {
        let peer = try await HostilePeer.start(.init(answers: ["QUIT": nil]))
        var timeouts = Timeouts()
        timeouts.quit = .seconds(3600)
        let courier = try Self.courier(peer, timeouts: timeouts)
        #expect(await courier.deliver(try Bench.message(), route: "r", checks: Self.checks).word == "accepted")
        await courier.drain(within: .milliseconds(50))
        try await eventually("the end") { peer.now.open == 0 }
        await peer.stop()
    }

    @Test("what a check takes back leaves the connection to the next message")
    func withdrawn() async throws {
        let peer = try await HostilePeer.start(.init())
        let courier = try Self.courier(peer, Self.one)
        let no = DeliveryChecks(mayLeave: { false }, finalDot: { true })
        for _ in 0..<2 {
            #expect(await courier.deliver(try Bench.message(), route: "r", checks: no).word == "withdrawn")
            #expect(await courier.deliver(try Bench.message(), route: "r", checks: Self.checks).word == "accepted")
        }
        #expect(peer.now.connections == 1 && peer.now.contents.count == 2)
        let late = DeliveryChecks(mayLeave: { true }, finalDot: { false })
        #expect(await courier.deliver(try Bench.message(), route: "r", checks: late).word == "withdrawn")
        #expect(await courier.deliver(try Bench.message(), route: "r", checks: Self.checks).word == "accepted")
        #expect(peer.now.connections == 2 && peer.now.contents.count == 3)
        await courier.drain(within: .seconds(10))
        await peer.stop()
    }

    @Test(
        "a server that says good-bye to an idle connection, or answers MAIL with it, costs the message nothing",
        arguments: [
            "421 4.4.2 idle too long\r\n", "503 5.5.1 what\r\n", "x\r\n",
        ])
    func farewell(_ words: String) async throws {
        // From the second MAIL on: the fresh connection hears it too, and that counts.
        let asked = Mutex(0)
        let peer = try await HostilePeer.start(.init(answers: ["MAIL": words], answersFromMail: 2))
        let courier = try Self.courier(peer)
        #expect(await courier.deliver(try Bench.message(), route: "r", checks: Self.checks).word == "accepted")
        let counting = DeliveryChecks(
            mayLeave: {
                asked.withLock { $0 += 1 }
                return true
            }, finalDot: { true })
        let report = await courier.deliver(try Bench.message(), route: "r", checks: counting)
        #expect(report.word == "deferred" && report.failure?.scope == .session && report.transcript.contains("> EHLO"), "\(report)")
        #expect(peer.now.connections == 2 && asked.withLock { $0 } == 2)
        await courier.drain(within: .seconds(10))
        await peer.stop()
    }

    @Test("a login is made once for each connection")
    func login() async throws {
        let peer = try await HostilePeer.start(
            .init(extensions: ["AUTH PLAIN"], answers: ["AUTH": "235 2.7.0 Welcome\r\n"]))
        let route = try Bench.route(
            .submission(host: "127.0.0.1", port: peer.port),
            credentials: .init(sasl: .password(Array("secret".utf8), user: "ann"), isLocal: true), connections: Self.long)
        let courier = Bench.courier(route)
        for _ in 0..<3 { #expect(await courier.deliver(try Bench.message(), route: "r", checks: Self.checks).word == "accepted") }
        #expect(peer.now.connections == 1 && peer.now.lines.count { $0.hasPrefix("AUTH") } == 1)
        await courier.drain(within: .seconds(10))
        await peer.stop()
    }

    @Test("TLS facts are told of each message on the connection")
    func secured() async throws {
        let folder = try TemporaryFolder()
        let files = try await CertificateFiles.selfSigned(in: folder)
        let peer = try await HostilePeer.start(
            .init(tls: try TLSServerContext(certificateChainFile: files.certificate, keyFile: files.key)))
        let route = try Bench.route(
            .submission(host: "127.0.0.1", port: peer.port), tls: .starttls, level: .verify,
            trust: try TLSClientContext(trust: .caFile(files.certificate)), connections: Self.long)
        let courier = Bench.courier(route)
        for number in 1...2 {
            let report = await courier.deliver(try Bench.message(), route: "r", checks: Self.checks)
            #expect(report.word == "accepted" && report.tls?.hasSuffix(" verified") == true, "\(report)")
            #expect(report.transcript.contains("TLSv1") && report.transcript.contains("> STARTTLS") == (number == 1))
        }
        #expect(peer.now.connections == 1)
        await courier.drain(within: .seconds(10))
        await peer.stop()
    }

    @Test("a host that is lost while its dot is being announced is the last of the attempt: the message is deferred, not taken back")
    func lostAtTheDot() async throws {
        let peer = try await HostilePeer.start(.init(answers: [".": "250 2.0.0 taken\r\n"]))
        let zone: [String: [StaticResolver.Record]] = [
            "example.net": [.mx(1, "a.example.net"), .mx(2, "b.example.net")], "a.example.net": [.a("127.0.0.1")],
            "b.example.net": [.a("127.0.0.1")],
        ]
        let announced = Mutex(false)
        // As the outbox does it: once the dot is announced, nothing may begin anew.
        let checks = DeliveryChecks(
            mayLeave: { announced.withLock { !$0 } },
            finalDot: {
                announced.withLock { $0 = true }
                await peer.dropAll()
                try? await eventually("the end of the connection") { peer.now.open == 0 }
                return true
            })
        let courier = Bench.courier(try Bench.route(.mx(port: peer.port)), resolver: StaticResolver(zone))
        let report = await courier.deliver(try Bench.message(), route: "r", checks: checks)
        #expect(report.word == "deferred" || report.word == "ambiguous", "\(report)")
        #expect(peer.now.connections == 1 && peer.now.contents.isEmpty)
        await peer.stop()
    }

    @Test("an attempt has two sessions at most, of those that were greeted, and five addresses")
    func sessions() async throws {
        let peer = try await HostilePeer.start(.init(answers: ["EHLO": "421 4.3.2 not now\r\n"]))
        let silent = try await HostilePeer.start(.init(answers: ["": "421 4.3.2 not now\r\n"]))
        let hosts = (0..<7).map { "h\($0).example.net" }
        var zone: [String: [StaticResolver.Record]] = ["example.net": hosts.enumerated().map { .mx($0, $1) }]
        for host in hosts { zone[host] = [.a("127.0.0.1")] }
        for (server, connections) in [(peer, 2), (silent, 5)] {
            let report = await Bench.deliver(
                try Bench.message(), over: try Bench.route(.mx(port: server.port)), resolver: StaticResolver(zone))
            #expect(report.word == "deferred" && report.remoteMTA?.hasPrefix("h\(connections - 1).") == true, "\(report)")
            #expect(server.now.connections == connections)
            await server.stop()
        }
    }
}
