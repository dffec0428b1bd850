import Testing

@testable import IMAP

@Suite("exactly once")
struct ResumeTests {
    private static func server() -> MailboxServer {
        var inbox = MailboxServer.Mailbox()
        for (index, gap) in [0, 4, 0, 1, 0].enumerated() {
            inbox.arrive(bytes("Subject: \(index)\r\n\r\nA\(index) OK (done) {5}\r\n"), gap: UInt32(gap))
        }
        inbox.arrive([])
        var junk = MailboxServer.Mailbox(validity: 3)
        junk.arrive(bytes("Subject: junk\r\n\r\nx"))
        return MailboxServer(["INBOX": inbox, "Junk": junk])
    }

    private static let all: [MailboxReader.Key] =
        [.init(mailbox: "Junk", validity: 3, uid: 1)] + [1, 6, 7, 9, 10, 11].map { .init(mailbox: "INBOX", validity: 7, uid: $0) }

    private static func reader(_ access: ClientSession.Configuration.Access) -> MailboxReader {
        var reader = MailboxReader(["INBOX", "Junk"])
        reader.configuration.access = access
        reader.configuration.batchCount = 2
        return reader
    }

    private func check(_ reader: MailboxReader, _ server: MailboxServer, _ note: String) -> Bool {
        guard reader.stored == Self.all, reader.faults.isEmpty, server.offences.isEmpty, reader.skipped.isEmpty else {
            Issue.record("\(note): \(reader.stored) \(reader.faults) \(server.offences) \(reader.skipped)")
            return false
        }
        return true
    }

