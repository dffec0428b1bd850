package import DNS
package import HTTPFetch

/// Hands documents to other systems over HTTP: POST, no redirect, no proxy, a bounded answer.
///
/// The host is resolved once for each call, each address is judged, and the connection leads to an address that was judged: neither a name
/// that resolves to another address a moment later nor a redirect leads anywhere else.
package struct WebhookPoster: Sendable {
    /// Where documents go and what one call may cost.
    package struct Target: Sendable, Equatable {
        /// `https`, or `http` to an address that is not public.
        package let url: String
        /// Whether loopback, private, link-local and shared addresses may be called.
        package let allowsPrivate: Bool
        /// For the whole call.
        package let time: Duration
        package let trust: HTTPFetcher.Trust

        package init(url: String, allowsPrivate: Bool, time: Duration, trust: HTTPFetcher.Trust = .system) {
            self.url = url
            self.allowsPrivate = allowsPrivate
            self.time = time
            self.trust = trust
        }
    }

    /// What came of a call.
    package enum Outcome: Sendable, Equatable {
        /// - Parameters:
        ///   - retryAfter: how long the server asks to be left alone; nil when it does not.
        ///   - body: the beginning of what it said; nothing where the status is 2xx, which says it all.
        case answered(status: Int, retryAfter: Duration?, body: [UInt8])
        /// Nothing came back, for a reason that may pass.
        case nothing(String)
        /// Nothing was called: the target may not be.
        case refused(String)
    }

    /// Addresses that are tried, as long as none of them takes a connection.
    private static let addressLimit = 3
    /// Octets of an answer that are read; the rest is dropped.
    private static let answerLimit = 65_536

    private let http: HTTPFetcher
    private let resolver: any DNS.Resolver

    package init(http: HTTPFetcher, resolver: any DNS.Resolver) {
        self.http = http
        self.resolver = resolver
    }

    /// - Parameter headers: beside those that HTTP needs.
    package func post(_ document: [UInt8], to target: Target, headers: [(name: String, value: String)]) async -> Outcome {
        let start = ContinuousClock.now
        let allowed: [IPAddress]
        switch await Self.ways(to: target, resolver: resolver) {
        case .open(let addresses): allowed = addresses
        case .unknown(let why): return .nothing(why)
        case .closed(let why): return .refused(why)
        }
        var last = Outcome.nothing("nobody was asked")
        let tried = allowed.prefix(Self.addressLimit)
        for (number, address) in tried.enumerated() {
            let left = target.time - (ContinuousClock.now - start)
            guard left > .zero else { break }
            // One that is dead leaves the others their share and the answer its own; one that is there has all the time.
            let connect = left / (tried.count - number + 1)
            do throws(HTTPFetchError) {
                let response = try await http.post(
                    target.url, document: document, mediaType: "application/json", headers: headers,
                    limits: .init(time: left, size: Self.answerLimit, cuts: true, connect: connect), trust: target.trust,
                    address: address.description, inClear: true)
                return .answered(status: response.status, retryAfter: response.retryAfter, body: response.body)
            } catch {
                // It may have been heard by one that broke off: only where there was no connection the next one is asked.
                guard error.code == .unreachable else {
                    return error.code == .badURL ? .refused(error.description) : .nothing(error.description)
                }
                last = .nothing(error.description)
            }
        }
        return last
    }

    /// Where a target may be called.
    package enum Ways: Sendable, Equatable {
        /// At these addresses, at least one.
        case open([IPAddress])
        /// Its addresses are not known, which may pass.
        case unknown(String)
        /// Nowhere: none of its addresses may be called.
        case closed(String)
    }

    /// Looks the host of a target up and judges each of its addresses.
    package static func ways(to target: Target, resolver: any DNS.Resolver) async -> Ways {
        guard let place = Place(target.url) else { return .closed("its URL names no host") }
        var addresses: [IPAddress] = []
        if let address = IPAddress(place.host) {
            addresses = [address]
        } else if place.host.utf8.elementsEqual("localhost".utf8) {
            addresses = ["127.0.0.1", "::1"].compactMap { IPAddress($0) }
        } else {
            switch await resolver.addresses(of: place.host) {
            case .addresses(let all, _): addresses = all
            case .none: return .unknown("\(place.host) has no address")
            case .failure(let failure): return .unknown("the lookup of \(place.host) failed: \(failure)")
            }
        }
        let allowed = addresses.filter { (target.allowsPrivate || $0.isPublic) && (place.isSecure || !$0.isPublic) }
        guard allowed.isEmpty else { return .open(allowed) }
        return target.allowsPrivate
            ? .closed("\(place.host) is on a public address, and http:// is for private ones; use https://")
            : .closed("\(place.host) is on a private address, and allow_private is not set")
    }

    /// The parts of a URL that decide where it leads; what is wrong with the rest is said by who calls.
    private struct Place {
        let isSecure: Bool
        /// Without brackets and port.
        let host: String

        init?(_ url: String) {
            let bytes = Array(url.utf8)
            isSecure = bytes.starts(with: "https://".utf8)
            guard isSecure || bytes.starts(with: "http://".utf8) else { return nil }
            let authority = bytes.dropFirst(isSecure ? 8 : 7).prefix { !"/?".utf8.contains($0) }
            let name =
                authority.first == UInt8(ascii: "[")
                ? authority.dropFirst().prefix { $0 != UInt8(ascii: "]") } : authority.prefix { $0 != UInt8(ascii: ":") }
            guard !name.isEmpty, !authority.contains(UInt8(ascii: "@")) else { return nil }
            host = String(decoding: name, as: UTF8.self)
        }
    }
}
