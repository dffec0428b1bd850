import Foundation
import InternetMessage
import TestKit
import Testing

@testable import Outreach

/// What is counted of a letter, put into its HTML, and where links may lead.
@Suite("tracked letters")
struct LetterTrackerTests {
    private static let message = OutboxMessage.ID(rawValue: 0x0001_2345_6789)
    private static let contact = Contact.ID(rawValue: 77)
    /// As long as the token behind a way off the list is.
    static let wayOut = String(repeating: "a2", count: 18)

    private static func codec(_ secret: String = "a key of the tests, 32 bytes long") throws -> TokenCodec {
        let key = try #require(TokenCodec.Key(secret: Array(secret.utf8)))
        return try #require(TokenCodec(keys: [key]))
    }

    private func track(
        _ html: String?, text: String = "Hi", opens: Bool = false, clicks: Bool = true, sources: [String]? = nil
    ) throws -> LetterTracker.Letter {
        let tracker = LetterTracker(base: "https://t.example.com/", codec: try Self.codec(), wayOut: "https://u.example.com/u/")
        return tracker.track(
            .init(text: text, html: html),
            .init(
                message: Self.message, contact: Self.contact, opens: opens, clicks: clicks,
                sources: sources ?? [html, text].compactMap { $0 })
        )
    }

    /// The letter with each tracking address replaced by what it leads to, in braces.
    private func shown(_ text: String, _ letter: LetterTracker.Letter) throws -> String {
        var text = text
        for link in letter.links {
            let token = TrackingToken(message: Self.message, link: link.id).text(signedBy: try Self.codec())
            text = text.replacing("https://t.example.com/c/\(token)", with: "{\(link.url)}")
        }
        let picture = TrackingToken(message: Self.message, link: nil).text(signedBy: try Self.codec())
        return text.replacing(
            "<img src=\"https://t.example.com/o/\(picture).gif\" width=\"1\" height=\"1\" alt=\"\" border=\"0\">\n", with: "{picture}")
    }

    @Test("a text that was made of the HTML leads where the HTML leads")
    func derivedText() throws {
        let html =
            #"<p><a href="https://x.example/?a=1&amp;b=2">A</a> <a href="https://x.example/c" data-track="off">C</a> "#
            + #"<a href="https://u.example.com/u/\#(Self.wayOut)">Out</a></p>"#
        let letter = try track(html, text: HTMLText.plainText(html), sources: [html])
        #expect(letter.links.count == 1)
        let text = try shown(letter.text, letter)
        #expect(text.contains("A <{https://x.example/?a=1&b=2}>") && text.contains("C <https://x.example/c>"), "\(text)")
        #expect(text.contains("<https://u.example.com/u/\(Self.wayOut)>"), "\(text)")
    }

