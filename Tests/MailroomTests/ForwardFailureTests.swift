import InternetMessage
import Outreach
import Synchronization
import TestKit
import Testing

@testable import Mailroom
@testable import SQLiteStore

/// Replies that the person's mailbox does not take.
extension ForwardingTests {
    private final class Lines: Sendable {
        private let lines = Mutex<[String]>([])

        func note(_ line: String) { lines.withLock { $0.append(line) } }

        func beginning(_ words: String) -> [String] { lines.withLock { $0 }.filter { $0.hasPrefix(words) } }
    }

    /// An office that notes warnings about forwards, with a reply to a delivered message taken in and sorted.
    private struct Scene {
        let office: Office
        let enrollment: Enrollment
        let token: String
        let reply: IncomingMessage

        func forwards() async throws -> [OutboxMessage] { try await office.store.forwards(of: reply.id) }

        func forward(as states: [OutboxMessage.State]) async throws -> [OutboxMessage] {
            try await office.delivering {
                try await eventually("\(states)") {
                    let found = try await forwards()
                    return found.map(\.state) == states ? found : nil
                }
            }
        }

        func another(_ id: String, from sender: String = ForwardingTests.bo, _ text: String = "What is the price?", more: String = "")
            async throws -> Scene
        {
            let next = try await office.take(ForwardingTests.letter(from: sender, to: token, id: id, more: more, text), to: [token])
            while try await office.sorter.sortReceived() > 0 {}
            return Scene(office: office, enrollment: enrollment, token: token, reply: next)
        }
    }

    private static func scene(
        _ lines: Lines, _ manner: ReplyForwarding.Manner = .attached, extensions: [String]? = nil, more: String = "",
        _ text: String = "What is the price?"
    ) async throws -> Scene {
        let office = try Office(
            notes: { lines.note($0) },
            forwarding: ReplyForwarding(address: try Office.address(mailbox), manner: manner), extensions: extensions)
        let (enrollment, _) = try await written(office)
        let token = try await office.address(.reply, enrollment)
        let reply = try await office.take(letter(from: bo, to: token, id: "one@customers.example.net", more: more, text), to: [token])
        while try await office.sorter.sortReceived() > 0 {}
        return Scene(office: office, enrollment: enrollment, token: token, reply: reply)
    }

    @Test("a mailbox that is refused for good is told, suppressed by nobody, and gets the next reply", .timeLimit(.minutes(2)))
    func refused() async throws {
        let lines = Lines()
        let scene = try await Self.scene(lines)
        let office = scene.office
        office.sink.script(Self.mailbox, .refuse("550 5.1.1 no such user"))
        _ = try await scene.forward(as: [.bounced])
        #expect(try await office.store.suppressions(workspace: .default, after: nil, limit: 9).isEmpty)
        let told = lines.beginning("a reply was not sent on")
        #expect(told.count == 1)
        #expect(told.allSatisfy { $0.contains("\(scene.reply.id)") && $0.contains(Self.mailbox) && $0.contains("5.1.1 no such user") })
        let troubles = office.forwards.troubles(at: office.clock.now())
        #expect(troubles.map(\.key) == ["forward to \(Self.mailbox)"])
        #expect(troubles.first?.words.contains("5.1.1 no such user") == true)
        #expect(office.forwards.troubles(at: office.clock.now() + .seconds(86_400)).isEmpty)
        let sheet = try await office.store.timeline(contact: scene.enrollment.contact)
        #expect(sheet.contains { $0.kind == .rejected && $0.summary.hasPrefix("the reply \(scene.reply.id) to \(Self.mailbox): refused") })

        _ = try await scene.another("two@customers.example.net").forward(as: [.sent])
        #expect(office.sink.messages.count { $0.recipients == [Self.mailbox] } == 1)
    }

    @Test("a report that a forward came back is told, and suppresses nobody", .timeLimit(.minutes(2)))
    func cameBack() async throws {
        let lines = Lines()
        let scene = try await Self.scene(lines)
        let office = scene.office
        let forward = try #require(try await scene.forward(as: [.sent]).first)
        let path = try #require(office.addresses.address(.bounce, for: forward.id, at: office.clock.now())).text
        let report = """
            From: MAILER-DAEMON@office.example.org
            To: <\(path)>
            Subject: Undelivered
            MIME-Version: 1.0
            Content-Type: multipart/report; report-type=delivery-status; boundary=D

            --D
            Content-Type: text/plain

            failed
            --D
            Content-Type: message/delivery-status

            Reporting-MTA: dns; office.example.org

            Final-Recipient: rfc822; \(Self.mailbox)
            Action: failed
            Status: 5.1.1
            Diagnostic-Code: smtp; 550 5.1.1 unknown user

            --D--

            """
        try await office.take(report.replacing("\n", with: "\r\n"), to: [path])
        while try await office.sorter.sortReceived() > 0 {}
        #expect(try await office.store.suppressions(workspace: .default, after: nil, limit: 9).isEmpty)
        let told = lines.beginning("a reply that was sent on came back")
        #expect(told.count == 1 && told.allSatisfy { $0.contains("\(scene.reply.id)") && $0.contains("unknown user") })
        #expect(office.forwards.troubles(at: office.clock.now()).count == 1)
        let sheet = try await office.store.timeline(contact: scene.enrollment.contact)
        #expect(sheet.contains { $0.kind == .bounced && $0.outbox == forward.id && $0.summary.contains("\(scene.reply.id)") })
        _ = try await scene.another("two@customers.example.net").forward(as: [.sent])
    }

