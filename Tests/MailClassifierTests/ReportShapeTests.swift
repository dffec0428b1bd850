import InternetMessage
import Testing

@testable import MailClassifier

@Suite("reports by their shape")
struct ReportShapeTests {
    static func report(_ header: String = "", _ body: String) -> [UInt8] {
        let head = header.utf8.isEmpty ? "From: Mail Delivery Subsystem <MAILER-DAEMON@mx.example.net>" : header
        return Array("\(head)\nTo: bounce@example.org\nSubject: Mail delivery failed\n\n\(body)\n".utf8)
    }

    struct Shape: Sendable {
        var name: String
        var header = ""
        var body: String
        var messageClass = MessageClass.bounce
        var bounces: [String]
    }

    static let shapes = [
        Shape(
            name: "words of an unknown user at no named moment", body: "<ann@example.com>: 550 No such user here",
            bounces: ["ann@example.com failed - 550 invalid_recipient recipient soft"]),
        Shape(
            name: "the answer names the recipient as RCPT TO does", body: "<ann@example.com>: 550 <ann@example.com>: User unknown",
            bounces: ["ann@example.com failed - 550 invalid_recipient recipient hard"]),
        Shape(
            name: "a status of the address proves it", body: "<ann@example.com>: 550 5.1.1 No such user here",
            bounces: ["ann@example.com failed 5.1.1 550 invalid_recipient recipient hard"]),
        Shape(
            name: "the reporter's own directory proves it", body: "Unknown user: ann@example.com",
            bounces: ["ann@example.com failed - - invalid_recipient recipient hard"]),
        Shape(
            name: "Yahoo says it after the message",
            body:
                "<ann@yahoo.example>: 554 delivery error: dd This user doesn't have a yahoo.example account (in reply to end of DATA command)",
            bounces: ["ann@yahoo.example failed - 554 invalid_recipient recipient hard"]),
        Shape(
            name: "qmail ends with why it stops",
            body:
                "<ann@example.com>:\nConnected to 192.0.2.1 but my name was rejected.\nRemote host said: 501 Invalid domain name\nI'm not going to try again; this message has been in the queue too long.",
            bounces: ["ann@example.com failed - 501 reputation_block source soft"]),
        Shape(
            name: "qmail ends with why it stops, and nothing before it says more than that it failed for now",
            body:
                "<ann@example.com>:\nResources temporarily unavailable, please try again later [#4.1.9].\nI'm not going to try again; this message has been in the queue too long.",
            bounces: ["ann@example.com failed 4.1.9 - expired domain soft"]),
        Shape(
            name: "qmail ends with why it stops, and what stands before it says more",
            body:
                "<ann@example.com>:\nCNAME lookup failed temporarily. (#4.4.3)\nI'm not going to try again; this message has been in the queue too long.",
            bounces: ["ann@example.com failed 4.4.3 - dns_failure domain soft"]),
        Shape(
            name: "in an old transcript of Sendmail a session stands above what it came to for an address, and the next one below",
            body: """
                   ----- Transcript of session follows -----
                While talking to mx.example.com:
                >>> MAIL From:<bo@example.org>
                <<< 501 <bo@example.org>... no access from mail server [192.0.2.1] which is an open relay.
                554 <ann@example.com>... Remote protocol error
                550 nowhere.example (smtp)... 550 Host unknown
                554 <eve@nowhere.example>... 550 Host unknown (Authoritative answer from name server)
                While talking to mx.example.edu:
                >>> QUIT
                <<< 421 mx.example.edu too many connections
                421 mx.example.edu (smtp)... Deferred: Connection reset by peer
                While talking to mx.example.net:
                >>> RCPT To:<ned@example.net>
                <<< 550 Requested user mailbox not found.
                550 <ned@example.net>... User unknown
                """,
            bounces: [
                "ann@example.com failed - 501 reputation_block source soft", "eve@nowhere.example failed - 550 bad_domain domain hard",
                "ned@example.net failed - 550 invalid_recipient recipient hard",
            ]),
        Shape(
            name: "a sentence that names others: the returned copy says for whom the message was",
            body: """
                Addresses look like givenName@example.com. Your message to ann@example.com could not be delivered, perhaps eve@example.com can help.

                Original message follows:
                >Return-Path: <bo@example.org>
                >Received: from mx.example.org by mx.example.net with ESMTP id AAA for <ann@example.com>; Fri, 6 Mar 2026 10:00:00 +0100
                >To: list@example.org
                """,
            bounces: ["ann@example.com failed - - unclassified unknown soft"]),
        Shape(
            name: "a mailing list that has seen the message already", header: "From: list-admin@example.jp",
            body: "Duplicated Message-ID in <list@example.jp>.", bounces: ["list@example.jp failed - - system_failure domain soft"]),
        Shape(
            name: "a warning of Sendmail that gives no reason but the time",
            body:
                "    **      THIS IS A WARNING MESSAGE ONLY      **\n\n<ann@example.com>... Deferred: 421\nWarning: message still undelivered after 4 hours\nWill keep trying until message is 5 days old",
            messageClass: .delay, bounces: ["ann@example.com delayed - 421 expired domain soft"]),
        Shape(
            name: "a sentence without spaces is no mailbox", header: "From: Postmaster@example.cn",
            body: "您好：\n\n抱歉，您的邮件被退回来了\n\n收件人 ann@example.com\n退信原因：RCPT TO said 550 5.1.1 User unknown",
            bounces: ["ann@example.com failed 5.1.1 550 invalid_recipient recipient hard"]),
        Shape(
            name: "Exchange in Spanish", header: "From: Microsoft Outlook <postmaster@example.com>",
            body:
                "No se pudo realizar la entrega a estos destinatarios o grupos:\n\nann@example.com\nNo se encontró la dirección de correo electrónico especificada.",
            bounces: ["ann@example.com failed - - invalid_recipient recipient hard"]),
        Shape(
            name: "Exchange in Japanese", header: "From: Microsoft Outlook <postmaster@example.com>",
            body: "次の受信者またはグループへの配信に失敗しました:\n\nann@example.com\n入力した電子メール アドレスが見つかりませんでした。",
            bounces: ["ann@example.com failed - - invalid_recipient recipient hard"]),
        Shape(
            name: "Exchange in French", header: "From: Microsoft Outlook <postmaster@example.com>",
            body:
                "Échec de la remise pour ces destinataires ou groupes :\n\nann@example.com\nLa boîte aux lettres du destinataire est pleine.",
            bounces: ["ann@example.com failed - - mailbox_full recipient soft"]),
        Shape(
            name: "mailboxes of the reporter's domain without it", header: "From: MAILER-DAEMON@example.com",
            body:
                "Your mail to the following recipients could not be delivered because\nthey are not accepting mail from list@example.net:\n\tann",
            bounces: ["ann@example.com failed - - policy domain soft"]),
        Shape(
            name: "an alias and where it led",
            body: "The following addresses had permanent fatal errors\nann@example.net\n    (expanded from: <ann@example.com>)",
            bounces: ["ann@example.net failed - - unclassified unknown soft", "ann@example.com failed - - unclassified unknown soft"]),
        Shape(
            name: "attempts that go on",
            body:
                "Your message could not be delivered to the following recipients:\n\nann@example.com\n\nDelivery attempts will continue to be made for 5 day(s).",
            messageClass: .delay, bounces: ["ann@example.com delayed - - expired domain soft"]),
        Shape(
            name: "a sentence about a copy is none",
            body: "The following addresses did NOT receive a copy of your message:\n\n> ann@example.com\n\n552 would exceed mailbox quota",
            bounces: ["ann@example.com failed - 552 mailbox_full recipient soft"]),
        Shape(
            name: "the header names whom the text does not",
            header: "From: Mailer-Daemon@mx.example.net\nX-Failed-Recipients: ann@example.com",
            body:
                "The following address(es) failed:\n\n  ann\n    SMTP error after end of data: host mx.example.com: 554 5.7.0 Header error",
            bounces: ["ann@example.com failed 5.7.0 554 policy domain soft"]),
        Shape(
            name: "a reporter without an address", header: "From: MAILER-DAEMON <>",
            body: "There was an error delivering your mail to <ann@nowhere.example>.\n\nDNS lookup failure: host nowhere.example not found",
            bounces: ["ann@nowhere.example failed - - bad_domain domain hard"]),
        Shape(
            name: "an address right behind a Chinese colon", header: "From: Postmaster@example.cn",
            body: "抱歉，您的邮件被退回来了\n\n收件人：ann@example.com\n退信原因：收件人邮箱容量已满",
            bounces: ["ann@example.com failed - - mailbox_full recipient soft"]),
        Shape(
            name: "a language that nobody here knows, in the shape of Postfix",
            header: "From: MAILER-DAEMON@mx.example.net\nReturn-Path: <>",
            body: "Skeyti þitt komst ekki til skila.\n\n<ann@example.com>: notandi finnst ekki",
            bounces: ["ann@example.com failed - - unclassified unknown soft"]),
        Shape(
            name: "Italian", header: "From: MAILER-DAEMON@mx.example.net",
            body: "Il messaggio non è stato consegnato.\n\n<ann@example.com>: utente sconosciuto",
            bounces: ["ann@example.com failed - - invalid_recipient recipient hard"]),
        Shape(
            name: "Hungarian", header: "From: MAILER-DAEMON@mx.example.net",
            body: "A levelet nem sikerült kézbesíteni:\n\nann@example.com\nNincs ilyen felhasználó",
            bounces: ["ann@example.com failed - - invalid_recipient recipient hard"]),
        Shape(
            name: "a server that tells its own side of the session", header: "From: postmaster@mx.example.net",
            body:
                "Your message did not reach some of the recipients:\n\nann@example.com\n   Server sent: RCPT TO:<ann@example.com>\n   Remote server replied: 550 No such user",
            bounces: ["ann@example.com failed - 550 invalid_recipient recipient hard"]),
        Shape(
            name: "Chinese", body: "邮件无法被送到您指定的地址中。\n\n<ann@example.com>:\n",
            bounces: ["ann@example.com failed - - unclassified unknown soft"]),
        Shape(
            name: "Japanese", header: "From: no-reply@example.jp",
            body: "送信できませんでした。\n\nCould not be delivered to: <ann@example.com>\nAs their mailbox is full.",
            bounces: ["ann@example.com failed - - mailbox_full recipient soft"]),
    ]

