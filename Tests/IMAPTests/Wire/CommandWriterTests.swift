import Testing

@testable import IMAP

@Suite("command writer")
struct CommandWriterTests {
    private func pieces(_ value: [UInt8], _ literals: CommandWriter.LiteralSupport) -> [String] {
        var writer = CommandWriter(tag: bytes("A1"), "X ", literals: literals)
        writer.string(value)
        writer.words(" Y")
        return writer.pieces.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test(
        "a string is quoted where it can be, else counted",
        arguments: [
            ("", ["A1 X \"\" Y\r\n"]),
            ("a b", ["A1 X \"a b\" Y\r\n"]),
            (#"q"\"#, [#"A1 X "q\"\\" Y"# + "\r\n"]),
            ("a\r\nA2 LOGOUT", ["A1 X {12}\r\n", "a\r\nA2 LOGOUT Y\r\n"]),
            ("a\nb", ["A1 X {3}\r\n", "a\nb Y\r\n"]),
            ("pä", ["A1 X {3}\r\n", "pä Y\r\n"]),
        ])
    func strings(value: String, expected: [String]) {
        #expect(pieces(bytes(value), .synchronizing) == expected)
    }

    @Test("literals wait for the server unless it can do without")
    func waiting() {
        let long = [UInt8](repeating: 0x61, count: 4097)
        #expect(pieces(bytes("ä"), .short) == ["A1 X {2+}\r\nä Y\r\n"])
        #expect(pieces(bytes("ä"), .any) == ["A1 X {2+}\r\nä Y\r\n"])
        #expect(pieces(long, .short).count == 2)
        #expect(pieces(long, .any).count == 1)
        #expect(Capabilities([bytes("literal-")[...]]).literals == .short)
        #expect(Capabilities([bytes("LITERAL+")[...]]).literals == .any)
        #expect(Capabilities([bytes("IMAP4rev1")[...]]).literals == .synchronizing)
    }

    @Test("whatever goes into a command, one command comes out", arguments: 0..<200)
    func noInjection(seed: Int) {
        var random = SeededGenerator(state: UInt64(seed))
        let alphabet = bytes("a\"\\\r\n {}()&%*~+5\u{7F}ä")
        let value = (0..<Int.random(in: 0...40, using: &random)).compactMap { _ in alphabet.randomElement(using: &random) }
        for literals in [CommandWriter.LiteralSupport.synchronizing, .any] {
            var writer = CommandWriter(tag: bytes("A1"), "X ", literals: literals)
            writer.string(value)
            writer.words(" ")
            writer.mailbox(MailboxName(String(decoding: value, as: UTF8.self)))
            // Read as a server would: one frame, with the value as its one string.
            let (found, end) = frames(Array(writer.pieces.joined()))
            #expect(end == .incomplete)
            #expect(found.count == 1)
            guard let frame = found.first else { continue }
            var cursor = FrameCursor(frame, quirks: .none)
            _ = cursor.word()
            _ = cursor.space()
            _ = cursor.word()
            _ = cursor.space()
            #expect(cursor.nstring() == .bytes(value))
            let isParted = cursor.space()
            #expect(isParted)
            let mailbox = cursor.nstring()
            #expect(cursor.isAtEnd)
            if case .bytes(let name) = mailbox { #expect(name.allSatisfy { $0 >= 0x20 && $0 < 0x7F }) } else { Issue.record("no mailbox") }
        }
    }

    @Test("Base64 there and back", arguments: ["", "f", "fo", "foo", "foob", "fooba", "foobar"])
    func base64(text: String) {
        let vectors = ["": "", "f": "Zg==", "fo": "Zm8=", "foo": "Zm9v", "foob": "Zm9vYg==", "fooba": "Zm9vYmE=", "foobar": "Zm9vYmFy"]
        #expect(Base64.encode(bytes(text)) == bytes(vectors[text] ?? "?"))
        #expect(Base64.decode(Base64.encode(bytes(text))[...]) == bytes(text))
    }

    @Test("what is not Base64", arguments: ["Z", "Zg=", "Zg", "Z===", "Zh==", "Zm9=Zm9v", "Zm 9", "=Zg=", "Zm9\u{E4}"])
    func notBase64(text: String) {
        #expect(Base64.decode(bytes(text)[...]) == nil)
    }
}
