import NIOCore
import Testing

@testable import SMTP

struct CodingTests {
    @Test(
        "base64 of RFC 4648 §10",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
        ])
    func base64(_ plain: String, _ encoded: String) {
        #expect(text(Base64.encode(bytes(plain))) == encoded)
        #expect(Base64.decode(bytes(encoded)) == bytes(plain))
    }

    @Test(
        "what is not canonical base64 is refused",
        arguments: ["Z", "Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "Zg==Zg==", "Zm 9v", "Zm9v\r\n", "Zm-_", "é==="])
    func notBase64(_ encoded: String) { #expect(Base64.decode(bytes(encoded)) == nil) }

    @Test("base64 and xtext give back what they took")
    func identity() {
        var generator = SeededGenerator(state: 7)
        for length in 0..<300 {
            let plain = (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
            #expect(Base64.decode(Base64.encode(plain)) == plain)
            #expect(XText.decode(XText.encode(plain)) == plain)
        }
    }

    @Test("what is not xtext is refused", arguments: ["+", "+4", "+4g", "+2b", "a=b", "a b", "é"])
    func notXText(_ encoded: String) { #expect(XText.decode(bytes(encoded)) == nil) }

    @Test(
        "dot-stuffing",
        arguments: [
            ("", ""), ("a\r\n", "a\r\n"), ("a", "a\r\n"), (".\r\n", "..\r\n"), (".", "..\r\n"), ("..\r\n", "...\r\n"),
            ("a.\r\n.b\r\n", "a.\r\n..b\r\n"),
            ("\r\n.\r\n", "\r\n..\r\n"), ("\r\n", "\r\n"), ("a\r\n\r\n.", "a\r\n\r\n..\r\n"),
        ])
    func stuffing(_ content: String, _ expected: String) throws {
        #expect(text(try DotStuffing.encoded(bytes(content)).readableBytesView) == expected)
        for cut in Cut.all(content.utf8.count) {
            var encoder = DotStuffing()
            var output = ByteBuffer()
            for piece in cut.pieces(bytes(content), from: 0) { try encoder.encode(piece[...], into: &output) }
            try encoder.finish(into: &output)
            #expect(text(output.readableBytesView) == expected, "\(cut)")
        }
    }

    @Test(
        "content with stray controls or too long a line is refused, never repaired",
        arguments: [
            ("a\nb", DotStuffing.Fault.bareLineFeed), ("a\rb", .bareCarriageReturn), ("a\r", .bareCarriageReturn),
            ("a\r\r\n", .bareCarriageReturn), ("\n", .bareLineFeed),
            ("a\r\n\n", .bareLineFeed), ("a\0b", .nul), (String(repeating: "x", count: 999), .lineTooLong),
            ("\r\n." + String(repeating: "x", count: 998) + "\r\n", .lineTooLong),
        ])
    func refused(_ content: String, _ fault: DotStuffing.Fault) {
        #expect(throws: fault) { try DotStuffing.encoded(bytes(content)) }
        #expect(throws: fault) {
            var encoder = DotStuffing()
            var output = ByteBuffer()
            for byte in bytes(content) { try encoder.encode([byte], into: &output) }
            try encoder.finish(into: &output)
        }
    }

    @Test("998 octets are a legal line")
    func longestLine() throws {
        let line = String(repeating: "x", count: 998) + "\r\n"
        #expect(try DotStuffing.encoded(bytes(line + line)).readableBytes == 2000)
    }

    @Test("what the encoder writes, the framer reads back, and nothing in it ends the data early")
    func encodeThenFrame() throws {
        var generator = SeededGenerator(state: 99)
        let alphabet = [".", "..", "\r\n", "\r\n.", "a", "é", " "]
        for _ in 0..<500 {
            var content: [UInt8] = []
            for _ in 0..<Int.random(in: 0...12, using: &generator) { content += bytes(alphabet.randomElement(using: &generator) ?? "") }
            var wire = try DotStuffing.encoded(content)
            wire.writeString(".\r\nQUIT\r\n")
            let expected = content.isEmpty || content.suffix(2) == bytes("\r\n") ? content : content + bytes("\r\n")
            var framer = DataFramer()
            var output = ByteBuffer()
            #expect(framer.read(wire, into: &output) == .end(rest: buffer("QUIT\r\n")))
            #expect(Array(output.readableBytesView) == expected)
            #expect(framer.size == UInt64(expected.count))
        }
    }

    @Test(
        "numbers from outside never overflow",
        arguments: [
            ("18446744073709551615", true), ("18446744073709551616", false), ("99999999999999999999999", false), ("", false), ("-1", false),
            ("+1", false), ("1 ", false), ("\u{661}", false),
        ])
    func numbers(_ digits: String, _ fits: Bool) { #expect((ASCII.number(bytes(digits), as: UInt64.self) != nil) == fits) }

    @Test(
        "paths that could break out of their command are refused",
        arguments: [
            "a b@x", "a\r\nRCPT TO:<b@x>", "a\n@x", "a\r@x", "a\0@x", "a>@x", "a@x>\u{20}SIZE=1", "<a@x", "a\t@x", "\"a b\"@x y", "\"a b@x",
            "\"a\\\" b@x", "a\"b c\"@x", "\"a\"b c@x", "a\u{7F}@x", "",
            String(repeating: "a", count: 255),
        ])
    func unsafePaths(_ path: String) {
        #expect(!CommandEncoder.isSafePath(bytes(path), allowingUTF8: true))
        #expect(CommandEncoder.recipient(.init(bytes(path)), allowingUTF8: true, capabilities: Capabilities()) == nil)
    }

    @Test("a quoted local-part may hold a space", arguments: ["\"a b\"@x", "\"a\\\" b\"@x", "\"a\\ b\"@x"])
    func quotedSpace(_ path: String) {
        #expect(CommandEncoder.isSafePath(bytes(path), allowingUTF8: false))
        let line = CommandEncoder.recipient(.init(bytes(path)), allowingUTF8: false, capabilities: Capabilities())
        #expect(line.map { String(buffer: $0) } == "RCPT TO:<\(path)>\r\n")
    }

    @Test("octets above 127 need SMTPUTF8 and must be UTF-8")
    func utf8Paths() {
        #expect(CommandEncoder.isSafePath(bytes("é@x"), allowingUTF8: true))
        #expect(!CommandEncoder.isSafePath(bytes("é@x"), allowingUTF8: false))
        #expect(!CommandEncoder.isSafePath([0xC3, 0x40, 0x78], allowingUTF8: true))
        #expect(CommandEncoder.isSafePath(bytes("a+b=c@[IPv6:::1]"), allowingUTF8: false))
    }
}
