import Testing

@testable import InternetMessage

@Suite("Header")
struct HeaderTests {
    @Test(
        "encoded words are decoded",
        arguments: [
            ("plain", "plain"), ("=?utf-8?Q?a_b=C3=A9?=", "a bé"), ("=?UTF-8?B?w6k=?=", "é"), ("=?iso-8859-1?q?=E9?= x", "é x"),
            ("=?utf-8?Q?a?=  =?utf-8?Q?b?=", "ab"), ("=?utf-8?Q?a?= x =?utf-8?Q?b?=", "a x b"), ("=?utf-8?Q?a?=\r\n =?utf-8?Q?b?=", "ab"),
            ("=?utf-8?B?4oI=?= =?utf-8?B?rA==?=", "€"), ("=?utf-8?Q?=E2=82?= =?utf-8?Q?=AC?=", "€"),
            ("=?utf-8*de?Q?x?=", "x"), ("=?utf-8?Q?two words?=", "two words"), ("a=?utf-8?Q?b?=c", "abc"),
            ("=?utf-8?X?b?=", "=?utf-8?X?b?="), ("=?utf-8?Q?open", "=?utf-8?Q?open"), ("=?", "=?"), ("=?=", "=?="),
            ("=?utf-8?Q??=", ""), ("=?utf-8?B?!!!?=", ""), ("=?utf-8?Q?=4?=", "=4"),
            ("=?nonsense?Q?caf=C3=A9?=", "café"), ("=?nonsense?Q?caf=E9?=", "café"),
            ("=?utf-8?Q?a=0D=0ABcc:x?=", "a  Bcc:x"), ("=?utf-8?Q?=00?=", " "),
            ("=?gb2312?B?xOO6ww==?=", "你好"), ("=?ks_c_5601-1987?B?vsiz5w==?=", "안녕"),
        ])
    func decodesWords(text: String, expected: String) {
        #expect(EncodedWord.decode(Array(text.utf8)) == expected)
    }

    @Test("encoding and decoding are inverse, and no word is longer than 75", arguments: [1, 9, 30, 70])
    func encodesWords(columns: Int) {
        var random = SplitMix(seed: 7)
        for length in 0..<200 {
            let text = String(String.UnicodeScalarView((0..<length).compactMap { _ in random.scalar() }))
            let words = EncodedWord.encode(text, columnsUsed: columns)
            #expect(words.allSatisfy { $0.count <= 75 && $0.allSatisfy { (0x21...0x7E).contains($0) } })
            if columns < 40 { #expect((words.first?.count ?? 0) + columns <= 76) }
            #expect(Array(EncodedWord.decode(Array(words.joined(separator: [32]))).utf8) == Array(text.utf8))
        }
    }

    @Test(
        "parameters, with continuations and charsets",
        arguments: [
            ("; charset=utf-8", "charset", "utf-8"), (";CHARSET = \"utf-8\" ; x=y", "charset", "utf-8"),
            ("; name=\"a;b\\\"c\\\\d.txt\"", "name", "a;b\"c\\d.txt"),
            ("; name=a b.txt; x=y", "name", "a b.txt"), ("; name*=utf-8''%e2%82%ac%20x", "name", "€ x"),
            ("; name*0=\"a\"; name*1=\"b\"", "name", "ab"), ("; name*1*=%20b; name*0*=iso-8859-1'de'%E9", "name", "é b"),
            ("; name*0*=utf-8''a%20; name*1=\"%20\"", "name", "a %20"), ("; name=x; name*=utf-8''y", "name", "y"),
            ("; name=\"=?utf-8?Q?=C3=A9?=.txt\"", "name", "é.txt"), ("; name==?utf-8?B?w6k7?=; x=y", "name", "é;"),
            ("; name=\"C:\\dir\\file.txt\"", "name", "C:\\dir\\file.txt"), ("; name=\"unclosed; x=y", "name", "unclosed"),
            ("; charset=us-ascii (plain)", "charset", "us-ascii"), ("; name=", "name", ""), ("; stray words; name=x", "name", "x"),
            ("; name*99999999999=z", "name", "z"), ("; name*0*=x'y", "name", "x'y"), ("; x=y", "name", nil), ("", "name", nil),
            (";;;===", "name", nil),
        ] as [(String, String, String?)])
    func parameters(text: String, name: String, expected: String?) {
        #expect(Parameters(parsing: Array(text.utf8)[...])[name] == expected)
    }

    @Test("8-bit parameter values are read as UTF-8 or windows-1252")
    func eightBitParameters() {
        #expect(Parameters(parsing: Array("; name=\"é.txt\"".utf8)[...])["name"] == "é.txt")
        #expect(Parameters(parsing: (Array("; name=".utf8) + [0xE9])[...])["name"] == "é")
    }

    @Test(
        "media types",
        arguments: [
            ("text/plain", "text/plain"), ("TEXT/HTML; charset=x", "text/html"), (" text/plain ; x=y", "text/plain"),
            ("\"text/plain\"", "text/plain"),
            ("text", nil), ("", nil), ("/plain", nil), ("text/", nil), ("te xt/plain", nil), (";", nil),
        ] as [(String, String?)])
    func mediaTypes(text: String, expected: String?) {
        #expect(MediaType(parsing: Array(text.utf8)[...])?.essence == expected)
    }

    @Test("a header keeps each field's exact bytes, and their sum is the header")
    func rawFields() throws {
        let text = "A: 1\r\nB :\t2\r\n\t3 \r\nc:\r\nA: =?utf-8?Q?=C3=A9?=\r\n\r\nbody"
        let header = Header(parsing: Array(text.utf8)[...])
        #expect(
            header.fields.map { String(decoding: $0.raw, as: UTF8.self) } == [
                "A: 1\r\n", "B :\t2\r\n\t3 \r\n", "c:\r\n", "A: =?utf-8?Q?=C3=A9?=\r\n",
            ])
        #expect(header.fields.map(\.name) == ["A", "B", "c", "A"])
        #expect(header.fields.map { String(decoding: $0.value, as: UTF8.self) } == ["1", "2\t3", "", "=?utf-8?Q?=C3=A9?="])
        #expect(String(decoding: header.raw, as: UTF8.self) == "A: 1\r\nB :\t2\r\n\t3 \r\nc:\r\nA: =?utf-8?Q?=C3=A9?=\r\n")
        #expect(header.first("a")?.text == "1")
        #expect(header.last("a")?.text == "é")
        #expect(header.all("A").count == 2)
        #expect(header.first("D") == nil)
    }