    @Test("what failed, and for whom", arguments: shapes)
    func shape(_ shape: Shape) throws {
        let result = try #require(Mail.classifier).classify(Message(parsing: Self.report(shape.header, shape.body)))
        #expect(result.messageClass == shape.messageClass, "\(shape.name): \(result.evidence)")
        #expect(result.bounces.map(BounceTests.line) == shape.bounces, "\(shape.name): \(result.evidence)")
    }

    @Test(
        "a mailbox file or nothing where the address belongs: the header, the text and the returned message name it",
        arguments: [
            ("X-Failed-Recipients: ann@example.com", "nobody is named here", "/var/spool/mail/ann", "To: bo@example.com"),
            ("X-Nothing: 1", "<ann@example.com>\n    (reason: 550 Host unknown)", "@mx.example.net", "To: bo@example.com"),
            ("X-Nothing: 1", "nobody is named here", "/var/spool/mail/ann", "To: ann@example.com"),
            ("X-Nothing: 1", "nobody is named here", "\"ann\"@example.com", "To: bo@example.com"),
        ])
    func recipient(_ header: String, _ text: String, _ final: String, _ returned: String) throws {
        let mail = """
            From: MAILER-DAEMON@mx.example.net
            \(header)
            Subject: Returned mail
            MIME-Version: 1.0
            Content-Type: multipart/report; report-type=delivery-status; boundary=b

            --b

            \(text)

            --b
            Content-Type: message/delivery-status

            Reporting-MTA: dns; mx.example.net

            Final-Recipient: rfc822; \(final)
            Action: failed
            Status: 5.0.0

            --b
            Content-Type: message/rfc822

            \(returned)
            Message-ID: <1@example.org>

            --b--

            """
        let result = try #require(Mail.classifier).classify(Message(parsing: Array(mail.utf8)))
        #expect(result.bounces.map(\.recipient?.text) == ["ann@example.com"])
    }

