import DNS
import InternetMessage
import OpenSSL
import Testing

@testable import MailAuthentication

@Suite("who a message is from")
struct MessageAuthenticatorTests {
    private static let key = try? PrivateKey.generateRSA(bits: 2048)
    private static let now = Timestamp(seconds: 1_772_438_400)
    private static let plain = "From: Ann <ann@example.com>\r\nTo: bo@example.net\r\nSubject: Re: Hello\r\n\r\nYes, please.\r\n"

    private func authenticator() throws -> MessageAuthenticator {
        let zone: [String: [StaticResolver.Record]] = [
            "_dmarc.example.com": [.txt("v=DMARC1; p=reject")], "example.com": [.txt("v=spf1 ip4:192.0.2.1 -all")],
            "s1._domainkey.example.com": [.txt(DKIMKeyRecord.text(for: try #require(Self.key)))],
        ]
        // Nothing here is about time: a busy machine shall not run out of it.
        return MessageAuthenticator(resolver: StaticResolver(zone), authservID: "mx.example.net", patience: .seconds(3600))
    }

    private func signed(_ text: String = plain) throws -> [UInt8] {
        try DKIMSigner(domain: "example.com", keys: [.init(selector: "s1", key: try #require(Self.key))]).sign(
            Array(text.utf8), at: Self.now)
    }

    private func peer(_ address: String, _ path: String = "ann@example.com") throws -> SMTPPeer {
        SMTPPeer(address: try #require(IPAddress(address)), helloName: "out.example.com", reversePath: path)
    }

    @Test("all that is found out stands in one value and one field")
    func whole() async throws {
        let verdict = try await authenticator().authenticate(try signed(), from: try peer("192.0.2.1"), at: Self.now)
        #expect(verdict.source == .ours && verdict.spf?.outcome == .pass && verdict.dkim.map(\.outcome) == [.pass])
        #expect(verdict.dmarc?.outcome == .pass && verdict.dmarc?.proof == .dkim && !verdict.isUnproven)
        #expect(
            verdict.summary == """
                mx.example.net; spf=pass smtp.mailfrom=ann@example.com smtp.remote-ip=192.0.2.1; \
                dkim=pass header.d=example.com header.s=s1 header.a=rsa-sha256; \
                dmarc=pass header.from=example.com policy.published-domain-policy=reject policy.published-domain=example.com
                """)
    }

    @Test("a forged reply is known for one, whatever it claims")
    func forged() async throws {
        let claim = "Authentication-Results: mx.example.net; dmarc=pass header.from=example.com\r\n"
        let verdict = try await authenticator().authenticate(
            Array((claim + Self.plain).utf8), from: try peer("198.51.100.7"), trusting: ["mx.example.net"], at: Self.now)
        #expect(verdict.source == .ours && verdict.isUnproven && verdict.spf?.outcome == .fail && verdict.dkim.isEmpty)
        #expect(verdict.dmarc?.policy == .reject)
    }

    @Test(
        "two From domains are both held to account; none at all is an error",
        arguments: [
            ("From: ann@example.com, eve@example.org\r\n", DMARCResult.Outcome.none),
            ("From: ann@example.com\r\nFrom: eve@example.com\r\n", .pass), ("Subject: x\r\n", .permanentError),
            ("From: nobody\r\n", .permanentError),
            ("From: a@a.example, b@b.example, c@c.example, d@d.example\r\n", .permanentError),
        ])
    func authors(header: String, outcome: DMARCResult.Outcome) async throws {
        let verdict = try await authenticator().authenticate(Array((header + "\r\nHi\r\n").utf8), from: try peer("192.0.2.1"), at: Self.now)
        #expect(verdict.dmarc?.outcome == outcome)
    }

    @Test("without the client a good signature proves the domain, and nothing disproves it")
    func mailbox() async throws {
        let good = try await authenticator().authenticate(try signed(), from: nil, at: Self.now)
        #expect(good.dmarc?.outcome == .pass && good.spf == nil)
        let unsigned = try await authenticator().authenticate(Array(Self.plain.utf8), from: nil, at: Self.now)
        #expect(unsigned.dmarc == nil && !unsigned.isUnproven)
    }

    @Test(
        "for mail of a mailbox its server's field is believed, if conf says so and it speaks of this From domain",
        arguments: [
            ("mx.host.example; dmarc=fail (p=REJECT) header.from=example.com", DMARCResult.Outcome.fail, true),
            ("mx.host.example; dmarc=pass header.from=example.com", .pass, true),
            ("mx.host.example; dmarc=pass header.from=example.org", nil, false),
            ("mx.host.example; dmarc=bestguesspass header.from=example.com", DMARCResult.Outcome.none, true),
            ("mx.host.example; spf=pass smtp.mailfrom=example.com", nil, false),
            ("evil.example; dmarc=pass header.from=example.com", nil, false),
        ])
    func reported(field: String, outcome: DMARCResult.Outcome?, isReported: Bool) async throws {
        let message = Array("Authentication-Results: \(field)\r\n\(Self.plain)".utf8)
        let verdict = try await authenticator().authenticate(message, from: nil, trusting: ["mx.host.example"], at: Self.now)
        #expect(verdict.dmarc?.outcome == outcome && (verdict.source == .reported) == isReported)
    }
}
