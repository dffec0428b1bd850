import Testing

@testable import InternetMessage

@Suite("Byte search")
struct ByteSearchTests {
    /// Neighbours of LF in value, so that a borrow or a carry between bytes of a word would show.
    static let alphabet: [UInt8] = [0x0A, 0x0B, 0x09, 0x8A, 0x00, 0xFF, 0x7F, 0x80]

    @Test("what is found eight bytes at a time is what is found one by one", arguments: 0..<40)
    func agreesWithSingleBytes(length: Int) {
        var state: UInt32 = 12345 &+ UInt32(length)
        for _ in 0..<200 {
            let bytes = (0..<length).map { _ in
                state = state &* 1_664_525 &+ 1_013_904_223
                return Self.alphabet[Int(state >> 24) % Self.alphabet.count]
            }
            for start in 0...length {
                #expect(bytes.span.firstIndex(of: 0x0A, from: start) == bytes[start...].firstIndex(of: 0x0A) ?? length)
                #expect(bytes.span.firstIndexBeyondASCII(from: start) == bytes[start...].firstIndex { $0 >= 0x80 } ?? length)
                #expect(bytes.span.count(of: 0x0A, upTo: start) == bytes[..<start].count { $0 == 0x0A })
            }
        }
    }

    @Test(
        "blanks before a line end go, blanks that were encoded or stand before a soft break stay",
        arguments: [
            ("a \t\r\nb", "a\r\nb"), ("a=20 \r\nb", "a \r\nb"), ("a =\r\n \r\nb", "a \r\nb"), ("a  ", "a"), ("a=20", "a "), (" ", ""),
            (" a\n  \nb ", " a\n\nb"), ("a = \nb", "a b"), ("a =x \n", "a =x\n"),
        ])
    func quotedPrintableBlanks(encoded: String, decoded: String) {
        #expect(QuotedPrintable.decodeTolerantly(Array(encoded.utf8)[...]).bytes == Array(decoded.utf8))
    }

    @Test("text around many uuencoded files is kept")
    func textAroundFiles() {
        let piece = "begin 644 a.txt\n#0V%T\n`\nend\nword\n"
        let message = Message(parsing: Array("Subject: x\n\nfirst\n".utf8) + Array(String(repeating: piece, count: 3000).utf8))
        #expect(message.text == "first\n" + String(repeating: "word\n", count: 3000))
        #expect(message.attachments.count == 3000)
    }
}
