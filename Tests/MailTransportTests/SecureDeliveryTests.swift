import DNS
import Foundation
import OpenSSL
import SMTP
import TestKit
import Testing

@testable import MailTransport

/// What policies come to on the wire: a real handshake, and mail that leaves or does not.
@Suite("delivery under TLS policies", .timeLimit(.minutes(5)))
struct SecureDeliveryTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        /// Of certs/make-test-certs; nil: the server offers no STARTTLS.
        let certificate: String?
        /// Of the destination r.example.com; nil: the route's, which is `may`.
        var policy: TLSPolicy?
        /// The certificate whose digest is pinned.
        var pin: String?
        var sts: STSPolicy?
        /// What the report says of TLS ends with this; nil: nothing leaves.
        let tls: String?

        var testDescription: String { name }
    }

    static let named = STSPolicy(mode: .enforce, hosts: [".test.example.com"], maxAge: .seconds(60))
    static let elsewhere = STSPolicy(mode: .enforce, hosts: ["mx.example.net"], maxAge: .seconds(60))
    static let tested = STSPolicy(mode: .testing, hosts: ["mx.example.net"], maxAge: .seconds(60))
    static let below = TLSPolicy(.secure, match: [.below("example.com")])

    static let cases = [
        Case(
            name: "a pinned certificate, whoever issued it", certificate: "unknown-ca", policy: TLSPolicy(.fingerprint), pin: "unknown-ca",
            tls: "fingerprint verified"),
        Case(
            name: "a pinned certificate that has expired", certificate: "expired", policy: TLSPolicy(.fingerprint), pin: "expired",
            tls: "fingerprint verified"),
        Case(
            name: "another certificate than the one pinned", certificate: "good", policy: TLSPolicy(.fingerprint), pin: "expired", tls: nil),
        Case(name: "pinned, and no TLS", certificate: nil, policy: TLSPolicy(.fingerprint), pin: "good", tls: nil),
        Case(name: "secure, and the certificate is for the MX alone", certificate: "good", policy: TLSPolicy(.secure), tls: nil),
        Case(name: "secure with a domain above the host", certificate: "good", policy: below, tls: " verified"),
        Case(name: "secure, and nobody knows the issuer", certificate: "unknown-ca", policy: below, tls: nil),
        Case(name: "none, though TLS is offered", certificate: "good", policy: TLSPolicy(.none), tls: ""),
        Case(name: "an MTA-STS policy that is kept", certificate: "good", sts: named, tls: " verified"),
        Case(name: "MTA-STS and a wrong name", certificate: "wrong-name", sts: named, tls: nil),
        Case(name: "MTA-STS and no TLS", certificate: nil, sts: named, tls: nil),
        Case(name: "MTA-STS that names other hosts", certificate: "good", sts: elsewhere, tls: nil),
        Case(name: "MTA-STS that is being tested", certificate: "wrong-name", sts: tested, tls: " unverified"),
        Case(
            name: "a policy of conf beside MTA-STS", certificate: "wrong-name", policy: TLSPolicy(.encrypt), sts: elsewhere,
            tls: " unverified"),
    ]

    @Test("a route with an authority of its own takes the certificates of public ones where an MTA-STS policy asks for them")
    func publicTrust() async throws {
        let folder = try TemporaryFolder()
        try await Command.succeed("/bin/bash", [Checkout.url("certs/make-test-certs").path, folder("certs")], within: .seconds(120))
        let own = try TLSClientContext(trust: .caFile(folder("certs/unknown-ca.pem")))
        let everybody = try TLSClientContext(trust: .caFile(folder("certs/ca.pem")))
        let zone = StaticResolver(["r.example.com": [.mx(10, "mx.test.example.com")], "mx.test.example.com": [.a("127.0.0.1")]])
        let server = try TLSServerContext(certificateChainFile: folder("certs/good.pem"), keyFile: folder("certs/good.key"))
        for (sts, policy, word) in [
            (STSPolicy?.some(Self.named), TLSPolicy?.none, "accepted"), (nil, Self.below, "deferred"),
            (nil, TLSPolicy(.encrypt), "accepted"),
        ] {
            let desk = RecordingDesk()
            let open = try await OpenListener.start(desk: desk, tls: server)
            let route = Route(
                name: "r", kind: .mx(port: open.port), tls: .starttls, level: .may, trust: own, helloName: "out.example.com",
                allowsPrivateDestinations: true, publicTrust: everybody)
            let security = TransportSecurity(
                policies: TLSPolicyMap(policy.map { [("r.example.com", $0)] } ?? []),
                sts: sts.map { FixedPolicies(policies: ["r.example.com": $0]) })
            let courier = Courier(
                routes: [route], resolver: zone, security: security, eventLoops: Bench.eventLoops, seed: 1, logger: Bench.logger)
            let report = await courier.deliver(
                try Bench.message(to: "reply@r.example.com"), route: "r",
                checks: DeliveryChecks(mayLeave: { true }, finalDot: { true }))
            #expect(report.word == word, "\(report)")
            try await open.end()
        }
    }

    @Test("mail leaves where the policy is met, and not a word of it where it is not")
    func policies() async throws {
        let folder = try TemporaryFolder()
        try await Command.succeed("/bin/bash", [Checkout.url("certs/make-test-certs").path, folder("certs")], within: .seconds(120))
        let trust = try TLSClientContext(trust: .caFile(folder("certs/ca.pem")))
        let zone = StaticResolver(["r.example.com": [.mx(10, "mx.test.example.com")], "mx.test.example.com": [.a("127.0.0.1")]])
        for example in Self.cases {
            var policy = example.policy
            if let pin = example.pin {
                let der = try await Command.succeed(
                    Interop.require("openssl"), ["x509", "-in", folder("certs/\(pin).pem"), "-outform", "DER"]
                ).output
                policy = TLSPolicy(.fingerprint, fingerprints: [Digest.sha256(der)])
            }
            let security = TransportSecurity(
                policies: TLSPolicyMap(policy.map { [("r.example.com", $0)] } ?? []),
                sts: example.sts.map { FixedPolicies(policies: ["r.example.com": $0]) })
            let desk = RecordingDesk()
            let server = try example.certificate.map {
                try TLSServerContext(certificateChainFile: folder("certs/\($0).pem"), keyFile: folder("certs/\($0).key"))
            }
            let open = try await OpenListener.start(desk: desk, tls: server)
            let route = try Bench.route(.mx(port: open.port), tls: .starttls, level: .may, trust: trust)
            let courier = Courier(
                routes: [route], resolver: zone, security: security, eventLoops: Bench.eventLoops, seed: 1, logger: Bench.logger)
            let report = await courier.deliver(
                try Bench.message(to: "reply@r.example.com"), route: "r",
                checks: DeliveryChecks(mayLeave: { true }, finalDot: { true }))
            if let tls = example.tls {
                #expect(report.word == "accepted" && desk.mail.count == 1, "\(example.name): \(report)")
                #expect(
                    tls.isEmpty ? report.tls == nil : report.tls?.hasSuffix(tls) == true, "\(example.name): \(report.tls ?? "in clear")")
            } else {
                #expect(report.word == "deferred" && report.failure?.scope == .session, "\(example.name): \(report)")
                #expect(desk.mail.isEmpty && desk.paths.isEmpty && !report.transcript.contains("> MAIL"), "\(example.name)")
                let status = report.enhancedStatusCode?.description
                #expect(status == (example.certificate == nil ? "4.7.4" : "4.7.5"), "\(example.name)")
            }
            try await open.end()
        }
    }
}
