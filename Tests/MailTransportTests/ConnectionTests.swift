import DNS
import IMAP
import InternetMessage
import NIOCore
import NIOPosix
import OpenSSL
import SASL
import SMTP
import Synchronization
import TestKit
import Testing

@testable import MailTransport

/// How connections come about, and what is told when.
@Suite("connections", .timeLimit(.minutes(4)))
struct ConnectionTests {
    @Test("a name whose first address refuses: the session runs on the connection that stands")
    func severalAddresses() async throws {
        let peer = try await ScriptedPeer.mail()
        let loop = Bench.eventLoops.next()
        let host = Destination(
            name: "mx.example.com", place: .host("mx.example.com", port: peer.port), demand: TLSDemand(.may, .unverified(name: nil)))
        let order = DeliveryOrder(content: ByteBuffer(string: "x\r\n"))
        let connection = try await ClientConnection.open(
            to: host, route: try Bench.route(.submission(host: "mx.example.com", port: peer.port)),
            peer: .unverified(name: "mx.example.com"), order: order, pool: ConnectionPool(), number: 1, on: loop,
            names: FixedAddresses(["127.0.0.99", "127.0.0.1"], on: loop))
        guard case .ready = await order.next() else {
            Issue.record("something else than ready came first")
            return
        }
        connection.tell(order) { $0.start(Envelope(reversePath: [], recipients: [Envelope.Recipient(Array("bo@example.net".utf8))])) }
        guard case .announceFinalDot = await order.next() else {
            Issue.record("something else than the final dot came next")
            return
        }
        #expect(peer.lines.contains("MAIL FROM:<>"))
        connection.tell(order) { $0.closeNow() }
        guard case .ended(let ending) = await order.next() else {
            Issue.record("there is no end")
            return
        }
        #expect(ending.outcome?.failure?.cause == .connectionLost && ending.isGreeted)
        await peer.stop()
    }

    @Test("a mailbox whose server has two addresses is read by the connection that stands")
    func severalAddressesOfMailbox() async throws {
        let peer = try await ScriptedPeer.start(greeting: "* BYE not today\r\n", [:])
        let loop = Bench.eventLoops.next()
        let account = MailboxAccount(
            name: "a", host: "imap.example.com", port: peer.port, tls: .none, trust: try TLSClientContext(trust: .system),
            credentials: .init(sasl: .password(Array("x".utf8), user: "a"), isLocal: true), mailboxes: [.named(.inbox)])
        let watcher = MailboxWatcher(
            account: account, desk: NoDesk(), eventLoops: loop, logger: Bench.logger,
            names: FixedAddresses(["127.0.0.99", "127.0.0.1"], on: loop))
        let ending = try await watcher.session(watches: false, now: Timestamp(seconds: 1_790_000_000))
        #expect(ending.reason == .bye(text: Array("not today".utf8)))
        await peer.stop()
    }

    private struct NoDesk: MailboxDesk {
        func cursors(account: String) async throws -> [MailboxName: MailboxCursor] { [:] }
        func store(_ messages: [FetchedMessage], account: String) async throws {}
        func advance(account: String, mailbox: MailboxName, uidValidity: UIDValidity, to uid: UID) async throws {}
    }

    @Test("a peer that takes the connection and never shakes hands is given up at the handshake's time limit")
    func silentHandshake() async throws {
        let peer = try await ScriptedPeer.start(greeting: nil, [:])
        var timeouts = Timeouts()
        timeouts.tls = .milliseconds(200)
        let report = await Bench.deliver(
            try Bench.message(),
            over: try Bench.route(.submission(host: "127.0.0.1", port: peer.port), tls: .implicit, level: .verify, timeouts: timeouts))
        #expect(report.word == "deferred" && report.failure?.stage == .tls && report.failure?.cause == .timeout, "\(report)")
        #expect(report.reason.contains("did not answer in time in the TLS handshake"))
        await peer.stop()
    }

    @Test(
        "the outcome is told when it is known, whatever becomes of the rest of the dialogue",
        arguments: [
            ([:], "accepted"), (["RCPT": "550 5.1.1 no\r\n"], "rejected"), (["DATA": "451 4.3.0 no\r\n"], "deferred"),
            ([".": "554 5.7.1 no\r\n"], "rejected"), (["EHLO": "421 4.3.0 no\r\n"], "deferred"),
        ] as [([String: String], String)])
    func outcomeBeforeFarewell(_ answers: [String: String], _ word: String) async throws {
        // It never answers RSET or QUIT, and the client would wait for an hour.
        var changes: [String: String?] = answers.mapValues { $0 }
        changes["QUIT"] = .some(nil)
        changes["RSET"] = .some(nil)
        let peer = try await ScriptedPeer.mail(changes)
        var timeouts = Timeouts()
        timeouts.quit = .seconds(3600)
        timeouts.reset = .seconds(3600)
        let report = await Bench.deliver(
            try Bench.message(), over: try Bench.route(.submission(host: "127.0.0.1", port: peer.port), timeouts: timeouts))
        #expect(report.word == word, "\(report)")
        if word == "accepted" { try await eventually("the farewell") { peer.lines.last == "QUIT" } }
        await peer.stop()
    }

