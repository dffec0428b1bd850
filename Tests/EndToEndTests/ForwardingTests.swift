import Foundation
import TestKit
import Testing

/// Replies sent on to a mailbox, by the built executable.
@Suite("replies that serve sends on", .timeLimit(.minutes(3)))
struct ForwardingTests {
    private static let bo = "bo@customers.example.net"
    private static let mailbox = "anna.berg@office.example.org"

    private static func conf(port: Int, sink: Int, to mailbox: String) -> String {
        Premises.plainRoute("sink", port: sink) + Premises.identity(route: "sink") + """
            forward_replies_to = "\(mailbox)"
            forward_replies_as = "attached"

            [listener.smtp]
            listen = ["127.0.0.1:\(port)"]
            accept_domains = ["r.example.com"]
            """
    }

    @Test("a reply is sent on once, the answer to it goes to its writer, and nothing goes in circles")
    func sentOn() async throws {
        let port = try FreePort.next()
        let sink = try SinkSMTP()
        let premises = try Premises(Self.conf(port: port, sink: sink.port, to: "anna@r.example.com"))
        let circle = try await Command.run(Executable.path, ["check", "--conf", premises.confFile])
        #expect(circle.status == 1 || circle.status == 78)
        #expect(circle.errorText.contains("mail for r.example.com is taken in by a listener here"), "\(circle.errorText)")
        try premises.configure(Self.conf(port: port, sink: sink.port, to: Self.mailbox))

        try await premises.load(sequence: "two", delays: ["PT0S", "P1D"])
        try await premises.importContacts([Self.bo])
        try await premises.run(["enroll", "two", Self.bo])
        let serve = try await premises.serve()
        let first = try #require(try await sink.waitForMessages(1).first)
        let token = Letter.address(Letter.field("Reply-To", of: first.text))
        let reply = Letter.reply(from: Self.bo, to: token, id: "one@customers.example.net", text: "What does it cost for twenty people?")
        for _ in 0..<2 {
            #expect(try await Letter.submit(reply, from: Self.bo, to: token, port: port).hasPrefix("250 "))
        }
        let notice = try #require(try await sink.waitForMessages(1) { $0.recipients == [Self.mailbox] }.first)
        let goesTo = Letter.field("Reply-To", of: notice.text)
        #expect(goesTo.contains(Self.bo) && goesTo.contains("reply+"), "\(goesTo)")
        #expect(notice.text.contains("Content-Type: message/rfc822"))
        #expect(notice.text.contains("> What does it cost for twenty people?"))
        let waiting = try await premises.query(Premises.Reply.self, ["inbox", "list", "--open"])
        #expect(waiting.map(\.messageId) == ["one@customers.example.net"])
        let id = try #require(waiting.first?.id)
        try await eventually("inbox show says where it went", within: .seconds(30)) {
            try await premises.run(["inbox", "show", id]).outputText.contains("sent on: to \(Self.mailbox)\n")
        }

        // A mailbox that refuses one gets the next, and is suppressed by nobody.
        sink.script(Self.mailbox, .refuse("550 5.1.1 no such user"))
        for word in ["two", "three"] {
            let more = Letter.reply(from: Self.bo, to: token, id: "\(word)@customers.example.net", text: "And what for \(word) people?")
            #expect(try await Letter.submit(more, from: Self.bo, to: token, port: port).hasPrefix("250 "))
            try await eventually("\(word)\n\(serve.outputTail)", within: .seconds(30)) {
                word == "two" ? serve.outputTail.contains("a reply was not sent on") : sink.messages.count == 3
            }
        }
        #expect(sink.messages.last?.text.contains("three people") == true)
        let refused = try #require(
            try await premises.query(Premises.Reply.self, ["inbox", "list"]).first { $0.messageId == "two@customers.example.net" })
        let shown = try await premises.run(["inbox", "show", refused.id]).outputText
        #expect(shown.contains("sent on: not to \(Self.mailbox) (bounced): 550 5.1.1 no such user"), "\(shown)")

        // The mailbox sends it back, and its owner answers with a copy to the conversation.
        #expect(try await Letter.submit(notice.text, from: Self.mailbox, to: token, port: port).hasPrefix("250 "))
        let answer =
            "In-Reply-To: \(Letter.field("Message-ID", of: notice.text))\r\n"
            + Letter.reply(from: Self.mailbox, to: "\(Self.bo)>, <\(token)", id: "answer@office.example.org", text: "It is 20 euros.")
        #expect(try await Letter.submit(answer, from: Self.mailbox, to: token, port: port).hasPrefix("250 "))
        try await eventually("nobody waits for an answer any more\n\(serve.outputTail)", within: .seconds(30)) {
            try await premises.query(Premises.Reply.self, ["inbox", "list", "--open"]).isEmpty
        }
        let listed = try await premises.query(Premises.Reply.self, ["inbox", "list"])
        #expect(Set(listed.map(\.messageId)) == Set(["one", "two", "three"].map { "\($0)@customers.example.net" }))
        #expect(sink.messages.count == 3, "one message of ours and two notices")
        let sheet = try await premises.sheet(Self.bo)
        #expect(sheet.enrollments.first?.cause == "replied")
        #expect(sheet.timeline.contains { $0.summary.contains("sent on to \(Self.mailbox)") })
        #expect(await serve.end(patience: .seconds(40)) == .exited(0), "\(serve.outputTail)")
    }
}
