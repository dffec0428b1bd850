import Embedded
import InternetMessage
import Testing

@testable import Outreach

@Suite("mail sites: feedback, providers, reactions")
struct SiteTests {
    static let start = Timestamp(seconds: 1_790_000_000)
    let policy = SiteFeedback.Policy(initial: 5, ceiling: 20, deadAfter: 3, rests: [.seconds(60), .seconds(300)])

    private func fill(_ feedback: inout SiteFeedback) -> Int {
        var count = 0
        while feedback.begin(policy, at: Self.start) == .go { count += 1 }
        return count
    }

    @Test("a site begins with five, grows by 1/n for each success up to its ceiling, and shrinks by 1/n for each failure")
    func window() {
        var feedback = SiteFeedback(policy: policy)
        #expect(fill(&feedback) == 5)
        #expect(feedback.begin(policy, at: Self.start) == .full(window: 5))
        for _ in 0..<6 {
            _ = feedback.ended(.answered, policy, at: Self.start)
            _ = feedback.begin(policy, at: Self.start)
        }
        #expect(feedback.window > 6 && feedback.window < 6.2)
        for _ in 0..<2000 {
            _ = feedback.begin(policy, at: Self.start)
            _ = feedback.ended(.answered, policy, at: Self.start)
        }
        #expect(feedback.window == 20)
        _ = feedback.begin(policy, at: Self.start)
        _ = feedback.ended(.overloaded, policy, at: Self.start)
        #expect(feedback.window == 19.95)
        for _ in 0..<5000 {
            _ = feedback.begin(policy, at: Self.start)
            _ = feedback.ended(.overloaded, policy, at: Self.start)
        }
        #expect(feedback.window >= 1 && feedback.window < 1.5)
    }

    @Test("some stand ready beside those under way, once the window is as wide as it gets, and none when it shrinks")
    func ahead() {
        let policy = SiteFeedback.Policy(initial: 2, ceiling: 3, ahead: 2, rests: [.seconds(60)])
        var feedback = SiteFeedback(policy: policy)
        #expect(feedback.room(policy, at: Self.start) == 2)
        for _ in 0..<4 {
            _ = feedback.begin(policy, at: Self.start)
            _ = feedback.ended(.answered, policy, at: Self.start)
        }
        #expect(feedback.window == 3 && feedback.room(policy, at: Self.start) == 5)
        _ = feedback.begin(policy, at: Self.start)
        _ = feedback.ended(.overloaded, policy, at: Self.start)
        #expect(feedback.room(policy, at: Self.start) == 2)
    }

    @Test("three failed connections in a row make it dead: one probe in each rest, and the first success brings it back")
    func dead() {
        var feedback = SiteFeedback(policy: policy)
        func fail(at now: Timestamp) { _ = feedback.begin(policy, at: now); _ = feedback.ended(.unreachable, policy, at: now) }
        fail(at: Self.start)
        fail(at: Self.start)
        _ = feedback.begin(policy, at: Self.start)
        #expect(feedback.ended(.answered, policy, at: Self.start) == false, "not in a row")
        for _ in 0..<3 { fail(at: Self.start) }
        #expect(feedback.isDead)
        #expect(feedback.begin(policy, at: Self.start) == .resting(until: Self.start + .seconds(60)))
        let probe = Self.start + .seconds(60)
        #expect(feedback.begin(policy, at: probe) == .go)
        #expect(feedback.begin(policy, at: probe) == .resting(until: probe + .seconds(1)), "one probe at a time")
        #expect(feedback.ended(.unreachable, policy, at: probe) == false)
        #expect(feedback.begin(policy, at: probe) == .resting(until: probe + .seconds(300)), "the rests grow")
        let second = probe + .seconds(300)
        #expect(feedback.begin(policy, at: second) == .go)
        #expect(feedback.ended(.answered, policy, at: second) == true, "it says that it came back")
        #expect(!feedback.isDead && feedback.window == 5 && feedback.underWay == 0)
    }

    @Test("those under way when a site dies are no probes, however late they fail")
    func stragglers() {
        var feedback = SiteFeedback(policy: policy)
        for _ in 0..<5 { _ = feedback.begin(policy, at: Self.start) }
        for _ in 0..<5 { _ = feedback.ended(.unreachable, policy, at: Self.start) }
        #expect(feedback.begin(policy, at: Self.start) == .resting(until: Self.start + .seconds(60)))
        let probe = Self.start + .seconds(60)
        #expect(feedback.begin(policy, at: probe) == .go)
        _ = feedback.ended(.unreachable, policy, at: probe)
        #expect(feedback.begin(policy, at: probe) == .resting(until: probe + .seconds(300)), "the probe counts")
    }

