import Foundation
import Testing

@testable import InternetMessage

@Suite("HTML structure")
struct HTMLStructureTests {
    static let names: [String] = {
        let folder = Bundle.module.resourceURL?.appendingPathComponent("Fixtures/html").path ?? ""
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return files.filter { $0.hasSuffix(".html") }.map { String($0.dropLast(5)) }.sorted()
    }()

    private static func fixture(_ name: String, _ suffix: String) throws -> String {
        let url = try #require(Bundle.module.url(forResource: name, withExtension: suffix, subdirectory: "Fixtures/html"))
        return String(decoding: try Data(contentsOf: url), as: UTF8.self)
    }

    private static func shown(_ html: String) -> [String] {
        HTMLText.blocks(html).map { "\($0.part) \($0.kind) \($0.quoteDepth) \($0.text.replacing("\n", with: "|"))" }
    }

    @Test("replies of mail programs as blocks", arguments: names)
    func blocks(name: String) throws {
        let expected = try Self.fixture(name, "txt").split(separator: "\n").map(String.init)
        #expect(Self.shown(try Self.fixture(name, "html")) == expected)
    }

    @Test("blocks and plain text have the same lines", arguments: names)
    func agrees(name: String) throws {
        let html = try Self.fixture(name, "html")
        let blocks = HTMLText.blocks(html)
        var fromBlocks: [String] = []
        for block in blocks {
            let marks = block.quoteDepth == 0 ? "" : String(repeating: ">", count: block.quoteDepth) + " "
            fromBlocks += block.text.split(separator: "\n").map { marks + $0 }
        }
        let plain = HTMLText.plainText(html).split(separator: "\n").map(String.init)
        #expect(plain.filter { $0.contains { $0 != ">" } } == fromBlocks)
    }

    @Test("every fixture cut at every byte, and mutated", arguments: names)
    func hostile(name: String) throws {
        let bytes = Array(try Self.fixture(name, "html").utf8)
        for end in 0...bytes.count { _ = HTMLText.blocks(bytes[..<end].utf8Text) }
        var random = SplitMix(seed: 11)
        let interesting = Array("<>/\"'&;=! -abdivp".utf8)
        for _ in 0..<500 {
            var mutated = bytes
            for _ in 0...(random.next() % 5) {
                mutated[Int(random.next() % UInt64(bytes.count))] = interesting[Int(random.next() % UInt64(interesting.count))]
            }
            _ = HTMLText.blocks(mutated.utf8Text)
        }
    }

