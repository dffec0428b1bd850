import Testing

@testable import IMAP

/// Messages that were passed over and are asked for anew.
@Suite("messages asked for anew")
struct RefetchTests {
    private static let passedOver: [UInt32] = [2, 4]

    private static func server() -> MailboxServer {
        var inbox = MailboxServer.Mailbox()
        for number in 1...6 { inbox.arrive(bytes("Subject: \(number)\r\n\r\n")) }
        return MailboxServer(["INBOX": inbox, "Other": MailboxServer.Mailbox()])
    }

    private static func keys(_ uids: [UInt32]) -> [MailboxReader.Key] { uids.map { .init(mailbox: "INBOX", validity: 7, uid: $0) } }

    private static func wanted(_ uids: [UInt32] = passedOver, validity: UInt32 = 7, tries: Int = 0) throws -> [MessageKey: Int] {
        var wanted: [MessageKey: Int] = [:]
        for uid in uids { wanted[MessageKey(.inbox, try #require(UIDValidity(validity)), try #require(UID(uid)))] = tries }
        return wanted
    }

    /// A reader that passed over two of six.
    private static func reader(_ server: inout MailboxServer, _ mailboxes: [String] = ["INBOX"]) throws -> MailboxReader {
        server.denied = (.no, Set(passedOver))
        var reader = MailboxReader(mailboxes)
        reader.configuration.access = .seen
        for _ in 0..<12 where !reader.connect(&server).isFinished {}
        try #require(reader.skipped == keys(passedOver) && reader.stored == keys([1, 3, 5, 6]))
        return reader
    }

    @Test(
        "those that are given now are delivered, and the watermark stays where it is",
        arguments: [["INBOX"], ["Other", "INBOX"], ["INBOX", "Other"]])
    func given(mailboxes: [String]) throws {
        var server = Self.server()
        var reader = try Self.reader(&server, mailboxes)
        server.denied = nil
        reader.wanted = try Self.wanted()
        #expect(reader.connect(&server).isFinished)
        #expect(reader.stored == Self.keys([1, 3, 5, 6, 2, 4]) && reader.refetches.isEmpty)
        #expect(reader.bodies[Self.keys([4])[0]] == bytes("Subject: 4\r\n\r\n"))
        #expect(reader.cursors[.inbox]?.lastUID == UID(6))
        #expect(reader.faults == [] && server.offences == [])
        let seen = server.mailboxes["INBOX"]?.messages.filter { Self.passedOver.contains($0.uid) }.map(\.flags)
        #expect(seen == [["\\Seen"], ["\\Seen"]])
        let before = server.commands.count
        #expect(reader.connect(&server).isFinished)
        #expect(!server.commands[before...].contains { $0.contains("FETCH") })
        #expect(reader.stored.count == 6)
    }

    @Test("a mailbox that is opened again later in the session goes on where it was", arguments: [["INBOX"], ["Other", "INBOX"]])
    func reopened(mailboxes: [String]) throws {
        var server = Self.server()
        var reader = try Self.reader(&server, mailboxes)
        server.denied = nil
        reader.wanted = try Self.wanted()
        reader.morePolls = 2 * ClientSession.savedLookLimit + 3
        let before = server.commands.count
        #expect(reader.connect(&server).isFinished)
        #expect(server.commands[before...].count { $0.contains("SELECT \"INBOX\"") } == 3)
        #expect(reader.stored == Self.keys([1, 3, 5, 6, 2, 4]) && reader.faults == [] && server.offences == [])
    }

    @Test("those that are not given hold nothing up", arguments: [MailboxServer.Denial.silence, .no, .bad, .bodiless])
    func withheld(how: MailboxServer.Denial) throws {
        var server = Self.server()
        var reader = try Self.reader(&server)
        server.denied = (how, Set(Self.passedOver))
        server.mailboxes["INBOX"]?.arrive(bytes("Subject: 7\r\n\r\n"))
        reader.wanted = try Self.wanted()
        #expect(reader.connect(&server).isFinished)
        #expect(reader.stored == Self.keys([1, 3, 5, 6, 7]))
        #expect(reader.refetches.map(\.key) == Self.keys(Self.passedOver))
        #expect(reader.refetches.allSatisfy { $0.outcome == .withheld } && reader.setbacks.isEmpty)
    }

    @Test("the one over which the session breaks is told, and no other")
    func broken() throws {
        var server = Self.server()
        var reader = try Self.reader(&server)
        server.denied = (.hangUp, [2])
        reader.wanted = try Self.wanted()
        #expect(reader.connect(&server).reason == .connectionLost)
        #expect(reader.refetches.map(\.key) == Self.keys([2]) && reader.refetches.first?.outcome == .broken)
        #expect(reader.setbacks.isEmpty)
    }

    @Test("what is gone or numbered anew is told and not asked for again")
    func gone() throws {
        var server = Self.server()
        var reader = try Self.reader(&server)
        server.denied = nil
        server.mailboxes["INBOX"]?.messages.removeAll { $0.uid == 4 }
        reader.wanted = try Self.wanted()
        #expect(reader.connect(&server).isFinished)
        #expect(reader.stored.last == Self.keys([2])[0])
        #expect(reader.refetches.map(\.key) == Self.keys([4]) && reader.refetches.first?.outcome == .gone)

        server.mailboxes["INBOX"]?.messages = []
        reader.refetches = []
        reader.wanted = try Self.wanted([2]).merging(try Self.wanted([9], validity: 6)) { $1 }
        #expect(reader.connect(&server).isFinished)
        let outcomes = Dictionary(uniqueKeysWithValues: reader.refetches.map { ($0.key.uid, $0.outcome) })
        #expect(outcomes == [2: .gone, 9: .uidValidityChanged])
    }

    @Test("a message is not taken for another, whatever the server says of it meanwhile", arguments: 1...20 as ClosedRange<UInt64>)
    func noise(seed: UInt64) throws {
        var server = Self.server()
        var reader = try Self.reader(&server)
        server.denied = nil
        server.random = SeededGenerator(state: seed)
        server.faults.unsolicited = 500
        server.faults.garbage = 300
        server.faults.repeated = 300
        reader.wanted = try Self.wanted()
        _ = reader.connect(&server, commits: seed.isMultiple(of: 2) ? .late : .atOnce)
        #expect(reader.stored.sorted { $0.uid < $1.uid } == Self.keys([1, 2, 3, 4, 5, 6]) && reader.refetches.isEmpty)
        for uid in Self.passedOver { #expect(reader.bodies[Self.keys([uid])[0]] == bytes("Subject: \(uid)\r\n\r\n")) }
        #expect(reader.faults == [] && server.offences == [])
    }
}
