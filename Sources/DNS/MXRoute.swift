/// Finds the hosts that take mail for a domain (RFC 5321 §5.1, RFC 7505).
package enum MXRoute {
    package struct Options: Sendable {
        /// Take hosts on loopback, private and reserved addresses too; only for rehearsals and closed networks.
        package var allowPrivate = false
        package var useVersion6 = true
        /// Names of this machine: a host list is cut where it would lead back here.
        package var ownNames: [String] = []
        /// Hosts whose addresses are looked up, the preferred ones first.
        package var hostLimit = 16
        /// Addresses kept of each host.
        package var addressLimit = 8

        package init() {}
    }

    /// - Parameters:
    ///   - domain: In A-labels; address literals are not taken.
    ///   - seed: Settles the order of hosts that are equally preferred: the same seed gives the same order.
    package static func resolve(
        _ domain: String, via resolver: some Resolver, options: Options = Options(), seed: UInt64
    ) async -> MXResolution {
        let domain = DomainText.normal(domain)
        guard DomainText.isHostName(domain) else { return .permanent(MXProblem(.invalidDomain)) }
        let answer = await resolver.lookup(domain, .mx)
        switch answer.outcome {
        case .failure(let failure):
            return failure.isTemporary ? .temporary(MXProblem(.lookupFailed(failure))) : .permanent(MXProblem(.invalidDomain))
        case .nameNotFound: return .permanent(MXProblem(.noSuchDomain))
        case .noData:
            let only = Candidate(name: domain, preference: 0)
            return await resolution(of: [only], skipped: [], isImplicit: true, isSecure: answer.isSecure, via: resolver, options)
        case .records:
            let records = answer.mailExchangers
            guard !records.isEmpty else { return .temporary(MXProblem(.lookupFailed(.unavailable("malformed MX records")))) }
            let hosts = records.filter { $0.host != "." }
            guard !hosts.isEmpty else { return .permanent(MXProblem(.nullMX)) }
            var skipped: [SkippedHost] = []
            let candidates = candidates(from: hosts, &skipped, options, seed)
            return await resolution(of: candidates, skipped: skipped, isImplicit: false, isSecure: answer.isSecure, via: resolver, options)
        }
    }

    private struct Candidate: Sendable {
        var name: String
        var preference: Int
    }

    private static func candidates(
        from records: [MailExchanger], _ skipped: inout [SkippedHost], _ options: Options, _ seed: UInt64
    ) -> [Candidate] {
        var generator = SplitMix64(state: seed)
        // Sorted first, so that the order depends on the seed and not on the order of the answer.
        var hosts = Set(records).sorted { ($0.preference, $0.host) < ($1.preference, $1.host) }.shuffled(using: &generator)
        hosts.sort { $0.preference < $1.preference }
        let own = Set(options.ownNames.map(DomainText.normal))
        let cut = hosts.filter { own.contains($0.host) }.map(\.preference).min() ?? .max
        var names: Set<String> = []
        var candidates: [Candidate] = []
        for host in hosts where names.insert(host.host).inserted {
            if host.preference >= cut {
                skipped.append(SkippedHost(name: host.host, reason: .leadsBackHere))
            } else if IPAddress(host.host) != nil || !DomainText.isHostName(host.host) {
                skipped.append(SkippedHost(name: host.host, reason: .notAHostName))
            } else if candidates.count == options.hostLimit {
                skipped.append(SkippedHost(name: host.host, reason: .tooMany))
            } else {
                candidates.append(Candidate(name: host.host, preference: host.preference))
            }
        }
        return candidates
    }

    private static func resolution(
        of candidates: [Candidate], skipped: [SkippedHost], isImplicit: Bool, isSecure: Bool, via resolver: some Resolver,
        _ options: Options
    ) async -> MXResolution {
        let answers = await withTaskGroup(of: (Int, AddressAnswer).self) { group in
            for (place, candidate) in candidates.enumerated() {
                group.addTask { (place, await resolver.addresses(of: candidate.name, withVersion6: options.useVersion6)) }
            }
            return await group.reduce(into: [Int: AddressAnswer]()) { $0[$1.0] = $1.1 }
        }
        var skipped = skipped
        var hosts: [MXHost] = []
        for (place, candidate) in candidates.enumerated() {
            switch answers[place] ?? .none(nameNotFound: false) {
            case .addresses(let all, let addressesAreSecure):
                let usable = options.allowPrivate ? all : all.filter(\.isPublic)
                if usable.isEmpty {
                    skipped.append(SkippedHost(name: candidate.name, reason: all.first.map { .forbiddenAddress($0) } ?? .noAddress))
                    continue
                }
                hosts.append(
                    MXHost(
                        name: candidate.name, preference: candidate.preference, addresses: Array(usable.prefix(options.addressLimit)),
                        isImplicit: isImplicit, isSecure: isSecure && addressesAreSecure, isRoutedSecurely: isSecure))
            case .none: skipped.append(SkippedHost(name: candidate.name, reason: .noAddress))
            case .failure(let failure): skipped.append(SkippedHost(name: candidate.name, reason: .lookupFailed(failure)))
            }
        }
        if !hosts.isEmpty { return .hosts(hosts, skipped: skipped) }
        return verdict(on: skipped)
    }

    /// What to say when no host is left: a failed lookup may heal, a host here or in a private network will not.
    private static func verdict(on skipped: [SkippedHost]) -> MXResolution {
        for host in skipped {
            if case .lookupFailed(let failure) = host.reason, failure.isTemporary {
                return .temporary(MXProblem(.lookupFailed(failure), skipped: skipped))
            }
        }
        if skipped.contains(where: { $0.reason == .leadsBackHere }) { return .permanent(MXProblem(.leadsBackHere, skipped: skipped)) }
        let isForbidden = skipped.contains { if case .forbiddenAddress = $0.reason { true } else { false } }
        return .permanent(MXProblem(isForbidden ? .onlyForbiddenHosts : .noMailHost, skipped: skipped))
    }
}

/// A small generator with a seed (the SplitMix64 step), for orders that must be repeatable.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
