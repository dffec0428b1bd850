import DNS
import InternetMessage
import OpenSSL

/// Settles what TLS must show on the way to each host of a destination: policy map, route, DANE and MTA-STS together.
///
/// Rules: an entry of the map stands in place of the route's level, and in place of MTA-STS. `dane` asks the TLSA records first; they win
/// over MTA-STS. MTA-STS raises `may`, `encrypt` and a `dane` without records; it never lowers anything. A host of which it is known that it
/// takes mail over TLS only raises `may` to `encrypt`.
package struct TransportSecurity: Sendable {
    private let policies: TLSPolicyMap
    private let sts: (any STSPolicySource)?
    private let encryptedHosts: [[UInt8]]

    /// - Parameters:
    ///   - sts: nil: MTA-STS is not asked for.
    ///   - encryptedHosts: ends of host names in lower case, each beginning with a dot: what takes mail over TLS only.
    package init(policies: TLSPolicyMap = TLSPolicyMap(), sts: (any STSPolicySource)? = nil, encryptedHosts: [[UInt8]] = []) {
        self.policies = policies
        self.sts = sts
        self.encryptedHosts = encryptedHosts
    }

    /// A host as the search for it found it.
    struct Host: Sendable {
        /// A-labels.
        let name: String
        let port: Int
        /// DNSSEC proves that the destination's mail goes there, or conf says so.
        let isRoutedSecurely: Bool
    }

    enum Verdict: Sendable, Equatable {
        case demand(TLSDemand)
        /// Mail must not go to that host now; the reason for people.
        case refused(String)
    }

    /// What holds for one destination on one route.
    struct Policy: Sendable {
        let tls: TLSPolicy
        let sts: STSPolicy?
        /// It stands in the map, so that nothing else changes it.
        var isOwn = false
    }

    /// - Parameters:
    ///   - nexthop: the recipient's domain, or the host that conf names; A-labels.
    ///   - isDomain: it is a domain whose mail exchangers are asked for, so that it may have an MTA-STS policy.
    func policy(for nexthop: String, on route: Route, isDomain: Bool) async -> Policy {
        if let own = policies.policy(for: nexthop) { return Policy(tls: own, sts: nil, isOwn: true) }
        switch route.policy.level {
        case .may, .encrypt, .dane:
            guard isDomain, let sts, let found = await sts.policy(for: nexthop), found.mode != .none else { break }
            return Policy(tls: route.policy, sts: found)
        default: break
        }
        return Policy(tls: route.policy, sts: nil)
    }

    /// What each host must show, in the order of the hosts.
    func verdicts(
        on hosts: [Host], nexthop: String, policy: Policy, route: Route, resolver: any DNS.Resolver
    ) async -> [Verdict] {
        guard policy.tls.level == .dane || policy.tls.level == .daneOnly else {
            return hosts.map { verdict(on: $0, nexthop: nexthop, policy: policy, route: route, dane: .absent) }
        }
        switch resolver.validation {
        case .on: break
        case .off(let why): return hosts.map { _ in .refused("DANE needs a resolver that validates DNSSEC, and \(why)") }
        case .undecided: return hosts.map { _ in .refused("DANE needs DNSSEC, and the root zone has not been validated yet") }
        }
        return await withTaskGroup(of: (Int, Verdict).self) { group in
            for (place, host) in hosts.enumerated() {
                group.addTask {
                    let found = await DANEProtection.find(
                        host: host.name, port: host.port, nexthop: nexthop, isRoutedSecurely: host.isRoutedSecurely, resolver: resolver)
                    return (place, verdict(on: host, nexthop: nexthop, policy: policy, route: route, dane: found))
                }
            }
            let found = await group.reduce(into: [Int: Verdict]()) { $0[$1.0] = $1.1 }
            return hosts.indices.map { found[$0] ?? .refused("not looked at") }
        }
    }

    private func verdict(on host: Host, nexthop: String, policy: Policy, route: Route, dane: DANEProtection) -> Verdict {
        let name = route.certificateName.map { DomainName.toASCII($0) ?? $0 } ?? host.name
        let anybody = TLSPeer.unverified(name: name)
        switch policy.tls.level {
        case .none: return .demand(TLSDemand(.none, anybody))
        case .may: return strict(policy, on: host, else: TLSDemand(opportunistic(policy, host), anybody))
        case .encrypt: return strict(policy, on: host, else: TLSDemand(.encrypt, anybody))
        case .fingerprint: return .demand(TLSDemand(.fingerprint, .pinned(policy.tls.fingerprints, serverName: name)))
        case .verify, .secure:
            let destination = route.certificateName == nil ? nexthop : name
            return .demand(TLSDemand(policy.tls.level, Self.peer(policy.tls.names(hostname: name, nexthop: destination), name)))
        case .dane, .daneOnly:
            switch dane {
            case .records(let records, let names): return .demand(TLSDemand(policy.tls.level, .dane(records, names: names), origin: .dane))
            case .unknown(let failure): return .refused("the TLSA records of \(host.name) cannot be had: \(failure)")
            case .absent where policy.tls.level == .daneOnly: return .refused("\(host.name) has no TLSA records that DNSSEC proves")
            case .unusable where policy.tls.level == .daneOnly: return .refused("none of the TLSA records of \(host.name) can be used")
            case .absent: return strict(policy, on: host, else: TLSDemand(opportunistic(policy, host), anybody))
            case .unusable: return strict(policy, on: host, else: TLSDemand(.encrypt, anybody, origin: .dane))
            }
        }
    }

    /// What stands in place of `may` for a host.
    private func opportunistic(_ policy: Policy, _ host: Host) -> TLSPolicy.Level {
        guard !policy.isOwn else { return .may }
        let name = host.name.utf8.map { $0 >= 65 && $0 <= 90 ? $0 | 0x20 : $0 }
        let isEncrypted = encryptedHosts.contains { name.suffix($0.count) == $0[...] || name[...] == $0.dropFirst() }
        return isEncrypted ? .encrypt : .may
    }

    /// As the MTA-STS policy says, else as conf says (RFC 8461 §4 and §5).
    private func strict(_ policy: Policy, on host: Host, else demand: TLSDemand) -> Verdict {
        guard let sts = policy.sts else { return .demand(demand) }
        let isNamed = sts.allows(host.name)
        guard sts.mode == .enforce else {
            return .demand(TLSDemand(demand.level, .unverified(name: host.name), origin: .stsTesting(isNamed: isNamed)))
        }
        guard isNamed else { return .refused("the MTA-STS policy of the domain does not name \(host.name)") }
        return .demand(TLSDemand(.verify, .verified(name: host.name), origin: .sts))
    }

    private static func peer(_ names: [String], _ hostname: String) -> TLSPeer {
        let isOwnName = names.contains { $0.utf8.elementsEqual(hostname.utf8) }
        return isOwnName && (names.count == 1 || IPAddress(hostname) != nil)
            ? .verified(name: hostname) : .verifiedAsOneOf(names, serverName: hostname)
    }
}