    @Test("a group of fields that names nobody is no recipient beside one that is named; a gate in the form of a report is a challenge")
    func namelessGroup() throws {
        func mail(_ text: String) -> Message {
            let lines = [
                "From: MAILER-DAEMON@mx.example.net", "Subject: Returned mail", "MIME-Version: 1.0",
                "Content-Type: multipart/report; report-type=delivery-status; boundary=b", "", "--b", "", text, "", "--b",
                "Content-Type: message/delivery-status", "", "Reporting-MTA: dns; mx.example.net", "", "Final-Recipient: rfc822;",
                "Action: failed", "Status: 4.7.0", "", "Final-Recipient: rfc822; ann@example.com", "Action: failed", "Status: 4.7.0",
                "Diagnostic-Code: smtp; Sender not pre-approved", "", "--b--", "",
            ]
            return Message(parsing: Array(lines.joined(separator: "\n").utf8))
        }
        let classifier = try #require(Mail.classifier)
        let refused = classifier.classify(mail("Your message was refused."))
        #expect(refused.bounces.map(BounceTests.line) == ["ann@example.com failed 4.7.0 - policy domain soft"])
        let gate = classifier.classify(mail("Your message waits. Please click the link below to confirm that you are human."))
        #expect(gate.messageClass == .challenge && gate.bounces.isEmpty)
    }