    @Test(
        "a person has a dead site probed at once, and once: not for a wish from before it died",
        arguments: [(-1, false), (0, true), (5, true), (30, true)])
    func woken(after seconds: Int64, probes: Bool) {
        var feedback = SiteFeedback(policy: policy)
        for _ in 0..<3 { _ = feedback.begin(policy, at: Self.start); _ = feedback.ended(.unreachable, policy, at: Self.start) }
        let now = Self.start + .seconds(30)
        let wish = Self.start + .seconds(seconds)
        feedback.wake(at: wish, now: now)
        #expect(feedback.room(policy, at: now) == (probes ? 1 : 0))
        guard probes else { return }
        #expect(feedback.isDead)
        #expect(feedback.begin(policy, at: now) == .go)
        #expect(feedback.begin(policy, at: now) == .resting(until: now + .seconds(1)), "one probe")
        _ = feedback.ended(.unreachable, policy, at: now + .seconds(1))
        feedback.wake(at: wish, now: now + .seconds(2))
        #expect(feedback.room(policy, at: now + .seconds(2)) == 0, "the same wish is answered")
        // A clock that was set back makes no moment of the past of it.
        feedback.wake(at: wish - .seconds(900), now: now - .seconds(600))
        #expect(feedback.room(policy, at: now - .seconds(600)) == 1)
        _ = feedback.begin(policy, at: now - .seconds(600))
        #expect(feedback.ended(.answered, policy, at: now) == true, "and it comes back by it")
    }

    @Test("a delivery that learned nothing changes nothing but its place")
    func nothing() {
        var feedback = SiteFeedback(policy: policy)
        let fresh = feedback
        _ = feedback.begin(policy, at: Self.start)
        #expect(feedback.ended(.nothing, policy, at: Self.start) == false)
        #expect(feedback == fresh)
    }

    private func builtin() throws -> ProviderBook {
        let file = try #require(EmbeddedFile.named("pacing/providers.toml"))
        return try ProviderBook(files: [("builtin:pacing/providers.toml", file.bytes)])
    }

    @Test(
        "domains that share their exchangers are one site, and those of a provider that counts them together, too",
        arguments: [
            ("a.example", ["ASPMX.L.GOOGLE.COM", "alt1.aspmx.l.google.com."], "google", "google"),
            ("b.example", ["b-example.mail.protection.outlook.com"], "microsoft", "microsoft"),
            ("hotmail.com", ["hotmail-com.olc.protection.outlook.com"], "outlook", "outlook"),
            (
                "c.example", ["eu-smtp-inbound-1.mimecast.com", "eu-smtp-inbound-2.mimecast.com"],
                "eu-smtp-inbound-1.mimecast.com+eu-smtp-inbound-2.mimecast.com", "mimecast"
            ),
            ("d.example", ["mx2.d.example", "MX1.d.example"], "mx1.d.example+mx2.d.example", "default"),
            ("e.example", ["aspmx.l.google.com", "mx.e.example"], "aspmx.l.google.com+mx.e.example", "default"),
            ("f.example", [], "f.example", "default"),
            ("g.example", ["evilgoogle.com"], "evilgoogle.com", "default"),
        ])
    func sites(domain: String, exchangers: [String], name: String, profile: String) throws {
        let site = try builtin().site(domain: domain, exchangers: exchangers)
        #expect(site.name == name && site.profile.name == profile)
    }

    @Test("a long list of exchangers has a short name of its own")
    func longNames() throws {
        let many = (0..<20).map { "mail-exchanger-number-\($0).d.example" }
        let book = ProviderBook()
        let name = book.site(domain: "d.example", exchangers: many).name
        #expect(name.utf8.count < 120 && name == book.site(domain: "x.example", exchangers: many.reversed()).name)
        #expect(name != book.site(domain: "d.example", exchangers: many.dropLast()).name)
    }

    @Test("a file of the installation changes and adds, key by key, and its reactions come first")
    func layers() throws {
        let file = try #require(EmbeddedFile.named("pacing/providers.toml"))
        let local = """
            [default]
            connections = 3
            [provider.google]
            rate = ["10/min", "400/day"]
            [provider.acme]
            mx = [".acme.example"]
            [[react]]
            provider = "acme"
            words = "Slow DOWN"
            trigger = "3/h"
            rate = "1/min"
            connections = 1
            for = "90m"
            """
        let book = try ProviderBook(files: [("local.toml", Array(local.utf8)), ("builtin", file.bytes)])
        #expect(book.fallback.connections == 3)
        let google = book.site(domain: "a.example", exchangers: ["aspmx.l.google.com"]).profile
        #expect(google.rates.map(\.description) == ["10/min", "400/day"] && google.connections == 5 && google.isOneSite)
        #expect(google.encrypts && book.encryptedHosts == [Array(".google.com".utf8), Array(".googlemail.com".utf8)])
        #expect(book.site(domain: "x.example", exchangers: ["mx.acme.example"]).profile.name == "acme")
        #expect(book.reactions.first?.origin == "local.toml:7" && book.reactions.count > 5)
    }

