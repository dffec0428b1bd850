import Testing
import Toml

@testable import Settings

@Suite("values with units")
struct ValueTests {
    @Test(
        "durations",
        arguments: [
            ("0s", 0), ("90s", 90), ("5m", 300), ("1h30m", 5400), ("2d", 172_800), ("1w", 604_800), ("1w1d1h1m1s", 694_861),
            ("", nil), ("5", nil), ("m", nil), ("5 m", nil), ("5m5m", nil), ("30m1h", nil), ("-5m", nil), ("1.5h", nil), ("5ms", nil),
            ("٥m", nil),
            ("999999999999999w", nil), ("9999999999999999s", nil),
        ] as [(String, Int?)])
    func durations(text: String, seconds: Int?) {
        #expect(Units.seconds(Array(text.utf8)) == seconds)
        if let seconds { #expect(Units.seconds(Array(Units.text(.seconds(seconds)).utf8)) == seconds) }
    }

    @Test(
        "sizes",
        arguments: [
            ("500B", 500), ("64K", 65_536), ("10M", 10_485_760), ("1G", 1_073_741_824), ("0B", 0), ("10", nil), ("10MB", nil), ("M", nil),
            ("10m", nil),
            ("999999999999999G", nil), ("1 M", nil),
        ] as [(String, Int?)])
    func sizes(text: String, bytes: Int?) {
        #expect(Units.bytes(Array(text.utf8)) == bytes)
        if let bytes { #expect(Units.bytes(Array(Units.text(ByteCount(bytes: bytes)).utf8)) == bytes) }
    }

    private func read<Value>(_ type: ConfType<Value>, _ text: String) -> Value? {
        try? type.read(.string(text), ReadingContext(files: MemoryFiles(texts: [:]), directory: "/etc/p")).get()
    }

    @Test(
        "listen addresses",
        arguments: [
            ("127.0.0.1:8025", .ip("127.0.0.1", port: 8025)), ("[::]:25", .ip("::", port: 25)),
            ("[2001:db8::1]:24", .ip("2001:db8::1", port: 24)),
            ("unix:/run/x.sock", .unix(path: "/run/x.sock")), ("::1:25", nil), ("[127.0.0.1]:25", nil), ("127.0.0.1:0", nil),
            ("127.0.0.1:65536", nil),
            ("127.0.0.1:+25", nil), ("127.0.0.1:", nil), (":25", nil), ("[::1]", nil), ("[::1:25", nil), ("unix:run/x", nil),
            ("unix:/", nil),
            ("*:25", nil), ("127.1:25", nil),
        ] as [(String, ListenAddress?)])
    func listen(text: String, expected: ListenAddress?) {
        #expect(read(.listen, text) == expected)
        if let expected { #expect(expected.description == text) }
    }

    @Test(
        "folders by name and by use",
        arguments: [
            ("INBOX", .named("INBOX")), ("Junk Email", .named("Junk Email")), ("\\Junk", .marked(.junk)), ("\\sENT", .marked(.sent)),
            ("\\Spam", nil), ("\\", nil), ("", nil), ("a\u{7}", nil),
        ] as [(String, MailboxFolder?)])
    func folders(text: String, expected: MailboxFolder?) {
        #expect(read(.folder, text) == expected)
        if let expected { #expect(read(.folder, expected.description) == expected) }
    }

    @Test(
        "what reading leaves behind",
        arguments: [
            ("examine", .examine), ("seen", .seen), ("move:Outreach/Done", .move("Outreach/Done")), ("move:", nil), ("Seen", nil),
            ("delete", nil), ("", nil),
        ] as [(String, MailboxAccess?)])
    func access(text: String, expected: MailboxAccess?) {
        #expect(read(.access, text) == expected)
        if let expected { #expect(expected.description == text) }
    }

    @Test(
        "networks",
        arguments: [
            ("192.0.2.0/24", true), ("192.0.2.1", true), ("::1/128", true), ("0.0.0.0/0", true), ("192.0.2.0/33", false),
            ("::1/129", false), ("192.0.2.0/", false), ("192.0.2.0/24/2", false), ("192.0.2.0/+4", false), ("example.com", false),
            ("", false),
        ])
    func networks(text: String, isOne: Bool) { #expect((read(.network, text) != nil) == isOne) }

    @Test(
        "resolvers",
        arguments: [
            ("127.0.0.1", "127.0.0.1"), ("127.0.0.1@5353", "127.0.0.1@5353"), ("127.0.0.1:5353", "127.0.0.1@5353"), ("::1", "::1"),
            ("[::1]:5353", "::1@5353"), ("::1@5353", "::1@5353"), ("127.0.0.1@53", "127.0.0.1"), ("dns.example.com", nil),
            ("127.0.0.1@", nil), ("@53", nil),
        ] as [(String, String?)])
    func resolvers(text: String, expected: String?) {
        #expect(read(.resolver, text)?.description == expected)
    }

    @Test(
        "sender addresses",
        arguments: [
            ("anna@example.com", "|anna@example.com"), ("Anna Berg <anna@example.com>", "Anna Berg|anna@example.com"),
            ("\"Berg, Anna\" <anna@example.com>", "Berg, Anna|anna@example.com"), ("<a@example.com>", "|a@example.com"),
            ("Jörg <joerg@bücher.example>", "Jörg|joerg@bücher.example"), ("a+b@example.com", "|a+b@example.com"),
            ("anna", nil), ("anna@", nil), ("@example.com", nil), ("a@b@example.com", nil), (".a@example.com", nil),
            ("a..b@example.com", nil),
            ("a b@example.com", nil), ("a@-example.com", nil), ("a@example..com", nil), ("a@example.com.", nil),
            ("A <a@example.com> x", nil),
            ("A <a@example.com>, <b@example.com>", nil), ("A \"x <a@example.com>", nil),
            (String(repeating: "a", count: 65) + "@example.com", nil), ("a@" + String(repeating: "a", count: 64) + ".com", nil),
        ] as [(String, String?)])
    func senders(text: String, expected: String?) {
        #expect(Names.sender(text).map { "\($0.displayName)|\($0.address)" } == expected)
    }

    @Test(
        "what a route does when keys are left out",
        arguments: [
            ("type = \"submission\"\nhost = \"h\"", "587 starttls verify"),
            ("type = \"submission\"\nhost = \"h\"\nport = 465", "465 implicit verify"),
            ("type = \"submission\"\nhost = \"h\"\ntls = \"implicit\"", "465 implicit verify"),
            ("type = \"submission\"\nhost = \"h\"\ntls = \"none\"", "587 none none"),
            ("type = \"submission\"\nhost = \"h\"\ntls_security_level = \"none\"", "587 none none"),
            ("type = \"mx\"", "25 starttls may"), ("type = \"mx\"\ntls_security_level = \"encrypt\"", "25 starttls encrypt"),
            ("type = \"lmtp\"\nhost = \"unix:/run/l\"", "24 none none"),
            ("type = \"sink\"", "0 none none"),
            ("type = \"lmtp\"\nhost = \"h\"\ntls = \"starttls\"", "24 starttls verify"),
        ])
    func effective(keys: String, expected: String) throws {
        let route = try #require(try load(smallest + "[route.r]\n\(keys)\n").get().routes.first)
        #expect("\(route.effectivePort) \(route.effectiveTLS) \(route.effectiveSecurityLevel)" == expected)
    }

    @Test("TLS that proves nothing is not enough for a login, on this machine either", arguments: ["may", "encrypt"])
    func unprovenLogin(level: String) throws {
        let text =
            smallest + "[route.r]\ntype = \"submission\"\nhost = \"127.0.0.1\"\ntls = \"starttls\"\ntls_security_level = \"\(level)\"\n"
            + "auth = { user = \"u\", password_file = \"/p\" }\n"
        #expect(faults(text).count == 1)
    }

    @Test("a login without TLS is taken on this machine only")
    func localLogin() throws {
        func route(_ host: String) -> String {
            smallest
                + "[route.r]\ntype = \"submission\"\nhost = \"\(host)\"\ntls = \"none\"\nauth = { user = \"u\", password_file = \"/p\" }\n"
        }
        for host in ["127.0.0.1", "::1", "localhost"] { #expect(faults(route(host)) == []) }
        for host in ["127.0.0.1.example.com", "192.0.2.1", "localhost.example.com"] { #expect(faults(route(host)).count == 1) }
    }

    @Test(
        "web addresses",
        arguments: [
            ("https://u.example.com/u/", true), ("https://u.example.com:8443/", true), ("http://127.0.0.1:8025/u/", false),
            ("http://[::1]:8025/", false), ("https://[::1]:8025/", true),
            ("http://u.example.com/", false), ("https://user@u.example.com/", false), ("https://u.example.com/?a=b", false),
            ("https:///x", false),
            ("ftp://u.example.com/", false), ("https://u.example.com/\u{E9}", false), ("https://u.example.com/ x", false),
            ("https://u.example.com:0/", false),
        ])
    func webAddresses(text: String, isValid: Bool) {
        #expect((read(.webAddress, text) != nil) == isValid)
    }

    @Test(
        "the nearest word is proposed only when it is near",
        arguments: [
            ("hots", "host"), ("tls_secuirty_level", "tls_security_level"), ("tls-ca-file", "tls_ca_file"), ("HOST", "host"),
            ("banana", nil), ("x", nil),
        ] as [(String, String?)])
    func suggestions(word: String, expected: String?) {
        #expect(Suggestion.nearest(to: word, among: ["type", "host", "port", "tls", "tls_security_level", "tls_ca_file"]) == expected)
    }

    @Test(
        "how often somebody is written to is a number within a length of time",
        arguments: [
            ("2/7d", "2/7d"), ("1/1d", "1/1d"), ("3/1w", "3/7d"), ("10/12h", "10/12h"), ("99999/365d", "99999/365d"),
            ("2/1d12h", "2/1d12h"),
            ("2/day", nil), ("0/1d", nil), ("2/30s", nil), ("2/366d", nil), ("2", nil), ("/7d", nil), ("-1/7d", nil), ("2/7d/1", nil),
            ("100000/7d", nil), ("2/ 7d", nil),
        ] as [(String, String?)])
    func frequencies(text: String, shown: String?) {
        #expect(read(.frequency, text)?.description == shown)
    }
}
