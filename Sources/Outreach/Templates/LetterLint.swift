import InternetMessage

/// What in a letter looks broken, or like the mail that filters and people throw away: warnings for its author, never a reason not to send.
///
/// Structure before words: marks of other programs, shouting, links that hide where they lead, pages without text. It reads the letter as
/// it stands in its file, tags and wordings included.
struct LetterLint {
    struct Finding: Equatable {
        /// `subject`, `text` or `html`.
        let part: String
        let message: String
    }

    private(set) var findings: [Finding] = []

    private static let longestSubject = 70
    private static let mostLinks = 3
    private static let mostWords = 400
    /// Words beside a picture, below which the page is a picture.
    private static let fewestWords = 20
    private static let shorteners = [
        "bit.ly", "tinyurl.com", "t.co", "goo.gl", "ow.ly", "is.gd", "buff.ly", "cutt.ly", "rebrand.ly", "rb.gy", "t.ly",
    ]
    private static let phrases = [
        "act now", "100% free", "click here", "click below", "no obligation", "risk free", "risk-free", "limited time",
        "once in a lifetime",
        "make money", "extra income", "guaranteed", "this is not spam", "you have been selected", "congratulations!", "dear friend",
        "klicken sie hier", "jetzt zuschlagen", "garantiert", "nur für kurze zeit", "kein spam",
    ]
    /// What is left where UTF-8 was read as another charset, or was not UTF-8.
    private static let mojibake = ["Ã¤", "Ã¶", "Ã¼", "ÃŸ", "Ã©", "Ã¨", "â€™", "â€œ", "â€“", "Â ", "\u{FFFD}"]
    private static let activeContent = ["<script", "<form", "<iframe", "<object", "<embed", "<applet", "javascript:"]

    /// - Parameters:
    ///   - subject: nil: it goes on in the thread of the one before.
    ///   - text: blank: it is derived from the HTML; nil: it is another's, which is looked at there.
    init(subject: String?, text: String?, html: String?) {
        if let subject { look(atSubject: subject) }
        if let text { look(atText: text, html: html) }
        if let html { look(atPage: html) }
    }

    private mutating func look(atText text: String, html: String?) {
        look(atWords: text, part: "text")
        look(atLinks: Array(text.utf8), part: "text")
        let isDerived = html != nil && text.utf8.allSatisfy { $0 <= 32 }
        let words = Self.words(isDerived ? html.map(HTMLText.plainText) ?? "" : text)
        if words > Self.mostWords {
            add(isDerived ? "html" : "text", "it has \(words) words; what is not read in a minute is mostly not answered")
        }
        if isDerived, words == 0 { add("html", "it has no words of which the text could be made; write 'text' beside it") }
    }

    private mutating func look(atSubject subject: String) {
        look(atWords: subject, part: "subject")
        let bytes = Array(subject.utf8)
        let start = Self.lowercased(Array(bytes.prefix(4)))
        if ["re:", "fw:", "aw:", "fwd:", "wg:"].contains(where: { start.starts(with: $0.utf8) }) {
            add("subject", "it begins like an answer that it is not; leave the subject out to go on in the thread")
        }
        if subject.unicodeScalars.count > Self.longestSubject {
            add("subject", "it has \(subject.unicodeScalars.count) characters; most programs show the first \(Self.longestSubject)")
        }
        let letters = bytes.filter { $0 | 0x20 >= 97 && $0 | 0x20 <= 122 }
        let tags = TemplateScanner.find("{{", in: bytes, from: 0) != nil
        if !tags, letters.count >= 8, letters.allSatisfy({ $0 < 97 }) { add("subject", "it is all in capital letters") }
        if bytes.filter({ $0 == UInt8(ascii: "!") }).count > 1 { add("subject", "it has more than one exclamation mark") }
    }

