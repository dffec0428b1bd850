import Testing

import struct NIOCore.ByteBuffer

@testable import IMAP

@Suite("what later polls of a session cost")
struct StatusTests {
    /// A session that watches two mailboxes, with a desk that keeps everything at once.
    private struct Watch {
        var server: MailboxServer
        var session: ClientSession
        var delivered: [String] = []
        var polls = 0

        init(_ server: MailboxServer) throws {
            self.server = server
            var dialogue = try Dialogue("set watches on")
            dialogue.configuration.mailboxes = [.named(.inbox), .named(MailboxName("Junk"))]
            session = ClientSession(configuration: dialogue.configuration, cursors: [:])
            let greeting = self.server.connect()
            run(session.connected() + session.tlsEstablished(verified: true) + session.received(ByteBuffer(bytes: greeting)))
        }

        mutating func poll() { run(session.poll()) }

        private mutating func run(_ first: [ClientSession.Action]) {
            var waiting = first
            while !waiting.isEmpty {
                let action = waiting.removeFirst()
                switch action {
                case .send(let out), .sendSecret(let out):
                    let answer = server.receive(Array(out.readableBytesView))
                    if !answer.isEmpty { waiting += session.received(ByteBuffer(bytes: answer)) }
                case .deliver(let message):
                    delivered.append("\(message.mailbox) \(message.uid)")
                    waiting += session.messageCommitted(message.key)
                case .pollFinished: polls += 1
                default: break
                }
            }
        }
    }

    private static func server() -> MailboxServer {
        var inbox = MailboxServer.Mailbox()
        inbox.arrive(bytes("Subject: 1\r\n\r\n"))
        var junk = MailboxServer.Mailbox(validity: 3)
        junk.arrive(bytes("Subject: junk\r\n\r\n"))
        return MailboxServer(["INBOX": inbox, "Junk": junk])
    }

    @Test("a poll that finds nothing asks by STATUS, and opens no mailbox")
    func quiet() throws {
        var watch = try Watch(Self.server())
        #expect(watch.delivered == ["Junk 1", "INBOX 1"])
        let before = watch.server.commands.count
        watch.poll()
        #expect(
            watch.server.commands.dropFirst(before).map { $0.split(separator: " ").dropFirst().joined(separator: " ") } == [
                "", "STATUS \"Junk\" (MESSAGES UIDNEXT UIDVALIDITY)", "NOOP", "UID SEARCH UID 2:*", "IDLE",
            ])
        #expect(watch.polls == 2 && watch.delivered.count == 2 && watch.server.offences.isEmpty)
    }

    @Test("mail that comes into a mailbox that is not selected is there after the next poll, each message once")
    func arrivals() throws {
        var watch = try Watch(Self.server())
        var expected = watch.delivered
        for round in 2...40 {
            let isNew = round % 3 == 0
            if isNew { watch.server.mailboxes["Junk"]?.arrive(bytes("Subject: more\r\n\r\n")) }
            // One that goes while another comes leaves the number of messages as it was.
            if round % 6 == 0 { watch.server.mailboxes["Junk"]?.messages.removeFirst() }
            watch.poll()
            if isNew { expected.append("Junk \(1 + round / 3)") }
            #expect(watch.delivered == expected, "poll \(round)")
        }
        #expect(watch.server.offences.isEmpty)
    }

    @Test("a server whose STATUS never changes hides mail for a few polls only")
    func liar() throws {
        var watch = try Watch(Self.server())
        watch.server.frozenStatus = [:]
        watch.poll()
        watch.server.mailboxes["Junk"]?.arrive(bytes("Subject: hidden\r\n\r\n"))
        for _ in 0..<ClientSession.savedLookLimit { watch.poll() }
        #expect(watch.delivered == ["Junk 1", "INBOX 1", "Junk 2"])
        // Seen to be wrong, it is asked in vain from then on, and the mailbox is searched each time.
        watch.server.mailboxes["Junk"]?.arrive(bytes("Subject: seen\r\n\r\n"))
        watch.poll()
        #expect(watch.delivered.last == "Junk 3")
    }

    @Test("a mailbox that was made anew under the same name is read anew")
    func renewed() throws {
        var watch = try Watch(Self.server())
        var junk = MailboxServer.Mailbox(validity: 4)
        junk.arrive(bytes("Subject: another\r\n\r\n"))
        watch.server.mailboxes["Junk"] = junk
        watch.poll()
        #expect(watch.delivered == ["Junk 1", "INBOX 1", "Junk 1"])
    }
}