    static let injections = [
        "x\r\nBcc: y", "x\nBcc: y", "x\rBcc: y", "\r\n", "x\0", "x\u{0B}y", "x\u{85}y", "x\u{2028}y", "x\u{2029}y", "x\u{7F}", "x\ty",
        "e\u{301}\r\nBcc: y",
    ]

    @Test("a value with a line end or a control character is no field", arguments: injections)
    func refusesInjection(value: String) {
        #expect(throws: ComposeError.self) { try HeaderField(name: "X-Note", value: value) }
        do {
            _ = try HeaderField(name: "X-Note", value: value)
        } catch {
            #expect(error.field == "X-Note" && error.code == .controlCharacter)
            #expect(!error.message.utf8.contains(10) && !error.message.utf8.contains(13))
        }
    }

    @Test("a name that is no field name is refused", arguments: ["", "a b", "a:", "a\r\n", "ü", "a\0", String(repeating: "x", count: 77)])
    func refusesNames(name: String) {
        #expect(throws: ComposeError.self) { try HeaderField(name: name, value: "x") }
    }

    @Test(
        "what is written reads back, folded once and never beyond the limits",
        arguments: ["", "plain", "two  spaces", "=?utf-8?Q?x?=", "é", "ends in spaces"])
    func fieldRoundTrip(value: String) throws {
        for repeats in [1, 3, 20, 200] {
            let long = Array(repeating: value, count: repeats).joined(separator: " ")
            let field = try HeaderField(name: "X-Note", value: long)
            #expect(Array(field.text.utf8) == Array(Array(long.utf8)[...].trimmed))
            #expect(FieldWriter.isWritable(field.raw))
            #expect(field.raw.isASCII)
            for line in field.raw.split(separator: 10) { #expect(line.count <= 79) }
        }
    }

    @Test("a word of 2000 letters is encoded so that it can be folded")
    func longWord() throws {
        let word = String(repeating: "a", count: 2000)
        let field = try HeaderField(name: "Subject", value: word)
        #expect(field.text == word)
        #expect(FieldWriter.isWritable(field.raw))
    }
}

/// A small random source with a seed, so that every run meets the same bytes.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// A character that is no control: ASCII, Latin, Cyrillic, CJK or emoji.
    mutating func scalar() -> Unicode.Scalar? {
        switch next() % 5 {
        case 0: Unicode.Scalar(UInt32(0x21 + next() % 0x5E))
        case 1: Unicode.Scalar(UInt32(0xA1 + next() % 0xFF))
        case 2: Unicode.Scalar(UInt32(0x410 + next() % 0x40))
        case 3: Unicode.Scalar(UInt32(0x4E00 + next() % 0x1000))
        default: Unicode.Scalar(UInt32(0x1F600 + next() % 0x40))
        }
    }
}