    /// What any text may have that it should not.
    private mutating func look(atWords text: String, part: String) {
        let bytes = Array(text.utf8)
        let lower = Self.lowercased(bytes)
        for phrase in Self.phrases where Self.contains(phrase, in: lower) { add(part, "'\(phrase)' is what filters look for") }
        for mark in Self.mojibake where Self.contains(mark, in: bytes) {
            add(part, "'\(mark)' looks like text in another charset; save the file as UTF-8")
            break
        }
        if Self.contains("!!!", in: bytes) { add(part, "three exclamation marks in a row") }
        if Self.contains("lorem ipsum", in: lower) { add(part, "'lorem ipsum' stands for a text that is not written yet") }
        for mark in FieldMark.all(in: bytes, isTemplate: true) {
            add(part, "'\(mark)' looks like a mark of another program; fields are written {{name}}")
        }
    }

    private mutating func look(atLinks bytes: [UInt8], part: String) {
        let lower = Self.lowercased(bytes)
        for name in Self.shorteners where Self.hasLink(to: name, in: lower) { add(part, "a link of '\(name)' hides where it leads") }
        let links = Self.count("https://", in: lower) + Self.count("http://", in: lower)
        if links > Self.mostLinks { add(part, "it has \(links) links; one is enough for a first letter") }
        if Self.contains("http://", in: lower) { add(part, "a link begins with http://, which programs warn of; write https://") }
    }

    private mutating func look(atPage html: String) {
        let bytes = Array(html.utf8)
        let lower = Self.lowercased(bytes)
        look(atWords: html, part: "html")
        look(atLinks: bytes, part: "html")
        for mark in Self.activeContent where Self.contains(mark, in: lower) {
            add("html", "'\(mark)' does not work in mail, and filters throw such mail away")
        }
        if Self.contains("<img", in: lower) {
            if Self.contains("data:", in: lower) { add("html", "pictures in data: links are not shown by many programs") }
            let words = Self.words(String(decoding: Self.withoutTags(bytes), as: UTF8.self))
            if words < Self.fewestWords { add("html", "it is a picture with \(words) words; without pictures nobody can read it") }
        }
    }

    // MARK: Reading

    /// Whether a host of that name, with or without `www.`, stands before the `/` of an address.
    private static func hasLink(to host: String, in bytes: [UInt8]) -> Bool {
        func isHostPart(_ byte: UInt8) -> Bool {
            byte >= 97 && byte <= 122 || byte >= 48 && byte <= 57 || byte >= 128 || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
        }
        var from = 0
        while let place = TemplateScanner.find(host + "/", in: bytes, from: from) {
            let start = bytes[..<place].suffix(4).elementsEqual("www.".utf8) ? place - 4 : place
            let before = bytes[..<start]
            // A single slash stands within the path of another host.
            if before.last.map({ !isHostPart($0) }) ?? true, before.last != UInt8(ascii: "/") || before.suffix(2).elementsEqual("//".utf8) {
                return true
            }
            from = place + 1
        }
        return false
    }

    /// The text of a page, roughly.
    private static func withoutTags(_ bytes: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        var isTag = false
        for byte in bytes {
            if byte == UInt8(ascii: "<") { isTag = true }
            if !isTag { text.append(byte) }
            if byte == UInt8(ascii: ">") {
                isTag = false
                text.append(32)
            }
        }
        return text
    }

    private static func words(_ text: String) -> Int { text.utf8.split { $0 <= 32 }.count }

    private static func lowercased(_ bytes: [UInt8]) -> [UInt8] { bytes.map { $0 >= 65 && $0 <= 90 ? $0 | 0x20 : $0 } }

    private static func contains(_ needle: String, in bytes: [UInt8]) -> Bool { TemplateScanner.find(needle, in: bytes, from: 0) != nil }

    private static func count(_ needle: String, in bytes: [UInt8]) -> Int {
        var count = 0
        var from = 0
        while let place = TemplateScanner.find(needle, in: bytes, from: from) {
            count += 1
            from = place + needle.utf8.count
        }
        return count
    }

    private mutating func add(_ part: String, _ message: String) { findings.append(Finding(part: part, message: message)) }
}