    @Test(
        "dropped after every byte and resumed",
        arguments: [
            (ClientSession.Configuration.Access.examine, MailboxReader.Commits.late), (.seen, .atOnce), (.move(MailboxName("Done")), .late),
        ])
    func dropped(access: ClientSession.Configuration.Access, commits: MailboxReader.Commits) {
        var whole = Self.server()
        var first = Self.reader(access)
        let ending = first.connect(&whole, commits: commits)
        #expect(ending.isFinished)
        guard check(first, whole, "whole") else { return }
        for cut in 0..<ending.fed {
            var server = Self.server()
            var reader = Self.reader(access)
            #expect(reader.connect(&server, cut: cut, commits: commits).reason == .connectionLost)
            #expect(reader.connect(&server, commits: commits).isFinished)
            if cut % 10 == 0 { #expect(reader.connect(&server, commits: commits).isFinished) }
            guard check(reader, server, "cut at \(cut)") else { return }
        }
    }

    @Test("each connection lasts one byte longer than the one before", arguments: [1, 3])
    func growing(piece: Int) {
        var server = Self.server()
        var reader = Self.reader(.seen)
        var cut = 0
        while !reader.connect(&server, cut: cut, piece: piece).isFinished, cut < 100_000 { cut += 1 }
        #expect(cut < 100_000)
        _ = check(reader, server, "growing")
        for (_, mailbox) in server.mailboxes {
            // What was committed in a connection that broke before the STORE stays unmarked: marking is a courtesy, never the record.
            #expect(mailbox.messages.allSatisfy { $0.flags.count <= 1 })
        }
    }

    @Test("the bodies are stored as they are")
    func bodies() {
        var server = Self.server()
        var reader = Self.reader(.examine)
        #expect(reader.connect(&server, piece: 1).isFinished)
        for (name, mailbox) in server.mailboxes {
            for message in mailbox.messages {
                #expect(reader.bodies[.init(mailbox: name, validity: mailbox.validity, uid: message.uid)] == message.bytes)
            }
        }
    }

    @Test(
        "a mailbox that was restored or made anew under the same UIDVALIDITY loses no mail",
        arguments: [
            // How many of the old messages are there again, how many are new, how many changes of numbering are told.
            (0, 3, 1), (3, 0, 1), (3, 2, 0), (0, 0, 1), (2, 1, 1), (5, 0, 0), (0, 7, 0),
        ])
    func restored(kept: Int, new: Int, changes: Int) {
        func body(_ text: String) -> [UInt8] { bytes("Subject: \(text)\r\n\r\n") }
        var inbox = MailboxServer.Mailbox()
        for number in 0..<5 { inbox.arrive(body("old \(number)")) }
        var server = MailboxServer(["INBOX": inbox])
        var reader = MailboxReader()
        #expect(reader.connect(&server).isFinished == true)
        #expect(reader.stored.map(\.uid) == [1, 2, 3, 4, 5])
        var other = MailboxServer.Mailbox()
        for number in 0..<kept { other.arrive(body("old \(number)")) }
        for number in 0..<new { other.arrive(body("new \(number)")) }
        server.mailboxes["INBOX"] = other
        server.stored["INBOX"] = nil
        for _ in 0..<3 { #expect(reader.connect(&server).isFinished == true) }
        #expect(reader.validityChanges == changes)
        let read = reader.stored.dropFirst(5).map(\.uid)
        if changes > 0 { #expect(read == (0..<kept + new).map { UInt32($0 + 1) }, "all of it, once") }
        // What comes then is read whatever was before.
        server.mailboxes["INBOX"]?.arrive(body("later"))
        #expect(reader.connect(&server).isFinished == true)
        #expect(reader.stored.last?.uid == other.next)
        #expect(reader.validityChanges == changes)
        #expect(reader.faults == [] && server.offences == [])
    }

    @Test("a mailbox that one stays on is opened anew at each sixth look", arguments: [(0, 1), (5, 1), (6, 2), (11, 2), (12, 3)])
    func reopened(polls: Int, openings: Int) {
        var server = Self.server()
        var reader = MailboxReader()
        reader.morePolls = polls
        #expect(reader.connect(&server).isFinished == true)
        #expect(server.commands.count { $0.contains("EXAMINE") } == openings)
        #expect(reader.faults == [] && server.offences == [])
    }

    @Test("a misbehaving server, dropped connections, mail that arrives and UIDVALIDITY that changes", arguments: 0..<150)
    func hostile(seed: Int) {
        var random = SeededGenerator(state: UInt64(seed))
        var server = Self.server()
        server.random = SeededGenerator(state: UInt64(seed) &* 7919)
        server.faults = .init(
            shuffled: 300, repeated: 200, unsolicited: 200, omitted: 100, garbage: 150, wrongSize: 100,
            refusedFetch: seed % 3 == 0 ? 150 : 0)
        var reader = Self.reader([.examine, .seen][seed % 2])
        reader.configuration.batchSize = [10, 100, 10_000][seed % 3]
        var changes = 0
        for round in 0..<30 {
            let isQuiet = round >= 25
            if isQuiet { server.faults = .init() }
            if !isQuiet, Int.random(in: 0..<4, using: &random) == 0 {
                server.mailboxes["INBOX"]?.arrive(bytes("Subject: \(round)\r\n\r\n"), gap: UInt32.random(in: 0...3, using: &random))
            }
            if round == 10, seed % 5 == 0, let inbox = server.mailboxes["INBOX"], reader.cursors[.inbox] != nil {
                var renumbered = MailboxServer.Mailbox(validity: 8)
                for message in inbox.messages { renumbered.arrive(message.bytes) }
                server.mailboxes["INBOX"] = renumbered
                server.stored["INBOX"] = nil
                changes = 1
            }
            _ = reader.connect(
                &server, cut: isQuiet ? .max : Int.random(in: 0...6000, using: &random), piece: Int.random(in: 1...300, using: &random),
                commits: Bool.random(using: &random) ? .atOnce : .late)
        }
        #expect(reader.faults == [])
        #expect(server.offences == [])
        #expect(reader.validityChanges == changes)
        #expect(reader.skipped.count <= 2, "the faults are rare enough that asking again helps")
        #expect(Set(reader.stored).count == reader.stored.count, "nothing twice")
        for (name, mailbox) in server.mailboxes {
            for message in mailbox.messages {
                let key = MailboxReader.Key(mailbox: name, validity: mailbox.validity, uid: message.uid)
                if reader.bodies[key] == nil { #expect(reader.skipped.contains(key), "lost and not even mentioned") }
                if let body = reader.bodies[key] { #expect(body == message.bytes) }
            }
        }
    }
}
