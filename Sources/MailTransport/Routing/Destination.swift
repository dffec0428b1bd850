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

    func connect(with bootstrap: ClientBootstrap) async throws -> any Channel {
        switch place {
        case .host(let host, let port): try await bootstrap.connect(host: host, port: port).get()
        case .address(let address, let port): try await bootstrap.connect(to: SocketAddress(ipAddress: address, port: port)).get()
        case .socket(let path): try await bootstrap.connect(unixDomainSocketPath: path).get()
        }
    }

    enum Finding: Sendable {
        case hosts([Destination])
        case none(DeliveryReport)
    }

    /// Where mail for that recipient goes on that route.
    ///
    /// - Parameter isFirstAttempt: a domain that does not exist is believed from the second attempt on.
    static func find(for recipient: EmailAddress, on route: Route, resolver: any DNS.Resolver, seed: UInt64, isFirstAttempt: Bool) async -> Finding {
        switch route.kind {
        case .submission(let host, let port), .lmtp(.host(let host, let port)):
            return .hosts([Destination(name: DomainName.toASCII(host) ?? host, place: .host(host, port: port))])
        case .lmtp(.socket(let path)):
            return .hosts([Destination(name: route.helloName, place: .socket(path: path))])
        case .sink:
            return .hosts([])
        case .mx(let port):
            return await exchangers(of: recipient, port: port, route: route, resolver: resolver, seed: seed, isFirstAttempt: isFirstAttempt)
        }
    }
}

extension Destination {
    /// The hosts of the recipient's domain in the order to try them, or why there are none.
    private static func exchangers(
        of recipient: EmailAddress, port: Int, route: Route, resolver: any DNS.Resolver, seed: UInt64, isFirstAttempt: Bool
    ) async -> Finding {
        var options = MXRoute.Options()
        options.allowPrivate = route.allowsPrivateDestinations
        options.useVersion6 = false
        options.ownNames = [route.helloName]
        let domain = recipient.asciiDomain ?? recipient.domain
        switch await MXRoute.resolve(domain, via: resolver, options: options, seed: seed) {
        case .hosts(let hosts, _):
            return .hosts(
                hosts.flatMap { host in
                    host.addresses.map { Destination(name: host.name, place: .address($0.description, port: port)) }
                })
        case .temporary(let problem):
            return .none(.deferred(.connect, note: problem.description))
        case .permanent(let problem) where problem.kind == .noSuchDomain && isFirstAttempt:
            return .none(.deferred(.connect, note: problem.description))
        case .permanent(let problem):
            let reply = Reply(code: 550, lines: [Array("\(problem.enhancedStatusCode) \(problem)".utf8)])
            let failure = DeliveryFailure(stage: .connect, scope: .recipient, cause: .replyCode, reply: reply)
            return .none(DeliveryReport(result: .outcome(.rejected(failure)), note: problem.description))
        }
    }
}
