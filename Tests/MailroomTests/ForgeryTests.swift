import InternetMessage
import Outreach
import SQLiteStore
import TestKit
import Testing

@testable import Mailroom

/// What a reply's timeline says of who wrote it.
@Suite("forged replies")
struct ForgeryTests {
    struct Case: Sendable {
        let what: String
        var text = "Please remove me from your list."
        var way = IncomingMessage.Way.smtp
        var client: String?
        var header = ""
        let proof: ReplyRecord.DomainProof?
    }

    private static func reported(_ result: String) -> String {
        "Authentication-Results: mx.mail.example; dmarc=\(result) header.from=customers.example.net\r\n"
    }

    @Test(
        "a reply that fails DMARC for its From domain says so on its timeline",
        arguments: [
            Case(what: "from elsewhere", client: "198.51.100.7", proof: .fail),
            Case(what: "a yes from elsewhere", text: "Yes, I am interested. Let us talk on Tuesday.", client: "198.51.100.7", proof: .fail),
            Case(what: "from elsewhere, claiming to be checked", client: "198.51.100.7", header: reported("pass"), proof: .fail),
            Case(what: "from the domain's own server", client: "192.0.2.1", proof: .pass),
            Case(what: "of a mailbox whose server says fail", way: .imap, header: reported("fail"), proof: .fail),
            Case(what: "of a mailbox whose server says pass", way: .imap, header: reported("pass"), proof: .pass),
            Case(
                what: "of a mailbox, checked by a stranger", way: .imap,
                header: "Authentication-Results: evil.example; dmarc=pass header.from=customers.example.net\r\n", proof: nil),
            Case(what: "of a mailbox whose server says nothing", way: .imap, proof: nil),
            Case(what: "handed on by a server of ours that says fail", client: "127.0.0.1", header: reported("fail"), proof: .fail),
            Case(what: "from a private address, as all have behind NAT", client: "10.1.2.3", header: reported("fail"), proof: nil),
            Case(what: "from a network of ours", client: "10.9.2.3", header: reported("fail"), proof: .fail),
            Case(
                what: "below the line of another server", way: .imap, header: "Received: from a by b.example\r\n" + reported("pass"),
                proof: nil),
            Case(what: "by LMTP, where the client says nothing", way: .lmtp, client: "198.51.100.7", proof: nil),
        ])
    func forged(_ test: Case) async throws {
        let office = try Office()
        let enrollment = try await office.enroll(ServiceTests.bo)
        try await office.delivering {
            _ = try await office.dispatcher.dispatchDue()
            let first = try #require(try await office.sink.waitForMessages(1).first)
            try await office.settled(enrollment, as: [.sent])
            try await office.reply(to: first, test.text, header: test.header, way: test.way, from: test.client)
        }
        let contact = try #require(try await office.current(enrollment).contact as Contact.ID?)
        let reply = try #require(try await office.store.replies(contact: contact, limit: 1).first)
        #expect(reply.domainProof == test.proof, "\(test.what): \(reply.authentication)")
        let timeline = try await office.store.timeline(contact: contact)
        for kind in [TimelineEvent.Kind.received, .classified] {
            let event = try #require(timeline.last { $0.kind == kind })
            #expect(event.facts["dmarc"] == test.proof?.rawValue)
        }
        let classified = try #require(timeline.last { $0.kind == .classified })
        #expect(
            classified.summary.utf8.elementsEqual(classified.summary.replacing("; fails DMARC, may be forged", with: "").utf8)
                == (test.proof != .fail))
        // It is a fact, no verdict: what the reply asks for still happens.
        #expect(try await office.current(enrollment).state == .stopped)
    }
}
