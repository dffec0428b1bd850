import Testing

import struct NIOCore.ByteBuffer

@testable import IMAP

@Suite("frame reader")
struct FrameReaderTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var input: String
        /// Text and literals of each frame; a literal is `offset:octets`.
        var frames: [(text: String, literals: [String])]
        var testDescription: String { name }
    }

    static let cases: [Case] = [
        Case(name: "a line", input: "* OK hi\r\n", frames: [("* OK hi", [])]),
        Case(name: "an empty line", input: "\r\n* 1 EXISTS\r\n", frames: [("", []), ("* 1 EXISTS", [])]),
        Case(name: "half a line", input: "* OK hi\r\n* OK", frames: [("* OK hi", [])]),
        Case(name: "CR without LF is text", input: "* 1 X a\rb\r\n", frames: [("* 1 X a\rb", [])]),
        Case(
            name: "a literal", input: "* 1 FETCH (BODY[] {4}\r\na\r\n) UID 3)\r\n", frames: [("* 1 FETCH (BODY[]  UID 3)", ["18:a\r\n)"])]),
        Case(name: "an empty literal", input: "* 1 FETCH (BODY[] {0}\r\n)\r\n", frames: [("* 1 FETCH (BODY[] )", ["18:"])]),
        Case(name: "nothing but an empty literal", input: "{0}\r\n\r\nx\r\n", frames: [("", ["0:"]), ("x", [])]),
        Case(
            name: "two literals", input: "* X {1}\r\na {2}\r\nbc\r\n* 1 EXISTS\r\n",
            frames: [("* X  ", ["4:a", "5:bc"]), ("* 1 EXISTS", [])]),
        Case(name: "two literals at one place", input: "* X {1}\r\na{2}\r\nbc\r\n", frames: [("* X ", ["4:a", "4:bc"])]),
        Case(name: "literal8", input: "* X ~{2}\r\nab\r\n", frames: [("* X ", ["4:ab"])]),
        Case(name: "non-synchronizing", input: "* X {2+}\r\nab\r\n", frames: [("* X ", ["4:ab"])]),
        Case(name: "leading zeros", input: "* X {002}\r\nab\r\n", frames: [("* X ", ["4:ab"])]),
        Case(
            name: "status text may look like a literal", input: "* OK see {5}\r\n* 1 EXISTS\r\n",
            frames: [("* OK see {5}", []), ("* 1 EXISTS", [])]),
        Case(
            name: "so may the text of a tagged answer", input: "A1 NO {5}\r\nA2 ok {6}\r\n", frames: [("A1 NO {5}", []), ("A2 ok {6}", [])]),
        Case(name: "and of a continuation", input: "+ {5}\r\nx\r\n", frames: [("+ {5}", []), ("x", [])]),
        Case(
            name: "braces that are no size", input: "* X {a}\r\n* X {}\r\n* X {+}\r\n* X {1 }\r\n* X 1}\r\n",
            frames: [("* X {a}", []), ("* X {}", []), ("* X {+}", []), ("* X {1 }", []), ("* X 1}", [])]),
    ]

    @Test("finds the responses, however they are cut", arguments: cases)
    func finds(one: Case) {
        for piece in 1...max(1, one.input.utf8.count) {
            let (found, end) = frames(bytes(one.input), piece: piece)
            #expect(end == .incomplete)
            #expect(found.map { String(decoding: $0.text, as: UTF8.self) } == one.frames.map(\.text))
            #expect(found.map { $0.literals.map(describe) } == one.frames.map(\.literals))
        }
    }

    private func describe(_ literal: Frame.Literal) -> String {
        switch literal.content {
        case .bytes(let bytes): "\(literal.offset):" + String(decoding: bytes, as: UTF8.self)
        case .oversized(let size): "\(literal.offset):oversized \(size)"
        }
    }

    @Test(
        "a size that cannot be followed is fatal and stays so",
        arguments: [
            ("{-1}", FrameReader.Fault.literalSizeUnreadable),
            ("{18446744073709551616}", .literalSizeUnreadable),
            ("{99999999999999999999999999999999}", .literalSizeUnreadable),
            ("{18446744073709551615}", .literalTooLong(.max)),
            ("{4294967297}", .literalTooLong(4_294_967_297)),
        ])
    func fatal(size: String, fault: FrameReader.Fault) {
        var reader = FrameReader()
        reader.append(buffer("* OK first\r\n* 1 FETCH (BODY[] \(size)\r\n* OK never\r\n"))
        #expect(reader.next() == .frame(Frame(text: bytes("* OK first"))))
        #expect(reader.next() == .fatal(fault))
        reader.append(buffer("* OK nor this\r\n"))
        #expect(reader.next() == .fatal(fault))
    }

    @Test("an oversized literal goes by unheld, and the next response is whole", arguments: [1, 7, 1000])
    func oversized(piece: Int) {
        var limits = FrameReader.Limits()
        limits.literal = 10
        let body = String(repeating: "A1 OK x\r\n", count: 100)
        let input = "* 1 FETCH (BODY[] {\(body.utf8.count)}\r\n\(body) UID 3)\r\n* 2 FETCH (BODY[] {10}\r\n0123456789)\r\n"
        let (found, _) = frames(bytes(input), piece: piece, limits: limits)
        #expect(
            found == [
                Frame(text: bytes("* 1 FETCH (BODY[]  UID 3)"), literals: [.init(offset: 18, content: .oversized(size: 900))]),
                Frame(text: bytes("* 2 FETCH (BODY[] )"), literals: [.init(offset: 18, content: .bytes(bytes("0123456789")))]),
            ])
    }

    @Test("the literals of one response share the limit")
    func shared() {
        var limits = FrameReader.Limits()
        limits.literal = 5
        let (found, _) = frames(bytes("* X {3}\r\nabc {3}\r\nabc {2}\r\nab\r\n"), limits: limits)
        #expect(found.first?.literals.map(describe) == ["4:abc", "5:oversized 3", "6:ab"])
    }

    @Test("three gigabytes go by without being held")
    func threeGigabytes() {
        var reader = FrameReader()
        reader.append(buffer("* 1 FETCH (BODY[] {3000000000}\r\n"))
        let chunk = ByteBuffer(repeating: 0x0A, count: 10_000_000)
        for _ in 0..<300 {
            #expect(reader.next() == .incomplete)
            reader.append(chunk)
        }
        reader.append(buffer(")\r\n* 1 EXISTS\r\n"))
        #expect(
            reader.next()
                == .frame(
                    Frame(text: bytes("* 1 FETCH (BODY[] )"), literals: [.init(offset: 18, content: .oversized(size: 3_000_000_000))])))
        #expect(reader.next() == .frame(Frame(text: bytes("* 1 EXISTS"))))
    }

    @Test("a line beyond its limit costs itself, its literals unread", arguments: [1, 50, 10_000])
    func overlong(piece: Int) {
        var limits = FrameReader.Limits()
        limits.line = 100
        let long = String(repeating: "x", count: 300)
        let input = "* 1 FETCH (\(long) {9}\r\nA1 OK x\r\n \(long))\r\n* OK \(long) {9}\r\n* 1 EXISTS\r\n"
        let (found, _) = frames(bytes(input), piece: piece, limits: limits)
        #expect(found.map(\.isOverlong) == [true, true, false])
        #expect(found.allSatisfy { $0.literals.isEmpty && $0.text.count <= 1024 })
        #expect(found.first?.text.starts(with: bytes("* 1 FETCH (xxx")) == true)
        #expect(Response(found[1]) == response("* OK " + String(decoding: found[1].text.dropFirst(5), as: UTF8.self)))
        #expect(found.last == Frame(text: bytes("* 1 EXISTS")))
    }

    @Test("empty literals without end are bounded, by count and by the length of their lines")
    func manyLiterals() {
        #expect(frames(bytes(String(repeating: "{0}\r\n", count: 2000))).end == .fatal(.tooManyLiterals))
        var limits = FrameReader.Limits()
        limits.literalCount = .max
        let (found, _) = frames(bytes(String(repeating: "{0}\r\n", count: 20_000) + "\r\n* 1 EXISTS\r\n"), limits: limits)
        #expect(found.map(\.isOverlong) == [true, false])
    }

    @Test("only SEARCH may have a line as long as the mailbox is large")
    func searchLine() {
        let numbers = (1...20_000).map { " \($0)" }.joined()
        let (found, _) = frames(bytes("* search\(numbers)\r\n* STATUS\(numbers)\r\n"), piece: 4096)
        #expect(found.map(\.isOverlong) == [false, true])
    }

    @Test("emptiness is known to the byte")
    func emptiness() {
        var reader = FrameReader()
        #expect(reader.isEmpty)
        for byte in bytes("A1 OK x\r") {
            reader.append(ByteBuffer(bytes: [byte]))
            #expect(reader.next() == .incomplete)
            #expect(!reader.isEmpty)
        }
        reader.append(buffer("\n"))
        #expect(reader.next() == .frame(Frame(text: bytes("A1 OK x"))))
        #expect(reader.isEmpty)
        reader.append(buffer("* X {1}\r\n"))
        #expect(reader.next() == .incomplete)
        #expect(!reader.isEmpty)
    }
}