    @Test(
        "what cannot be is a fault with its line",
        arguments: [
            ("[[react]]\nprovider = \"gmail\"\nwords = \"x\"\nsuspend = true\nfor = \"1h\"", 2, "no provider 'gmail'"),
            ("[[react]]\nwords = \"x\"\nsuspend = true", 1, "'for' is missing"),
            ("[[react]]\nwords = \"x\"\nfor = \"1h\"", 1, "nothing to do"),
            ("[[react]]\nreply = '('\nsuspend = true\nfor = \"1h\"", 2, "not a regular expression"),
            ("[[react]]\nsuspend = true\nfor = \"1h\"", 1, "'reply'"),
            ("[[react]]\nwords = \"x\"\nsuspend = true\nfor = \"1x\"", 4, "no duration"),
            ("[[react]]\nwords = \"x\"\nsuspend = true\nfor = \"1h\"\ntrigger = \"3/min\"", 5, "within an hour"),
            ("[provider.x]\nconnections = 2", 1, "needs 'mx'"),
            ("[provider.x]\nmx = [\".x.example.\"]", 2, "begin with a dot"),
            ("[provider.x]\nmx = [\".x.example\"]\nconections = 2", 3, "unknown key 'conections'"),
            ("[provider.x]\nmx = [\".x.example\"]\ntls = \"verify\"", 3, "'tls' must be"),
            ("[default]\nconnections = 0", 2, "from 1 to 1000"),
            ("[default]\nrate = [\"10/minute\"]", 2, "no rate"),
            ("provider = 1", 1, "table"),
            ("[default", 1, ""),
        ])
    func faults(text: String, line: Int, words: String) throws {
        let file = try #require(EmbeddedFile.named("pacing/providers.toml"))
        let error = #expect(throws: ProviderBook.Faults.self) {
            try ProviderBook(files: [("local.toml", Array(text.utf8)), ("builtin", file.bytes)])
        }
        let fault = try #require(error?.faults.first)
        #expect(fault.file == "local.toml" && fault.line == line && fault.message.contains(words), "\(fault)")
    }

    @Test("a reply sets off what its rule says, for its provider, after so many in an hour, for so long")
    func reactions() throws {
        let rules = try builtin().reactions
        func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
        let throttled = bytes("421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred")
        var yahoo = SiteMeasures()
        let measures = yahoo.replied(throttled, provider: "yahoo", rules: rules, at: Self.start)
        #expect(measures.map(\.action) == [.suspend] && measures.first?.rule.contains("providers.toml:") == true)
        #expect(yahoo.suspension(at: Self.start)?.until == Self.start + .seconds(7200))
        #expect(yahoo.suspension(at: Self.start + .seconds(7200)) == nil)

        var other = SiteMeasures()
        #expect(other.replied(throttled, provider: "default", rules: rules, at: Self.start) == [], "two of them within an hour")
        #expect(other.replied(throttled, provider: "default", rules: rules, at: Self.start + .seconds(3601)) == [], "not in an hour")
        let second = other.replied(throttled, provider: "default", rules: rules, at: Self.start + .seconds(3700))
        let slow = try #require(Rate("1/min"))
        #expect(second.map(\.action) == [.rate(slow), .connections(1)])
        #expect(other.connections(at: Self.start + .seconds(3800)) == 1)
        #expect(other.rates(at: Self.start + .seconds(3800)).map(\.description) == ["1/min"])
        #expect(other.rates(at: Self.start + .seconds(3700 + 5400)).isEmpty && other.suspension(at: Self.start + .seconds(3701)) == nil)
        #expect(other.isSpent(at: Self.start + .seconds(20_000)))

        var calm = SiteMeasures()
        for text in ["250 ok", "550 5.1.1 no such user", "", "550 \u{0}\u{1B}[31m"] {
            #expect(calm.replied(bytes(text), provider: "yahoo", rules: rules, at: Self.start) == [])
        }
    }

    @Test("words far behind in a reply that never ends are not looked for")
    func bounded() throws {
        let rules = try builtin().reactions
        var measures = SiteMeasures()
        let long = [UInt8](repeating: 0x20, count: 100_000) + Array("[TSS04]".utf8)
        #expect(measures.replied(long, provider: "yahoo", rules: rules, at: Self.start) == [])
    }
}
