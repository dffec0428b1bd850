import Testing

@testable import InternetMessage

@Suite("Messages")
struct MessageTests {
    struct Expected: Sendable, CustomTestStringConvertible {
        var name: String
        var subject: String?
        var from: [String]
        var text: String?
        var attachments: [String] = []
        var defects: [Defect] = []

        var testDescription: String { name }
    }

    static let expected: [Expected] = [
        Expected(
            name: "reply-plain", subject: "Re: Café prices in March", from: ["Example, Ann|ann@example.com"],
            text:
                "Yes, gladly – Tuesday at ten?\n\nOn Tue, Bob wrote:\n> A line that was so long that the sender's program had to break it softly.\n"
        ),
        Expected(
            name: "mixed-nested", subject: "Offer", from: ["ann@example.com"], text: "See the offer.\n-- \nA list footer.",
            attachments: ["logo.png image/png 8 inline logo@example.com", "Angebot für Bob.pdf application/pdf 9 attachment -"]),
        Expected(
            name: "html-only-outlook", subject: "Antwort: Grüße", from: ["Jörg|joerg@example.com"],
            text: "Hallo Bob,\n\nja, gern. Grüße\nTermin <https://example.com/termin>\n> Am Dienstag schrieb Bob:\n> Geht das?"),
        Expected(
            name: "flowed", subject: "Flowed", from: ["ann@example.com"],
            text:
                "A paragraph that the writer's program has wrapped.\n> A quote that goes on.\n>> deeper\nFrom the start, stuffed.\n-- \nAnn\n"
        ),
        Expected(
            name: "missing-final-boundary", subject: "cut", from: ["ann@example.com"], text: "Text.",
            attachments: ["ü.bin application/octet-stream 3 - -"], defects: [.missingFinalBoundary, .base64Syntax]),
        Expected(
            name: "mbox-line", subject: "mbox", from: ["ann@example.com"], text: "Text.\n", defects: [.mboxFromLine, .headerLineSyntax]),
        Expected(
            name: "no-blank-line", subject: "no empty line", from: ["ann@example.com"], text: "This text begins at once.\nAnd goes on.\n",
            defects: [.noHeaderEnd]),
        Expected(
            name: "uuencode", subject: "uu", from: ["ann@example.com"], text: nil, attachments: ["cat.txt application/octet-stream 3 - -"]),
        Expected(name: "koi8-r", subject: "Привет", from: ["Анна|anna@example.com"], text: "Да, спасибо.\n"),
        Expected(name: "iso-2022-jp", subject: "こんにちは", from: ["ann@example.com"], text: "はい。\n"),
        Expected(
            name: "mislabelled", subject: "Grüße", from: ["ann@example.com"], text: "Schöne Grüße – Ann\n", defects: [.charsetMismatch]),
        Expected(name: "eai", subject: "Привет, Bob", from: ["Пелé|пеле@пример.example"], text: "Да.\n"),
        Expected(
            name: "encoded-message", subject: "outer", from: ["ann@example.com"], text: "Outer text.",
            attachments: ["inner.eml message/rfc822 71 - -"], defects: [.encodedContainer]),
        Expected(
            name: "dsn-forwarded", subject: "Fwd: Undelivered", from: ["carl@example.org"], text: "This came back to me.",
            attachments: ["- message/rfc822 439 attachment -"]),
    ]

    @Test("fixtures read the same with LF, CRLF and CR", arguments: expected, Fixture.LineEnd.allCases)
    func fixtures(_ expected: Expected, end: Fixture.LineEnd) throws {
        let message = Message(parsing: try Fixture.bytes(expected.name, end))
        #expect(message.subject == expected.subject)
        #expect(message.from.map { ($0.displayName.map { $0 + "|" } ?? "") + $0.address.text } == expected.from)
        #expect(message.text == expected.text)
        #expect(message.allDefects() == expected.defects)
        let attachments = message.attachments.map { attachment in
            "\(attachment.filename ?? "-") \(attachment.type) \(attachment.bytes.filter { $0 != 13 || end == .cr || attachment.type != "message/rfc822" }.count) \(attachment.disposition ?? "-") \(attachment.contentID ?? "-")"
        }
        #expect(attachments == expected.attachments)
    }

    @Test("the fields of a reply")
    func fields() throws {
        let message = Message(parsing: try Fixture.bytes("reply-plain"))
        #expect(message.messageID?.text == "abc@example.com")
        #expect(message.inReplyTo.map(\.text) == ["x@example.org"])
        #expect(message.references.map(\.text) == ["w@example.org", "x@example.org"])
        #expect(message.date?.iso8601 == "2026-03-04T09:45:18+01:00")
        #expect(message.to.map(\.address.text) == ["bob@example.org"])
        #expect(message.cc.map(\.address.text) == ["carl@example.org", "dee@example.org", "eve@example.net"])
        #expect(message.cc.last?.displayName == "Eve")
        #expect(message.sender == nil && message.replyTo.isEmpty && message.html == nil && message.report == nil)
    }

