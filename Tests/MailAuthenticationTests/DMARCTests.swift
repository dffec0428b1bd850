import DNS
import Testing

@testable import MailAuthentication

@Suite("DMARC by RFC 9989")
struct DMARCTests {
    /// Who vouches: `d:` a DKIM pass, `s:` an SPF pass, `?d:` and `?s:` what cannot be looked up now, `l:` DKIM with l=.
    private static func vouchers(_ text: String) -> (spf: SPFResult?, dkim: [DKIMResult]) {
        var spf: SPFResult?
        var dkim: [DKIMResult] = []
        for word in text.split(separator: " ") {
            let parts = word.split(separator: ":")
            let domain = String(parts[1])
            let outcome: SPFResult.Outcome = parts[0].hasPrefix("?") ? .temporaryError : .pass
            if parts[0].hasSuffix("s") {
                spf = SPFResult(outcome: outcome, identity: .mailFrom, domain: domain, directive: nil, problem: nil, explanation: nil)
            } else {
                var result = DKIMResult(
                    outcome: outcome == .pass ? .pass : .temporaryError, domain: domain, selector: "s", algorithm: "rsa-sha256")
                result.coversWholeBody = parts[0] != "l"
                dkim.append(result)
            }
        }
        return (spf, dkim)
    }

    static let zone: [String: [StaticResolver.Record]] = [
        "_dmarc.example.com": [.txt("v=DMARC1; p=reject; sp=quarantine; np=reject; rua=mailto:d@example.com")],
        "mail.example.com": [.a("192.0.2.1")],
        "_dmarc.strict.example": [.txt("v=DMARC1;p=quarantine;adkim=s;aspf=s")],
        "_dmarc.own.example.com": [.txt("v=DMARC1; p=none; psd=n")],
        "_dmarc.co.example": [.txt("v=DMARC1; p=none; np=reject; psd=y")],
        "_dmarc.a.co.example": [.txt("v=DMARC1; p=quarantine")],
        "b.co.example": [.a("192.0.2.1")],
        "_dmarc.two.example": [.txt("v=DMARC1; p=reject"), .txt("v=DMARC1; p=none")],
        "_dmarc.noise.example": [.txt("v=spf1 -all"), .txt("v=DMARC1; p=reject")],
        "_dmarc.bad.example": [.txt("v=DMARC1; p=perhaps")],
        "_dmarc.badrua.example": [.txt("v=DMARC1; p=perhaps; rua=mailto:a@badrua.example")],
        "_dmarc.nop.example": [.txt("v=DMARC1; sp=reject")],
        "_dmarc.test.example": [.txt("v=DMARC1; p=reject; t=y; pct=0; unknown=1")],
        "_dmarc.late.example": [.txt("p=reject; v=DMARC1")],
        "_dmarc.old.example": [.txt("v=DMARC2; p=reject")],
        "_dmarc.deep.example": [.txt("v=DMARC1; p=reject")],
        "_dmarc.f.g.h.i.j.deep.example": [.txt("v=DMARC1; p=quarantine; psd=n")],
        "_dmarc.d.e.f.g.h.i.j.deep.example": [.txt("v=DMARC1; p=none; psd=n")],
    ]

    @Test(
        "outcome and policy",
        arguments: [
            ("example.com", "d:example.com", "pass reject"), ("example.com", "s:example.com", "pass reject"),
            ("example.com", "d:mail.example.com", "pass reject"), ("mail.example.com", "s:bounce.example.com", "pass quarantine"),
            ("mail.example.com", "", "fail quarantine"), ("gone.example.com", "", "fail reject"),
            ("example.com", "d:example.org s:badexample.com", "fail reject"), ("example.com", "d:com", "fail reject"),
            // l= leaves room for a stranger's words.
            ("example.com", "l:example.com", "fail reject"),
            ("strict.example", "d:mail.strict.example s:mail.strict.example", "fail quarantine"),
            ("strict.example", "d:strict.example", "pass quarantine"),
            // psd=n makes a domain an organization of its own.
            ("own.example.com", "d:example.com", "fail none"), ("x.own.example.com", "d:own.example.com", "pass none"),
            ("example.com", "d:own.example.com", "fail reject"),
            // psd=y: the organization is one label below; the suffix's record holds where that has none.
            ("b.co.example", "d:a.co.example", "fail none"), ("c.b.co.example", "d:b.co.example", "pass reject"),
            ("b.co.example", "d:x.b.co.example", "pass none"), ("gone.co.example", "", "fail reject"),
            ("x.a.co.example", "d:y.a.co.example", "pass quarantine"), ("co.example", "d:co.example", "pass none"),
            ("two.example", "d:two.example", "none -"), ("noise.example", "", "fail reject"), ("bad.example", "", "none -"),
            ("badrua.example", "", "fail none"), ("nop.example", "", "fail none"), ("mail.nop.example", "", "fail reject"),
            ("late.example", "", "none -"), ("old.example", "", "none -"), ("nothing.example", "d:nothing.example", "none -"),
            // Nine labels and more: after the first only the last seven are asked for.
            ("a.b.c.d.e.f.g.h.i.j.deep.example", "", "fail quarantine"), ("e.f.g.h.i.j.deep.example", "", "fail quarantine"),
            ("example.com", "?d:mail.example.com", "temperror reject"), ("example.com", "?s:example.com", "temperror reject"),
            ("example.com", "?d:example.org", "fail reject"), ("example.com", "?s:example.com d:example.com", "pass reject"),
            ("broken.example", "d:broken.example", "temperror -"), ("a..b", "", "permerror -"),
        ])
    func table(domain: String, vouchers: String, expected: String) async {
        let resolver = StaticResolver(Self.zone, failures: ["_dmarc.broken.example": .responseCode(2)])
        let (spf, dkim) = Self.vouchers(vouchers)
        let result = await DMARCChecker(resolver: resolver).check(domain, spf: spf, dkim: dkim)
        #expect("\(result.outcome.rawValue) \(result.policy?.rawValue ?? "-")" == expected)
    }

    @Test(
        "what the owner wants done",
        arguments: [("test.example", DMARCPolicy.quarantine), ("example.com", .reject), ("nothing.example", .none)])
    func disposition(domain: String, wanted: DMARCPolicy) async {
        let result = await DMARCChecker(resolver: StaticResolver(Self.zone)).check(domain, spf: nil, dkim: [])
        #expect(result.disposition == wanted)
    }

    @Test(
        "where the policy stands is said",
        arguments: [("mail.example.com", "example.com"), ("b.co.example", "co.example"), ("nothing.example", nil)])
    func place(domain: String, place: String?) async {
        #expect(await DMARCChecker(resolver: StaticResolver(Self.zone)).check(domain, spf: nil, dkim: []).policyDomain == place)
    }

    /// Counts what is asked.
    private actor Counter: Resolver {
        private(set) var names: [String] = []

        func lookup(_ name: String, _ type: RecordType) async -> DNSAnswer {
            names.append(name)
            return DNSAnswer(type, .nameNotFound)
        }
    }

    @Test("a name of a hundred labels costs eight lookups")
    func bounded() async {
        let counter = Counter()
        let domain = Array(repeating: "a", count: 100).joined(separator: ".") + ".example"
        _ = await DMARCChecker(resolver: counter).check(domain, spf: nil, dkim: [])
        #expect(await counter.names.count == 8)
        #expect(await counter.names.last == "_dmarc.example")
    }
}
