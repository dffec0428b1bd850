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

        init(
            _ office: Office, at peer: LinePeer, login: String, pollInterval: Duration = .seconds(300),
            access: ClientSession.Configuration.Access = .examine
        ) throws {
            let account = MailboxAccount(
                name: "anna", host: "127.0.0.1", port: peer.port, tls: .none, trust: try TLSClientContext(trust: .system),
                credentials: .init(sasl: .password(Array("secret".utf8), user: "anna"), mechanisms: [.plain], isLocal: true),
                mailboxes: [.named(.inbox)], access: access, pollInterval: pollInterval)
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

    /// A mailbox with three messages.
    private final class Box: Sendable {
        private let state = Mutex((denied: Set<Int>(), present: [1, 2, 3], validity: 7))

        func deny(_ uids: Set<Int>) { state.withLock { $0.denied = uids } }
        func remove(_ uid: Int) { state.withLock { state in state.present.removeAll { $0 == uid } } }
        func numberAnew() { state.withLock { $0.validity = 8 } }

        func answer(_ words: [String]) -> String {
            let (denied, present, validity) = state.withLock { $0 }
            let text = words.dropFirst(3).joined(separator: " ")
            switch (words[1], words.dropFirst(2).first) {
            case ("EXAMINE", _):
                return "* \(present.count) EXISTS\r\n* OK [UIDVALIDITY \(validity)] x\r\n* OK [UIDNEXT 4] x\r\n\(words[0]) OK done\r\n"
            case ("UID", "SEARCH"):
                let first = Int(text.split(separator: " ").last?.prefix { $0 != ":" } ?? "") ?? 1
                let found = present.filter { text.contains("UID") && !text.contains(":") && text != "UID *" ? $0 == first : $0 >= first }
                return "* SEARCH \(found.map(String.init).joined(separator: " "))\r\n\(words[0]) OK done\r\n"
            case ("UID", "FETCH"):
                let range = words[3].split(separator: ",").flatMap { part -> [Int] in
                    let ends = part.split(separator: ":").compactMap { Int($0) }
                    return Array((ends.first ?? 1)...(ends.last ?? 1))
                }
                let asked = present.filter(range.contains)
                if asked.contains(where: denied.contains), text.contains("BODY") { return "\(words[0]) NO internal error\r\n" }
                let given = asked.map { "* \($0) FETCH (UID \($0) RFC822.SIZE 17 BODY[] {17}\r\nSubject: \($0)\r\n\r\nx\r\n)\r\n" }
                return given.joined() + "\(words[0]) OK done\r\n"
            default: return "\(words[0]) OK done\r\n"
            }
        }
    }

    /// A mailbox of which the second message was passed over, watched with an eye on the store.
    private func passedOver(_ office: Office) async throws -> (box: Box, peer: LinePeer, post: Post, record: IncomingMessage.ID) {
        let box = Box()
        box.deny([2])
        let peer = try await LinePeer.start(greeting: "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready\r\n") { lines in
            let words = lines.last?.split(separator: " ").map(String.init) ?? []
            return words.count > 1 ? box.answer(words) : nil
        }
        let post = try Post(office, at: peer, login: "one", pollInterval: .milliseconds(50))
        try await eventually("the message is passed over") {
            office.clock.wind(.seconds(60))
            return try await office.store.watermarks(account: "anna").first?.lastUID == 3
        }
        let record = try #require(try await office.store.incoming(state: .quarantined, after: nil, limit: 9).first)
        #expect(record.bytes == [] && record.origin.hasSuffix("uid 2, not read"))
        #expect(try await office.store.incoming(state: .received, after: nil, limit: 9).count == 2)
        return (box, peer, post, record.id)
    }

    @Test("a message passed over is fetched anew when it is asked for, once, and takes the place of its record")
    func refetch() async throws {
        let office = try Office()
        let (box, peer, post, record) = try await passedOver(office)
        box.deny([])
        try await Task.sleep(for: .milliseconds(200))
        #expect(try await office.store.incoming(id: record)?.state == .quarantined, "nobody asked for it")
        #expect(try await office.store.retryQuarantined(nil, at: office.clock.now()) == RetryTally(fetched: 1))
        try await eventually("it is taken in") { try await office.store.incoming(id: record)?.state == .received }
        let taken = try #require(try await office.store.incoming(id: record))
        #expect(taken.bytes == Array("Subject: 2\r\n\r\nx\r\n".utf8) && taken.reason == nil && taken.account == "anna")
        #expect(try await office.store.incoming(state: .received, after: nil, limit: 9).count == 3)
        #expect(try await office.store.watermarks(account: "anna").first?.lastUID == 3)
        #expect(try await office.store.passedOver(account: nil) == [])
        await post.end()
        await peer.stop()
    }

    @Test("one that is still not given is tried three times, rests between, and costs no other message")
    func refetchInVain() async throws {
        let office = try Office()
        let (_, peer, post, record) = try await passedOver(office)
        _ = try await office.store.retryQuarantined([record], at: office.clock.now())
        for tries in 1...3 {
            try await eventually("\(tries) tries") { try await office.store.passedOver(account: "anna").first?.tries == tries }
            try await Task.sleep(for: .milliseconds(200))
            #expect(try await office.store.passedOver(account: "anna").first?.tries == tries, "it rests")
            office.clock.wind(.seconds(901))
        }
        #expect(try await office.store.passedOver(account: "anna").first?.wantedFrom == nil)
        let reason = try #require(try await office.store.incoming(id: record)?.reason)
        #expect(reason.contains("the server has it and does not give its text; it is not tried again unless 'intake retry' asks for it"))
        #expect(try await office.store.incoming(id: record)?.state == .quarantined)
        await post.end()
        await peer.stop()
    }

    @Test("one that is gone, or whose folder was numbered anew, says so and is not asked for again", arguments: [true, false])
    func refetchOfNothing(isGone: Bool) async throws {
        let office = try Office()
        let (box, peer, post, record) = try await passedOver(office)
        box.deny([])
        if isGone { box.remove(2) } else { box.numberAnew() }
        _ = try await office.store.retryQuarantined(nil, at: office.clock.now())
        // A session sees the new number when it opens the folder.
        if !isGone { await post.end() }
        let next = isGone ? post : try Post(office, at: peer, login: "one", pollInterval: .milliseconds(50))
        try await eventually("it is given up") {
            office.clock.wind(.seconds(60))
            return try await office.store.passedOver(account: nil).isEmpty
        }
        let reason = try #require(try await office.store.incoming(id: record)?.reason)
        #expect(reason.contains(isGone ? "it is in its folder no more" : "UIDVALIDITY changed"))
        #expect(try await office.store.retryQuarantined(nil, at: office.clock.now()) == RetryTally(hopeless: 1))
        await next.end()
        await peer.stop()
    }

    @Test("what sessions ended over is known after a restart, with the hour at which it began")
    func restart() async throws {
        let office = try Office()
        let peer = try await LinePeer.start(greeting: "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready\r\n") { lines in
            let words = lines.last?.split(separator: " ").map(String.init) ?? []
            guard words.count > 1 else { return nil }
            let box = Box()
            box.deny([1, 2, 3])
            return box.answer(words)
        }
        let first = try Post(office, at: peer, login: "one")
        try await eventually("three sessions") {
            office.clock.wind(.seconds(60))
            return peer.connections.count >= 4
        }
        await first.end()
        let kept = try await office.store.readingTroubles(account: "anna")
        let place = MailboxPlace(account: "anna", folder: "INBOX", uidValidity: 7, uid: 1)
        let since = try #require(kept[place]?.since)
        #expect(try #require(kept[place]?.shared) >= 3)

        // A day later one more session is enough.
        office.clock.wind(.seconds(86_400))
        let second = try Post(office, at: peer, login: "one")
        try await eventually("it is passed over") { try await office.store.passedOver(account: "anna").map(\.place) == [place] }
        #expect(office.clock.now() - since < .seconds(2 * 86_400))
        await second.end()
        await peer.stop()
    }

    /// A server with three messages that marks nothing until it is told to; what it was asked to mark.
    private final class Marker: Sendable {
        private let state = Mutex((isWilling: false, asked: [String]()))

        var asked: [String] { state.withLock { $0.asked } }
        func relent() { state.withLock { $0 = (true, []) } }

        func answer(_ words: [String], to box: Box) -> String {
            guard words.count > 2, words[1] == "UID", words[2] == "STORE" else {
                return box.answer(words.map { $0 == "SELECT" ? "EXAMINE" : $0 })
            }
            let isWilling = state.withLock { state in
                state.asked.append(words[3])
                return state.isWilling
            }
            return "\(words[0]) \(isWilling ? "OK" : "NO not now")\r\n"
        }
    }

    /// What a server refused to mark, as the store has it after the process that asked for it ended.
    private func refusedMarks(_ office: Office) async throws -> (marker: Marker, box: Box, peer: LinePeer) {
        let box = Box()
        let marker = Marker()
        let peer = try await LinePeer.start(greeting: "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready\r\n") { lines in
            let words = lines.last?.split(separator: " ").map(String.init) ?? []
            return words.count > 1 ? marker.answer(words, to: box) : nil
        }
        let first = try Post(office, at: peer, login: "one", access: .seen)
        try await eventually("the refusal") { !marker.asked.isEmpty }
        await first.end()
        #expect(try await office.store.undisposed(account: "anna").map(\.uid) == [1, 2, 3])
        marker.relent()
        return (marker, box, peer)
    }

    @Test("what a server refused to mark is marked after a restart, and not asked for again after that")
    func marksAfterRestart() async throws {
        let office = try Office()
        let (marker, _, peer) = try await refusedMarks(office)
        let second = try Post(office, at: peer, login: "one", access: .seen)
        try await eventually("they are marked") { try await office.store.undisposed(account: "anna").isEmpty }
        #expect(marker.asked == ["1:3"])
        await second.end()
        let third = try Post(office, at: peer, login: "one", pollInterval: .milliseconds(20), access: .seen)
        let before = peer.connections.count
        try await eventually("another session") { peer.connections.count > before || peer.connections.count >= 3 }
        try await Task.sleep(for: .milliseconds(200))
        await third.end()
        #expect(marker.asked == ["1:3"])
        await peer.stop()
    }

    @Test("what is not to be marked any more, or was numbered anew, is forgotten", arguments: [true, false])
    func marksForgotten(isExamined: Bool) async throws {
        let office = try Office()
        let (marker, box, peer) = try await refusedMarks(office)
        if !isExamined {
            for uid in 1...3 { box.remove(uid) }
            box.numberAnew()
        }
        let second = try Post(office, at: peer, login: "one", access: isExamined ? .examine : .seen)
        try await eventually("they are forgotten") { try await office.store.undisposed(account: "anna").isEmpty }
        await second.end()
        #expect(marker.asked.isEmpty)
        await peer.stop()
    }
}
