package import DNS

/// Asks DNS which hosts take a domain's mail, to tell which domains are one site.
///
/// Nothing is remembered here: libunbound caches. Only names are asked for, no addresses.
package struct MailSiteFinder: Sendable {
    private let resolver: any DNS.Resolver

    package init(resolver: any DNS.Resolver) { self.resolver = resolver }

    /// The names of its mail exchangers; the domain itself when it has no MX record (RFC 5321 §5.1); empty when DNS cannot tell now or the
    /// domain takes no mail.
    package func exchangers(of domain: String) async -> [String] {
        let answer = await resolver.lookup(domain, .mx)
        switch answer.outcome {
        case .noData: return [domain]
        case .records: return answer.mailExchangers.map(\.host).filter { $0 != "." }
        case .nameNotFound, .failure: return []
        }
    }
}
