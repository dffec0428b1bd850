import Foundation
import TestKit
import Testing

/// What a conf says of TLS on the way out, through the built executable: a signed zone, a real Postfix, and what must not leave.
@Suite("TLS policies of the executable")
struct TransportPolicyTests {
    private static func conf(_ folder: TemporaryFolder, dns: SignedDNS, anchor: String, port: Int, _ sections: String) throws -> String {
        try folder.write(
            "postrider.conf",
            text: """
                config_version = 1
                [main]
                myhostname = "out1.example.org"
                state_directory = "\(folder("state"))"
                run_directory = "\(folder("run"))"
                [dns]
                resolvers = ["\(dns.address)"]
                trust_anchor_file = "\(anchor)"
                [route.out]
                type = "mx"
                port = \(port)
                [identity.ann]
                from = "Ann Example <ann@example.org>"
                route = "out"
                reply_to = "self"
                return_path = "self"
                \(sections)

                """)
    }

    @Test("a policy of a destination asks for DANE, and mail leaves only where the records vouch for the server", .timeLimit(.minutes(3)))
    func dane() async throws {
        let folder = try TemporaryFolder()
        let certificate = try await CertificateFiles.selfSigned(in: folder)
        var configuration = PostfixProcess.Configuration(routes: ["*": .discard])
        configuration.certificate = certificate
        let postfix = try await PostfixProcess.start(configuration)
        let openssl = try Interop.require("openssl")
        let pem = try await Command.succeed(openssl, ["x509", "-in", certificate.certificate, "-noout", "-pubkey"]).output
        let der = try await Command.succeed(openssl, ["pkey", "-pubin", "-outform", "DER"], input: pem).output
        let digest = try await Command.succeed(openssl, ["dgst", "-sha256", "-hex", "-r"], input: der).outputText.prefix(64)
        let dns = try await SignedDNS.start(records: [
            "good.example.com. MX 10 mx.good.example.com.", "mx.good.example.com. A 127.0.0.1",
            "_\(postfix.port)._tcp.mx.good.example.com. TLSA 3 1 1 \(digest)", "bad.example.com. MX 10 mx.bad.example.com.",
            "mx.bad.example.com. A 127.0.0.1", "_\(postfix.port)._tcp.mx.bad.example.com. TLSA 3 1 1 \(String(repeating: "07", count: 32))",
        ])
        let other = try await SignedDNS.start(records: ["a.example.com. A 127.0.0.1"])
        let policy = "[tls_policy.\".example.com\"]\nlevel = \"dane\"\n"
        let conf = try Self.conf(folder, dns: dns, anchor: dns.trustAnchorFile, port: postfix.port, policy)
        let good = try await Executable.run(["send-test", "--conf", conf, "--to", "bo@good.example.com"])
        #expect(good.status == 0 && good.errorText.contains("dane verified"), "\(good.errorText)")
        let bad = try await Executable.run(["send-test", "--conf", conf, "--to", "bo@bad.example.com"])
        #expect(bad.status != 0 && bad.errorText.contains("TLSA") && !bad.errorText.contains("MAIL FROM"), "\(bad.errorText)")
        // Without the policy the same server is taken as it is.
        let loose = try Self.conf(folder, dns: dns, anchor: dns.trustAnchorFile, port: postfix.port, "")
        #expect(try await Executable.run(["send-test", "--conf", loose, "--to", "bo@bad.example.com"]).status == 0)

        // A resolver that cannot prove anything: the conf is refused, and says why.
        let blind = try Self.conf(folder, dns: dns, anchor: other.trustAnchorFile, port: postfix.port, policy)
        for command in [["serve"], ["send-test", "--to", "bo@good.example.com"]] {
            let outcome = try await Executable.run([command[0], "--conf", blind] + command.dropFirst())
            #expect(outcome.status == 78 && outcome.errorText.contains("[tls_policy.\".example.com\"]"), "\(outcome.errorText)")
            #expect(outcome.errorText.contains("DNSSEC"))
        }
    }

    @Test("what a domain's MTA-STS policy enforces is kept to, and remembered by the database", .timeLimit(.minutes(3)))
    func mtaSTS() async throws {
        let folder = try TemporaryFolder()
        let certificate = try await CertificateFiles.selfSigned(in: folder)
        var configuration = PostfixProcess.Configuration(routes: ["*": .discard])
        configuration.certificate = certificate
        let postfix = try await PostfixProcess.start(configuration)
        // The port of policies is HTTPS's own (RFC 8461, section 3.3), so the address is one that nobody else has.
        let address = "127.83.84.83"
        let domains = ["bank", "shop", "cafe"].map { "\($0).example.com" }
        let policies = try await PolicyServer(hosts: domains.map { "mta-sts.\($0)" }, address: address, port: 443)
        let dns = try await SignedDNS.start(
            records: domains.flatMap {
                [
                    "\($0). MX 10 mx.\($0).", "mx.\($0). A 127.0.0.1", "_mta-sts.\($0). TXT \"v=STSv1; id=1;\"",
                    "mta-sts.\($0). A \(address)",
                ]
            })
        let sections = "[mta_sts]\ntls_ca_file = \"\(policies.caFile)\"\n"
        let conf = try Self.conf(folder, dns: dns, anchor: dns.trustAnchorFile, port: postfix.port, sections)
        func send(_ domain: String, _ mode: String, mx: String) async throws -> Command.Outcome {
            try policies.answer("version: STSv1\r\nmode: \(mode)\r\nmx: \(mx)\r\nmax_age: 86400\r\n")
            return try await Executable.run(["send-test", "--conf", conf, "--to", "bo@\(domain)"])
        }
        // Nobody vouches for the exchanger's certificate.
        let unproven = try await send("bank.example.com", "enforce", mx: "mx.bank.example.com")
        #expect(unproven.status != 0 && !unproven.errorText.contains("MAIL FROM"), "\(unproven.errorText)")
        #expect(unproven.errorText.contains("certificate"), "\(unproven.errorText)")
        #expect(policies.requests == ["mta-sts.bank.example.com/.well-known/mta-sts.txt"])
        let unlisted = try await send("shop.example.com", "enforce", mx: "*.elsewhere.example.com")
        #expect(unlisted.status != 0 && !unlisted.errorText.contains("MAIL FROM"), "\(unlisted.errorText)")
        #expect(unlisted.errorText.contains("MTA-STS"), "\(unlisted.errorText)")
        let testing = try await send("cafe.example.com", "testing", mx: "mx.cafe.example.com")
        #expect(testing.status == 0, "\(testing.errorText)")
        // Whoever takes the web server over does not take the policy away.
        let again = try await send("bank.example.com", "none", mx: "mx.bank.example.com")
        #expect(again.status != 0 && !again.errorText.contains("MAIL FROM"), "\(again.errorText)")
        #expect(policies.requests.count == 3)
    }
}
