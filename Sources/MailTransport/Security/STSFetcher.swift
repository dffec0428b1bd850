package import DNS
package import HTTPFetch

/// Fetches the policy document of a domain (RFC 8461 §3.3): over HTTPS with a certificate for `mta-sts.DOMAIN`, no redirect, `text/plain`,
/// within a minute and 64 KiB.
///
/// The address comes from the resolver of the house and is a public one, so that a domain cannot make us call on our own network.
package struct STSFetcher: Sendable {
    /// Addresses that are tried.
    private static let addressLimit = 3

    private let http: HTTPFetcher
    private let resolver: any DNS.Resolver
    private let trust: HTTPFetcher.Trust
    private let port: Int
    private let allowsPrivate: Bool
    private let patience: Duration

    /// - Parameters:
    ///   - port: 443 but for tests.
    ///   - allowsPrivate: servers on loopback and private networks are called too; for closed networks.
    ///   - patience: for all addresses together.
    package init(
        http: HTTPFetcher, resolver: any DNS.Resolver, trust: HTTPFetcher.Trust = .system, port: Int = 443, allowsPrivate: Bool = false,
        patience: Duration = .seconds(60)
    ) {
        self.http = http
        self.resolver = resolver
        self.trust = trust
        self.port = port
        self.allowsPrivate = allowsPrivate
        self.patience = patience
    }

    /// Why there is no document.
    package struct Failure: Error, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// - Parameter domain: A-labels.
    /// - Returns: the document, not read yet.
    package func fetch(_ domain: String) async -> Result<[UInt8], Failure> {
        let host = "mta-sts.\(domain)"
        let addresses: [IPAddress]
        switch await resolver.addresses(of: host) {
        case .addresses(let all, _): addresses = allowsPrivate ? all : all.filter(\.isPublic)
        case .none: return .failure(Failure(description: "\(host) has no address"))
        case .failure(let failure): return .failure(Failure(description: "the lookup of \(host) failed: \(failure)"))
        }
        guard !addresses.isEmpty else { return .failure(Failure(description: "\(host) is on a private address")) }
        let place = port == 443 ? host : "\(host):\(port)"
        let start = ContinuousClock.now
        var last = Failure(description: "\(host) was not asked")
        let tried = addresses.prefix(Self.addressLimit)
        for (number, address) in tried.enumerated() {
            // One that is dead leaves the others their share of the minute.
            let left = (patience - (ContinuousClock.now - start)) / (tried.count - number)
            guard left > .zero else { break }
            do throws(HTTPFetchError) {
                let response = try await http.get(
                    "https://\(place)/.well-known/mta-sts.txt", limits: .init(time: left, size: STSPolicy.Limits.size), trust: trust,
                    address: address.description)
                guard response.status == 200 else {
                    return .failure(Failure(description: "\(host) answered with status \(response.status)"))
                }
                guard response.mediaType?.utf8.elementsEqual("text/plain".utf8) == true else {
                    return .failure(Failure(description: "\(host) gave no text/plain"))
                }
                return .success(response.body)
            } catch {
                last = Failure(description: error.description)
                guard error.code == .unreachable || error.code == .timeout || error.code == .broken else { break }
            }
        }
        return .failure(last)
    }
}
