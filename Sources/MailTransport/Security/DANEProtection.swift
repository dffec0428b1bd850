import DNS
import OpenSSL

/// What the TLSA records of one host say (RFC 7672 §2.2).
enum DANEProtection: Sendable, Equatable {
    /// There are none, or DNSSEC does not prove them, nor the way to the host.
    case absent
    /// There are some, and SMTP can use none of them.
    case unusable
    /// TLS must be one that these records vouch for, for one of these names; the first is their base domain.
    case records([DANERecord], names: [String])
    /// They may be there, and cannot be had now: the host must not be used (§2.1.2).
    case unknown(DNSFailure)

    /// - Parameters:
    ///   - host: its name, or the alias of it.
    ///   - isRoutedSecurely: DNSSEC proves that mail for the destination goes to that host; always so for one that conf names.
    static func find(host: String, port: Int, nexthop: String, isRoutedSecurely: Bool, resolver: any DNS.Resolver) async -> DANEProtection {
        guard isRoutedSecurely else { return .absent }
        let bases: [String]
        do throws(Unknown) {
            bases = try await self.bases(of: host, resolver: resolver)
        } catch {
            return .unknown(error.failure)
        }
        var isUnusable = false
        for base in bases {
            let answer = await resolver.lookup("_\(port)._tcp.\(base)", .tlsa)
            if let failure = answer.failure { return .unknown(failure) }
            guard answer.isSecure, case .records = answer.outcome else { continue }
            let usable = answer.tlsAssociations.prefix(32).map {
                DANERecord(usage: $0.usage, selector: $0.selector, matchingType: $0.matchingType, data: $0.data)
            }.filter(\.isUsable)
            if usable.isEmpty {
                isUnusable = true
                break
            }
            var names = [base]
            for name in [host, nexthop] where !names.contains(where: { $0.utf8.elementsEqual(name.utf8) }) { names.append(name) }
            return .records(usable, names: names)
        }
        return isUnusable ? .unusable : .absent
    }

    /// A lookup on the way to the records that gave no answer: whoever suppresses it must not be able to switch DANE off.
    private struct Unknown: Error {
        let failure: DNSFailure
    }

    /// The names below which TLSA records count, the preferred first; none when DNSSEC proves no way (RFC 7672 §2.2.2 and §2.2.3).
    ///
    /// A host that is an alias is taken by its full name where DNSSEC proves the whole chain, and by its own where it proves the alias alone.
    private static func bases(of host: String, resolver: any DNS.Resolver) async throws(Unknown) -> [String] {
        var answer = await resolver.lookup(host, .a)
        if answer.addresses.isEmpty {
            let four = answer.failure
            answer = await resolver.lookup(host, .aaaa)
            if answer.addresses.isEmpty, let failure = four { try check(failure) }
        }
        if let failure = answer.failure {
            try check(failure)
            return []
        }
        if answer.isSecure { return (answer.canonicalName.map { [$0] } ?? []) + [host] }
        guard answer.canonicalName != nil else { return [] }
        let alias = await resolver.lookup(host, .cname)
        if let failure = alias.failure { try check(failure) }
        return alias.isSecure ? [host] : []
    }

    /// A host that is no name, an address say, has no records below it.
    private static func check(_ failure: DNSFailure) throws(Unknown) {
        if failure.isTemporary { throw Unknown(failure: failure) }
    }
}