    @Test("header and body slices are the exact bytes", arguments: Fixture.LineEnd.allCases)
    func slices(end: Fixture.LineEnd) throws {
        let bytes = try Fixture.bytes("reply-plain", end)
        let message = Message(parsing: bytes)
        let emptyLine: [UInt8] = end == .crlf ? [13, 10] : end == .lf ? [10] : [13]
        #expect(Array(message.rawHeader) + emptyLine + Array(message.rawBody) == bytes)
        #expect(message.header.fields.flatMap(\.raw) == Array(message.rawHeader))
    }

    @Test("the HTML part is chosen by start, and the tree is as written")
    func tree() throws {
        let message = Message(parsing: try Fixture.bytes("mixed-nested"))
        #expect(message.html == "<p>See the <b>offer</b>.</p>")
        #expect(message.root.children.map(\.mediaType.essence) == ["multipart/alternative", "application/pdf", "text/plain"])
        #expect(message.root.children.first?.children.map(\.mediaType.essence) == ["text/plain", "multipart/related"])
    }

    @Test("a message inside a message is part of the tree, also when it is encoded", arguments: ["dsn-forwarded", "encoded-message"])
    func innerMessage(name: String) throws {
        let message = Message(parsing: try Fixture.bytes(name))
        #expect(message.root.children.last?.children.first?.header.first("Subject") != nil)
    }

    @Test(
        "odd beginnings",
        arguments: [
            ("", []), ("\n", [.noHeaderEnd]), ("hello", [.noHeader]), ("\r\n\r\nSubject: x\r\n\r\ny", []), ("\u{FEFF}Subject: x\n\ny", []),
            (">From x\nSubject: x\n\ny", [.mboxFromLine]), ("Subject: x", [.noHeaderEnd]), (":\n\n", [.headerLineSyntax]),
            (" x\n\n", [.headerLineSyntax]),
        ] as [(String, [Defect])])
    func beginnings(text: String, defects: [Defect]) {
        let message = Message(parsing: Array(text.utf8))
        #expect(message.defects == defects || text.utf8.count < 2)
        if text.utf8.contains(0x78), defects != [.noHeader], defects != [.headerLineSyntax] { #expect(message.subject == "x") }
    }

    @Test("boundaries that are prefixes of each other, repeated, or closed early")
    func boundaries() {
        let text = """
            Content-Type: multipart/mixed; boundary=a

            --a
            Content-Type: multipart/mixed; boundary=ab

            --ab

            one
            --abc
            still one
            --a b
            still one
            --ab--
            epilogue of ab
            --ab
            still epilogue
            --a

            two
            --a--

            --a

            epilogue
            """
        let message = Message(parsing: Array(text.utf8))
        #expect(message.root.children.count == 2)
        #expect(
            message.root.children.first?.children.map { String(decoding: $0.body, as: UTF8.self) } == [
                "one\n--abc\nstill one\n--a b\nstill one"
            ])
        #expect(message.text == "one\n--abc\nstill one\n--a b\nstill one\ntwo")
        #expect(message.defects == [])
    }

    @Test("an outer boundary closes an inner multipart that was left open")
    func outerCloses() {
        let text =
            "Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: multipart/mixed; boundary=i\n\n--i\n\none\n--o\n\ntwo\n--o--\n"
        let message = Message(parsing: Array(text.utf8))
        #expect(message.text == "one\ntwo")
        #expect(message.defects == [.missingFinalBoundary])
    }

    @Test("each limit is a defect, and the rest still parses")
    func limits() {
        var limits = Limits()
        limits.headerFields = 2
        #expect(Message(parsing: Array("A: 1\nB: 2\nC: 3\n\nx".utf8), limits: limits).text == "x")
        #expect(Message(parsing: Array("A: 1\nB: 2\nC: 3\n\nx".utf8), limits: limits).defects == [.tooManyFields])
        limits = Limits()
        limits.headerBytes = 10
        let long = Message(parsing: Array("Subject: x\nA: \(String(repeating: "y", count: 100))\nB: 2\n\nz".utf8), limits: limits)
        #expect(long.defects == [.headerTooLong])
        #expect(long.subject == "x" && long.text == "z")
        limits = Limits()
        limits.bytes = 14
        #expect(Message(parsing: Array("Subject: x\n\nabcdef".utf8), limits: limits).text == "ab")
        limits = Limits()
        limits.parts = 3
        let parts = "Content-Type: multipart/mixed; boundary=b\n\n" + String(repeating: "--b\n\nx\n", count: 10) + "--b--\n"
        let cut = Message(parsing: Array(parts.utf8), limits: limits)
        #expect(cut.root.children.count == 2 && cut.defects.contains(.tooManyParts))
        limits = Limits()
        limits.depth = 3
        let deep = (0..<10).map { "Content-Type: multipart/mixed; boundary=b\($0)\n\n--b\($0)\n" }.joined() + "\nx"
        #expect(Message(parsing: Array(deep.utf8), limits: limits).defects.contains(.nestedTooDeep))
        #expect(AddressList(parsing: Array("a@b,c@d,e@f".utf8)[...], limit: 2).mailboxes.count == 2)
        #expect(AddressList(parsing: Array("a@b,c@d,e@f".utf8)[...], limit: 2).defects == [.tooManyAddresses])
    }

    @Test("a field that may stand once and stands twice is a defect")
    func duplicates() {
        #expect(Message(parsing: Array("Subject: a\nSubject: b\n\n".utf8)).allDefects() == [.duplicateField])
    }
}
