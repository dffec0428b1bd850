import IMAP
import InternetMessage
import MailTransport
import SASL
import Synchronization
import TestKit
import Testing

/// Our IMAP client against Dovecot.
@Suite("mailboxes of a real server")
struct MailboxInteropTests {
    /// Keeps messages and marks as the store does: both or neither.
    final class Shelf: MailboxDesk {
        struct Full: Error {}
        typealias Call = @Sendable () async throws -> Void
        private let watch = Mutex<(left: Int, call: Call)?>(nil)
        private let state = Mutex((messages: [FetchedMessage](), cursors: [MailboxName: MailboxCursor](), room: Int.max))

        /// - Parameter room: messages it takes before it fails.
        init(room: Int = .max) { state.withLock { $0.room = room } }

        var messages: [FetchedMessage] { state.withLock { $0.messages } }
        var subjects: [String] {
            messages.map { String(decoding: $0.bytes, as: UTF8.self).split(separator: "\r\n").first.map(String.init) ?? "" }
        }
        /// Calls once, when so many messages more are kept, and keeps the reader waiting meanwhile.
        func onMessage(_ count: Int, _ call: @escaping Call) { watch.withLock { $0 = (count, call) } }

        func makeRoom() { state.withLock { $0.room = .max } }

        func cursors(account: String) async throws -> [MailboxName: MailboxCursor] { state.withLock { $0.cursors } }

        func store(_ messages: [FetchedMessage], account: String) async throws {
            try keep(messages)
            let call = watch.withLock { watch -> Call? in
                guard let left = watch?.left else { return nil }
                watch?.left = left - messages.count
                guard left <= messages.count else { return nil }
                defer { watch = nil }
                return watch?.call
            }
            try await call?()
        }

        private func keep(_ messages: [FetchedMessage]) throws {
            try state.withLock { state in
                for message in messages {
                    guard state.messages.count < state.room else { throw Full() }
                    state.messages.append(message)
                    state.cursors[message.mailbox] = MailboxCursor(uidValidity: message.uidValidity, lastUID: message.uid)
                }
            }
        }

        func advance(account: String, mailbox: MailboxName, uidValidity: UIDValidity, to uid: UID) async throws {
            state.withLock { $0.cursors[mailbox] = MailboxCursor(uidValidity: uidValidity, lastUID: uid) }
        }
    }

    static let user = "ann@example.com"

    static func letter(_ number: Int) -> [UInt8] {
        Array("Subject: Number \(number)\r\nFrom: bo@example.net\r\nMessage-ID: <\(number)@example.net>\r\n\r\nText\r\n".utf8)
    }

    private static func now() -> Timestamp { Timestamp(seconds: 1_790_000_000) }

    private static func watcher(
        _ dovecot: DovecotProcess, certificate: CertificateFiles, desk: Shelf, mechanism: SASLMechanism = .scramSHA256,
        password: String = "secret", tls: Route.TLSMode = .implicit,
        mailboxes: [ClientSession.Configuration.MailboxSelector] = [.named(.inbox)], access: ClientSession.Configuration.Access = .examine
    ) throws -> MailboxWatcher {
        let account = MailboxAccount(
            name: "ann", host: "localhost", port: tls == .implicit ? dovecot.imapsPort : dovecot.imapPort, tls: tls,
            trust: try Peers.trust(certificate), credentials: Peers.credentials(mechanism, password: password),
            mailboxes: mailboxes, access: access, lookback: .seconds(3650 * 86_400))
        return MailboxWatcher(account: account, desk: desk, eventLoops: Peers.eventLoops, logger: Peers.logger)
    }

    private static func dovecot(extra: String = "") async throws -> (DovecotProcess, CertificateFiles) {
        let certificate = try await CertificateFiles.selfSigned(in: try folder())
        let server = try await DovecotProcess.start(
            users: [.init(user, password: "secret")], certificate: certificate, allowsPlaintext: false, extra: extra)
        return (server, certificate)
    }

