import Testing

@testable import InternetMessage

@Suite("Compose")
struct ComposeTests {
    static func draft(text: String = "Hello Bob.\n", html: String? = nil) throws -> MessageDraft {
        MessageDraft(
            from: Mailbox(displayName: "Ann Example", address: try #require(EmailAddress("ann@example.com"))),
            to: [Mailbox(address: try #require(EmailAddress("bob@example.org")))], subject: "Hello",
            date: MessageDate(timestamp: Timestamp(seconds: 1_772_613_918), offsetMinutes: 60),
            messageID: try #require(MessageID("m1@example.com")),
            text: text, html: html)
    }

    /// Line ends CRLF only, no line over 998, fields at most 78 unless a token is longer, ASCII throughout.
    static func checkLegal(_ bytes: [UInt8], longestField: Int = 78, isASCII: Bool = true) {
        #expect(bytes.isASCII || !isASCII)
        var column = 0
        for (i, byte) in bytes.enumerated() {
            if byte == 10 { #expect(i > 0 && bytes[i - 1] == 13, "bare LF at \(i)") }
            if byte == 13 { #expect(i + 1 < bytes.count && bytes[i + 1] == 10, "bare CR at \(i)") }
            #expect(byte != 0)
            column = byte == 10 ? 0 : column + 1
            #expect(column <= 999)
        }
        let message = Message(parsing: bytes)
        #expect(message.allDefects() == [])
        for field in message.header.fields {
            for line in field.raw.split(separator: 10) { #expect(line.count - 1 <= longestField) }
        }
        for required in ["From", "Date", "Message-ID", "MIME-Version", "Content-Type"] { #expect(message.header.all(required).count == 1) }
    }

    @Test("a short text message, byte for byte")
    func exact() throws {
        let expected = """
            From: Ann Example <ann@example.com>
            To: bob@example.org
            Subject: Hello
            Date: Wed, 04 Mar 2026 09:45:18 +0100
            Message-ID: <m1@example.com>
            MIME-Version: 1.0
            Content-Type: text/plain; charset=utf-8
            Content-Transfer-Encoding: 7bit

            Hello Bob.

            """
        let bytes = try Self.draft().compose()
        #expect(String(decoding: bytes.filter { $0 != 13 }, as: UTF8.self) == expected)
        Self.checkLegal(bytes)
    }

    @Test("every field comes back")
    func fields() throws {
        var draft = try Self.draft()
        draft.from = Mailbox(displayName: "Jörg \"J\" Müller, Dr. 😀", address: try #require(EmailAddress("\"j m\"@bücher.example")))
        draft.to = try (1...12).map {
            Mailbox(displayName: "Recipient, No. \($0)", address: try #require(EmailAddress("r\($0)@example.org")))
        }
        draft.sender = Mailbox(displayName: "=?utf-8?Q?x?=", address: try #require(EmailAddress("s@example.com")))
        draft.replyTo = [Mailbox(address: try #require(EmailAddress("reply+token@example.com")))]
        draft.subject = "Re: " + String(repeating: "Привет и до встречи ", count: 12)
        draft.inReplyTo = [try #require(MessageID("parent@example.org"))]
        draft.references = try (0..<30).map { try #require(MessageID("reference-number-\($0)@example.org")) }
        draft.listUnsubscribe = ["https://example.com/u/abc", "mailto:unsub+abc@example.com?subject=x"]
        draft.oneClick = true
        draft.listID = "news.example.com"
        draft.feedbackID = "c:u:sequence:postrider"
        draft.autoSubmitted = .generated
        draft.extraFields = [try HeaderField(name: "X-Campaign", value: "März")]
        let bytes = try draft.compose()
        Self.checkLegal(bytes)
        let message = Message(parsing: bytes)
        #expect(message.from.first?.displayName == draft.from.displayName)
        #expect(message.from.first?.address.wireBytes == draft.from.address.wireBytes)
        #expect(message.to == draft.to)
        #expect(message.sender == draft.sender)
        #expect(message.replyTo == draft.replyTo)
        #expect(message.subject.map { Array($0.utf8) } == Array(Array(draft.subject.utf8)[...].trimmed))
        #expect(message.date == draft.date)
        #expect(message.messageID == draft.messageID)
        #expect(message.inReplyTo == draft.inReplyTo)
        #expect(message.references == draft.references)
        #expect(message.header.first("List-Unsubscribe")?.text == "<https://example.com/u/abc>, <mailto:unsub+abc@example.com?subject=x>")
        #expect(message.header.first("List-Unsubscribe-Post")?.text == "List-Unsubscribe=One-Click")
        #expect(message.header.first("List-Id")?.text == "<news.example.com>")
        #expect(message.header.first("Feedback-ID")?.text == "c:u:sequence:postrider")
        #expect(message.header.first("Auto-Submitted")?.text == "auto-generated")
        #expect(message.header.first("X-Campaign")?.text == "März")
        #expect(!draft.needsSMTPUTF8)
    }

    static let texts = [
        "", "x", "no line end", "a\nb\n", "a\r\nb\r\n", "a\rb\r", "mixed\r\nends\nhere\r\r\n", "From here\n>From there\n", ".\n..\n.x\n",
        "trailing  \n\t\n",
        String(repeating: "long line ", count: 200) + "\n", String(repeating: "x", count: 5000) + "\n", "é\n",
        String(repeating: "Привет ", count: 50),
        "=3D =\n", "a\u{2028}b", "tab\there\n", "-- \nAnn\n", "--=_\n--\n", "bell\u{7}\n", String(repeating: "あ", count: 300),
    ]

    @Test(
        "texts of every kind come back with LF line ends", arguments: texts,
        [nil, "<p>Ünïcode &amp; <b>more</b></p>\n" + String(repeating: "y", count: 1200)])
    func textRoundTrip(text: String, html: String?) throws {
        let bytes = try Self.draft(text: text, html: html).compose()
        Self.checkLegal(bytes)
        let message = Message(parsing: bytes)
        var expected = Array(text.utf8)
        LineEnds.normalize(&expected)
        if let last = expected.last, last != 10 { expected.append(10) }
        if html == nil {
            #expect(message.text.map { Array($0.utf8) } == expected)
            #expect(message.root.children.isEmpty)
        } else {
            #expect(message.root.mediaType.essence == "multipart/alternative")
            #expect(message.root.children.map(\.mediaType.essence) == ["text/plain", "text/html"])
            #expect(message.html == html.map { $0 + "\n" })
            if text.utf8.contains(where: { !$0.isWhitespace }) {
                #expect(message.root.children.first.map { Array($0.decodedText().text.utf8) } == expected)
            } else {
                #expect(message.text?.utf8.starts(with: "Ünïcode & more".utf8) == true)
            }
        }
    }

    @Test("composing twice gives the same bytes, another Message-ID another boundary")
    func deterministic() throws {
        var draft = try Self.draft(html: "<p>x</p>")
        let first = try draft.compose()
        #expect(try draft.compose() == first)
        let boundary = Message(parsing: first).root.mediaType.parameters["boundary"]
        draft.messageID = try #require(MessageID("m2@example.com"))
        #expect(Message(parsing: try draft.compose()).root.mediaType.parameters["boundary"] != boundary)
        // A text that quotes the boundary of its own message must not be cut by it.
        draft.messageID = try #require(MessageID("m1@example.com"))
        draft.text = "--\(boundary ?? "")\nstill text\n"
        let quoted = Message(parsing: try draft.compose())
        #expect(quoted.text == "--\(boundary ?? "")\nstill text\n")
        #expect(quoted.root.mediaType.parameters["boundary"] != boundary)
    }

    typealias Setting = @Sendable (inout MessageDraft, String) throws -> Void
    static let settings: [(String, Setting)] = [
        ("From", { $0.from = Mailbox(displayName: $1, address: $0.from.address) }),
        ("To", { $0.to = [Mailbox(displayName: $1, address: $0.from.address)] }),
        ("Sender", { $0.sender = Mailbox(displayName: $1, address: $0.from.address) }),
        ("Reply-To", { $0.replyTo = [Mailbox(displayName: $1, address: $0.from.address)] }),
        ("Subject", { $0.subject = $1 }),
        ("List-Unsubscribe", { $0.listUnsubscribe = ["https://example.com/" + $1] }),
        ("List-Id", { $0.listID = $1 }),
        ("Feedback-ID", { $0.feedbackID = $1 }),
    ]

    @Test(
        "no field lets a line end or a control character through, and the error names the field", arguments: settings.indices,
        HeaderTests.injections)
    func injection(index: Int, value: String) throws {
        let (field, set) = Self.settings[index]
        var draft = try Self.draft()
        try set(&draft, value)
        do {
            _ = try draft.compose()
            Issue.record("composed")
        } catch {
            #expect(error.field == field)
        }
    }

    @Test("a NUL in a body is refused")
    func nulInBody() throws {
        #expect(throws: ComposeError(.controlCharacter, field: "text", "the text holds the control character U+0000")) {
            try Self.draft(text: "a\0b").compose()
        }
        #expect(throws: ComposeError(.controlCharacter, field: "html", "the text holds the control character U+0000")) {
            try Self.draft(html: "a\0b").compose()
        }
    }

    @Test("addresses, identifiers and fields from foreign messages cannot break the header")
    func foreignValues() throws {
        var draft = try Self.draft()
        // A foreign identifier with 8-bit bytes is left out of the thread.
        draft.references = [try #require(MessageID(lenient: [0x61, 0xFF, 0x40, 0x62])), try #require(MessageID("ok@example.org"))]
        #expect(Message(parsing: try draft.compose()).references.map(\.text) == ["ok@example.org"])
        // A field read from an LF-only message would bring a bare LF along.
        for raw in [
            "X-A: b\n", "X-A: b\r\n c\n d\r\n", "X-A: \0\r\n", "X-A: é\r\n", "X-A: b", "X-A: b\r\n\r\n", "X-A: b\r\n\r\nX-C: d\r\n",
        ] {
            let field = HeaderField(raw: Array(raw.utf8)[...], nameEnd: 3, valueStart: 4)
            draft.extraFields = [field]
            #expect(throws: ComposeError.self, "\(raw.debugDescription)") { try draft.compose() }
        }
        draft.extraFields = [try HeaderField(name: "subject", value: "second")]
        #expect(throws: ComposeError.self) { try draft.compose() }
        draft.extraFields = []
        draft.to = []
        #expect(throws: ComposeError.self) { try draft.compose() }
    }

    @Test(
        "one-click needs an https URI",
        arguments: [([], true), (["mailto:x@example.com"], true), (["http://example.com/"], true), (["https://example.com/"], false)])
    func oneClick(uris: [String], fails: Bool) throws {
        var draft = try Self.draft()
        draft.listUnsubscribe = uris
        draft.oneClick = true
        if fails { #expect(throws: ComposeError.self) { try draft.compose() } } else { _ = try draft.compose() }
    }

    @Test("an address beyond ASCII needs SMTPUTF8 and is written raw")
    func smtputf8() throws {
        var draft = try Self.draft()
        draft.to = [Mailbox(displayName: "Пеле", address: try #require(EmailAddress("пеле@пример.example")))]
        #expect(draft.needsSMTPUTF8)
        let bytes = try draft.compose()
        Self.checkLegal(bytes, isASCII: false)
        #expect(Message(parsing: bytes).to.first?.address.suppressionKey == "пеле@xn--e1afmkfd.example")
    }

    @Test(
        "the transfer encoding fits the text",
        arguments: [
            ("plain\n", "7bit"), ("é and mostly plain text\n", "quoted-printable"), ("привет\n", "base64"),
            ("From x\n", "quoted-printable"), (String(repeating: "x", count: 79), "quoted-printable"),
            (String(repeating: "x", count: 78), "7bit"),
        ])
    func encoding(text: String, name: String) throws {
        #expect(Message(parsing: try Self.draft(text: text).compose()).header.first("Content-Transfer-Encoding")?.text == name)
    }

    @Test("8bit is used only where it is allowed, and then the parts around it say so too")
    func eightBit() throws {
        var draft = try Self.draft(text: "Grüße\n", html: "<p>Grüße</p>\n")
        #expect(try !draft.composed().needs8BITMIME)
        draft.allows8bit = true
        let composed = try draft.composed()
        let bytes = try draft.compose()
        #expect(composed.needs8BITMIME && composed.size == bytes.count)
        let root = Message(parsing: bytes).root
        for part in [root] + root.children { #expect(part.header.first("Content-Transfer-Encoding")?.text == "8bit") }
        // What a relay would change is encoded all the same.
        draft.text = "From Zürich\n"
        draft.html = nil
        #expect(Message(parsing: try draft.compose()).header.first("Content-Transfer-Encoding")?.text == "quoted-printable")
    }

    @Test("a boundary derives from the seed that is given")
    func boundarySeed() throws {
        var draft = try Self.draft(html: "<p>x</p>")
        var boundaries: Set<String> = []
        for seed: [UInt8] in [[], [1], [2], [1, 2]] {
            draft.boundarySeed = seed
            boundaries.insert(try #require(Message(parsing: try draft.compose()).root.mediaType.parameters["boundary"]))
        }
        #expect(boundaries.count == 4)
    }

    static let badValues: [(String, Setting)] = [
        ("List-Id", { draft, _ in draft.listID = "nodot" }), ("List-Id", { draft, _ in draft.listID = "" }),
        ("Feedback-ID", { draft, _ in draft.feedbackID = "a:b:c:d:sender" }),
        ("Feedback-ID", { draft, _ in draft.feedbackID = "a:b:c:four" }),
        ("Feedback-ID", { draft, _ in draft.feedbackID = "a::c:sender" }), ("Feedback-ID", { draft, _ in draft.feedbackID = "" }),
        ("List-Unsubscribe", { draft, _ in draft.listUnsubscribe = ["https://example.com/%zz"] }),
        ("List-Unsubscribe", { draft, _ in draft.listUnsubscribe = ["https://example.com/{a}"] }),
        ("List-Unsubscribe", { draft, _ in draft.listUnsubscribe = ["ftp://example.com/"] }),
        ("List-Unsubscribe", { draft, _ in draft.listUnsubscribe = ["https://"] }),
        ("Date", { draft, _ in draft.date = MessageDate(timestamp: Timestamp(seconds: 400_000_000_000), offsetMinutes: 0) }),
        ("Date", { draft, _ in draft.date = MessageDate(timestamp: Timestamp(seconds: -3_000_000_000), offsetMinutes: 0) }),
        ("Message-ID", { draft, _ in draft.messageID = try #require(MessageID(lenient: Array("no-at-sign".utf8))) }),
        (
            "To",
            { draft, _ in
                draft.to = [
                    Mailbox(address: try #require(EmailAddress(lenientLocalPart: Array("a".utf8), domain: Array("b..example".utf8))))
                ]
            }
        ),
        (
            "Cc",
            { draft, _ in
                draft.cc = [
                    Mailbox(
                        address: try #require(
                            EmailAddress(lenientLocalPart: [UInt8](repeating: 97, count: 400), domain: Array("b.example".utf8))))
                ]
            }
        ),
        ("Content-Type", { draft, _ in draft.extraFields = [try HeaderField(name: "Content-Type", value: "text/plain")] }),
        ("ARC-Seal", { draft, _ in draft.extraFields = [try HeaderField(name: "ARC-Seal", value: "x")] }),
        ("X-A", { draft, _ in draft.extraFields = [HeaderField(raw: Array("X-A : b\r\n".utf8)[...], nameEnd: 3, valueStart: 5)] }),
        ("X-A", { draft, _ in draft.extraFields = [HeaderField(raw: Array("X-A: b\r\n \r\n".utf8)[...], nameEnd: 3, valueStart: 4)] }),
    ]

    @Test(
        "a value that its field does not allow is refused, and the error names the field and says what to do", arguments: badValues.indices)
    func badValue(index: Int) throws {
        let (field, set) = Self.badValues[index]
        var draft = try Self.draft()
        try set(&draft, "")
        do {
            _ = try draft.compose()
            Issue.record("composed")
        } catch {
            #expect(error.field == field)
            #expect(error.description == "\(field): \(error.message); \(error.remedy)" && !error.remedy.isEmpty)
        }
    }

    @Test("an error reads as a sentence: where, what, what to do")
    func errorText() throws {
        var draft = try Self.draft()
        draft.subject = "Hello\nBcc: x"
        var text = ""
        do { _ = try draft.compose() } catch { text = "\(error)" }
        #expect(text == "Subject: the value holds a line feed (U+000A); take it out")
        for code in ComposeError.Code.allCases {
            let text = "\(ComposeError(code, field: "", "what"))"
            #expect(text.utf8.starts(with: "a header field: what; ".utf8) && text.utf8.count > 25)
        }
    }

    @Test("a long thread keeps its first and its latest messages, in a header of bounded size", arguments: [(60, 10), (60, 400), (3, 880)])
    func longThread(count: Int, length: Int) throws {
        var draft = try Self.draft()
        draft.references = try (0..<count).map { number in
            try #require(MessageID("\(number)." + String(repeating: "x", count: length) + "@example.org"))
        }
        let bytes = try draft.compose()
        let written = Message(parsing: bytes).references
        #expect(written.first == draft.references.first)
        #expect(written.dropFirst().elementsEqual(draft.references.suffix(written.count - 1)))
        #expect(written.count >= 2 && written.count <= 50)
        #expect(bytes.count < 10_000)
        #expect(ComposePropertyTests.fault(bytes, isASCII: true) == nil)
    }
}
