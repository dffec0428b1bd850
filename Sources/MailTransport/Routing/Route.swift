package import OpenSSL
package import SASL
package import SMTP

/// One way on which mail leaves, as conf names it.
package struct Route: Sendable {
    package enum Kind: Sendable, Hashable {
        /// To one server that takes everything (RFC 6409): a smarthost or a mail provider.
        case submission(host: String, port: Int)
        /// To the recipient domain's own servers.
        case mx(port: Int)
        /// To a local delivery agent (RFC 2033).
        case lmtp(LocalTarget)
        /// Nowhere: everything is taken and nothing leaves.
        case sink
        /// Into a folder of files on this machine.
        case maildir(path: String)
    }

    package enum LocalTarget: Sendable, Hashable {
        case host(String, port: Int)
        case socket(path: String)
    }

    /// How a connection becomes TLS.
    package enum TLSMode: String, Sendable, CaseIterable {
        case none
        case starttls
        /// From the first octet (RFC 8314).
        case implicit
    }

    /// Postfix's words for what is asked of TLS.
    package typealias TLSLevel = TLSPolicy.Level

    /// Who we are to the server: credentials travel on verified TLS only, or in clear to this machine where TLS mode `none` asks for that.
    package struct Credentials: Sendable {
        /// Asked at each login.
        package let source: any LoginSource
        /// Those allowed, the most wanted first.
        package let mechanisms: [SASLMechanism]
        /// The server is on this machine, so a channel in clear is good enough where TLS is not asked for.
        package let isLocal: Bool

        package init(sasl: SASLCredentials, mechanisms: [SASLMechanism] = SASLMechanism.withPassword, isLocal: Bool = false) {
            self.init(source: FixedLogin(credentials: sasl), mechanisms: mechanisms, isLocal: isLocal)
        }

        package init(source: any LoginSource, mechanisms: [SASLMechanism], isLocal: Bool = false) {
            self.source = source
            self.mechanisms = mechanisms
            self.isLocal = isLocal
        }
    }

    package let name: String
    package let kind: Kind
    package let tls: TLSMode
    /// What is asked of TLS where the destination has no policy of its own.
    package let policy: TLSPolicy
    /// Whom TLS connections of the route trust.
    package let trust: TLSClientContext
    /// Whom they trust where the destination's MTA-STS policy asks for a certificate, which is one of a public authority (RFC 8461 §4.2).
    package let publicTrust: TLSClientContext
    package let credentials: Credentials?
    /// The name that certificates must bear; nil: that of the host connected to.
    package let certificateName: String?
    /// Name given in EHLO.
    package let helloName: String
    /// Local address to connect from; nil: any.
    package let sourceAddress: String?
    package let timeouts: Timeouts
    /// Addresses of a destination that are tried in one attempt.
    package let addressLimit: Int
    /// Sessions in one attempt in which a server greeted; after so many the attempt is over.
    package let sessionLimit: Int
    /// Whether destinations on loopback and private networks may be connected to (`mx` only).
    package let allowsPrivateDestinations: Bool
    /// How many connections there may be, and for how long each serves.
    package let connections: ConnectionLimits

    package init(
        name: String, kind: Kind, tls: TLSMode = .starttls, level: TLSLevel = .may, match: [TLSPolicy.NameMatch] = [],
        fingerprints: [[UInt8]] = [], trust: TLSClientContext,
        credentials: Credentials? = nil, certificateName: String? = nil,
        helloName: String, sourceAddress: String? = nil, timeouts: Timeouts = Timeouts(), addressLimit: Int = 5,
        sessionLimit: Int = 2, allowsPrivateDestinations: Bool = false, connections: ConnectionLimits = .single,
        publicTrust: TLSClientContext? = nil
    ) {
        self.name = name
        self.kind = kind
        self.tls = tls
        policy = TLSPolicy(level, match: match, fingerprints: fingerprints)
        self.trust = trust
        self.publicTrust = publicTrust ?? trust
        self.credentials = credentials
        self.certificateName = certificateName
        self.helloName = helloName
        self.sourceAddress = sourceAddress
        self.timeouts = timeouts
        self.addressLimit = addressLimit
        self.sessionLimit = sessionLimit
        self.allowsPrivateDestinations = allowsPrivateDestinations
        self.connections = connections
    }

    package var level: TLSLevel { policy.level }

    /// Whether a server whose TLS does not work may be spoken to in clear: nothing was asked of TLS, and no password travels.
    var mayGoWithoutTLS: Bool { tls == .starttls && level == .may && credentials == nil }

    /// The same route without STARTTLS.
    var inClear: Route { with(.none, .none) }

    /// The same route for one host, with what that host must show.
    ///
    /// A level that asks for TLS makes STARTTLS of a route in clear, and `none` leaves it out; TLS from the first octet stays what it is.
    func demanding(_ demand: TLSDemand) -> Route {
        let mode: TLSMode = tls == .implicit ? .implicit : demand.level == .none ? .none : .starttls
        return with(mode, demand.level, trust: demand.origin == .sts ? publicTrust : trust)
    }

    /// The same route with at most so many messages on one connection; nil: as many as it says itself.
    func taking(atMost messages: Int?) -> Route {
        guard let messages, messages < connections.messages else { return self }
        var limits = connections
        limits.messages = messages
        return with(tls, level, limits)
    }

    private func with(_ mode: TLSMode, _ level: TLSLevel, _ limits: ConnectionLimits? = nil, trust: TLSClientContext? = nil) -> Route {
        Route(
            name: name, kind: kind, tls: mode, level: level, match: policy.match, fingerprints: policy.fingerprints,
            trust: trust ?? self.trust, credentials: credentials, certificateName: certificateName, helloName: helloName,
            sourceAddress: sourceAddress,
            timeouts: timeouts, addressLimit: addressLimit, sessionLimit: sessionLimit,
            allowsPrivateDestinations: allowsPrivateDestinations, connections: limits ?? connections, publicTrust: publicTrust)
    }

    /// How a session on this route behaves.
    var sessionConfiguration: ClientConfiguration {
        let policy: ClientConfiguration.TLSPolicy =
            switch (tls, level) {
            case (.implicit, _): .implicit
            case (.none, _), (_, .none): .none
            case (.starttls, .may): .opportunistic
            // A host under `dane` without records was given the level `may` by then.
            case (.starttls, _): .required
            }
        var dialect = Dialect.smtp
        if case .lmtp = kind { dialect = .lmtp }
        return ClientConfiguration(
            dialect: dialect, helloName: helloName, tls: policy, requiresVerifiedTLS: level.mustVerify || level == .dane,
            requiresAuthentication: credentials != nil,
            credentialsRequireVerifiedTLS: !(policy == .none && credentials?.isLocal == true), transactionLimit: connections.messages)
    }
}