    /// Certificates outlive the function that makes them.
    private static func folder() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        kept.withLock { $0.append(folder) }
        return folder
    }
    private static let kept = Mutex([TemporaryFolder]())

    @Test(
        "a login by each mechanism, under each kind of TLS, reads the mailbox and touches no flag",
        arguments: [SASLMechanism.plain, .scramSHA256], [Route.TLSMode.implicit, .starttls])
    func login(_ mechanism: SASLMechanism, _ tls: Route.TLSMode) async throws {
        let (dovecot, certificate) = try await Self.dovecot()
        for number in 1...3 { try await dovecot.deliver(Self.letter(number), to: Self.user) }
        let before = try await dovecot.doveadm(["fetch", "-u", Self.user, "uid flags", "all"])
        let desk = Shelf()
        let watcher = try Self.watcher(dovecot, certificate: certificate, desk: desk, mechanism: mechanism, tls: tls)
        let ending = try await watcher.session(watches: false, now: Self.now())
        #expect(ending.loggedIn && ending.pollFinished && ending.reason == .loggedOut, "\(ending)\n\(dovecot.log)")
        #expect(desk.subjects == ["Subject: Number 1", "Subject: Number 2", "Subject: Number 3"])
        #expect(desk.messages.map(\.bytes) == (1...3).map(Self.letter) && desk.messages.allSatisfy { !$0.truncated })
        let after = try await dovecot.doveadm(["fetch", "-u", Self.user, "uid flags", "all"])
        #expect(after == before && !after.contains("Seen"))
        #expect(dovecot.log.contains("method=\(mechanism.rawValue)"), "\(dovecot.log)")

        let refused = try await Self.watcher(
            dovecot, certificate: certificate, desk: desk, mechanism: mechanism, password: "wrong", tls: tls
        )
        .session(watches: false, now: Self.now())
        guard case .loginRefused = refused.reason else { throw Unexpected(description: "\(refused)") }
        #expect(!refused.loggedIn && desk.messages.count == 3)
        await dovecot.end()
    }

    @Test("each message once: over reconnects, over a desk that fails in between, and anew when UIDVALIDITY changes")
    func resume() async throws {
        let (dovecot, certificate) = try await Self.dovecot()
        for number in 1...5 { try await dovecot.deliver(Self.letter(number), to: Self.user) }
        let desk = Shelf(room: 2)
        let watcher = try Self.watcher(dovecot, certificate: certificate, desk: desk)
        await #expect(throws: Shelf.Full.self) { try await watcher.session(watches: false, now: Self.now()) }
        #expect(desk.messages.count == 2)
        desk.makeRoom()
        for _ in 0..<2 { #expect(try await watcher.session(watches: false, now: Self.now()).pollFinished) }
        #expect(desk.subjects == (1...5).map { "Subject: Number \($0)" })
        try await dovecot.deliver(Self.letter(6), to: Self.user)
        #expect(try await watcher.session(watches: false, now: Self.now()).pollFinished)
        #expect(desk.subjects == (1...6).map { "Subject: Number \($0)" } && Set(desk.messages.map(\.uidValidity)).count == 1)

        // A mailbox that was made anew gives its UIDs from the start; nothing in it may be passed over.
        try await dovecot.doveadm(["mailbox", "update", "-u", Self.user, "--uid-validity", "77", "INBOX"])
        #expect(try await watcher.session(watches: false, now: Self.now()).pollFinished)
        let renewed = desk.messages.filter { $0.uidValidity.value == 77 }
        #expect(renewed.count == 6 && desk.messages.count == 12)
        #expect(try await watcher.session(watches: false, now: Self.now()).pollFinished)
        #expect(desk.messages.count == 12)
        await dovecot.end()
    }

    @Test("IDLE notices new deliveries at once, and a session that is cut off is taken up where it was", .timeLimit(.minutes(4)))
    func idle() async throws {
        let (dovecot, certificate) = try await Self.dovecot()
        try await dovecot.deliver(Self.letter(1), to: Self.user)
        let desk = Shelf()
        let watcher = try Self.watcher(dovecot, certificate: certificate, desk: desk)
        let first = Task { try await watcher.session(watches: true, now: Self.now()) }
        try await eventually("the first message\n\(dovecot.log)") { desk.messages.count == 1 }
        // No poll is due for minutes: only IDLE can tell of these.
        for number in 2...3 {
            try await dovecot.deliver(Self.letter(number), to: Self.user)
            try await eventually("message \(number)\n\(dovecot.log)", within: .seconds(20)) { desk.messages.count == number }
        }
        try await dovecot.doveadm(["kick", Self.user])
        let ending = try await first.value
        #expect(ending.pollFinished && ending.reason != .loggedOut, "\(ending)")
        try await dovecot.deliver(Self.letter(4), to: Self.user)
        let second = Task { try await watcher.session(watches: true, now: Self.now()) }
        try await eventually("message 4") { desk.messages.count == 4 }
        second.cancel()
        _ = try await second.value
        #expect(desk.subjects == (1...4).map { "Subject: Number \($0)" })
        await dovecot.end()
    }

    @Test(
        "what reading leaves behind is what conf says: read, or moved; the folder for junk is found by its mark",
        arguments: ["seen", "move"])
    func access(_ kind: String) async throws {
        let marked = """
            namespace inbox {
              mailbox Spamverdacht {
                auto = create
                special_use = \\Junk
              }
              mailbox Done {
                auto = create
              }
            }
            """
        let (dovecot, certificate) = try await Self.dovecot(extra: marked)
        for number in 1...3 { try await dovecot.deliver(Self.letter(number), to: Self.user) }
        try await dovecot.deliver(Self.letter(4), to: Self.user, mailbox: "Spamverdacht")
        let desk = Shelf()
        let watcher = try Self.watcher(
            dovecot, certificate: certificate, desk: desk, mailboxes: [.named(.inbox), .specialUse(.junk, orNamed: [])],
            access: kind == "seen" ? .seen : .move(MailboxName("Done")))
        for _ in 0..<2 {
            let ending = try await watcher.session(watches: false, now: Self.now())
            #expect(ending.pollFinished && ending.alerts.isEmpty, "\(ending)\n\(dovecot.log)")
        }
        #expect(Set(desk.subjects) == Set((1...4).map { "Subject: Number \($0)" }) && desk.messages.count == 4)
        func count(_ mailbox: String, _ search: String) async throws -> Int {
            try await dovecot.doveadm(["search", "-u", Self.user, "mailbox", mailbox, search]).split(separator: "\n").count
        }
        for mailbox in ["INBOX", "Spamverdacht"] {
            #expect(try await count(mailbox, "UNSEEN") == 0)
            #expect(try await count(mailbox, "SEEN") == (kind == "move" ? 0 : mailbox == "INBOX" ? 3 : 1))
        }
        #expect(try await count("Done", "ALL") == (kind == "move" ? 4 : 0))
        await dovecot.end()
    }

    @Test("what could not be moved is moved by a later session, once that can be")
    func movedLater() async throws {
        let (dovecot, certificate) = try await Self.dovecot()
        for number in 1...3 { try await dovecot.deliver(Self.letter(number), to: Self.user) }
        let desk = Shelf()
        let watcher = try Self.watcher(dovecot, certificate: certificate, desk: desk, access: .move(MailboxName("Later")))
        func count(_ mailbox: String) async throws -> Int {
            try await dovecot.doveadm(["search", "-u", Self.user, "mailbox", mailbox, "ALL"]).split(separator: "\n").count
        }
        for _ in 0..<2 {
            let ending = try await watcher.session(watches: false, now: Self.now())
            #expect(ending.pollFinished && ending.alerts.map(\.kind) == [.moveRefused], "\(ending)\n\(dovecot.log)")
        }
        #expect(try await count("INBOX") == 3)
        try await dovecot.doveadm(["mailbox", "create", "-u", Self.user, "Later"])
        #expect(try await watcher.session(watches: false, now: Self.now()).alerts.isEmpty)
        #expect(try await count("INBOX") == 0)
        #expect(try await count("Later") == 3 && desk.messages.count == 3)
        await dovecot.end()
    }

    @Test(
        "a server that is killed in the middle of a FETCH, again and again: nothing is lost and nothing comes twice",
        .timeLimit(.minutes(5)))
    func killed() async throws {
        let (dovecot, certificate) = try await Self.dovecot()
        let count = 60
        let padding = String(repeating: "All work and no play makes this a long letter.\r\n", count: 4000)
        for number in 1...count { try await dovecot.deliver(Self.letter(number) + Array(padding.utf8), to: Self.user) }
        let desk = Shelf()
        let watcher = try Self.watcher(dovecot, certificate: certificate, desk: desk)
        let kills = Mutex(0)
        for _ in 0..<7 where desk.messages.count < count {
            // The desk keeps the reader waiting until the server is killed, so that there is always something left to read.
            desk.onMessage(1) {
                try await dovecot.doveadm(["kick", Self.user])
                kills.withLock { $0 += 1 }
            }
            _ = try await watcher.session(watches: false, now: Self.now())
        }
        #expect(try await watcher.session(watches: false, now: Self.now()).pollFinished)
        #expect(desk.subjects == (1...count).map { "Subject: Number \($0)" })
        #expect(kills.withLock { $0 } >= 2, "the mailbox was read before the server could be killed")
        await dovecot.end()
    }

    @Test(
        "the whole server killed with all its processes at moments in the middle of a FETCH, and started again: each message comes once",
        .timeLimit(.minutes(4)))
    func treeKilled() async throws {
        let (dovecot, certificate) = try await Self.dovecot()
        let count = 200
        // Ten of them fill a FETCH, so that what is on its way at a kill is a small part of the mailbox.
        let padding = String(repeating: "All work and no play makes this a long letter.\r\n", count: 8500)
        for number in 1...count { try await dovecot.deliver(Self.letter(number) + Array(padding.utf8), to: Self.user) }
        let desk = Shelf()
        let watcher = try Self.watcher(dovecot, certificate: certificate, desk: desk)
        var kills: [Int] = []
        // What was on its way at a kill still arrives, so that a kill near the end of the mailbox could come too late.
        while kills.count < 12, desk.messages.count < count - 40 {
            // After so many messages of this session, and a little later: within a message, mostly.
            let delay = Duration.microseconds(Int.random(in: 0...1000))
            desk.onMessage(Int.random(in: 1...3)) {
                Task {
                    try await Task.sleep(for: delay)
                    dovecot.killTree()
                }
            }
            let ending = try await watcher.session(watches: false, now: Self.now())
            #expect(!ending.pollFinished, "it was killed too late, after \(desk.messages.count)")
            kills.append(desk.messages.count)
            try await dovecot.restart()
        }
        #expect(kills.count >= 10, "after each kill there were \(kills)")
        let taken = desk.messages.count
        #expect(taken > 0 && taken < count)
        #expect(try await watcher.session(watches: false, now: Self.now()).pollFinished)
        #expect(desk.subjects == (1...count).map { "Subject: Number \($0)" })
        #expect(Set(desk.messages.map(\.uidValidity)).count == 1)
        await dovecot.end()
    }

    @Test("later polls ask by STATUS for what is not selected, and what comes in there is noticed", .timeLimit(.minutes(4)))
    func status() async throws {
        let (dovecot, certificate) = try await Self.dovecot(extra: Self.junk)
        try await dovecot.deliver(Self.letter(1), to: Self.user, mailbox: "Junk")
        let desk = Shelf()
        let account = MailboxAccount(
            name: "ann", host: "localhost", port: dovecot.imapsPort, tls: .implicit, trust: try Peers.trust(certificate),
            credentials: Peers.credentials(.plain, password: "secret"),
            mailboxes: [.named(.inbox), .named(MailboxName("Junk"))], pollInterval: .milliseconds(300), lookback: .seconds(3650 * 86_400))
        let watcher = MailboxWatcher(account: account, desk: desk, eventLoops: Peers.eventLoops, logger: Peers.logger)
        let session = Task { try await watcher.session(watches: true, now: Self.now()) }
        for number in 2...8 {
            try await eventually("message \(number - 1)\n\(dovecot.log)") { desk.messages.count == number - 1 }
            try await dovecot.deliver(Self.letter(number), to: Self.user, mailbox: number.isMultiple(of: 3) ? "INBOX" : "Junk")
        }
        try await eventually("message 8\n\(dovecot.log)") { desk.messages.count == 8 }
        session.cancel()
        _ = try await session.value
        #expect(desk.subjects == (1...8).map { "Subject: Number \($0)" })
        await dovecot.end()
    }

    @Test("what a poll of a quiet folder costs: STATUS against opening it, searching it, and opening INBOX again")
    func statusOctets() async throws {
        let (dovecot, _) = try await Self.dovecot(extra: Self.junk)
        for number in 1...3 { try await dovecot.deliver(Self.letter(number), to: Self.user, mailbox: "Junk") }
        let client = try await LineClient.connect(port: dovecot.imapPort)
        func octets(_ commands: [String]) async throws -> Int {
            var total = 0
            for command in commands {
                try await client.send("a " + command)
                let lines = try await client.readLines { $0.hasPrefix("a ") }
                #expect(lines.last?.hasPrefix("a OK") == true, "\(lines)")
                total += lines.reduce(command.utf8.count + 4) { $0 + $1.utf8.count + 2 }
            }
            return total
        }
        _ = try await octets(["LOGIN \(Self.user) secret", "EXAMINE INBOX"])
        let opened = try await octets(["EXAMINE Junk", "UID SEARCH UID 4:*", "EXAMINE INBOX", "UID SEARCH UID 1:*"])
        let asked = try await octets(["STATUS Junk (MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ)", "NOOP", "UID SEARCH UID 1:*"])
        #expect(asked * 2 < opened, "\(asked) and \(opened) octets")
        print("one folder beside INBOX, one poll: \(opened) octets by EXAMINE, \(asked) by STATUS")
        client.close()
        await dovecot.end()
    }

    private static let junk = """
        namespace inbox {
          mailbox Junk {
            auto = create
          }
        }
        """

    @Test("a certificate that is not trusted ends the session before any login")
    func untrusted() async throws {
        let (dovecot, _) = try await Self.dovecot()
        let other = try await CertificateFiles.selfSigned(in: try Self.folder())
        let desk = Shelf()
        let ending = try await Self.watcher(dovecot, certificate: other, desk: desk).session(watches: false, now: Self.now())
        #expect(!ending.loggedIn && !ending.pollFinished && !dovecot.log.contains("Login:"), "\(ending)")
        await dovecot.end()
    }
}
