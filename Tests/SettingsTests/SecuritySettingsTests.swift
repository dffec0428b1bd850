import Testing

@testable import Settings

@Suite("what conf says of TLS on the way out")
struct SecuritySettingsTests {
    static let digest = String(repeating: "ab", count: 32)

    @Test("policies of destinations are read as they are written")
    func policies() throws {
        let text =
            smallest
                + """
                [tls_policy."example.com"]
                level = "secure"
                match = ["nexthop", ".nexthop", "hostname", "mx.example.net", ".example.org"]
                [tls_policy.".example.com"]
                level = "dane-only"
                [tls_policy."pinned.example.com"]
                level = "fingerprint"
                fingerprints = ["\(Self.digest)", "AB:\(String(repeating: "cd:", count: 30))EF"]
                [mta_sts]
                enabled = false

                """
        let settings = try load(text).get()
        #expect(settings.tlsPolicies.map(\.domain) == ["example.com", ".example.com", "pinned.example.com"])
        #expect(settings.tlsPolicies.map(\.level) == [.secure, .daneOnly, .fingerprint])
        #expect(settings.tlsPolicies[0].match == [.nexthop, .belowNexthop, .hostname, .name("mx.example.net"), .below("example.org")])
        #expect(
            settings.tlsPolicies[2].fingerprints.map(\.bytes.count) == [32, 32] && settings.tlsPolicies[2].fingerprints[0].bytes[0] == 0xAB)
        #expect(!settings.mtaSTS.enabled)
        #expect(try load(settings.nonDefault()).get().tlsPolicies == settings.tlsPolicies)
        #expect(try load(smallest).get().mtaSTS.enabled)
    }

    @Test("levels that do not prove the server take no login, and the others do", arguments: TLSSecurityLevel.allCases)
    func logins(level: TLSSecurityLevel) {
        let pin = level == .fingerprint ? "tls_fingerprints = [\"\(Self.digest)\"]\n" : ""
        let text =
            smallest
            + "[route.r]\ntype = \"submission\"\nhost = \"h.example.com\"\n\(pin)auth = { user = \"u\", password_file = \"/p\" }\n"
            + "tls_security_level = \"\(level.rawValue)\"\n"
        #expect(faults(text).isEmpty == level.provesServer)
        #expect(level.provesServer == [.daneOnly, .fingerprint, .verify, .secure].contains(level))
    }

    @Test(
        "a policy that takes the login of a route away is named with its line, whether its host is a name or an address",
        arguments: [
            ("h.example.com", "h.example.com", "none", true), ("h.example.com", ".example.com", "encrypt", true),
            ("192.0.2.2", "192.0.2.2", "none", true), ("192.0.2.2", "192.0.2.2", "may", true), ("192.0.2.2", "192.0.2.2", "verify", false),
            ("192.0.2.2", "192.0.2.3", "none", false), ("127.0.0.1", "127.0.0.1", "none", false), ("127.0.0.1", "127.0.0.1", "may", true),
            ("2001:db8::2", "h.example.com", "none", false), ("2001:db8::2", "2001:db8::2", "may", true),
            ("2001:db8::2", "[2001:db8::2]", "none", true), ("[2001:db8::2]", "2001:DB8:0::2", "none", true),
            ("2001:db8::2", "2001:db8::3", "none", false), ("2001:db8::2", "[2001:db8::2]", "verify", false),
            ("::1", "::1", "none", false),
        ])
    func loginsUnderPolicies(host: String, destination: String, level: String, isRefused: Bool) {
        let shown = host.filter { $0 != "[" && $0 != "]" }
        let text =
            smallest + "[tls_policy.\"\(destination)\"]\nlevel = \"\(level)\"\n"
            + "[route.r]\ntype = \"submission\"\nhost = \"\(host)\"\nauth = { user = \"u\", password_file = \"/p\" }\n"
        let expected =
            "postrider.conf:4: it takes the login of [route.r] away, which needs a verified certificate; "
            + "give \(shown) a policy of its own with level = \"verify\""
        #expect(faults(text) == (isRefused ? [expected] : []))
    }

    @Test(
        "an address of a host is written in one way, with or without brackets",
        arguments: [
            ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"), ("[2001:db8::1]", "2001:db8::1"), ("::1", "::1"), ("::", "::"),
            ("1::", "1::"), ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"), ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
            ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("fe80::abCD", "fe80::abcd"), ("192.0.2.2", "192.0.2.2"),
            ("[192.0.2.2]", "192.0.2.2"), ("hub.example.net", "hub.example.net"),
        ])
    func hosts(written: String, shown: String) throws {
        let settings = try load(smallest + "[route.r]\ntype = \"submission\"\nhost = \"\(written)\"\n").get()
        #expect(settings.routes.first?.host?.description == shown)
        #expect(settings.routes.first?.host?.place(587) == (shown.contains(":") ? "[\(shown)]:587" : "\(shown):587"))
    }

    static let faulty: [(String, String)] = [
        ("[tls_policy.\"example.com\"]\n", "postrider.conf:3: 'level' is missing"),
        (
            "[tls_policy.\"2001:db8::1\"]\nlevel = \"may\"\n[tls_policy.\"[2001:DB8::1]\"]\nlevel = \"may\"\n",
            "postrider.conf:5: it is for the same as [tls_policy.\"2001:db8::1\"]; remove one of them"
        ),
        (
            "[tls_policy.\"2001:db8::g\"]\nlevel = \"may\"\n",
            "postrider.conf:3: '2001:db8::g' is no domain; write [tls_policy.\"example.com\"]"
        ),
        ("[tls_policy.\"exa mple\"]\nlevel = \"may\"\n", "postrider.conf:3: 'exa mple' is no domain; write [tls_policy.\"example.com\"]"),
        (
            "[tls_policy.\"a.example\"]\nlevel = \"dane_only\"\n",
            "postrider.conf:4: level: unknown value 'dane_only'; did you mean 'dane-only'?"
        ),
        ("[tls_policy.\"a.example\"]\nlevel = \"fingerprint\"\n", "postrider.conf:4: level fingerprint needs a fingerprint"),
        (
            "[tls_policy.\"a.example\"]\nlevel = \"may\"\nmatch = [\"nexthop\"]\n",
            "postrider.conf:5: names count with level verify or secure only"
        ),
        (
            "[tls_policy.\"a.example\"]\nlevel = \"secure\"\nmatch = [\"*.a.example\"]\n",
            "postrider.conf:5: match: '*.a.example' is no name"
        ),
        (
            "[tls_policy.\"a.example\"]\nlevel = \"fingerprint\"\nfingerprints = [\"ab:cd\"]\n",
            "postrider.conf:5: fingerprints: 'ab:cd' is no SHA-256 digest"
        ),
        ("[route.r]\ntype = \"mx\"\ntls_match = [\"hostname\"]\n", "postrider.conf:5: names count with level verify or secure only"),
        ("[route.r]\ntype = \"sink\"\ntls_match = [\"hostname\"]\n", "postrider.conf:5: a route of type sink connects to nothing"),
    ]

    @Test("what is wrong is named with its place", arguments: faulty)
    func refused(text: String, expected: String) {
        let found = faults(smallest + text)
        #expect(found.count == 1 && found.first?.hasPrefix(expected) == true, "\(found)")
    }
}
