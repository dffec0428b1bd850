import DNS
import InternetMessage
import NIOCore
import NIOPosix
import SMTP

/// One place to connect to, with the name that its certificate must bear.
struct Destination: Sendable, CustomStringConvertible {
    enum Place: Sendable, Hashable {
        case host(String, port: Int)
        case address(String, port: Int)
        case socket(path: String)
    }

    /// Host name as A-labels, for SNI, certificate and Kerberos; never empty.
    let name: String
    let place: Place

    var description: String {
        switch place {
        case .host(let host, let port): "\(host):\(port)"
        case .address(let address, let port): "\(name)[\(address)]:\(port)"
        case .socket(let path): path
        }
    }

    func connect(with bootstrap: ClientBootstrap) throws -> EventLoopFuture<any Channel> {
        switch place {
        case .host(let host, let port): bootstrap.connect(host: host, port: port)
        case .address(let address, let port): bootstrap.connect(to: try SocketAddress(ipAddress: address, port: port))
        case .socket(let path): bootstrap.connect(unixDomainSocketPath: path)
        }
    }

    enum Finding: Sendable {
        case hosts([Destination])
        case none(DeliveryReport)
    }

    /// What is known of a delivery before its hosts are sought.
    struct Search: Sendable {
        /// Settles the order of hosts that are equally preferred.
        let seed: UInt64
        /// The domain did not exist at the attempt before, so that it is believed now.
        let domainWasMissing: Bool
        let network: MachineNetwork
    }

    /// Where mail for that recipient goes on that route.
    static func find(for recipient: EmailAddress, on route: Route, resolver: any DNS.Resolver, search: Search) async -> Finding {
        switch route.kind {
        case .submission(let host, let port), .lmtp(.host(let host, let port)):
            return .hosts([Destination(name: DomainName.toASCII(host) ?? host, place: .host(host, port: port))])
        case .lmtp(.socket(let path)):
            return .hosts([Destination(name: route.helloName, place: .socket(path: path))])
        case .sink:
            return .hosts([])
        case .mx(let port):
            return await exchangers(of: recipient, port: port, route: route, resolver: resolver, search: search)
        }
    }
}

extension Destination {
    /// The hosts of the recipient's domain in the order to try them, or why there are none.
    private static func exchangers(
        of recipient: EmailAddress, port: Int, route: Route, resolver: any DNS.Resolver, search: Search
    ) async -> Finding {
        var options = MXRoute.Options()
        options.allowPrivate = route.allowsPrivateDestinations
        options.ownNames = [route.helloName]
        let domain = recipient.asciiDomain ?? recipient.domain
        switch await MXRoute.resolve(domain, via: resolver, options: options, seed: search.seed) {
        case .hosts(let hosts, _):
            let reachable = hosts.flatMap { host in
                host.addresses.filter(search.network.reaches).map {
                    Destination(name: host.name, place: .address($0.description, port: port))
                }
            }
            if reachable.isEmpty { return .none(unreachable(hosts, sendingFrom: route.sourceAddress)) }
            return .hosts(reachable)
        case .temporary(let problem):
            return .none(.unrouted(problem, isFinal: false))
        case .permanent(let problem):
            return .none(.unrouted(problem, isFinal: problem.kind != .noSuchDomain || search.domainWasMissing))
        }
    }

    /// There are hosts, and this machine has no way to any of them: its operator's matter, not the recipient's.
    private static func unreachable(_ hosts: [MXHost], sendingFrom source: String?) -> DeliveryReport {
        let names = hosts.prefix(3).map(\.name).joined(separator: ", ")
        let version = hosts.contains { $0.addresses.contains(where: \.isVersion6) } ? "IPv6" : "IPv4"
        let why = source.map { "the route sends from \($0)" } ?? "this machine has no \(version) address"
        return .deferred(.connect, note: "the mail hosts of the domain (\(names)) have \(version) addresses only, and \(why)")
    }
}

extension DeliveryReport {
    /// What DNS said in place of hosts. The status code is ours; there is no reply, for nobody was asked.
    fileprivate static func unrouted(_ problem: MXProblem, isFinal: Bool) -> DeliveryReport {
        let digits = problem.enhancedStatusCode.utf8.split(separator: UInt8(ascii: ".")).compactMap {
            Int(String(decoding: $0.map(\.self), as: UTF8.self))
        }
        guard digits.count == 3, let code = EnhancedStatusCode(isFinal ? 5 : 4, digits[1], digits[2]) else {
            return .deferred(.connect, note: problem.description)
        }
        let failure = DeliveryFailure(stage: .connect, scope: isFinal ? .recipient : .session, cause: .routing(code))
        return DeliveryReport(result: .outcome(isFinal ? .rejected(failure) : .deferred(failure)), note: problem.description)
    }

    /// Whether the domain did not exist.
    var isDomainMissing: Bool {
        guard case .outcome(let outcome) = result, case .routing(let code)? = outcome.failure?.cause else { return false }
        return code.subject == 1 && code.detail == 2
    }
}
