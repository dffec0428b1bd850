import DNS
import Foundation
import InternetMessage
import OpenSSL
import SMTP
import TestKit
import Testing

@testable import MailTransport

/// Which demand a policy makes of which host.
@Suite("TLS policies")
struct TransportSecurityTests {
    @Test(
        "a destination is found by itself, then by its nearest parent",
        arguments: [
            ("example.com", "secure"), ("EXAMPLE.com", "secure"), ("a.example.com", "encrypt"), ("x.a.example.com", "encrypt"),
            ("x.deep.example.com", "none"), ("deep.example.com", "encrypt"), ("badexample.com", nil), ("com", nil), ("example.org", nil),
            ("2001:db8::1", "verify"), ("2001:0DB8:0:0::1", "verify"), ("2001:db8::2", nil), ("192.0.2.2", "none"), ("192.0.2.3", nil),
        ] as [(String, String?)])
    func map(destination: String, level: String?) {
        let map = TLSPolicyMap([
            ("Example.COM", TLSPolicy(.secure)), (".example.com", TLSPolicy(.encrypt)), (".deep.example.com", TLSPolicy(.none)),
            ("2001:DB8::1", TLSPolicy(.verify)), ("192.0.2.2", TLSPolicy(.none)), (".2.3", TLSPolicy(.none)),
        ])
        #expect(map.policy(for: destination)?.level.rawValue == level)
        #expect(!map.usesDANE && TLSPolicyMap([(".a", TLSPolicy(.daneOnly))]).usesDANE)
    }

    private static func smarthost(
        _ host: String, policy: TLSPolicy, for destination: String, validation: DNSValidation = .on
    ) async throws -> Destination.Finding {
        let route = Route(
            name: "r", kind: .submission(host: host, port: 587), level: .verify, trust: try TLSClientContext(trust: .caPEM(ca)),
            helloName: "out.example.net")
        return await Destination.find(
            for: try #require(EmailAddress("bo@example.com")), on: route, resolver: zone(validation: validation),
            security: TransportSecurity(policies: TLSPolicyMap([(destination, policy)])),
            search: .init(seed: 1, domainWasMissing: false, network: MachineNetwork(hasVersion4: true, hasVersion6: true)))
    }

    @Test(
        "a smarthost has the policy of its name or address, and is called as Postfix calls it",
        arguments: [
            ("2001:db8::1", "2001:DB8:0::1", "[2001:db8::1]:587", "2001:db8::1[2001:db8::1]:587"),
            ("192.0.2.2", "192.0.2.2", "192.0.2.2:587", "192.0.2.2[2001:db8::1]:587"),
            ("hub.example.net", ".example.net", "hub.example.net:587", "hub.example.net[2001:db8::1]:587"),
        ])
    func smarthosts(host: String, destination: String, place: String, relay: String) async throws {
        guard case .hosts(let hosts) = try await Self.smarthost(host, policy: TLSPolicy(.encrypt), for: destination) else {
            Issue.record("no host")
            return
        }
        #expect(hosts.map(\.demand.level) == [.encrypt] && hosts.map(\.description) == [place])
        #expect(hosts.first?.description(at: "2001:db8::1") == relay && hosts.first?.description(at: nil) == place)
    }

    @Test("a smarthost that cannot show the TLS that is demanded is refused with a status of security, and counts as one without TLS")
    func refusedSmarthost() async throws {
        let finding = try await Self.smarthost(
            "hub.example.net", policy: TLSPolicy(.daneOnly), for: "hub.example.net", validation: .off("it is a test"))
        guard case .none(let report) = finding else {
            Issue.record("\(finding)")
            return
        }
        #expect(report.word == "deferred" && report.enhancedStatusCode?.description == "4.7.5" && report.failure?.cause == .tlsFailed)
        #expect(report.reason.contains("DANE needs a resolver that validates DNSSEC"))
    }

    static let records: [StaticResolver.Record] = [.tlsa(usage: 3, selector: 1, matchingType: 1, data: Array(repeating: 7, count: 32))]
    static let record = DANERecord(usage: 3, selector: 1, matchingType: 1, data: Array(repeating: 7, count: 32))

