import IMAP
import InternetMessage
import Logging
import MailTransport
import NIOPosix
import OpenSSL
import Outreach
import SASL
import SQLiteStore
import Synchronization
import TestKit
import Testing

@testable import Mailroom

/// A mailbox whose server refuses the login, or what it is asked for.
@Suite("mailboxes in trouble", .timeLimit(.minutes(4)))
struct MailboxPollerTests {
    private static func refuser() async throws -> LinePeer {
        try await LinePeer.start(greeting: "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready\r\n") { lines in
            let words = lines.last?.split(separator: " ").map(String.init) ?? []
            guard words.count > 1 else { return nil }
            return words[1] == "AUTHENTICATE" ? "\(words[0]) NO [AUTHENTICATIONFAILED] not you\r\n" : "\(words[0]) OK done\r\n"
        }
    }

    private struct Post {
        let board = MailboxBoard()
        let bell = Bell()
        let running: Task<Void, any Error>

        init(_ office: Office, at peer: LinePeer, login: String) throws {
            let account = MailboxAccount(
                name: "anna", host: "127.0.0.1", port: peer.port, tls: .none, trust: try TLSClientContext(trust: .system),
                credentials: .init(sasl: .password(Array("secret".utf8), user: "anna"), mechanisms: [.plain], isLocal: true),
                mailboxes: [.named(.inbox)])
            let logger = Logger(label: "tests") { _ in NotedLog(note: { _ in }) }
            let desk = WatermarkDesk(store: office.store, ids: office.ids, clock: office.clock, bell: Bell())
            let watcher = MailboxWatcher(account: account, desk: desk, eventLoops: MultiThreadedEventLoopGroup.singleton, logger: logger)
            let poller = MailboxPoller(
                account: "anna", desk: Swappable(.init(watcher: watcher, login: login)), store: office.store, board: board, bell: bell,
                clock: office.clock, jitter: { 0 }, logger: logger)
            running = Task { try await poller.run() }
        }

        func end() async {
            running.cancel()
            _ = try? await running.value
        }
    }

    /// Lets each wait pass until so many logins were tried.
    private func tries(_ count: Int, _ office: Office, _ peer: LinePeer) async throws {
        try await eventually("\(count) logins") {
            office.clock.wind(.seconds(3600))
            return peer.connections.count >= count
        }
    }

    @Test("three in a row are all; a restart keeps the alert and tries no more, a reload tries once, other credentials anew")
    func stops() async throws {
        let office = try Office()
        let peer = try await Self.refuser()
        let first = try Post(office, at: peer, login: "one")
        try await tries(3, office, peer)
        try await eventually("the alert") { first.board.troubles.count == 1 }
        for _ in 0..<20 {
            office.clock.wind(.seconds(86_400))
            await Task.yield()
        }
        #expect(peer.connections.count == 3)
        await first.end()

        let second = try Post(office, at: peer, login: "one")
        try await eventually("the alert again") { second.board.troubles.count == 1 }
        #expect(second.board.troubles.first?.words.contains("its login is refused since 2026-") == true)
        #expect(peer.connections.count == 3, "no login is tried that was refused already")
        second.bell.ring()
        try await eventually("one more") { peer.connections.count == 4 }
        try await eventually("the count") { try await office.store.loginRefusals(account: "anna")?.count == 4 }
        await second.end()
        #expect(peer.connections.count == 4)

        let third = try Post(office, at: peer, login: "two")
        try await tries(7, office, peer)
        try await eventually("the alert") { third.board.troubles.count == 1 }
        await third.end()
        #expect(peer.connections.count == 7)
        await peer.stop()
    }

    @Test(
        "a server that gives no message for hours costs none: they are taken in when it gives them",
        arguments: ["OK FETCH completed", "NO internal server error", "BAD internal server error"])
    func patience(answer: String) async throws {
        let office = try Office()
        let isHealthy = Atomic(false)
        let peer = try await LinePeer.start(greeting: "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready\r\n") { lines in
            let words = lines.last?.split(separator: " ").map(String.init) ?? []
            guard words.count > 1 else { return nil }
            switch (words[1], words.dropFirst(2).first) {
            case ("EXAMINE", _): return "* 2 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 3] x\r\n\(words[0]) OK done\r\n"
            case ("UID", "SEARCH"): return "* SEARCH 1 2\r\n\(words[0]) OK done\r\n"
            case ("UID", "FETCH") where isHealthy.load(ordering: .relaxed):
                let given = [1, 2].map { "* \($0) FETCH (UID \($0) RFC822.SIZE 17 BODY[] {17}\r\nSubject: \($0)\r\n\r\nx\r\n)\r\n" }
                return given.joined() + "\(words[0]) OK done\r\n"
            case ("UID", "FETCH"): return "\(words[0]) \(answer)\r\n"
            default: return "\(words[0]) OK done\r\n"
            }
        }
        let post = try Post(office, at: peer, login: "one")
        // Two hours in all, by small steps: a day would pass the first one over.
        for count in 1...8 {
            try await eventually("\(count) sessions") {
                if peer.connections.count < count { office.clock.wind(.seconds(120)) }
                return peer.connections.count >= count
            }
        }
        #expect(try await office.store.watermarks(account: "anna").isEmpty)
        #expect(try await office.store.incoming(state: .quarantined, after: nil, limit: 9).isEmpty)
        isHealthy.store(true, ordering: .relaxed)
        try await eventually("both") {
            office.clock.wind(.seconds(120))
            return try await office.store.watermarks(account: "anna").first?.lastUID == 2
        }
        #expect(try await office.store.incoming(state: .received, after: nil, limit: 9).count == 2)
        await post.end()
        await peer.stop()
    }
}
