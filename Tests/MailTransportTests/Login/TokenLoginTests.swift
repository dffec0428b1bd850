import IMAP
import InternetMessage
import Logging
import OpenSSL
import SASL
import SMTP
import Synchronization
import TestKit
import Testing

@testable import MailTransport

/// Logins with access tokens at servers that stop taking them.
@Suite("logins with access tokens", .timeLimit(.minutes(5)))
struct TokenLoginTests {
    /// A token as long as real ones are, so that it does not fit into the AUTH line.
    private static func long(_ name: String) -> String { name + String(repeating: "x", count: 1500) }

    private func deliver(_ bench: TokenBench, to peer: LinePeer, mechanisms: [SASLMechanism] = SASLMechanism.withToken) async throws
        -> DeliveryReport
    {
        let route = try Bench.route(
            .submission(host: "127.0.0.1", port: peer.port),
            credentials: .init(source: bench.source.logins(of: "anna@example.com"), mechanisms: mechanisms, isLocal: true))
        return await Bench.deliver(try Bench.message(), over: route)
    }

    @Test("a token of any length, by either mechanism", arguments: ["XOAUTH2", "OAUTHBEARER"], ["short", long("long")])
    func accepted(_ mechanism: String, _ token: String) async throws {
        try await TokenBench.use({ _, _ in .json(TokenBench.token(token)) }) { bench in
            let peer = try await TokenServers.smtp(mechanism: mechanism) { $0 == token }
            #expect(try await deliver(bench, to: peer).word == "accepted")
            #expect(peer.connections.count == 1)
            await peer.stop()
        }
    }

    @Test("a token that ends before its time is exchanged once, and the message goes out", arguments: ["XOAUTH2", "OAUTHBEARER"])
    func endedToken(_ mechanism: String) async throws {
        try await TokenBench.use({ _, number in .json(TokenBench.token("t\(number)")) }) { bench in
            let peer = try await TokenServers.smtp(mechanism: mechanism) { $0 == "t2" }
            _ = try await bench.source.current()
            bench.pass(.seconds(1800))
            let report = try await deliver(bench, to: peer)
            #expect(report.word == "accepted", "\(report)")
            #expect(bench.server.requests.count == 2)
            #expect(peer.connections.count == 2)
            await peer.stop()
        }
    }

    @Test("a fresh token that is refused is the route's failure: the recipient keeps its mail, and nobody asks for more tokens")
    func freshTokenRefused() async throws {
        try await TokenBench.use({ _, number in .json(TokenBench.token("t\(number)")) }) { bench in
            let peer = try await TokenServers.smtp { _ in false }
            for _ in 0..<3 {
                let report = try await deliver(bench, to: peer)
                #expect(report.word == "deferred", "\(report)")
                #expect(report.failure?.cause == .authenticationFailed && report.failure?.scope == .session)
                #expect(report.failure?.reply?.code == 535)
                #expect(report.loginTrouble == nil)
                #expect(!report.transcript.contains("t1"))
            }
            #expect(bench.server.requests.count == 1)
            // Half an hour later one other token is tried, and no more.
            bench.pass(.seconds(1800))
            #expect(try await deliver(bench, to: peer).word == "deferred")
            #expect(bench.server.requests.count == 2)
            #expect(peer.connections.count == 5)
            await peer.stop()
        }
    }

    @Test(
        "without a token nothing is said to the server, and the reason is told",
        arguments: [(#"{"error":"invalid_grant"}"#, LoginTrouble.Remedy.person), (#"{"error":"server_error"}"#, .time)])
    func noToken(_ body: String, _ remedy: LoginTrouble.Remedy) async throws {
        try await TokenBench.use({ _, _ in .json(400, body) }) { bench in
            let peer = try await TokenServers.smtp { _ in true }
            let report = try await deliver(bench, to: peer)
            #expect(report.word == "deferred")
            #expect(report.loginTrouble?.remedy == remedy)
            #expect(report.reason.contains("[oauth.office]"), "\(report.reason)")
            #expect(!peer.connections.joined().contains { $0.hasPrefix("AUTH") || $0.hasPrefix("MAIL") })
            await peer.stop()
        }
    }

    private struct NoDesk: MailboxDesk {
        func cursors(account: String) async throws -> [MailboxName: MailboxCursor] { [:] }
        func store(_ messages: [FetchedMessage], account: String) async throws {}
        func advance(account: String, mailbox: MailboxName, uidValidity: UIDValidity, to uid: UID) async throws {}
    }

    private func poll(_ bench: TokenBench, at peer: LinePeer) async throws -> MailboxWatcher.Ending {
        let account = MailboxAccount(
            name: "anna", host: "127.0.0.1", port: peer.port, tls: .none, trust: try TLSClientContext(trust: .system),
            credentials: .init(source: bench.source.logins(of: "anna@example.com"), mechanisms: SASLMechanism.withToken, isLocal: true),
            mailboxes: [.named(.inbox)])
        let watcher = MailboxWatcher(account: account, desk: NoDesk(), eventLoops: Bench.eventLoops, logger: Bench.logger)
        return try await watcher.session(watches: false, now: Timestamp(seconds: 1_790_000_000))
    }

    @Test("a mailbox is read with a fresh token when the old one ended", arguments: ["XOAUTH2", "OAUTHBEARER"])
    func mailbox(_ mechanism: String) async throws {
        try await TokenBench.use({ _, number in .json(TokenBench.token("t\(number)")) }) { bench in
            let peer = try await TokenServers.imap(mechanism: mechanism) { $0 == "t2" }
            _ = try await bench.source.current()
            bench.pass(.seconds(1800))
            let ending = try await poll(bench, at: peer)
            #expect(ending.pollFinished && ending.loggedIn, "\(ending)")
            #expect(bench.server.requests.count == 2)
            #expect(peer.connections.count == 2)
            await peer.stop()
        }
    }

    @Test("a mailbox whose fresh token is refused is a refused login; without a token nobody connects")
    func mailboxRefused() async throws {
        try await TokenBench.use({ _, number in number == 1 ? .json(TokenBench.token("t")) : .json(400, #"{"error":"invalid_grant"}"#) }) {
            bench in
            let peer = try await TokenServers.imap { _ in false }
            let ending = try await poll(bench, at: peer)
            guard case .loginRefused? = ending.reason else {
                Issue.record("\(ending)")
                return
            }
            bench.pass(.seconds(3600))
            let trouble = try await poll(bench, at: peer)
            #expect(trouble.loginTrouble?.remedy == .person && trouble.reason == nil)
            #expect(trouble.note?.contains("postrider oauth login office") == true)
            #expect(peer.connections.count == 1)
            await peer.stop()
        }
    }
}