    @Test(
        "links of HTML lead by way of us, however they are written",
        arguments: [
            (#"<a href="https://x.example/a">A</a>"#, #"<a href="{https://x.example/a}">A</a>"#),
            ("<a href='http://x.example/a'>A</a>", "<a href='{http://x.example/a}'>A</a>"),
            ("<A CLASS=b HREF=https://x.example/a>A</A>", "<A CLASS=b HREF={https://x.example/a}>A</A>"),
            (#"<a href = "HTTPS://X.example/a">A</a>"#, #"<a href = "{HTTPS://X.example/a}">A</a>"#),
            (#"<a href="https://x.example/?a=1&amp;b=2">A</a>"#, #"<a href="{https://x.example/?a=1&b=2}">A</a>"#),
            (#"<a href="https://x.example/?a=1&copy=2">A</a>"#, #"<a href="{https://x.example/?a=1&copy=2}">A</a>"#),
            ("<a href=\"\n https://x.example/a \">A</a>", "<a href=\"{https://x.example/a}\">A</a>"),
            (
                #"<div><p><a href="https://x.example/a"><b>A</b><img src="https://x.example/i.png"></a></p></div>"#,
                #"<div><p><a href="{https://x.example/a}"><b>A</b><img src="https://x.example/i.png"></a></p></div>"#
            ),
            (#"<area href="https://x.example/a">"#, #"<area href="{https://x.example/a}">"#),
            (#"<a title="a>b" href="https://x.example/a">A</a>"#, #"<a title="a>b" href="{https://x.example/a}">A</a>"#),
            (
                #"<a href="https://x.example/a" href="https://y.example/">A</a>"#,
                #"<a href="{https://x.example/a}" href="https://y.example/">A</a>"#
            ),
            (#"<a href="https://x.example/a" data-track="on">A</a>"#, #"<a href="{https://x.example/a}">A</a>"#),
            (#"<a href="https://[2001:db8::1]:8443/a">A</a>"#, #"<a href="{https://[2001:db8::1]:8443/a}">A</a>"#),
        ])
    func rewritten(html: String, expected: String) throws {
        let letter = try track(html)
        #expect(try shown(try #require(letter.html), letter) == expected)
        #expect(letter.links.count == 1)
    }

    @Test(
        "what is no web page of others stays as it is",
        arguments: [
            #"<a href="mailto:a@x.example">A</a>"#, #"<a href="tel:+49301">A</a>"#, ##"<a href="#top">A</a>"##, #"<a href="/a">A</a>"#,
            #"<a href="//x.example/a">A</a>"#, #"<a name="a">A</a>"#, #"<a href="">A</a>"#, #"<a href>A</a>"#, "<a>A</a>",
            #"<a href="https://u.example.com/u/\#(wayOut)">Out</a>"#, #"<a href="https://t.example.com/c/abc">Ours</a>"#,
            #"<a href="javascript:alert(1)">A</a>"#, #"<a href="java&#10;script:alert(1)">A</a>"#, #"<a href="data:text/html,x">A</a>"#,
            #"<link href="https://x.example/a.css">"#, #"<!-- <a href="https://x.example/a">A</a> -->"#,
            #"<script>document.write('<a href="https://x.example/">')</script>"#, #"<style>a[href="https://x.example/"]{}</style>"#,
            #"<textarea><a href="https://x.example/">A</a></textarea>"#, #"<a href="https://user:pw@x.example/">A</a>"#,
            #"<a href="https://x.example\@y.example/">A</a>"#, "https://x.example/ in the text of a page",
            #"<a href="https://bücher.example/">A</a>"#,
        ])
    func leftAlone(html: String) throws {
        let letter = try track(html, text: "")
        #expect(letter.html == html && letter.links.isEmpty)
    }

    @Test("a link that its sender marked stays as it is in HTML and in the text, and the mark does not leave")
    func marked() throws {
        let letter = try track(
            #"<a  data-track="OFF" href="https://x.example/a">A</a> <a href="https://x.example/b">B</a>"#,
            text: "https://x.example/a https://x.example/b")
        #expect(
            try shown(try #require(letter.html), letter) == #"<a href="https://x.example/a">A</a> <a href="{https://x.example/b}">B</a>"#)
        #expect(try shown(letter.text, letter) == "https://x.example/a {https://x.example/b}")
        let glued = LetterTracker.Letter(text: "Hi", html: #"<a data-track="off"href="https://x.example/a">A</a>"#)
        #expect(glued.unmarked.html == #"<a href="https://x.example/a">A</a>"#)
        let untouched = LetterTracker.Letter(text: "Hi", html: #"<a data-track=off href="https://x.example/a">A</a>"#)
        #expect(untouched.unmarked.html == #"<a href="https://x.example/a">A</a>"#)
    }

    @Test(
        "addresses in the text beside HTML lead by way of us, without the marks of the sentence behind them",
        arguments: [
            ("See https://x.example/a.", "See {https://x.example/a}."), ("(https://x.example/a)", "({https://x.example/a})"),
            ("https://x.example/a_(b)", "{https://x.example/a_(b)}"), ("<https://x.example/a>", "<{https://x.example/a}>"),
            ("https://x.example/?a=1&b=2, and", "{https://x.example/?a=1&b=2}, and"), ("HTTP://X.example/", "{HTTP://X.example/}"),
            ("a\nhttps://x.example/a\nb", "a\n{https://x.example/a}\nb"), ("xhttps://x.example/", "xhttps://x.example/"),
            ("https://u.example.com/u/\(wayOut)", "https://u.example.com/u/\(wayOut)"),
            ("https://u.example.com/u/abc", "{https://u.example.com/u/abc}"), ("https://t.example.com/a", "{https://t.example.com/a}"),
            ("https://t.example.com/c/x", "https://t.example.com/c/x"), ("https://x.example/ä", "https://x.example/ä"),
            ("https://user@x.example/", "https://user@x.example/"), ("https://", "https://"), ("mailto:a@x.example", "mailto:a@x.example"),
        ])
    func text(text: String, expected: String) throws {
        let letter = try track("<p>Hi</p>", text: text)
        #expect(try shown(letter.text, letter) == expected)
    }

    @Test("a letter of text alone is never touched, and what is not asked for is not done")
    func untouched() throws {
        let alone = try track(nil, text: "https://x.example/", opens: true)
        #expect(alone.html == nil && alone.text == "https://x.example/" && alone.links.isEmpty)
        let page = #"<BODY><a href="https://x.example/">A</a></BODY></html>"#
        let none = try track(page, text: "https://x.example/", opens: false, clicks: false)
        #expect(none.html == page && none.text == "https://x.example/")
        let opens = try track(page, text: "https://x.example/", opens: true, clicks: false)
        #expect(try shown(try #require(opens.html), opens) == #"<BODY><a href="https://x.example/">A</a>{picture}</BODY></html>"#)
        #expect(opens.text == "https://x.example/" && opens.links.isEmpty)
        let bare = try track("<p>Hi</p>", opens: true)
        #expect(try shown(try #require(bare.html), bare) == "<p>Hi</p>{picture}")
    }

    @Test(
        "values of a contact never say to which host one is led",
        arguments: [
            ("Hi {{name}}", "Hi https://evil.example/login", false), ("https://x.example/?u={{email}}", "https://x.example/?u=ann", true),
            ("https://x.example{{path}}", "https://x.example.evil.example/", false), ("https://{{host}}/a", "https://evil.example/a", false),
            ("https://x.example:{{port}}/", "https://x.example:81/", false), ("http://x.example/{{a}}", "https://x.example/b", false),
        ])
    func hosts(source: String, text: String, isTracked: Bool) throws {
        let letter = try track("<p>\(text)</p>", text: text, sources: [source])
        #expect((letter.text == text) != isTracked && letter.links.count == (isTracked ? 1 : 0), "\(letter.text)")
    }

    @Test("an address that is the same for everybody is stored once for all, one with values of somebody for them alone")
    func shared() throws {
        let source = #"<a href="https://x.example/a">A</a><a href="https://x.example/?u={{email}}">B</a>"#
        let html = #"<a href="https://x.example/a">A</a><a href="https://x.example/?u=ann">B</a><a href="https://x.example/a">C</a>"#
        let letter = try track(html, sources: [source])
        #expect(letter.links.map(\.url) == ["https://x.example/a", "https://x.example/?u=ann"])
        #expect(letter.links.map(\.contact) == [nil, Self.contact])
        let other = try #require(LinkTarget("https://x.example/a".utf8, contact: Self.contact))
        #expect(other.id != letter.links[0].id)
        #expect(LinkTarget("https://x.example/a".utf8) == letter.links[0])
    }

    static let hostile: [String] = [
        "", " ", "/", "//evil.example", "///evil.example", "\\\\evil.example", "/\\evil.example", "https:/evil.example",
        "https:evil.example",
        "https:///evil.example", "https://", "http://", "https://?x", "https://#x", "https://:443/", "https://@evil.example/",
        "https://good.example@evil.example/", "https://good.example:pw@evil.example/", "https://good.example%40evil.example/",
        "https://good.example\\@evil.example/", "https://good.example\\evil.example", "https://evil.example\r\nSet-Cookie: a=b",
        "https://evil.example/\nLocation: x", "https://evil.example/\u{0}", "https://evil.example/\t", " https://evil.example/",
        "https://evil.example/ x", "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\nscript:alert(1)", "vbscript:x",
        "data:text/html,<script>",
        "file:///etc/passwd", "ftp://evil.example/", "gopher://evil.example/", "ws://evil.example/", "mailto:a@evil.example", "tel:1",
        "about:blank", "blob:https://evil.example/", "view-source:https://evil.example/", "jar:https://evil.example/!",
        "httpss://evil.example/",
        "http:\\\\evil.example", "https://evil.example\"><script>", "https://evil.example/'onload=", "https://evil.example/<x>",
        "https://evil..example/", "https://.evil.example/", "https://-evil.example/", "https://evil.example:99999/",
        "https://evil.example:80a/",
        "https://evil.example:80:80/", "https://[::1", "https://[evil]/", "https://[]/", "https://[::1]x/", "https://ev il.example/",
        "https://еvil.example/", "https://evil。example/", "https://evil.example/\u{202E}", "https://evil.example/`", "https://{evil}/",
        "https://evil.example/" + String(repeating: "a", count: 2_000),
    ]

    @Test("nothing is led to that is no plain address of the web", arguments: hostile)
    func noTarget(url: String) {
        #expect(LinkTarget(url.utf8) == nil)
    }

    @Test("there are at least sixty of them")
    func enough() { #expect(Self.hostile.count >= 60) }

    @Test(
        "plain addresses are led to as they are",
        arguments: [
            "https://x.example", "http://x.example/", "https://x.example:8443/a?b=c#d", "https://192.0.2.1/", "https://[2001:db8::1]/",
            "https://x.example/?url=https://y.example/", "https://x.example/%0d%0a", "https://x_y.example/@a", "https://x.example/a:b@c",
        ])
    func target(url: String) { #expect(LinkTarget(url.utf8)?.url == url) }

    @Test("a token is read in any letter case and by no other key; a changed one is none, nor is one of another kind")
    func tokens() throws {
        let codec = try Self.codec()
        let link = try #require(LinkTarget("https://x.example/".utf8))
        for token in [TrackingToken(message: Self.message, link: link.id), TrackingToken(message: Self.message, link: nil)] {
            let text = token.text(signedBy: codec)
            #expect(text.utf8.count == TrackingToken.characters)
            #expect(TrackingToken(Array(text.utf8), signedBy: codec) == token)
            #expect(TrackingToken(Array(text.uppercased().utf8), signedBy: codec) == token)
            #expect(TrackingToken(Array(text.utf8), signedBy: try Self.codec("another key, of 32 bytes as well")) == nil)
            for place in 0..<text.utf8.count {
                var bytes = Array(text.utf8)
                bytes[place] = bytes[place] == UInt8(ascii: "a") ? UInt8(ascii: "b") : UInt8(ascii: "a")
                #expect(TrackingToken(bytes, signedBy: codec) == nil, "changed at \(place)")
                #expect(TrackingToken(Array(text.utf8).prefix(place), signedBy: codec) == nil)
            }
            #expect(codec.decode(Array(text.utf8), at: Timestamp(seconds: 0)) == .unknown)
        }
        let mail = codec.encode(MailToken(kind: .unsubscribe, message: Self.message, lastDay: nil))
        #expect(TrackingToken(Array(mail.utf8), signedBy: codec) == nil)
    }

    // MARK: Who did it

    private static let browser =
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36"

    private static func machines(_ own: String? = nil) throws -> TrackingMachines {
        let builtin = Checkout.url("Sources/CEmbedded/files/tracking/machines.toml")
        let files = own.map { [("own.toml", Array($0.utf8))] } ?? []
        return try TrackingMachines(files: files + [("builtin", Array(try String(contentsOf: builtin, encoding: .utf8).utf8))])
    }

    @Test(
        "programs that fetch by themselves are known by what they call themselves, those of people are not",
        arguments: [
            (browser, nil),
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148", nil),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.0", nil),
            ("Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; Microsoft Outlook 16.0; ms-office)", nil),
            (
                "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 6.2; Win64; x64; Trident/7.0; Microsoft Outlook 16.0.9126; ms-office; MSOffice 16)",
                nil
            ),
            ("Mozilla/5.0 (Linux; Android 10) AppleWebKit/537.36 (KHTML, like Gecko) Mobile DuckDuckGo/5 Safari/537.36", nil),
            ("Mozilla/5.0", "Apple Mail Privacy Protection"),
            ("Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)", "image proxy of Google"),
            ("YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html", "image proxy of Yahoo"),
            ("BarracudaCentral/1.0", "filter of Barracuda"), ("Mozilla/5.0 (compatible; proofpoint)", "filter of Proofpoint"),
            ("Mimecast/1.0", "filter of Mimecast"), ("Mozilla/5.0 BingPreview/1.0b", "filter of Microsoft"),
            ("python-requests/2.31", "program without a reader"), ("curl/8.5.0", "program without a reader"),
            ("Go-http-client/2.0", "program without a reader"), ("Mozilla/5.0 (compatible; Googlebot/2.1)", "program without a reader"),
        ] as [(String, String?)])
    func agents(agent: String, name: String?) throws {
        #expect(try Self.machines().name(of: agent) == name)
    }

    @Test("a file of one's own takes a machine out or names another; what is wrong in it is said with its line")
    func ownFile() throws {
        let machines = try Self.machines("[machine.\"image proxy of Google\"]\n[machine.mine]\nequals = [\"My Filter\"]\n")
        #expect(machines.name(of: "x GoogleImageProxy x") == nil && machines.name(of: "my filter") == "mine")
        for (source, line) in [
            ("a = 1\n", 1), ("[machine.x]\n\nholds = [\"a\"]\n", 3), ("[machine.x]\ncontains = [\"\"]\n", 2), ("machine = 1\n", 1),
        ] {
            do throws(TrackingMachines.Fault) {
                _ = try TrackingMachines(files: [("own.toml", Array(source.utf8))])
                Issue.record("nothing was found in \(source)")
            } catch {
                #expect(error.line == line, "\(error)")
            }
        }
    }

    private static let sent = Timestamp(seconds: 1_790_000_000)

    struct Case: Sendable {
        let name: String
        /// Seconds after it was sent, number of the link (0: the picture), program.
        let hits: [(Double, Int, String)]
        let isHuman: [Bool]
        var wasSent = true
    }

    static let cases: [Case] = [
        .init(name: "an open after an hour", hits: [(3600, 0, browser)], isHuman: [true]),
        .init(name: "an open at once", hits: [(0.5, 0, browser)], isHuman: [false]),
        .init(name: "at the end of the ten seconds", hits: [(10, 0, browser), (10.001, 0, browser)], isHuman: [false, true]),
        .init(name: "a click within two seconds", hits: [(1.9, 1, browser)], isHuman: [false]),
        .init(name: "a click after a minute", hits: [(60, 1, browser)], isHuman: [true]),
        .init(name: "an open and a click", hits: [(60, 0, browser), (61, 1, browser)], isHuman: [true, true]),
        .init(
            name: "all links at once", hits: [(60, 1, browser), (60.1, 2, browser), (60.2, 3, browser)], isHuman: [false, false, false]),
        .init(name: "two links four seconds apart", hits: [(60, 1, browser), (64, 2, browser)], isHuman: [false, false]),
        .init(name: "two links six seconds apart", hits: [(60, 1, browser), (66, 2, browser)], isHuman: [true, true]),
        .init(name: "one link twice", hits: [(60, 1, browser), (61, 1, browser)], isHuman: [true, true]),
        .init(
            name: "a burst, and the picture beside it", hits: [(60, 0, browser), (60, 1, browser), (61, 2, browser)],
            isHuman: [false, false, false]),
        .init(
            name: "a picture long before a burst", hits: [(50, 0, browser), (60, 1, browser), (61, 2, browser)],
            isHuman: [true, false, false]),
        .init(name: "no program", hits: [(60, 1, "")], isHuman: [false]),
        .init(name: "a proxy", hits: [(3600, 0, "GoogleImageProxy")], isHuman: [false]),
        .init(name: "before it left", hits: [(-1, 1, browser)], isHuman: [false]),
        .init(name: "it never left", hits: [(60, 1, browser)], isHuman: [false], wasSent: false),
    ]

    @Test("a person or a machine", arguments: cases.indices)
    func verdicts(index: Int) throws {
        let one = Self.cases[index]
        let hits = one.hits.map { seconds, link, agent in
            TrackingHit(
                message: Self.message, link: link == 0 ? nil : .init(rawValue: Int64(link)),
                at: Self.sent + .milliseconds(Int64(seconds * 1000)), agent: agent)
        }
        let judge = TrackingJudge(machineWithin: .seconds(10), machines: try Self.machines())
        let verdicts = judge.verdicts(of: hits, sentAt: one.wasSent ? Self.sent : nil)
        #expect(verdicts.map { $0 == .human } == one.isHuman, "\(one.name): \(verdicts)")
    }
}
