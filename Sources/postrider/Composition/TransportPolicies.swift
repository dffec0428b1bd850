import DNS
import HTTPFetch
import InternetMessage
import Logging
import MailTransport
import Mailroom
import NIOCore
import Outreach
import SQLiteStore
import ServiceLifecycle
import Settings

/// What conf says of DNS and of TLS on the way out, made into what the transport takes.
enum TransportPolicies {
    /// - Parameter deadline: the most that one lookup takes; nil: as long as for mail, which can wait.
    static func resolver(_ settings: Settings, deadline: Duration? = nil) -> UnboundResolver {
        var configuration = UnboundResolver.Configuration(servers: settings.dns.resolvers.map(\.description))
        if let file = settings.dns.trustAnchorFile { configuration.trustAnchorFile = file }
        if let deadline { configuration.deadline = deadline }
        return UnboundResolver(configuration)
    }

    /// - Parameter sts: asked for the policies of recipient domains unless conf turns that off.
    static func security(_ settings: Settings, sts: (any STSPolicySource)? = nil) throws(Failure) -> TransportSecurity {
        TransportSecurity(
            policies: try map(settings), sts: settings.mtaSTS.enabled ? sts : nil,
            encryptedHosts: try Desks.providers(settings).encryptedHosts)
    }

    static func map(_ settings: Settings) throws(Failure) -> TLSPolicyMap {
        var policies: [(destination: String, policy: TLSPolicy)] = []
        for section in settings.tlsPolicies {
            guard let destination = section.destination else {
                throw Failure(.configuration, "[tls_policy.\"\(section.domain)\"]: not a domain or an IP address")
            }
            policies.append((destination, policy(section.level, section.match, section.fingerprints)))
        }
        return TLSPolicyMap(policies)
    }

    static func policy(_ level: TLSSecurityLevel, _ match: [CertificateMatch], _ fingerprints: [CertificateFingerprint]) -> TLSPolicy {
        TLSPolicy(
            Route.TLSLevel(rawValue: level.rawValue) ?? .secure, match: match.map(TLSPolicy.NameMatch.init),
            fingerprints: fingerprints.map(\.bytes))
    }

    /// Refuses a conf that asks for DANE where the resolver proves nothing: mail would go out as if there were no TLSA records at all.
    ///
    /// A root that has not answered yet is no refusal; mail under DANE waits until it has.
    static func requireValidation(_ settings: Settings, of resolver: any Resolver, logger: Logger) async throws(Failure) {
        func isDANE(_ level: TLSSecurityLevel) -> Bool { level == .dane || level == .daneOnly }
        let route = settings.routes.first { isDANE($0.effectiveSecurityLevel) }.map { "[route.\($0.name)] tls_security_level" }
        let policy = settings.tlsPolicies.first { isDANE($0.level) }.map { "[tls_policy.\"\($0.domain)\"] level" }
        guard let place = route ?? policy else { return }
        _ = await resolver.lookup(".", .soa)
        switch resolver.validation {
        case .on: return
        case .undecided: logger.warning("DANE waits for the root zone, which has not answered yet; mail under it is deferred until then")
        case .off(let why):
            throw Failure(
                .configuration,
                "\(place): DANE needs answers that DNSSEC proves, and \(why); name validating or plain servers in [dns] resolvers and install "
                    + "dns-root-data, or use another level")
        }
    }

    /// Fetches policy documents as conf says.
    static func fetcher(_ settings: Settings, http: HTTPFetcher, resolver: any Resolver) -> STSFetcher {
        STSFetcher(
            http: http, resolver: resolver, trust: settings.mtaSTS.caFile.map { .caFile($0) } ?? .system,
            // As for mail: another port than 25 is for servers of one's own.
            allowsPrivate: settings.routes.contains { $0.type == .mx && $0.effectivePort != 25 })
    }
}

extension TLSPolicy.NameMatch {
    init(_ match: CertificateMatch) {
        self =
            switch match {
            case .hostname: .hostname
            case .nexthop: .nexthop
            case .belowNexthop: .belowNexthop
            case .name(let name): .name(DomainName.toASCII(name) ?? name)
            case .below(let domain): .below(DomainName.toASCII(domain) ?? domain)
            }
    }
}

/// The HTTP client of the process as a service: it ends after everything that was started behind it.
final class WebClient: Service {
    let http: HTTPFetcher

    init(on eventLoops: any EventLoopGroup) { http = HTTPFetcher(on: eventLoops) }

    func run() async throws {
        try? await gracefulShutdown()
        await http.shutdown()
    }
}