    @Test("a mailbox of ours that is suppressed gets its forwards all the same; whoever is written to does not", .timeLimit(.minutes(2)))
    func suppressed() async throws {
        let scene = try await Self.scene(Lines())
        let office = scene.office
        let theirs = try await office.enroll("eve@office.example.org", steps: 1)
        for subject in [Suppression.Subject.address(Self.mailbox), .domain("office.example.org")] {
            _ = try await office.store.suppress([
                Suppression(
                    id: office.ids.next(), workspace: .default, subject: subject, reason: .manual, source: .manual, note: "",
                    at: office.clock.now())
            ])
        }
        #expect(try await scene.forwards().map(\.state) == [.incoming])
        _ = try await scene.forward(as: [.sent])
        _ = try await scene.another("two@customers.example.net").forward(as: [.sent])
        _ = try await office.dispatcher.dispatchDue()
        #expect(try await office.current(theirs).state == .stopped)
    }

    @Test("who answers our person answers in the conversation: an unsubscribe is theirs, and never our person's", .timeLimit(.minutes(2)))
    func answersThePerson() async throws {
        let scene = try await Self.scene(Lines())
        let office = scene.office
        let forward = try #require(try await scene.forward(as: [.sent]).first)
        let text = "Please unsubscribe me from your list."
        let more = "In-Reply-To: <her.own@office.example.org>\r\nReferences: <\(forward.messageID.text)> <her.own@office.example.org>\r\n"
        for (sender, suppressed) in [("stranger@elsewhere.example.net", [String]()), (Self.bo, [Self.bo])] {
            let letter = Self.letter(from: sender, to: "postmaster@r.example.com", id: "to.\(sender)", more: more, text)
            let answer = try await office.take(letter, to: ["postmaster@r.example.com"])
            while try await office.sorter.sortReceived() > 0 {}
            #expect(try await office.store.reply(answer.id)?.replyClass == .unsubscribe)
            #expect(
                try await office.store.suppressions(workspace: .default, after: nil, limit: 9).map(\.subject.text) == suppressed,
                "\(sender)")
        }
    }

    private static let eightBit = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"

    @Test(
        "eight-bit text goes as a file by a server without 8BITMIME, and whole by one that has it", .timeLimit(.minutes(2)),
        arguments: ReplyForwarding.Manner.allCases, [true, false])
    func eightBit(_ manner: ReplyForwarding.Manner, isOffered: Bool) async throws {
        let lines = Lines()
        let text = "Was kostet es in Zürich?"
        let scene = try await Self.scene(
            lines, manner, extensions: ["PIPELINING"] + (isOffered ? ["8BITMIME"] : []), more: Self.eightBit, text)
        let office = scene.office
        let forwards = try await scene.forward(as: isOffered ? [.sent] : [.bounced, .sent])
        #expect(forwards.map(\.forwardForm) == (isOffered ? [.whole] : [.whole, .file]))
        let sent = try #require(office.sink.messages.first { $0.recipients == [Self.mailbox] })
        #expect(sent.bytes.contains { $0 > 127 } == isOffered)
        let message = Message(parsing: sent.bytes)
        if !isOffered {
            #expect(message.attachments.map(\.filename) == ["reply.eml"] && message.text?.contains("> \(text)") == true)
            #expect(message.header.first("X-Postrider-Forwarded") != nil)
        }
        #expect(lines.beginning("a reply was not sent on").isEmpty && office.forwards.troubles(at: office.clock.now()).isEmpty)
        let sheet = try await office.store.timeline(contact: scene.enrollment.contact)
        #expect(sheet.contains { $0.kind == .queued && $0.summary.contains(" as a file: ") } == !isOffered)
    }

    @Test("what is too large for the route goes without the message itself", .timeLimit(.minutes(2)), arguments: [true, false])
    func tooLarge(isStated: Bool) async throws {
        let lines = Lines()
        let long = "What is the price?\r\n" + String(repeating: String(repeating: "x", count: 70) + "\r\n", count: 3000)
        let scene = try await Self.scene(lines, extensions: isStated ? ["SIZE 100000", "8BITMIME"] : ["8BITMIME"], long)
        let office = scene.office
        if !isStated { office.sink.script(Self.mailbox, .refuseData("552 5.3.4 too big")) }
        let forwards = try await scene.forward(as: [.bounced, .sent])
        #expect(forwards.map(\.forwardForm) == [.whole, .words])
        let sent = try #require(office.sink.messages.last { $0.recipients == [Self.mailbox] })
        let text = try #require(Message(parsing: sent.bytes).text)
        #expect(text.contains("> What is the price?") && text.contains("From: \(Self.bo)") && sent.bytes.count < 60_000)
        #expect(text.contains("'postrider inbox show \(scene.reply.id)'") && Message(parsing: sent.bytes).attachments.isEmpty)
        #expect(lines.beginning("a reply was not sent on").isEmpty)
        // Another form is the same reply for the caps.
        let day = CivilDate(office.clock.now(), offsetMinutes: 0)
        #expect(try await office.store.forwards(as: "anna", contact: scene.enrollment.contact, on: day).ofContact == 1)
    }

    @Test("a reply that no form helps is told once, at the end", .timeLimit(.minutes(2)))
    func inNoForm() async throws {
        let lines = Lines()
        let scene = try await Self.scene(lines, more: Self.eightBit, "Was kostet es in Zürich?")
        scene.office.sink.script(Self.mailbox, then: .refuseData("554 5.6.1 not this"))
        _ = try await scene.forward(as: [.bounced, .bounced, .bounced])
        #expect(lines.beginning("a reply was not sent on").count == 1)
    }
}
