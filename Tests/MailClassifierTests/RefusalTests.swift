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
        #expect(late.failureClass == .invalidRecipient && !late.permanent)
        #expect(early.failureClass == .invalidRecipient && early.permanent)
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

@Suite("the tone model")
struct ToneModelTests {
    @Test("its file form is read back as it was written, and nothing cut or foreign is read")
    func encoding() throws {
        let model = try ToneModel.builtin()
        let bytes = model.encoded
        #expect(bytes.count < 2_000_000)
        #expect(ToneModel(parsing: bytes)?.encoded == bytes)
        #expect(ToneModel(parsing: Array(bytes.dropLast())) == nil)
        #expect(ToneModel(parsing: []) == nil)
        #expect(ToneModel(parsing: Array("PTM1".utf8)) == nil)
    }

    @Test("a few labels move the model, and what they say nothing about stays")
    func correction() throws {
        let shipped = try ToneModel.builtin()
        let odd = "We shall plonk the zorgle."
        let examples = (0..<8).map { ToneTraining.Example(text: odd, tone: .interested, group: $0) }
        let trained = try ToneTraining(examples, settings: .correction).model(from: shipped)
        let before = try Classifier(tone: shipped)
        let after = try Classifier(tone: trained)
        #expect(before.classify(Mail.message(odd)).messageClass != .positive)
        #expect(after.classify(Mail.message(odd)).messageClass == .positive)
        for (text, messageClass) in ToneTests.replies.prefix(18) {
            #expect(after.classify(Mail.message(text)).messageClass == messageClass)
        }
    }

    @Test("a file of sentences names its faults by line")
    func faults() {
        #expect(throws: RuleError.self) { try ToneExamples([.init(name: "xx", text: "[positively]\nyes\n")]) }
    }

    @Test("the same sentences give the same examples")
    func examples() throws {
        let source = ToneExamples.Source(name: "en", text: "[negative]\nNo thanks, {name}.\n[greeting]\nHi {name},\n")
        let first = try ToneExamples([source]).examples.map(\.text)
        #expect(first == (try ToneExamples([source]).examples.map(\.text)))
        #expect(first.count > 2)
        #expect(!first.contains { $0.contains("{") })
    }
}
