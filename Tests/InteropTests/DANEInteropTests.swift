import DNS
import MailTransport
import OpenSSL
import TestKit
import Testing

/// DANE over a signed zone of a real name server, with Postfix as the mail exchanger.
@Suite("DANE")
struct DANEInteropTests {
    struct Case: Sendable {
        let domain: String
        let level: Route.TLSLevel
        let outcome: String
        /// What the report says of TLS ends with this; nil: there was none.
        var tls: String?
        /// What the reason says where nothing was sent.
        var reason = ""
    }

    static let cases = [
        Case(domain: "good.example.com", level: .dane, outcome: "accepted", tls: " dane verified"),
        Case(domain: "good.example.com", level: .daneOnly, outcome: "accepted", tls: " dane verified"),
        // A name of its own is not what the certificate is for; DANE-EE does not ask.
        Case(domain: "alias.example.com", level: .daneOnly, outcome: "accepted", tls: " dane verified"),
        Case(domain: "wrong.example.com", level: .dane, outcome: "deferred", reason: "TLSA"),
        Case(domain: "bogus.example.com", level: .dane, outcome: "deferred", reason: "TLSA records of mx.bogus.example.com cannot be had"),
        Case(domain: "bogusmx.example.com", level: .dane, outcome: "deferred", reason: "DNSSEC validation failed"),
        Case(domain: "bogusmx.example.com", level: .may, outcome: "deferred", reason: "DNSSEC validation failed"),
        Case(domain: "open.example.net", level: .dane, outcome: "accepted", tls: " unverified"),
        Case(domain: "open.example.net", level: .daneOnly, outcome: "deferred", reason: "no TLSA records that DNSSEC proves"),
        Case(domain: "none.example.com", level: .dane, outcome: "accepted", tls: " unverified"),
        Case(domain: "none.example.com", level: .daneOnly, outcome: "deferred", reason: "no TLSA records"),
        Case(domain: "pkix.example.com", level: .dane, outcome: "accepted", tls: " unverified"),
        Case(domain: "pkix.example.com", level: .daneOnly, outcome: "deferred", reason: "can be used"),
        // Its MX is on a host that has only a wrong record, and on one with the right one.
        Case(domain: "two.example.com", level: .dane, outcome: "accepted", tls: " dane verified"),
    ]

    /// The digest of the certificate's public key, by the `openssl` command.
    private static func keyDigest(_ certificate: String) async throws -> String {
        let openssl = try Interop.require("openssl")
        let pem = try await Command.succeed(openssl, ["x509", "-in", certificate, "-noout", "-pubkey"]).output
        let der = try await Command.succeed(openssl, ["pkey", "-pubin", "-outform", "DER"], input: pem).output
        let digest = try await Command.succeed(openssl, ["dgst", "-sha256", "-binary"], input: der).output
        return digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    @Test("each state of a signed zone ends as RFC 7672 says, and nothing leaves where it must not", .timeLimit(.minutes(3)))
    func states() async throws {
        let folder = try TemporaryFolder()
        let certificate = try await CertificateFiles.selfSigned(in: folder)
        var configuration = PostfixProcess.Configuration(routes: ["*": .discard])
        configuration.certificate = certificate
        let postfix = try await PostfixProcess.start(configuration)
        let right = try await Self.keyDigest(certificate.certificate)
        let wrong = String(repeating: "07", count: 32)
        func exchanger(_ domain: String, _ tlsa: [String]) -> [String] {
            ["\(domain). MX 10 mx.\(domain).", "mx.\(domain). A 127.0.0.1"]
                + tlsa.map { "_\(postfix.port)._tcp.mx.\(domain). TLSA \($0)" }
        }
        var records =
            exchanger("good.example.com", ["3 1 1 \(wrong)", "3 1 1 \(right)"]) + exchanger("wrong.example.com", ["3 1 1 \(wrong)"])
        records += exchanger("bogus.example.com", ["3 1 1 \(right)"]) + exchanger("bogusmx.example.com", ["3 1 1 \(right)"])
        records += exchanger("none.example.com", []) + exchanger("pkix.example.com", ["1 1 1 \(right)"])
        records += ["alias.example.com. MX 10 mx.alias.example.com.", "mx.alias.example.com. CNAME mx.good.example.com."]
        records += ["two.example.com. MX 10 mx.wrong.example.com.", "two.example.com. MX 20 mx.good.example.com."]
        let dns = try await SignedDNS.start(
            records: records, unsigned: ["open.example.net.": exchanger("open.example.net", ["3 1 1 \(wrong)"])],
            forged: [
                ("_\(postfix.port)._tcp.mx.bogus.example.com.", "TLSA", right, wrong), ("bogusmx.example.com.", "MX", "10", "20"),
            ])
        let resolver = UnboundResolver(.init(servers: [dns.address], trustAnchorFile: dns.trustAnchorFile))
        for example in Self.cases {
            let route = Route(
                name: "r", kind: .mx(port: postfix.port), level: example.level, trust: try TLSClientContext(trust: .system),
                helloName: "out.example.org", allowsPrivateDestinations: true)
            let report = await Peers.deliver(try Peers.message(to: "bo@\(example.domain)"), over: route, resolver: resolver)
            #expect(report.word == example.outcome, "\(example): \(report.reason) \(report.transcript)")
            if let tls = example.tls {
                #expect(report.tls?.hasSuffix(tls) == true, "\(example): \(report.tls ?? "in clear")")
            } else {
                #expect(!report.transcript.contains("> MAIL"), "\(example): \(report.transcript)")
                #expect(
                    report.reason.contains(example.reason) || report.note?.contains(example.reason) == true, "\(example): \(report.reason)")
            }
        }
        #expect(resolver.validation == .on)
    }

    @Test("a resolver with another root key proves nothing: DANE waits, and what asks for less goes on")
    func otherKey() async throws {
        let sink = try SinkSMTP()
        let dns = try await SignedDNS.start(records: ["a.example.com. MX 10 mx.a.example.com.", "mx.a.example.com. A 127.0.0.1"])
        let other = try await SignedDNS.start(records: ["b.example.com. A 127.0.0.1"])
        let resolver = UnboundResolver(.init(servers: [dns.address], trustAnchorFile: other.trustAnchorFile))
        func deliver(_ level: Route.TLSLevel) async throws -> DeliveryReport {
            let route = Route(
                name: "r", kind: .mx(port: sink.port), level: level, trust: try TLSClientContext(trust: .system),
                helloName: "out.example.org",
                allowsPrivateDestinations: true)
            return await Peers.deliver(try Peers.message(to: "bo@a.example.com"), over: route, resolver: resolver)
        }
        #expect(try await deliver(.may).word == "accepted")
        guard case .off = resolver.validation else { throw Unexpected(description: "\(resolver.validation)") }
        let report = try await deliver(.dane)
        #expect(report.word == "deferred" && report.reason.contains("validates DNSSEC"), "\(report.reason)")
        #expect(sink.messages.count == 1)
    }
}
