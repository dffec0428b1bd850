/// Words, names, texts and pages in many scripts, with the characters that mail gives a meaning to strewn in.
struct WordSource {
    private var random: SeededRandom

    init(random: SeededRandom) { self.random = random }

    private static let words = [
        "the", "quick", "offer", "on", "Thursday", "meeting", "Grüße", "Zürich", "naïve", "Привет", "встреча", "你好", "会议", "こんにちは",
        "안녕하세요", "مرحبا", "שלום", "e\u{301}te\u{301}", "👩‍👩‍👧‍👦", "🇩🇪", "😀", "ﬁn", "=?utf-8?Q?x?=", "a=b", "50%", "(note)", "<tag>",
        "\"quoted\"", "back\\slash", "semi;colon", "comma,", "at@sign", "under_score", "it's", "?", "=", "…", "–", "\u{A0}", "Ä",
    ]
    private static let plainWords = [
        "the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog", "on", "Thursday,", "5=6?", "--", ".",
    ]
    private static let nameWords = [
        "Ann", "Bo", "O'Neil", "Jörg", "Müller", "Łukasz", "Ngô", "Søren", "张伟", "Иван", "Петров", "J.", "Dr.", "(Ret.)", "\"Jo\"",
        "A,B", "x@y", "back\\slash", "=?q?", "محمد", "Ltd.", "😀",
    ]

    private mutating func pick(_ list: [String]) -> String { list.randomElement(using: &random) ?? "" }

    /// One line, its words parted by one space, now and then by more.
    mutating func line(upTo count: Int) -> String {
        let number = Int.random(in: 1...count, using: &random)
        // At least one word in ASCII, so that no line is blank.
        var text = pick(Self.plainWords)
        for _ in 1...number { text += (Int.random(in: 0..<12, using: &random) == 0 ? "   " : " ") + pick(Self.words) }
        return text
    }

    /// A line of ASCII words or of words in one other script: texts where quoted-printable or base64 is shorter, or neither needed.
    mutating func text(upTo lines: Int) -> String {
        let ends = ["\n", "\n", "\n", "\r\n", "\r"]
        var text = ""
        for _ in 0..<Int.random(in: 1...lines, using: &random) {
            switch Int.random(in: 0..<8, using: &random) {
            case 0: text += line(upTo: 30)
            case 1: text += "From " + line(upTo: 3)
            case 2: text += pick([".", "..", ".dot", "-- ", "--=_", "> quoted", "", "   ", "\t"])
            case 3: text += String(repeating: pick(["x", "é", "长", "word "]), count: Int.random(in: 60...300, using: &random))
            default: text += (0..<6).map { _ in pick(Self.plainWords) }.joined(separator: " ")
            }
            text += pick(ends)
        }
        return text
    }

    /// Lines that are legal as they are.
    mutating func plainText() -> String {
        (0..<Int.random(in: 1...6, using: &random)).map { _ in
            (0..<Int.random(in: 1...8, using: &random)).map { _ in pick(Self.plainWords) }.joined(separator: " ") + "\n"
        }.joined()
    }

    /// A page that shows the images with these identifiers.
    mutating func page(images: [String]) -> String {
        var page = "<html><body><p>Hello &amp; welcome, Jörg.</p>\n<p>"
        for _ in 0..<Int.random(in: 1...20, using: &random) {
            page += pick(Self.plainWords) + " <b>" + pick(["Grüße", "x", "你好"]) + "</b> "
        }
        for image in images { page += "<img src=\"cid:\(image)\" alt=\"\">\n" }
        return page + "</p></body></html>" + pick(["", "\n", "\r\n"])
    }

    mutating func name() -> String {
        (0..<Int.random(in: 1...4, using: &random)).map { _ in pick(Self.nameWords) }.joined(separator: " ")
    }

    /// Names that ask for encoded words at the edges of lines, quoting, or nothing special.
    mutating func oddName() -> String {
        switch Int.random(in: 0..<4, using: &random) {
        case 0: String(repeating: pick(["ü", "Я", "字", "😀", "e\u{301}"]), count: Int.random(in: 1...80, using: &random))
        case 1: String(repeating: pick(["Name ", "N. ", "\\\"", "a,"]), count: Int.random(in: 1...40, using: &random)) + "z"
        case 2: name() + "  " + name()
        default: String(repeating: "a", count: Int.random(in: 1...150, using: &random))
        }
    }

    mutating func filename(_ ending: String) -> String {
        let name: String
        switch Int.random(in: 0..<5, using: &random) {
        case 0: name = String(repeating: pick(["ü", "字", "long name "]), count: Int.random(in: 1...40, using: &random))
        case 1: name = "Q1; report=\"final\" 100% (it's)"
        case 2: name = "Angebot für Müller & Söhne"
        case 3: name = "report"
        default: name = "annual report, 2026"
        }
        return "\(name).\(ending)"
    }
}
