import InternetMessage
import TestKit
import Testing

@testable import Outreach

/// What stands under every message.
@Suite struct StepComposerTests {
    private let now = Timestamp(seconds: 1_772_440_200)

    private func compose(
        text: String, html: String?, signature: String?, postalAddress: String?, sequence: String = "one", withWayOut: Bool = false,
        optOut: String? = nil, law: String? = nil, fields: [String: String] = [:], called name: String? = nil
    ) throws -> Message {
        let ids = RecordIDs(now: { Timestamp(seconds: 1_772_440_200) }, random: { 7 })
        let chance = Chance(seed: Array(repeating: 1, count: 32))
        let delay = try #require(ISODuration("PT0S"))
        let plan = SequencePlan(
            name: sequence, description: "",
            steps: [.init(name: "a", delay: delay, subject: "Hi", text: text, html: html)],
            stopOn: [])
        let contact = Contact(
            id: ids.next(), address: try #require(EmailAddress("ann@example.com")), displayName: name, fields: fields, createdAt: now)
        let version = SequenceVersion(id: ids.next(), workspace: .default, plan: plan, hash: "00")
        let enrollment = Enrollment(
            id: ids.next(), workspace: .default, contact: contact.id, sequence: version.id, identity: "anna", state: .active, cause: nil,
            reason: "", nextStep: 0, dueAt: now, heldBy: nil, version: 0, createdAt: now)
        let zone = try #require(LocalZone("UTC"))
        let window = try #require(SendingWindow(days: Set(Weekday.allCases), opens: 0, closes: 1440, zone: zone))
        let identity = SenderIdentity(
            name: "anna", from: Mailbox(address: try #require(EmailAddress("anna@example.org"))), route: "r", replyTo: .mailbox,
            returnPath: .mailbox, pacing: .init(dailyLimit: nil, minimumGap: .zero, gapJitter: .zero, window: window), signature: signature,
            optOut: try optOut.map { try MessageTemplate($0, format: .text) }, postalAddress: postalAddress, law: law)
        let composer = StepComposer(
            hostname: "out.example.org", addresses: withWayOut ? try addresses() : nil,
            unsubscribe: UnsubscribePolicy(mailto: withWayOut, oneClickBase: withWayOut ? "https://u.example.org/" : nil),
            chance: chance, ids: ids)
        let order = StepComposer.Order(
            due: DueEnrollment(enrollment: enrollment, contact: contact, sequence: version), templates: try StepTemplates(plan),
            identity: identity, earlier: [], now: now)
        switch composer.compose(order) {
        case .message(let message): return Message(parsing: message.bytes)
        case .impossible(let why): throw Refused(why: why)
        case .missing(let names): throw Refused(why: names.joined())
        }
    }

    private struct Refused: Error {
        let why: String
    }

    private func addresses() throws -> TokenAddresses {
        let key = try #require(TokenCodec.Key(secret: Array("a key of the tests, 32 bytes long".utf8)))
        let codec = try #require(TokenCodec(keys: [key]))
        return try #require(TokenAddresses(domain: "r.example.org", codec: codec))
    }

    @Test("a contact with words of its own gets them as they stand, with signature and address behind them")
    func ownWords() throws {
        let fields = [
            "one.a.subject": "For you alone", "one.a.text": "Your words, %s and all.", "two.a.text": "of another sequence",
            "one.b.text": "of another step",
        ]
        let own = try compose(
            text: "Hi {{nickname}}", html: "<p>Hi {{nickname}}</p>", signature: "Anna", postalAddress: "Way 1", fields: fields)
        #expect(own.header.first("Subject")?.text == "For you alone")
        #expect(own.text == "Your words, %s and all.\n\nAnna\n\nWay 1\n")
        #expect(own.header.first("Content-Type")?.text.contains("text/plain") == true, "the step's HTML would say something else")
        let page = try compose(text: "Hi", html: "<p>Hi</p>", signature: nil, postalAddress: nil, fields: ["one.a.html": "<p>Own</p>"])
        #expect(page.header.first("Content-Type")?.text.contains("multipart/alternative") == true)
        #expect(throws: Refused.self, "what looks like a tag never leaves") {
            try compose(text: "Hi", html: nil, signature: nil, postalAddress: nil, fields: ["one.a.text": "Hello {{name}}"])
        }
        let plan = SequencePlan(
            name: "one", description: "",
            steps: [.init(name: "a", delay: try #require(ISODuration("PT0S")), subject: "S", text: "{{x}}", html: nil)],
            stopOn: [])
        var census = TemplateCensus(plan, try StepTemplates(plan))
        #expect(census.count(["one.a.text": "own"], line: 2).isEmpty && census.count([:], line: 3).count == 1)
    }

    @Test(
        "where the law wants it, nothing leaves that does not show how to get no more",
        arguments: [
            (nil, "Hi", nil, nil, [:], nil), ("us", "Hi", nil, nil, [:], "text"), ("us", "Hi {{unsubscribe_url}}", nil, nil, [:], nil),
            ("us", "Hi {{unsubscribe_url}}", "<p>Hi</p>", nil, [:], "html"),
            ("us", "Hi {{unsubscribe_url}}", "<a href=\"{{unsubscribe_url}}\">No more</a>", nil, [:], nil),
            ("us", "", "<a href=\"{{unsubscribe_url}}\">No more</a>", nil, [:], nil),
            ("us", "Hi", "<p>Hi</p>", "Answer 'no' and I am silent.", [:], nil),
            ("us", "Hi", "<p>Hi</p>", "No more: {{unsubscribe_url}}", [:], nil),
            // Whatever the template promises: what counts is what this one would get.
            ("us", "Hi {{#vip}}{{unsubscribe_url}}{{/vip}}", nil, nil, [:], "text"),
            ("us", "Hi {{unsubscribe_url}}", nil, nil, ["one.a.text": "For you alone"], "text"),
        ] as [(String?, String, String?, String?, [String: String], String?)])
    func law(
        _ law: String?, _ text: String, _ html: String?, _ optOut: String?, _ fields: [String: String], _ refusedFor: String?
    ) throws {
        func composed() throws -> Message {
            try compose(
                text: text, html: html, signature: "Anna", postalAddress: "1 Street", withWayOut: true, optOut: optOut, law: law,
                fields: fields)
        }
        if let refusedFor {
            let refusal = #expect(throws: Refused.self) { try composed() }
            #expect(
                refusal?.why.contains("the law 'us' of identity anna") == true
                    && refusal?.why.contains("the \(refusedFor) does not") == true)
        } else {
            let shown = try composed().text
            #expect(shown?.hasSuffix("1 Street\n") == true)
            if let optOut { #expect(shown?.contains(optOut.hasPrefix("No more") ? "No more: https://u.example.org/" : optOut) == true) }
        }
    }

    @Test("what offers a way off a list says off which; every message names its campaign; none calls itself automatic")
    func marks() throws {
        let bare = try compose(text: "Hi", html: nil, signature: nil, postalAddress: nil, sequence: "Spring 2026: Zürich!")
        #expect(bare.header.first("Feedback-ID")?.text == "spring-2026-z-rich:anna:sequence:example-org")
        #expect(bare.header.first("List-Id") == nil && bare.header.first("List-Unsubscribe") == nil)
        let list = try compose(text: "Hi", html: nil, signature: nil, postalAddress: nil, sequence: "Spring", withWayOut: true)
        #expect(list.header.first("Feedback-ID")?.text == "spring:anna:sequence:example-org")
        #expect(list.header.first("List-Id")?.text == "<spring.example.org>")
        #expect(list.header.first("List-Unsubscribe-Post")?.text == "List-Unsubscribe=One-Click")
        // An absence note is an answer that we want, so no responder is asked to stay silent.
        #expect(list.header.first("Auto-Submitted") == nil && list.header.first("Precedence") == nil)
    }

    @Test(
        "the marks of any sequence, identity and domain are such as their fields allow",
        arguments: ["", "::", "…", "a", String(repeating: "long name ", count: 30), "x\r\nBcc: y"],
        ["a@b.de", "a@bücher.example", "a@[192.0.2.1]", "a@a-very-long-domain-name-indeed.example"])
    func anyMarks(name: String, from: String) throws {
        let zone = try #require(LocalZone("UTC"))
        let window = try #require(SendingWindow(days: Set(Weekday.allCases), opens: 0, closes: 1440, zone: zone))
        let author = Mailbox(address: try #require(EmailAddress(from)))
        let identity = SenderIdentity(
            name: name, from: author, route: "r", replyTo: .mailbox, returnPath: .mailbox,
            pacing: .init(dailyLimit: nil, minimumGap: .zero, gapJitter: .zero, window: window))
        let marks = CampaignMarks(sequence: name, identity: identity)
        var draft = MessageDraft(
            from: author, to: [author], subject: "Hi", date: MessageDate(timestamp: now, offsetMinutes: 0),
            messageID: try #require(MessageID("m1@example.org")), text: "Hi")
        draft.feedbackID = marks.feedbackID
        draft.listID = marks.listID
        let message = Message(parsing: try draft.compose())
        #expect(message.header.first("Feedback-ID")?.text == marks.feedbackID)
        #expect((marks.listID == nil) == author.address.isAddressLiteral)
    }

    @Test("signature and postal address stand under the text, one empty line before each", arguments: ["Hello", "Hello\n", "Hello\n\n"])
    func underText(text: String) throws {
        let message = try compose(text: text, html: nil, signature: "Anna\nAcme\n", postalAddress: "1 Street")
        #expect(message.text == "Hello\n\nAnna\nAcme\n\n1 Street\n")
    }

    @Test(
        "signature and postal address stand in the HTML too, escaped and inside of its body",
        arguments: [
            ("<p>Hi</p>\n", "<p>Hi</p>\n<p>A &amp; B<br>\nAcme</p>\n<p>1 Street</p>\n"),
            ("<html><BODY>Hi</BODY></html>\n", "<html><BODY>Hi<p>A &amp; B<br>\nAcme</p>\n<p>1 Street</p>\n</BODY></html>\n"),
        ])
    func underHTML(html: String, expected: String) throws {
        let message = try compose(text: "Hi", html: html, signature: "A & B\nAcme", postalAddress: "1 Street")
        #expect(message.html == expected)
        #expect(message.text == "Hi\n\nA & B\nAcme\n\n1 Street\n")
    }

    @Test(
        "a tag that is still there after all was added keeps the message back, wherever it came from",
        arguments: [("Best {{sender_name}}", "1 Street"), ("Anna", "{{street}} 1"), ("{{", "")])
    func leftOver(signature: String, postalAddress: String) throws {
        let refusal = #expect(throws: Refused.self) {
            try compose(text: "Hi", html: "<p>Hi</p>", signature: signature, postalAddress: postalAddress)
        }
        let place = signature.contains("{{") ? "in the signature of identity anna" : "in the postal address of identity anna"
        #expect(refusal?.why == "the text still shows {{ after rendering; it stands \(place), take it out there")
    }

    @Test(
        "what holds the mark of a field that nobody filled in keeps the message back, and is named",
        arguments: [
            ("Hi {{nickname}}", ["nickname": "[FIRST NAME]"], nil, "the field 'nickname' holds '[FIRST NAME]', a mark"),
            ("Hi {{nickname|you}}", ["nickname": "{{name}}"], nil, "the field 'nickname' holds '{{name}}', a mark"),
            (
                "Hi {{#nickname}}{{company}}{{/nickname}}", ["nickname": "x", "company": "%%C0%%"], nil,
                "the field 'company' holds '%%C0%%'"
            ),
            ("Hi", ["one.a.text": "Dear *|FNAME|*"], nil, "the field 'one.a.text' holds '*|FNAME|*'"),
            ("Hi", ["one.a.subject": "For ${c}"], nil, "the field 'one.a.subject' holds '${c}'"),
            ("Hi", [:], "[FIRST NAME] [LAST NAME]", "the name of the contact holds '[FIRST NAME]'"),
        ] as [(String, [String: String], String?, String)])
    func unfilled(text: String, fields: [String: String], name: String?, why: String) throws {
        let refusal = #expect(throws: Refused.self) {
            try compose(text: text, html: nil, signature: nil, postalAddress: nil, fields: fields, called: name)
        }
        #expect(refusal?.why.utf8.starts(with: why.utf8) == true, "\(refusal?.why ?? "")")
    }

    @Test("marks that the author wrote, and those of fields that are not shown, keep nothing back")
    func marksOfTheAuthor() throws {
        let text = "{{first|[YOUR NAME]}}, write ${x} as in {code here} [1] 100%% {{#vip}}{{nickname}}{{/vip}}"
        let message = try compose(text: text, html: nil, signature: "[SIGNED]", postalAddress: nil, fields: ["nickname": "[NAME]"])
        #expect(message.text == "[YOUR NAME], write ${x} as in {code here} [1] 100%%\n\n[SIGNED]\n")
    }

    @Test(
        "the text of a message that has HTML alone is made of it, for each recipient",
        arguments: [
            (
                "<p>Hi {{nickname}}</p><p>See <a href=\"https://a.example/{{nickname}}\">this</a></p>", [:],
                "Hi A&B\n\nSee this <https://a.example/A&B>"
            ),
            ("<style>p{color:red}</style><p>Hi<br>there</p>", [:], "Hi\nthere"),
            ("<p>{{nickname}}</p>", ["one.a.text": "Own"], "Own"),
            ("<p>{{nobody}}</p>", ["one.a.html": "<p>Own &amp; true</p>"], "Own & true"),
        ] as [(String, [String: String], String)])
    func derivedText(html: String, own: [String: String], expected: String) throws {
        let fields = own.merging(["nickname": "A&B"]) { first, _ in first }
        let message = try compose(text: "", html: html, signature: "Anna", postalAddress: "1 Street", fields: fields)
        #expect(message.text == "\(expected)\n\nAnna\n\n1 Street\n")
        #expect((message.html == nil) == (own["one.a.text"] != nil))
    }

    @Test(
        "a text that is made of HTML is held against the same rules",
        arguments: [
            (
                "<p>Hi &#123;&#123;name}}</p>",
                "the text still shows {{ after rendering; it stands among the words of the step, take it out there"
            ), ("<p>{{nickname}}</p>", "nickname"),
            ("<img src=\"https://a.example/a.png\">", "the text is empty, and the HTML has no words to make one of"),
        ])
    func refusedDerivedText(html: String, why: String) throws {
        let refusal = #expect(throws: Refused.self) { try compose(text: "\n", html: html, signature: nil, postalAddress: nil) }
        #expect(refusal?.why == why)
    }

    @Test("closing braces alone are no left-over")
    func closingBraces() throws {
        let page = "<style>@media print{p{color:red}}</style><p>Hi</p>\n"
        #expect(try compose(text: "a}}b", html: page, signature: nil, postalAddress: nil).html == page)
    }

    @Test("nothing is added when nothing is configured")
    func nothing() throws {
        let message = try compose(text: "Hi\n", html: "<p>Hi</p>\n", signature: nil, postalAddress: nil)
        #expect(message.text == "Hi\n")
        #expect(message.html == "<p>Hi</p>\n")
    }
}
