import InternetMessage
import Testing

@testable import MailClassifier

@Suite("answers to invitations")
struct CalendarAnswerTests {
    let classifier: Classifier

    init() throws { classifier = try #require(Mail.classifier) }

    private func message(_ participation: String, _ text: String, method: String = "REPLY", automatic: Bool) -> Message {
        let calendar = """
            BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:\(method)\r\nBEGIN:VEVENT\r\nUID:7@sender.example.org\r\nSUMMARY:A talk\r
            ATTENDEE;PARTSTAT=\(participation):mailto:ann@example.com\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n
            """
        let lines = [
            "From: Ann Example <ann@example.com>", "To: Jo Sender <jo@sender.example.org>", "Subject: Re: A talk",
            "Date: Wed, 04 Mar 2026 09:45:18 +0100", automatic ? "Auto-Submitted: auto-generated" : "X-Mailer: a calendar",
            "MIME-Version: 1.0", "Content-Type: multipart/alternative; boundary=b", "", "--b", "Content-Type: text/plain", "", text,
            "--b", "Content-Type: text/calendar; method=\(method)", "", calendar, "--b--", "",
        ]
        return Message(parsing: Array(lines.joined(separator: "\r\n").utf8))
    }

    @Test(
        "the button decides, whoever wrote the words around it, unless the person's own words say another thing",
        arguments: [
            ("ACCEPTED", "Ann Example has accepted this invitation.", MessageClass.positive, Intent?.some(.readyToMeet), true),
            ("ACCEPTED", "", .positive, .readyToMeet, true),
            ("ACCEPTED", "What does it cost for a team of ten?", .positive, .readyToMeet, true),
            ("TENTATIVE", "", .positive, .interested, true),
            ("DECLINED", "", .negative, .notInterested, false),
            ("DECLINED", "Happy to talk. Does Tuesday at 10:00 suit?", .positive, .readyToMeet, true),
            ("DECLINED", "Please take me off your list.", .unsubscribe, nil, true),
            ("ACCEPTED", "Please take me off your list.", .unsubscribe, nil, true),
            ("DECLINED", "Not right now. Please try again in October.", .notNow, nil, true),
        ])
    func decided(_ participation: String, _ text: String, _ expected: MessageClass, _ intent: Intent?, _ isSure: Bool) {
        for automatic in [false, true] {
            let found = classifier.classify(message(participation, text, automatic: automatic))
            #expect(found.messageClass == expected, "\(participation) \(text) \(found.evidence)")
            #expect(intent == nil || found.intent == intent)
            #expect((found.confidence >= Classifier.actionThreshold) == isSure)
            #expect(!found.automatic)
        }
    }

    @Test("an invitation of theirs, and an answer that says nothing, are read as any mail")
    func others() {
        let question = "How does this work with a server on our own premises?"
        for message in [
            message("ACCEPTED", question, method: "REQUEST", automatic: false), message("NEEDS-ACTION", question, automatic: false),
        ] {
            #expect(classifier.classify(message).messageClass == .question)
        }
    }
}