    @Test("a mail system's report around nothing is a bounce of nobody")
    func emptyReport() throws {
        let mail =
            "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.net\nSubject: Returned mail: see transcript for details\nMIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\n<<< nothing came >>>\n\n--b--\n"
        let result = try #require(Mail.classifier).classify(Message(parsing: Array(mail.utf8)))
        #expect(result.messageClass == .bounce && result.bounces.isEmpty)
    }

    @Test(
        "complaints without a part for machines: by the subject above the message itself, or by their own header; a person who forwards it not",
        arguments: [
            ("Subject: complaint about message from 192.0.2.25", "X-HmXmrOriginalRecipient: ann@example.com", true),
            ("Subject: Spam report", "X-Nothing: 1", true), ("Subject: A word about this\nX-XARF: PLAIN", "X-Nothing: 1", true),
            ("Subject: Fwd: your offer", "X-Nothing: 1", false),
        ])
    func plainComplaint(_ header: String, _ field: String, _ isComplaint: Bool) throws {
        let mail = """
            From: staff@example.net
            To: abuse@example.org
            \(header)
            MIME-Version: 1.0
            Content-Type: multipart/mixed; boundary=b

            --b
            Content-Type: message/rfc822

            \(field)
            From: bo@example.org
            To: ann@example.com
            Subject: Your offer
            Message-ID: <1@example.org>

            To be taken off this list, reply unsubscribe.

            --b--

            """
        let result = try #require(Mail.classifier).classify(Message(parsing: Array(mail.utf8)))
        #expect((result.messageClass == .complaint) == isComplaint, "\(result.evidence)")
        #expect(result.complaint?.originalRecipients.map(\.text) == (isComplaint ? ["ann@example.com"] : nil))
        #expect(result.complaint?.originalMessageID == (isComplaint ? "1@example.org" : nil))
    }

