import Testing

@testable import IMAP

/// A message is passed over for its own trouble, never because the server is in trouble for a while.
@Suite("patience with what is not given")
struct PatienceTests {
    private static func server(_ count: Int = 5) -> MailboxServer {
        var inbox = MailboxServer.Mailbox()
        for number in 1...count { inbox.arrive(bytes("Subject: \(number)\r\n\r\n")) }
        return MailboxServer(["INBOX": inbox])
    }

    private static func keys(_ uids: [UInt32]) -> [MailboxReader.Key] { uids.map { .init(mailbox: "INBOX", validity: 7, uid: $0) } }

    private func age(_ reader: inout MailboxReader, _ age: Duration) {
        for key in reader.setbacks.keys { reader.setbacks[key]?.age = age }
    }

    @Test("a server that gives no message at all is asked again and again, and all come when it gives them", arguments: MailboxServer.Denial.allCases)
    func allAlike(how: MailboxServer.Denial) {
        var server = Self.server()
        server.denied = (how, nil)
        var reader = MailboxReader()
        for _ in 0..<20 {
            let before = server.commands.count
            #expect(!reader.connect(&server).isFinished)
            #expect(server.commands.count - before < 24, "\(server.commands.suffix(24))")
            age(&reader, .seconds(23 * 3600))
        }
        #expect(reader.skipped == [] && reader.stored == [] && reader.cursors.isEmpty)
        server.denied = nil
        #expect(reader.connect(&server).isFinished)
        #expect(reader.stored == Self.keys([1, 2, 3, 4, 5]) && reader.faults == [])
    }

    @Test("after a day the first is passed over, and only that one", arguments: [MailboxServer.Denial.silence, .no, .bad, .bodiless])
    func day(how: MailboxServer.Denial) {
        var server = Self.server()
        server.denied = (how, nil)
        var reader = MailboxReader()
        for _ in 0..<8 {
            _ = reader.connect(&server)
            age(&reader, .seconds(25 * 3600))
            let next = reader.setbacks.keys.first { $0.uid.value == 2 }
            if let next { reader.setbacks[next]?.age = .seconds(60) }
        }
        #expect(reader.skipped == Self.keys([1]))
    }

    private static let places: [[UInt32]] = [[1], [3], [5], [2, 3], [4, 5]]

    @Test(
        "what is not given while others are is passed over in the third session, also where two stand together",
        arguments: [MailboxServer.Denial.silence, .no, .bad, .bodiless], places)
    func oneOfMany(how: MailboxServer.Denial, denied: [UInt32]) {
        var server = Self.server(7)
        server.denied = (how, Set(denied))
        var reader = MailboxReader()
        var sessions = 0
        while sessions < 20 {
            sessions += 1
            if reader.connect(&server).isFinished { break }
            if sessions <= 2 { #expect(reader.skipped == []) }
        }
        #expect(sessions <= 3 * denied.count + 1, "\(sessions)")
        #expect(reader.skipped == Self.keys(denied) && reader.faults == [])
        #expect(reader.stored == Self.keys([1, 2, 3, 4, 5, 6, 7].filter { !denied.contains($0) }))
    }

    @Test("a message at which the server hangs up holds up the mailbox for hours, not for ever")
    func hangUp() {
        var server = Self.server()
        server.denied = (.hangUp, [2])
        var reader = MailboxReader()
        for _ in 0..<20 { #expect(!reader.connect(&server).isFinished) }
        #expect(reader.skipped == [], "the line may have broken")
        age(&reader, .seconds(7 * 3600))
        var sessions = 0
        while sessions < 20, !reader.connect(&server).isFinished { sessions += 1 }
        #expect(sessions == 4)
        #expect(reader.skipped == Self.keys([2]) && reader.stored == Self.keys([1, 3, 4, 5]) && reader.faults == [])
    }

    @Test("UIDs that a search names and that are not there are no loss")
    func phantoms() {
        var server = Self.server(3)
        server.phantoms = Array(1000..<1300)
        var reader = MailboxReader()
        #expect(reader.connect(&server).isFinished)
        #expect(reader.skipped == [] && reader.stored == Self.keys([1, 2, 3]) && reader.faults == [])
    }
}
