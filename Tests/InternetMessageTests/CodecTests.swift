import Testing

@testable import InternetMessage

@Suite("Codecs and charsets")
struct CodecTests {
    @Test(
        "the vectors of RFC 4648 §10",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
        ])
    func base64Vectors(plain: String, encoded: String) {
        #expect(Base64.encode(plain.utf8) == Array(encoded.utf8))
        #expect(Base64.decode(encoded.utf8) == Array(plain.utf8))
        #expect(Base64.decodeTolerantly(Array(encoded.utf8)[...]).bytes == Array(plain.utf8))
        #expect(Base64.decodeTolerantly(Array(encoded.utf8)[...]).isClean)
    }

    @Test(
        "strict base64 refuses what is not exactly base64",
        arguments: ["Z", "Zg", "Zg=", "Zg===", "Z===", "Zh==", "Zm9=", "Zg==Zg==", "Zm9v ", "Zm9v\r\n", "Zm-v", "====", "=", "Zm8=v"])
    func base64Refuses(text: String) {
        #expect(Base64.decode(text.utf8) == nil)
    }

    @Test("white space is passed over on demand")
    func base64Whitespace() {
        #expect(Base64.decode(" Zm9v\r\n\tYg == ".utf8, ignoringWhitespace: true) == Array("foob".utf8))
    }

    @Test(
        "broken base64 gives what can be read",
        arguments: [
            ("Zm9v*Yg==", "foob", false), ("Zg", "f", false), ("Zg==Zm8=", "ffo", false), ("Zm\r\n9v", "foo", true),
            ("Zm9vY", "foo", false), ("!", "", false),
        ])
    func base64Tolerates(text: String, plain: String, clean: Bool) {
        let decoded = Base64.decodeTolerantly(Array(text.utf8)[...])
        #expect(decoded.bytes == Array(plain.utf8))
        #expect(decoded.isClean == clean)
    }

    @Test(
        "quoted-printable as it comes",
        arguments: [
            ("a=20b", "a b", true), ("a=\r\nb", "ab", true), ("a=\nb", "ab", true), ("a= \t\r\nb", "ab", true),
            ("a  \r\nb", "a\r\nb", true),
            ("a=", "a", true), ("a=c3=A9", "aé", true), ("a=Xb", "a=Xb", false), ("a=4", "a=4", false), ("a  ", "a", true), ("", "", true),
            ("a b", "a b", true),
        ])
    func quotedPrintable(text: String, plain: String, clean: Bool) {
        let decoded = QuotedPrintable.decodeTolerantly(Array(text.utf8)[...])
        #expect(decoded.bytes == Array(plain.utf8))
        #expect(decoded.isClean == clean)
    }

    @Test("both encodings give back any bytes, on lines of at most 76")
    func roundTrips() {
        var random = SplitMix(seed: 11)
        for length in 0..<400 {
            let bytes = (0..<length).map { _ -> UInt8 in
                // Line ends, blanks and hyphens often, since they are what the rules are about.
                let choice = random.next() % 8
                return choice < 4 ? [13, 10, 32, 46][Int(choice)] : UInt8(truncatingIfNeeded: random.next())
            }
            #expect(Base64.decode(Base64.encode(bytes)) == bytes)
            let encoded = QuotedPrintable.encode(bytes[...])
            #expect(QuotedPrintable.decodeTolerantly(encoded[...]).bytes == bytes)
            #expect(encoded.isASCII)
            for line in encoded.split(separator: 10) { #expect(line.filter { $0 != 13 }.count <= 76) }
        }
    }

    @Test("lines that relays change are disguised", arguments: ["From here", ".", "x\r\nFrom here", "x\r\n.\r\ny", "trailing \r\nx"])
    func disguises(text: String) {
        let encoded = QuotedPrintable.encode(Array(text.utf8)[...])
        for line in encoded.split(separator: 10) {
            #expect(!line.starts(with: "From ".utf8) && !line.elementsEqual([46, 13]) && !line.elementsEqual([46]) && !line.hasSuffix32())
        }
        #expect(QuotedPrintable.decodeTolerantly(encoded[...]).bytes == Array(text.utf8))
    }

    @Test(
        "uuencode",
        arguments: [
            ("begin 644 x\n#0V%T\n`\nend\n", "Cat", true), ("begin 644 x\r\n#0V%T\r\n \r\nend\r\n", "Cat", true), ("#0V%T\n", "", false),
            ("begin 644 x\n\"0V$\n`\nend", "Ca", true), ("begin 644 x\n#0V%T\n", "Cat", false), ("begin 6 x\nM\nend", "", false),
        ])
    func uuencode(text: String, plain: String, clean: Bool) {
        let decoded = UUEncode.decodeTolerantly(Array(text.utf8)[...])
        #expect(decoded.isClean == clean)
        #expect(decoded.bytes == Array(plain.utf8))
    }

    static let charsets: [([UInt8], String?, String, Defect?)] = [
        ([0xC3, 0xA9], "utf-8", "é", nil),
        ([0xE9], "iso-8859-1", "é", nil),
        ([0x80, 0x93], "ISO-8859-1", "€“", nil),
        ([0xE9], "iso-8859-2", "é", nil),
        ([0xA5], "iso-8859-2", "Ľ", nil),
        ([0xC4, 0xC1], "koi8-r", "да", nil),
        ([0xE4, 0xE0], "windows-1251", "да", nil),
        ([0x1B, 0x24, 0x42, 0x24, 0x4F, 0x1B, 0x28, 0x42], "iso-2022-jp", "は", nil),
        ([0x82, 0xCD], "Shift_JIS", "は", nil),
        ([0xA4, 0xCF], "EUC-JP", "は", nil),
        ([0xC4, 0xE3], "gb2312", "你", nil),
        ([0xA7, 0x41], "big5", "你", nil),
        ([0xBE, 0xC8], "euc-kr", "안", nil),
        (Array("+AOk-".utf8), "utf-7", "é", nil),
        ([0xE9], nil, "é", .charsetMismatch),
        ([0xC3, 0xA9], nil, "é", .charsetMismatch),
        ([0xC3, 0xA9], "us-ascii", "é", .charsetMismatch),
        ([0xC3, 0xA9], "iso-8859-1", "é", .charsetMismatch),
        ([0xE9, 0x74, 0xE9], "utf-8", "été", .charsetMismatch),
        ([0xC3, 0xA9, 0xC3, 0xA9, 0xFF], "utf-8", "éé\u{FFFD}", .charsetMismatch),
        ([0x61], "no-such-charset", "a", .unknownCharset),
        ([0xE9], "no-such-charset", "é", .unknownCharset),
        ([0x61, 0xFF, 0x62], "euc-jp", "a\u{FFFD}b", .charsetMismatch),
        ([0xC4], "gb2312", "\u{FFFD}", .charsetMismatch),
        ([], "utf-8", "", nil),
        ([0x61], "utf-8//IGNORE", "a", .unknownCharset),
        ([0x61], "../../etc/passwd", "a", .unknownCharset),
    ]

    @Test("charsets, right and wrong labels", arguments: charsets)
    func charset(bytes: [UInt8], label: String?, text: String, defect: Defect?) {
        let decoded = Charset.decoding(bytes[...], label: label)
        #expect(decoded.text == text)
        #expect(decoded.defect == defect)
    }

    @Test("text longer than one conversion buffer, cut inside a character at every place")
    func longText() {
        let bytes = [UInt8](repeating: 0xA4, count: 1) + (0..<20_000).flatMap { _ in [UInt8(0xCF), 0xA4] }
        for drop in 0..<3 {
            #expect(Charset.decode(bytes.dropLast(drop), label: "euc-jp").unicodeScalars.count >= 20_000)
        }
    }
}

extension ArraySlice<UInt8> {
    /// Whether a line ends in a blank before its CR.
    func hasSuffix32() -> Bool {
        let line = last == 13 ? dropLast() : self
        return line.last == 32
    }
}