    /// mx has an address and perhaps TLSA records; each name is proven by DNSSEC or not.
    static func zone(
        tlsa: [StaticResolver.Record] = records, secure: [String] = ["mx.example.com", "_25._tcp.mx.example.com"],
        failures: [String: DNSFailure] = [:], validation: DNSValidation = .on
    ) -> StaticResolver {
        StaticResolver(
            ["mx.example.com": [.a("192.0.2.1")], "_25._tcp.mx.example.com": tlsa], failures: failures, secure: Set(secure),
            validation: validation)
    }

    static func verdict(
        _ level: TLSPolicy.Level, match: [TLSPolicy.NameMatch] = [], fingerprints: [[UInt8]] = [], sts: STSPolicy? = nil,
        isRoutedSecurely: Bool = true, map: [(destination: String, policy: TLSPolicy)] = [], resolver: any DNS.Resolver = zone(),
        host: String = "mx.example.com", encrypted: [String] = []
    ) async throws -> TransportSecurity.Verdict {
        let route = Route(
            name: "r", kind: .mx(port: 25), level: level, match: match, fingerprints: fingerprints,
            trust: try TLSClientContext(trust: .caPEM(ca)),
            helloName: "out.example.net")
        let security = TransportSecurity(
            policies: TLSPolicyMap(map), sts: sts.map { FixedPolicies(policies: ["example.com": $0]) },
            encryptedHosts: encrypted.map { Array($0.utf8) })
        let policy = await security.policy(for: "example.com", on: route, isDomain: true)
        let hosts = [TransportSecurity.Host(name: host, port: 25, isRoutedSecurely: isRoutedSecurely)]
        return try #require(
            await security.verdicts(on: hosts, nexthop: "example.com", policy: policy, route: route, resolver: resolver).first)
    }

    /// Any certificate: nothing connects here.
    static let ca: [UInt8] = Array(
        (try? String(contentsOf: Checkout.url("certs/demo/ca.pem"), encoding: .utf8))?.utf8 ?? "".utf8)

    @Test("a host that takes mail over TLS only raises may to encrypt, and nothing else")
    func encryptedHosts() async throws {
        func level(_ level: TLSPolicy.Level, _ host: String, map: [(destination: String, policy: TLSPolicy)] = []) async throws
            -> TLSPolicy.Level?
        {
            let verdict = try await Self.verdict(
                level, map: map, resolver: Self.zone(tlsa: []), host: host, encrypted: [".example.com", ".other.example"])
            guard case .demand(let demand) = verdict else { return nil }
            return demand.level
        }
        #expect(try await level(.may, "MX.Example.com") == .encrypt)
        #expect(try await level(.may, "other.example") == .encrypt)
        #expect(try await level(.dane, "mx.example.com") == .encrypt)
        #expect(try await level(.may, "mx.badexample.com") == .may)
        #expect(try await level(.none, "mx.example.com") == TLSPolicy.Level.none)
        #expect(try await level(.verify, "mx.example.com") == .verify)
        #expect(try await level(.may, "mx.example.com", map: [("example.com", TLSPolicy(.may))]) == .may)
    }

    @Test("each level without DANE asks for what Postfix's does")
    func levels() async throws {
        let mx = "mx.example.com"
        #expect(try await Self.verdict(.none) == .demand(TLSDemand(.none, .unverified(name: mx))))
        #expect(try await Self.verdict(.may) == .demand(TLSDemand(.may, .unverified(name: mx))))
        #expect(try await Self.verdict(.encrypt) == .demand(TLSDemand(.encrypt, .unverified(name: mx))))
        #expect(try await Self.verdict(.verify) == .demand(TLSDemand(.verify, .verified(name: mx))))
        #expect(
            try await Self.verdict(.secure)
                == .demand(TLSDemand(.secure, .verifiedAsOneOf(["example.com", ".example.com"], serverName: mx))))
        #expect(
            try await Self.verdict(.secure, match: [.name("a.example.org"), .below("example.net"), .hostname])
                == .demand(TLSDemand(.secure, .verifiedAsOneOf(["a.example.org", ".example.net", mx], serverName: mx))))
        #expect(
            try await Self.verdict(.verify, match: [.nexthop, .belowNexthop])
                == .demand(TLSDemand(.verify, .verifiedAsOneOf(["example.com", ".example.com"], serverName: mx))))
        #expect(
            try await Self.verdict(.fingerprint, fingerprints: [[1, 2]])
                == .demand(TLSDemand(.fingerprint, .pinned([[1, 2]], serverName: mx))))
        // The map stands in place of the route.
        #expect(
            try await Self.verdict(.may, map: [("example.com", TLSPolicy(.verify))]) == .demand(TLSDemand(.verify, .verified(name: mx))))
        #expect(
            try await Self.verdict(.verify, map: [("example.com", TLSPolicy(.none))]) == .demand(TLSDemand(.none, .unverified(name: mx))))
    }

    @Test("dane and dane-only: what each state of DNS comes to")
    func dane() async throws {
        let mx = "mx.example.com"
        let vouched = TLSPeer.dane([Self.record], names: [mx, "example.com"])
        let may = TransportSecurity.Verdict.demand(TLSDemand(.may, .unverified(name: mx)))
        func isRefused(_ verdict: TransportSecurity.Verdict) -> Bool { if case .refused = verdict { true } else { false } }

        #expect(try await Self.verdict(.dane) == .demand(TLSDemand(.dane, vouched, origin: .dane)))
        #expect(try await Self.verdict(.daneOnly) == .demand(TLSDemand(.daneOnly, vouched, origin: .dane)))
        // No records, records without proof, an address without proof, an MX answer without proof: as may, or not at all.
        let without: [(StaticResolver, Bool)] = [
            (Self.zone(tlsa: []), true), (Self.zone(secure: ["mx.example.com"]), true),
            (Self.zone(secure: ["_25._tcp.mx.example.com"]), true),
            (Self.zone(), false),
        ]
        for (resolver, isRoutedSecurely) in without {
            #expect(try await Self.verdict(.dane, isRoutedSecurely: isRoutedSecurely, resolver: resolver) == may)
            #expect(isRefused(try await Self.verdict(.daneOnly, isRoutedSecurely: isRoutedSecurely, resolver: resolver)))
        }
        // Records that SMTP cannot use ask for encryption.
        let pkix = Self.zone(tlsa: [.tlsa(usage: 1, selector: 1, matchingType: 1, data: Array(repeating: 7, count: 32))])
        #expect(try await Self.verdict(.dane, resolver: pkix) == .demand(TLSDemand(.encrypt, .unverified(name: mx), origin: .dane)))
        #expect(isRefused(try await Self.verdict(.daneOnly, resolver: pkix)))
        // What cannot be known is no reason to go on without (RFC 7672 §2.1.2).
        for failure in [DNSFailure.bogus("signature"), .responseCode(2), .timedOut] {
            // Whichever lookup fails: he who suppresses that of the address must not switch DANE off.
            for name in ["_25._tcp.mx.example.com", "mx.example.com"] {
                let broken = Self.zone(failures: [name: failure])
                #expect(isRefused(try await Self.verdict(.dane, resolver: broken)))
                #expect(isRefused(try await Self.verdict(.daneOnly, resolver: broken)))
            }
        }
        // And a resolver that proves nothing refuses the level itself.
        for validation in [DNSValidation.off("there is no trust anchor"), .undecided] {
            #expect(isRefused(try await Self.verdict(.dane, resolver: Self.zone(validation: validation))))
            #expect(try await Self.verdict(.may, resolver: Self.zone(validation: validation)) == may)
        }
    }

    @Test("a host that is an alias is taken by its full name, then by its own")
    func aliases() async throws {
        func zone(_ names: [String], tlsaAt owner: String) -> StaticResolver {
            StaticResolver(
                ["mx.example.com": [.cname("box.example.net")], "box.example.net": [.a("192.0.2.1")], "_25._tcp.\(owner)": Self.records],
                secure: Set(names + ["_25._tcp.\(owner)"]))
        }
        func found(_ resolver: StaticResolver) async -> DANEProtection {
            await DANEProtection.find(
                host: "mx.example.com", port: 25, nexthop: "example.com", isRoutedSecurely: true, resolver: resolver)
        }
        let both = ["mx.example.com", "box.example.net"]
        #expect(
            await found(zone(both, tlsaAt: "box.example.net"))
                == .records([Self.record], names: ["box.example.net", "mx.example.com", "example.com"]))
        #expect(await found(zone(both, tlsaAt: "mx.example.com")) == .records([Self.record], names: ["mx.example.com", "example.com"]))
        // The alias is proven and what it leads to is not: the name before it still counts (RFC 7672 §2.2.2).
        #expect(
            await found(zone(["mx.example.com"], tlsaAt: "mx.example.com"))
                == .records([Self.record], names: ["mx.example.com", "example.com"])
        )
        #expect(await found(zone(["mx.example.com"], tlsaAt: "box.example.net")) == .absent)
        #expect(await found(zone(["box.example.net"], tlsaAt: "box.example.net")) == .absent)
    }

    @Test("MTA-STS raises what is weaker, leaves out hosts it does not name, and never overrules DANE or conf")
    func sts() async throws {
        let mx = "mx.example.com"
        let enforced = STSPolicy(mode: .enforce, hosts: [".example.com"], maxAge: .seconds(100))
        let elsewhere = STSPolicy(mode: .enforce, hosts: ["mx.example.org"], maxAge: .seconds(100))
        let tested = STSPolicy(mode: .testing, hosts: ["mx.example.org"], maxAge: .seconds(100))
        let none = STSPolicy(mode: .none, hosts: [], maxAge: .seconds(100))
        let strict = TransportSecurity.Verdict.demand(TLSDemand(.verify, .verified(name: mx), origin: .sts))
        for level in [TLSPolicy.Level.may, .encrypt] {
            #expect(try await Self.verdict(level, sts: enforced) == strict)
            guard case .refused = try await Self.verdict(level, sts: elsewhere) else { return #expect(Bool(false), "\(level)") }
            #expect(
                try await Self.verdict(level, sts: tested)
                    == .demand(TLSDemand(level, .unverified(name: mx), origin: .stsTesting(isNamed: false))))
            #expect(try await Self.verdict(level, sts: none) == .demand(TLSDemand(level, .unverified(name: mx))))
        }
        #expect(try await Self.verdict(.dane, sts: enforced, resolver: Self.zone(tlsa: [])) == strict)
        // RFC 8461 §2: DANE has the word where there are records.
        #expect(
            try await Self.verdict(.dane, sts: elsewhere)
                == .demand(TLSDemand(.dane, .dane([Self.record], names: [mx, "example.com"]), origin: .dane)))
        #expect(
            try await Self.verdict(.may, sts: elsewhere, map: [("example.com", TLSPolicy(.encrypt))])
                == .demand(TLSDemand(.encrypt, .unverified(name: mx))))
        #expect(try await Self.verdict(.none, sts: elsewhere) == .demand(TLSDemand(.none, .unverified(name: mx))))
    }

    @Test("a route takes on what the host must show, and never sends a login to a host that is not proven")
    func route() throws {
        let route = try Bench.route(.mx(port: 25), tls: .starttls, level: .may)
        let strict = route.demanding(TLSDemand(.dane, .dane([Self.record], names: ["mx.example.com"])))
        #expect(strict.sessionConfiguration.requiresVerifiedTLS && strict.sessionConfiguration.tls == .required && !strict.mayGoWithoutTLS)
        let clear = route.demanding(TLSDemand(.none, .unverified(name: nil)))
        #expect(clear.sessionConfiguration.tls == .none && !clear.sessionConfiguration.requiresVerifiedTLS)
        let encrypted = try Bench.route(.mx(port: 25)).demanding(TLSDemand(.encrypt, .unverified(name: nil)))
        #expect(encrypted.sessionConfiguration.tls == .required && !encrypted.sessionConfiguration.requiresVerifiedTLS)
        let implicit = try Bench.route(.mx(port: 25), tls: .implicit, level: .verify).demanding(TLSDemand(.none, .unverified(name: nil)))
        #expect(implicit.sessionConfiguration.tls == .implicit)
        for level in TLSPolicy.Level.allCases {
            let peer: TLSPeer = level.mustVerify || level == .dane ? .verified(name: "mx.example.com") : .unverified(name: nil)
            #expect(route.demanding(TLSDemand(level, peer)).sessionConfiguration.credentialsRequireVerifiedTLS)
            #expect(route.demanding(TLSDemand(level, peer)).mayGoWithoutTLS == (level == .may))
        }
    }
}

/// Policies that nobody has to fetch.
struct FixedPolicies: STSPolicySource {
    let policies: [String: STSPolicy]

    func policy(for domain: String) async -> STSPolicy? { policies[domain] }
}
