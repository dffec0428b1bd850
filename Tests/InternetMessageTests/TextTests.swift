import Testing

@testable import InternetMessage

@Suite("Text")
struct TextTests {
    static let html: [(String, String)] = [
        ("plain", "plain"),
        ("<p>One</p><p>Two</p>", "One\n\nTwo"),
        ("<div>a</div><div><br></div><div>b</div>", "a\n\nb"),
        ("<div>a<br></div><div>b</div>", "a\nb"),
        ("a<br>b<br/><br />c", "a\nb\n\nc"),
        ("<p class=MsoNormal>a<o:p></o:p></p><p class=MsoNormal>&nbsp;</p><p class=MsoNormal>b</p>", "a\n\nb"),
        ("<ul><li>one</li><li>two<ul><li>deep</li></ul></li></ul>after", "- one\n- two\n  - deep\n\nafter"),
        ("<ol><li><p>one</p></li><li>two</li></ol>", "1. one\n\n2. two"),
        ("<a href=\"https://example.com/x\">here</a> now", "here <https://example.com/x> now"),
        ("<a href='https://example.com/'>example.com</a>", "example.com"),
        ("<a href=mailto:ann@example.com?subject=x>ann@example.com</a>", "ann@example.com"),
        ("<a href=\"mailto:ann@example.com\">Ann</a>", "Ann <ann@example.com>"),
        ("<a href=\"javascript:alert(1)\">x</a>", "x"),
        ("<a href=\"https://a.example/?x=1&amp;y=2\">x</a>", "x <https://a.example/?x=1&y=2>"),
        ("<a href=\"https://a.example\"><img src=x></a>b", "b"),
        ("x<blockquote>a<br>b<blockquote>c</blockquote></blockquote>y", "x\n> a\n> b\n>> c\ny"),
        ("<blockquote><p>a</p><p>b</p></blockquote>", "> a\n>\n> b"),
        ("<style>p{}</style><script>if(a<b){}</script><!-- c --><title>t</title>x", "x"),
        ("<!--[if mso]><p>no</p><![endif]-->yes<![if !mso]>!<![endif]>", "yes!"),
        (
            "a &lt;b&gt; &amp;amp; &eacute;&#233;&#xE9;&#128;&nbsp;&copy;&unknown; &#0;&#99999999999;",
            "a <b> &amp; ééé€ ©&unknown; \u{FFFD}\u{FFFD}"
        ),
        ("  a \n\t b  ", "a b"),
        ("<pre>a\n  b\n\n\nc</pre>", "a\n  b\n\n\nc"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("a<hr>b", "a\n________________________________\nb"),
        ("1 < 2 and 3 > 2 <3", "1 < 2 and 3 > 2 <3"),
        ("<p title=\"a > b\">x</p>", "x"),
        ("<p title=\"unclosed>x</p> y", "x\n\ny"),
        ("<a", "<a"), ("<", "<"), ("</", "</"), ("<!", "<!"), ("<!--", "<!--"), ("<p", "<p"), ("&", "&"), ("&#", "&#"), ("&#x;", "&#x;"),
        ("", ""),
        ("<script>never closed", "never closed"),
        ("caf\u{e9}\u{301}", "caf\u{e9}\u{301}"),
        ("<img alt=\"😀\" src=x> <img alt=\"Logo\">", "😀"),
        ("<P>UPPER</P><BR><B>x</B>", "UPPER\n\nx"),
    ]

    @Test("HTML as text", arguments: html)
    func htmlText(html: String, text: String) {
        #expect(HTMLText.plainText(html) == text)
    }

    @Test(
        "hostile HTML costs linear time and space",
        arguments: [
            "<", "<a", "<a ", "<a href=\"", "<!--", "<style>", "<script>x", "<blockquote>x<br>", "<ul><li>", "&", "&#", "&amp",
            "<a href='https://x/'>y", "</a>", "<p title=\"", "\"", "<!", "<?", "<br>",
        ])
    func hostileHTML(piece: String) {
        let text = HTMLText.plainText(String(repeating: piece, count: 50_000))
        #expect(text.utf8.count <= 50_000 * 60)
    }

    @Test(
        "format=flowed",
        arguments: [
            ("a \nb\nc", false, "a b\nc"), ("a \nb", true, "ab"), ("> a \n> b\nc", false, "> a b\nc"), (">> a \n> b", false, ">> a \n> b"),
            ("-- \nAnn", false, "-- \nAnn"), ("a \n-- \nAnn", false, "a \n-- \nAnn"), (" stuffed", false, "stuffed"),
            ("a\n\nb\n", false, "a\n\nb\n"), ("", false, ""),
            ("a ", false, "a "),
        ])
    func flowed(text: String, delSp: Bool, expected: String) {
        #expect(FlowedText.unflow(text, delSp: delSp) == expected)
    }
}
