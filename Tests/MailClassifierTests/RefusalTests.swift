import InternetMessage
import Testing

@testable import MailClassifier

@Suite("refusals and notices")
struct RefusalTests {
    static let stages: [(String, RefusalStage?)] = [
        ("host mx.example.net said: 550 User unknown (in reply to RCPT TO command)", .recipient),
        ("host mx.example.net said: 550 User unknown (in reply to end of DATA\n    command)", .message),
        ("SMTP error from remote mail server after MAIL FROM:<a@example.com>: 553 no", .sender),
        ("SMTP error from remote mail server after initial connection: 554 no", .connection),
        (">>> RCPT To:<a@example.com>\n<<< 550 5.1.1 no\n>>> DATA\n<<< 503 Need RCPT", .recipient),
        (">>> DATA\n<<< 550 5.1.1 no\n550 5.1.1 no\n<<< 503 5.0.0 Need RCPT (recipient)", .recipientLate),
        (">>> DATA\n<<< 550 no", .message),
        ("550 User unknown", nil),
    ]

    @Test("the moment of a refusal, as six servers tell it", arguments: stages)
    func stage(_ words: String, _ expected: RefusalStage?) {
        #expect(RefusalStage(in: words) == expected)
    }

    @Test("user unknown after the message itself gives no address up; at RCPT TO it does")
    func filtered() throws {
        let classifier = try #require(Mail.classifier)
        func report(_ command: String) -> Classification {
            classifier.classify(
                Message(
                    parsing: Array(
                        """
                        From: MAILER-DAEMON@mx.example.net
                        To: bounce@example.org
                        Subject: Undelivered Mail Returned to Sender

                        Your message could not be delivered.

                        <ann@example.com>: host mx.example.com[192.0.2.1] said: 550 User unknown (in reply to \(command) command)

                        """.utf8)))
        }
        let late = try #require(report("end of DATA").bounces.first)
        let early = try #require(report("RCPT TO").bounces.first)
        // The server took the address at RCPT TO: what it says behind the message is what a filter says.
        #expect(late.failureClass == .policy && late.scope == .recipient && !late.permanent)
        #expect(early.failureClass == .invalidRecipient && early.permanent)
        #expect(late.suppressAfter == SuppressAfter(count: 2, days: 30) && early.suppressAfter == nil)
    }

    @Test("a notice of SES, as JSON and as a string within JSON")
    func notice() throws {
        let plain =
            #"{"notificationType":"Bounce","bounce":{"bouncedRecipients":[{"emailAddress":"ann@example.com","action":"failed","status":"5.1.1","diagnosticCode":"smtp; 550 5.1.1 user unknown"}]}}"#
        let nested = #"{ "Type" : "Notification", "Message" : ""# + plain.replacing("\"", with: "\\\"") + #"" }"#
        for text in [plain, nested] {
            let notice = try #require(SESNotice(text))
            #expect(notice.kind == .bounce)
            #expect(notice.recipients.map(\.address.text) == ["ann@example.com"])
            #expect(notice.recipients.first?.status?.text == "5.1.1")
            #expect(notice.recipients.first?.diagnostic == "550 5.1.1 user unknown")
        }
        #expect(SESNotice("We had a Bounce of notificationType 3") == nil)
        #expect(SESNotice(String(plain.prefix(60)))?.recipients.isEmpty == true)
    }
}
