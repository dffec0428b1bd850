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
    /// What it must show before mail goes there.
    let demand: TLSDemand

    var description: String {
        switch place {
        case .host(let host, let port): IPAddress(host)?.isVersion6 == true ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .address(let address, let port): "\(name)[\(address)]:\(port)"
        case .socket(let path): path
        }
    }

    /// The same once a connection stands, as Postfix writes it: `host[address]:port`.
    func description(at address: String?) -> String {
        guard case .host(let host, let port) = place, let address else { return description }
        return "\(host)[\(address)]:\(port)"
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
    static func find(
        for recipient: EmailAddress, on route: Route, resolver: any DNS.Resolver, security: TransportSecurity = TransportSecurity(),
        search: Search
    ) async -> Finding {
        switch route.kind {
        case .submission(let host, let port), .lmtp(.host(let host, let port)):
            let name = DomainName.toASCII(host) ?? host
            return await single(name, .host(host, port: port), port: port, route, resolver, security)
        case .lmtp(.socket(let path)):
            // Nothing leaves the machine: policies for domains and hosts do not concern it.
            return await single(route.helloName, .socket(path: path), port: 24, route, resolver, TransportSecurity())
        case .sink, .maildir:
            return .hosts([])
        case .mx(let port):
            return await exchangers(of: recipient, port: port, route: route, resolver: resolver, security: security, search: search)
        }
    }
}

extension Destination {
    /// The one host that conf names.
    private static func single(
        _ name: String, _ place: Place, port: Int, _ route: Route, _ resolver: any DNS.Resolver, _ security: TransportSecurity
    ) async -> Finding {
        let policy = await security.policy(for: name, on: route, isDomain: false)
        let host = TransportSecurity.Host(name: name, port: port, isRoutedSecurely: true)
        let verdicts = await security.verdicts(on: [host], nexthop: name, policy: policy, route: route, resolver: resolver)
        // What is demanded of it is demanded for all mail that goes there: it counts as a host that does not answer.
        return secured([(name, [place])], verdicts) {
            DeliveryReport(result: .outcome(.deferred(DeliveryFailure(stage: .tls, scope: .session, cause: .tlsFailed))), note: $0)
        }
    }

    /// The hosts of the recipient's domain in the order to try them, or why there are none.
    private static func exchangers(
        of recipient: EmailAddress, port: Int, route: Route, resolver: any DNS.Resolver, security: TransportSecurity, search: Search
    ) async -> Finding {
        var options = MXRoute.Options()
        options.allowPrivate = route.allowsPrivateDestinations
        options.ownNames = [route.helloName]
        let domain = recipient.asciiDomain ?? recipient.domain
        async let asked = security.policy(for: domain, on: route, isDomain: true)
        let resolution = await MXRoute.resolve(domain, via: resolver, options: options, seed: search.seed)
        switch resolution {
        case .hosts(let hosts, _):
            let policy = await asked
            let reachable = hosts.map { host in
                (host: host, places: host.addresses.filter(search.network.reaches).map { Place.address($0.description, port: port) })
            }.filter { !$0.places.isEmpty }
            if reachable.isEmpty { return .none(unreachable(hosts, sendingFrom: route.sourceAddress)) }
            let verdicts = await security.verdicts(
                on: reachable.map { .init(name: $0.host.name, port: port, isRoutedSecurely: $0.host.isRoutedSecurely) },
                nexthop: domain, policy: policy, route: route, resolver: resolver)
            return secured(reachable.map { ($0.host.name, $0.places) }, verdicts) { .unasked(EnhancedStatusCode(4, 7, 5), note: $0) }
        case .temporary(let problem):
            return .none(.unrouted(problem, isFinal: false))
        case .permanent(let problem):
            return .none(.unrouted(problem, isFinal: isFinal(problem.kind, search)))
        }
    }

    /// Whether what DNS says for good ends the message.
    private static func isFinal(_ kind: MXProblem.Kind, _ search: Search) -> Bool {
        switch kind {
        case .noSuchDomain: search.domainWasMissing
        // Its operator sets that right.
        case .leadsBackHere: false
        default: true
        }
    }

    /// The hosts that mail may go to; when none is left, what `report` makes of the reasons.
    private static func secured(
        _ hosts: [(name: String, places: [Place])], _ verdicts: [TransportSecurity.Verdict], report: (String) -> DeliveryReport
    ) -> Finding {
        var found: [Destination] = []
        var reasons: [String] = []
        for (host, verdict) in zip(hosts, verdicts) {
            switch verdict {
            case .demand(let demand): found += host.places.map { Destination(name: host.name, place: $0, demand: demand) }
            case .refused(let reason): if !reasons.contains(where: { $0.utf8.elementsEqual(reason.utf8) }) { reasons.append(reason) }
            }
        }
        if !found.isEmpty { return .hosts(found) }
        return .none(report(reasons.prefix(3).joined(separator: "; ")))
    }

    /// There are hosts, and this machine has no way to any of them: its operator's matter, not the recipient's.
    private static func unreachable(_ hosts: [MXHost], sendingFrom source: String?) -> DeliveryReport {
        let names = hosts.prefix(3).map(\.name).joined(separator: ", ")
        let version = hosts.contains { $0.addresses.contains(where: \.isVersion6) } ? "IPv6" : "IPv4"
        let why = source.map { "the route sends from \($0)" } ?? "this machine has no \(version) address"
        return .unasked(nil, note: "the mail hosts of the domain (\(names)) have \(version) addresses only, and \(why)")
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