    @Test(
        "character references",
        arguments: [
            ("&NotEqualTilde;", "\u{2242}\u{338}"), ("&CounterClockwiseContourIntegral;", "\u{2233}"), ("&copy", "©"), ("&copyx", "©x"),
            ("&notin;", "\u{2209}"), ("&notit;", "¬it;"), ("&amp", "&"), ("&ampere", "&ere"), ("&thetasym;", "ϑ"),
            ("&thetasym", "&thetasym"),
            ("&ZeroWidthSpace;a", "a"), ("&nosuch;", "&nosuch;"), ("&#x1F600;", "\u{1F600}"), ("&#xD800;", "\u{FFFD}"),
            ("&#150;", "\u{2013}"), ("&#129;a", nil), ("&AMP;&Amp;", "&&Amp;"), ("&aacute;&Aacute;", "áÁ"), ("& ;&;", "& ;&;"),
        ] as [(String, String?)])
    func references(html: String, text: String?) {
        let plain = HTMLText.plainText(html)
        if let text { #expect(Array(plain.utf8) == Array(text.utf8)) } else { #expect(!plain.isEmpty) }
    }

    @Test(
        "what is hidden is not read",
        arguments: [
            ("<p style='display:none'>a</p>b", "b"), ("<p style=\"DISPLAY : NONE !important\">a<b>c</b></p>b", "b"),
            ("<p style='visibility:hidden'>a</p>b", "b"), ("<p style='font-size:0'>a</p>b", "b"),
            ("<p style='font-size:0px'>a<span style='font-size:12pt'>c</span></p>b", "c\n\nb"), ("<p style='font-size:1px'>a</p>b", "b"),
            ("<p style='font-size:1em'>a</p>b", "a\n\nb"), ("<p style='max-height:0;overflow:hidden'>a</p>b", "b"),
            ("<p style='max-height:0'>a</p>b", "a\n\nb"), ("<p style='opacity:0'>a</p>b", "b"), ("<p style='opacity:0.5'>a</p>b", "a\n\nb"),
            ("<p hidden>a</p>b", "b"), ("<p hidden=''>a</p>b", "b"), ("<p data-hidden>a</p>b", "a\n\nb"),
            ("<ul style='display:none'><li>a</ul>b", "b"), ("<div style='display:none'><img alt='\u{1F600}'><hr><br></div>b", "b"),
            ("<a style='display:none' href='https://x.example'>a</a>b", "b"), ("<span style='display:none'>a<span>b</span>c</span>d", "d"),
            ("a<iframe src=x>no</iframe><template>no</template>b", "ab"), ("<p style='display&#58;none'>a</p>b", "b"),
        ])
    func hidden(html: String, text: String) {
        #expect(HTMLText.plainText(html) == text)
    }

    @Test(
        "structure costs linear time and space",
        arguments: [
            "<div>", "<p>", "<li>", "<ul>", "<table><tr><td>", "<td>", "</div>", "<div><td></div>", "<div><p>x</b>", "<b><p>",
            "</blockquote>",
            "<blockquote><td>", "<div class=gmail_quote>x", "<div class=gmail_quote>x</div>",
            "<div style='border-top:solid'>a: 1<br>b: 2<br>",
            "<b>a: 1</b><br>", "<hr>a:<br>", "x:<blockquote>1", "x 1:<br>\n<blockquote>1</blockquote>", "<div id=divRplyFwdMsg>", "<pre>\n",
            "<a href='https://x/'><p>y", "&CounterClockwise", "&amp", "<p style='", "<p style='a:b;c:d;'>", "<span style='display:none'>x",
            "<ol start=999999><li>", "<li value=3>x", "<p class='x_x_x_ a b c'>x", "\u{200C}", "&nbsp;<br>",
        ])
    func linear(piece: String) {
        func time(_ count: Int) -> Duration {
            let html = String(repeating: piece, count: count)
            return ContinuousClock().measure { _ = HTMLText.blocks(html) }
        }
        let html = String(repeating: piece, count: 5_000)
        #expect(HTMLText.plainText(html).utf8.count <= html.utf8.count * 12 + 5_000 * 64)
        let (small, large) = (time(1_000), time(8_000))
        // Eight times the input: far below the 64 of anything quadratic, with room for a busy machine.
        #expect(large < small * 32 + .milliseconds(400), "\(small) \(large)")
    }

    @Test(
        "the charset that a document names",
        arguments: [
            ("<html><head><meta charset=\"UTF-8\">", "utf-8"),
            ("<META http-equiv=Content-Type content='text/html; charset=koi8-r'>", "koi8-r"),
            ("<meta name=x><meta charset=big5>", "big5"), ("<p charset=x>", nil), ("<meta charset=>", nil), ("<meta charset", nil),
            ("", nil),
        ] as [(String, String?)])
    func charset(html: String, expected: String?) {
        #expect(HTMLText.declaredCharset(in: Array(html.utf8)[...]) == expected)
    }

    @Test("a document without a charset in its Content-Type is read by what it says of itself, unless its bytes are UTF-8")
    func charsetOfDocument() {
        let header = Array("Content-Type: text/html\n\n<meta charset=koi8-r>".utf8)
        #expect(Message(parsing: header + [0xD0, 0xD2, 0xC9, 0xD7, 0xC5, 0xD4]).text == "\u{43F}\u{440}\u{438}\u{432}\u{435}\u{442}")
        #expect(
            Message(parsing: header + Array("\u{43F}\u{440}\u{438}\u{432}\u{435}\u{442}".utf8)).text
                == "\u{43F}\u{440}\u{438}\u{432}\u{435}\u{442}")
        let japanese =
            Array("Content-Type: text/html\n\n<meta charset=iso-2022-jp>".utf8) + [0x1B, 0x24, 0x42, 0x24, 0x22, 0x1B, 0x28, 0x42]
        #expect(Message(parsing: japanese).text == "\u{3042}")
    }

    @Test("every HTML part of every corpus has blocks", .enabled(if: FieldCorpora.areExpected, FieldCorpora.hint))
    func corpora() throws {
        var (documents, withQuote, withAttribution, withSignature, empty) = (0, 0, 0, 0, 0)
        for url in try FieldCorpora.files(".") {
            let bytes = [UInt8](try Data(contentsOf: url))
            guard bytes.count < 4 << 20, let html = Message(parsing: bytes).html else { continue }
            let blocks = HTMLText.blocks(html)
            documents += 1
            if blocks.isEmpty { empty += 1 }
            if blocks.contains(where: { $0.part == .earlier }) { withQuote += 1 }
            if blocks.contains(where: { $0.part == .attribution }) { withAttribution += 1 }
            if blocks.contains(where: { $0.part == .signature }) { withSignature += 1 }
        }
        print(
            "HTML in the corpora: \(documents) documents, \(withQuote) with an earlier message, \(withAttribution) with its introduction, \(withSignature) with a marked signature, \(empty) without text"
        )
        #expect(documents > 100)
        #expect(withQuote > 10)
    }
}
