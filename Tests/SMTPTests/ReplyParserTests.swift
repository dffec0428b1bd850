import NIOCore
import Testing

@testable import SMTP

struct ReplyParserTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let input: String
        let expected: [ReplyParser.Step]
        var testDescription: String { input.debugDescription }
    }

    static func reply(_ code: Int, _ lines: String...) -> ReplyParser.Step { .reply(Reply(code: code, lines: lines.map(bytes))) }

    static let cases: [Case] = [
        Case(input: "", expected: [.incomplete]),
        Case(input: "250 Ok\r\n", expected: [reply(250, "Ok"), .incomplete]),
        Case(input: "250\r\n", expected: [reply(250, ""), .incomplete]),
        Case(input: "250 \r\n", expected: [reply(250, ""), .incomplete]),
        Case(input: "250-a\r\n250-b\r\n250 c\r\n", expected: [reply(250, "a", "b", "c"), .incomplete]),
        Case(input: "250-a\r\n250\r\n", expected: [reply(250, "a", ""), .incomplete]),
        Case(input: "571 no\r\n", expected: [reply(571, "no"), .incomplete]),
        Case(input: "250 a\r\n550 b\r\n", expected: [reply(250, "a"), reply(550, "b"), .incomplete]),
        // What looks like a success is none before its CRLF.
        Case(input: "250", expected: [.incomplete]),
        Case(input: "250 Ok", expected: [.incomplete]),
        Case(input: "250 Ok\r", expected: [.incomplete]),
        Case(input: "250-Ok\r\n", expected: [.incomplete]),
        Case(input: "250-Ok\r\n250 ", expected: [.incomplete]),
        Case(input: "250 Ok\n", expected: [.fault(.bareLineEnding), .fault(.bareLineEnding)]),
        Case(input: "250-a\n250 b\r\n", expected: [.fault(.bareLineEnding)]),
        Case(input: "250 a\rb\r\n", expected: [.fault(.bareLineEnding)]),
        Case(input: "250 a\r\r\n", expected: [.fault(.bareLineEnding)]),
        Case(input: "\r\n", expected: [.fault(.malformedLine)]),
        Case(input: "25\r\n", expected: [.fault(.malformedLine)]),
        Case(input: "000 Ok\r\n", expected: [.fault(.malformedLine)]),
        Case(input: "150 Ok\r\n", expected: [.fault(.malformedLine)]),
        Case(input: "999 Ok\r\n", expected: [.fault(.malformedLine)]),
        Case(input: "600 Ok\r\n", expected: [.fault(.malformedLine)]),
        Case(input: "25x Ok\r\n", expected: [.fault(.malformedLine)]),
        Case(input: "-50 Ok\r\n", expected: [.fault(.malformedLine)]),
        Case(input: " 250 Ok\r\n", expected: [.fault(.malformedLine)]),
        Case(input: "2500 Ok\r\n", expected: [.fault(.malformedLine)]),
        Case(input: "250+Ok\r\n", expected: [.fault(.malformedLine)]),
        Case(input: "250\tOk\r\n", expected: [.fault(.malformedLine)]),
        Case(input: "\u{662}\u{665}\u{660} Ok\r\n", expected: [.fault(.malformedLine)]),
        Case(input: "250-a\r\n251 b\r\n", expected: [.fault(.mixedCodes)]),
        Case(input: "250-a\r\nfree text\r\n", expected: [.fault(.malformedLine)]),
        Case(input: "550-a\r\n250 b\r\n", expected: [.fault(.mixedCodes)]),
    ]

    @Test("success, incomplete and failure, however the input is cut", arguments: cases)
    func parse(_ example: Case) {
        let input = bytes(example.input)
        for cut in Cut.all(input.count) {
            var parser = ReplyParser()
            var steps: [ReplyParser.Step] = []
            for piece in cut.pieces(input, from: 0) {
                parser.append(ByteBuffer(bytes: piece))
                while true {
                    let step = parser.next()
                    if case .incomplete = step { break }
                    steps.append(step)
                    if case .fault = step { break }
                }
            }
            if case .fault = steps.last {
                #expect(
                    Array(steps.prefix(while: { if case .fault = $0 { false } else { true } })) + [steps[steps.count - 1]] == [
                        example.expected[0]
                    ])
            } else {
                #expect(steps + [.incomplete] == example.expected, "\(cut)")
            }
        }
    }

    @Test("a line is bounded, whether its end has come or not")
    func longLines() {
        func first(_ input: [UInt8]) -> ReplyParser.Step {
            var parser = ReplyParser()
            parser.append(ByteBuffer(bytes: input))
            return parser.next()
        }
        let longest = bytes("250 ") + Array(repeating: UInt8(ascii: "x"), count: 4092)
        #expect(first(longest) == .incomplete)
        #expect(first(longest + bytes("\r")) == .incomplete)
        #expect(first(longest + bytes("\r\n")) == .reply(Reply(code: 250, lines: [Array(longest.dropFirst(4))])))
        #expect(first(longest + bytes("x\r\n")) == .fault(.lineTooLong))
        #expect(first(longest + bytes("xx")) == .fault(.lineTooLong))
    }

    @Test("lines and octets of a reply are bounded")
    func longReplies() {
        func run(_ line: String, _ count: Int) -> (ReplyParser.Step, Int) {
            var parser = ReplyParser()
            for number in 1...count {
                parser.append(buffer(line))
                let step = parser.next()
                if step != .incomplete { return (step, number) }
            }
            return (parser.next(), count)
        }
        #expect(run("250-x\r\n", 512) == (.incomplete, 512))
        #expect(run("250-x\r\n", 600) == (.fault(.replyTooLong), 513))
        #expect(run("250-" + String(repeating: "x", count: 1018) + "\r\n", 600) == (.fault(.replyTooLong), 65))
    }

    @Test("a fault is final, and nothing more is held")
    func faultIsFinal() {
        var parser = ReplyParser()
        parser.append(buffer("x\r\n"))
        #expect(parser.next() == .fault(.malformedLine))
        parser.append(buffer("250 Ok\r\n"))
        #expect(parser.next() == .fault(.malformedLine))
        #expect(!parser.isEmpty)
    }

    @Test("a half read reply is not empty")
    func emptiness() {
        var parser = ReplyParser()
        #expect(parser.isEmpty)
        parser.append(buffer("250-a\r\n"))
        #expect(parser.next() == .incomplete)
        #expect(!parser.isEmpty)
        parser.append(buffer("250 b\r\n"))
        _ = parser.next()
        #expect(parser.isEmpty)
    }

    struct CodeCase: Sendable {
        let code: Int
        let line: String
        let expected: String?
    }

    @Test(
        "enhanced status codes",
        arguments: [
            CodeCase(code: 550, line: "5.1.1 No such user", expected: "5.1.1"),
            CodeCase(code: 550, line: "5.1.1", expected: "5.1.1"),
            CodeCase(code: 250, line: "2.999.999 Ok", expected: "2.999.999"),
            CodeCase(code: 550, line: "4.1.1 contradicts", expected: nil),
            CodeCase(code: 550, line: "5.1.1000 x", expected: nil),
            CodeCase(code: 550, line: "5.1.99999999999999999999 x", expected: nil),
            CodeCase(code: 550, line: "5.1 x", expected: nil),
            CodeCase(code: 550, line: "5..1 x", expected: nil),
            CodeCase(code: 550, line: "5.1.1: x", expected: nil),
            CodeCase(code: 550, line: "5.-1.1 x", expected: nil),
            CodeCase(code: 550, line: "", expected: nil),
            CodeCase(code: 354, line: "3.0.0 x", expected: nil),
        ])
    func enhanced(_ example: CodeCase) {
        #expect(Reply(code: example.code, lines: [bytes(example.line)]).enhancedStatusCode?.description == example.expected)
    }

    @Test("the text of a reply is fit for a terminal")
    func text() {
        let hostile = Reply(code: 550, lines: [bytes("a\u{1B}[2J\u{7}\0b"), [0xFF, 0x41], bytes("\u{202E}evil\u{85}\té")])
        #expect(hostile.text == "a\\u{1b}[2J\\u{7}\\u{0}b \u{FFFD}A \\u{202e}evil\\u{85} é")
        let long = Reply(code: 550, lines: [Array(repeating: UInt8(ascii: "x"), count: 60_000)])
        #expect(long.text.unicodeScalars.count == 501)
    }

    @Test("capabilities are read")
    func capabilities() {
        let lines = [
            "PIPELINING is no extension in the greeting line", "pipelining", "SIZE 10240000", "8bitmime", "SmtpUtf8", "STARTTLS",
            "ENHANCEDSTATUSCODES", "DSN",
            "AUTH plain SCRAM-SHA-256 bad/name \u{212A}ELVIN", "AUTH=LOGIN PLAIN",
            "LIMITS MAILMAX=50 RCPTMAX=99999999999999999999 RCPTDOMAINMAX=1 X", "", "CHUNKING",
        ]
        var expected = Capabilities()
        expected.pipelining = true
        expected.size = true
        expected.maximumSize = 10_240_000
        expected.eightBitMIME = true
        expected.smtpUTF8 = true
        expected.startTLS = true
        expected.enhancedStatusCodes = true
        expected.deliveryStatusNotifications = true
        expected.authenticationMechanisms = ["PLAIN", "SCRAM-SHA-256", "LOGIN"]
        expected.maximumTransactions = 50
        expected.maximumRecipientDomains = 1
        #expect(Capabilities(Reply(code: 250, lines: lines.map(bytes))) == expected)
    }

    @Test("SIZE without a usable number sets no limit", arguments: ["SIZE", "SIZE 0", "SIZE 18446744073709551616", "SIZE -1", "SIZE abc"])
    func sizes(_ line: String) {
        let capabilities = Capabilities(Reply(code: 250, lines: [[], bytes(line)]))
        #expect(capabilities.size)
        #expect(capabilities.maximumSize == nil)
    }
}
