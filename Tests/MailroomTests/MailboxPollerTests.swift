import IMAP
import InternetMessage
import Logging
import MailTransport
import NIOPosix
import OpenSSL
import Outreach
import SASL
import SQLiteStore
import TestKit
import Testing

@testable import Mailroom

/// A mailbox whose server refuses the login.
@Suite("refused logins", .timeLimit(.minutes(4)))
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
}