    @Test("a report of failed authentication is told as one and complains about nobody's mail")
    func authentication() throws {
        let mail = """
            From: dmarc@example.net
            Subject: DMARC failure
            MIME-Version: 1.0
            Content-Type: multipart/report; report-type=feedback-report; boundary=b

            --b

            A message failed.
            --b
            Content-Type: message/feedback-report

            Feedback-Type: auth-failure
            User-Agent: test/1
            Version: 1
            Auth-Failure: dmarc

            --b--

            """
        let result = try #require(Mail.classifier).classify(Message(parsing: Array(mail.utf8)))
        #expect(result.messageClass == .complaint && result.complaint?.feedbackType == "auth-failure" && result.automatic)
    }

    @Test("the button of a mail program asks to be taken off the list")
    func button() throws {
        func read(_ subject: String, _ body: String) throws -> Classification {
            try #require(Mail.classifier).classify(
                Message(parsing: Array("From: ann@example.com\nSubject: \(subject)\nAuto-Submitted: auto-generated\n\n\(body)\n".utf8)))
        }
        #expect(try read("unsubscribe", "Sent by Mail.").messageClass == .unsubscribe)
        #expect(try read("Out of office", "I am out of office until 3 May. To stop these notes, unsubscribe.").messageClass == .outOfOffice)
    }

    static let told: [(subject: String, body: String, bounces: [String])] = [
        (
            "Unzustellbar: Hello", "Die folgende Adresse konnte nicht erreicht werden:\n\nann@example.com\n  Postfach existiert nicht",
            ["ann@example.com failed - - invalid_recipient recipient hard"]
        ),
        (
            "配送エラー", "メールを配送できませんでした。\n宛先: ann@example.com\n理由: ユーザーが存在しません",
            ["ann@example.com failed - - invalid_recipient recipient hard"]
        ),
        ("Mail delivery failed", "ann@example.com: mailbox is disabled", ["ann@example.com failed - - inactive_mailbox recipient soft"]),
        // In words that no rule knows.
        ("Mail delivery failed", "Ogenglo: ann@example.com\nPuskvat ni tarvo", ["ann@example.com failed - - unclassified unknown soft"]),
    ]

    @Test("a mail system that returns to nobody and names an address below the subject of a report tells of a failure", arguments: told)
    func toldByMailSystem(_ subject: String, _ body: String, _ bounces: [String]) throws {
        let classifier = try #require(Mail.classifier)
        let result = classifier.classify(
            Mail.message(body, subject: subject, from: "postmaster@example.net", headers: ["Return-Path: <>"]))
        #expect(result.messageClass == .bounce, "\(result.evidence)")
        #expect(result.bounces.map(BounceTests.line) == bounces)
    }

    @Test("an absence note from such a sender is none, whomever it names")
    func absenceOfMailSystem() throws {
        let classifier = try #require(Mail.classifier)
        let result = classifier.classify(
            Mail.message(
                "I am out of the office. Please write to bo@example.com.", subject: "Re: Mail delivery failed",
                from: "postmaster@example.net",
                headers: ["Return-Path: <>"]))
        #expect(result.messageClass == .outOfOffice, "\(result.evidence)")
    }

    @Test(
        "a complaint whose part for machines was lost is told by its first sentence, and only by that",
        arguments: [
            ("Abuse", "This is an email abuse report for an email message received from IP 192.0.2.1 on Tue, 3 Mar 2026.", true),
            ("Abuse", "This is an email abuse report for an email message received from 2001:db8::7 on Tue, 3 Mar 2026.", true),
            ("Re: Abuse", "This is an email abuse report for an email message received from IP 192.0.2.1.", false),
            ("Abuse", "How do I send an email abuse report for your messages?", false),
        ] as [(String, String, Bool)])
    func lostComplaint(_ subject: String, _ body: String, _ isComplaint: Bool) throws {
        let classifier = try #require(Mail.classifier)
        #expect((classifier.classify(Mail.message(body, subject: subject)).messageClass == .complaint) == isComplaint)
    }
}