    @Test("a server whose TLS is broken gets the mail in clear at the next attempt, and is tried with TLS again later")
    func brokenTLS() async throws {
        let peer = try await ScriptedPeer.mail([
            "EHLO": "250-peer\r\n250 STARTTLS\r\n", "STARTTLS": "220 go\r\n", "\u{16}\u{3}\u{1}": "no TLS\r\n",
        ])
        let hours = Mutex(0)
        let begin = ContinuousClock.now
        func courier(_ route: Route) -> Courier {
            Courier(routes: [route], resolver: StaticResolver([:]), eventLoops: Bench.eventLoops, seed: 1, logger: Bench.logger) {
                begin + .seconds(3600 * hours.withLock { $0 })
            }
        }
        var timeouts = Timeouts()
        timeouts.tls = .milliseconds(200)
        let kind = Route.Kind.submission(host: "127.0.0.1", port: peer.port)
        let checks = DeliveryChecks(mayLeave: { true }, finalDot: { true })
        for (level, words) in [
            (Route.TLSLevel.may, ["deferred", "accepted", "deferred"]), (.encrypt, ["deferred", "deferred", "deferred"]),
        ] {
            hours.withLock { $0 = 0 }
            let courier = courier(try Bench.route(kind, tls: .starttls, level: level, timeouts: timeouts))
            for (index, word) in words.enumerated() {
                if index == 2 { hours.withLock { $0 = 7 } }
                let report = await courier.deliver(try Bench.message(attempts: index), route: "r", checks: checks)
                #expect(report.word == word, "\(level) \(index): \(report)")
                if word == "deferred" { #expect(report.failure?.stage == .tls && report.failure?.scope == .session) }
            }
        }
        await peer.stop()
    }

    @Test(
        "so is one that breaks off when its STARTTLS is taken up; one that says try again is not",
        arguments: [("421 4.3.0 no\r\n", "accepted"), ("454 4.7.0 not now\r\n", nil)])
    func brokenOffer(_ answer: String, _ second: String?) async throws {
        let peer = try await ScriptedPeer.mail(["EHLO": "250-peer\r\n250 STARTTLS\r\n", "STARTTLS": answer])
        let courier = Bench.courier(
            try Bench.route(.submission(host: "127.0.0.1", port: peer.port), tls: .starttls, level: .may))
        let checks = DeliveryChecks(mayLeave: { true }, finalDot: { true })
        let first = await courier.deliver(try Bench.message(), route: "r", checks: checks)
        // A 454 leaves the session open: it goes on in clear.
        #expect(first.word == (second == nil ? "accepted" : "deferred"), "\(first)")
        guard let second else { return await peer.stop() }
        #expect(first.failure?.stage == .startTLS)
        let again = await courier.deliver(try Bench.message(attempts: 1), route: "r", checks: checks)
        #expect(again.word == second, "\(again)")
        await peer.stop()
    }

    @Test("what is said of a failure has words for a person and no name of our code")
    func words() async throws {
        let closed = await Bench.deliver(try Bench.message(), over: try Bench.route(.submission(host: "127.0.0.1", port: FreePort.next())))
        #expect(closed.reason.contains("connection refused"), "\(closed.reason)")
        let causes: [DeliveryFailure.Cause] = [
            .replyCode, .protocolError(.unexpectedReply), .protocolError(.unsolicitedInput), .protocolError(.malformedChallenge),
            .connectionLost, .timeout, .tlsUnavailable, .tlsFailed, .authenticationFailed, .authenticationUnavailable,
            .extensionMissing(.smtpUTF8), .extensionMissing(.eightBitMIME), .extensionMissing(.size(limit: 10)),
            .refusedForSafety(.unsafeCommand), .refusedForSafety(.credentialsNeedVerifiedTLS), .refusedForSafety(.abandoned),
            .refusedForSafety(.sessionNotReady),
        ]
        for cause in causes {
            for stage in Stage.allCases {
                let failure = DeliveryFailure(stage: stage, scope: .session, cause: cause)
                let report = DeliveryReport(result: .outcome(.deferred(failure)), remoteMTA: "mx.example.com[192.0.2.1]:25", note: "why")
                #expect(report.reason.hasSuffix("(why)") && report.reason.contains(" "))
                for name in ["\(cause)", "SMTP.", "Error", "Fault", "(code:"] { #expect(!report.reason.contains(name), "\(report.reason)") }
            }
        }
    }

    @Test("a courier that is cancelled while it connects ends at once")
    func cancelledConnect() async throws {
        // An address for documentation (RFC 5737): nobody answers, or the machine says at once that there is no way.
        let route = try Bench.route(.submission(host: "192.0.2.1", port: 25))
        let message = try Bench.message()
        let delivery = Task { await Bench.deliver(message, over: route) }
        delivery.cancel()
        #expect(await delivery.value.word == "deferred")
    }
}
