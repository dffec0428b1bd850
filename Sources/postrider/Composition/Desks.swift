import DNS
import Foundation
import InternetMessage
import Logging
import MailAuthentication
import MailClassifier
import MailTransport
import Mailroom
import NIOCore
import OpenSSL
import Outreach
import SASL
import SMTP
import Settings

/// Everything that the services take from conf, made whole or not at all, so that a re-read can replace it in one step.
struct Desks {
    let identities: [String: SenderIdentity]
    let companies: CompanyBook
    let addresses: TokenAddresses?
    let dispatch: StepDispatcher.Desk
    let delivery: OutboxDeliverer.Desk
    let webhooks: WebhookCaller.Desk
    let intake: IntakeSorter.Desk
    let listening: TokenDesk.Policy
    let listenerTLS: [String: TLSServerContext]
    let signingKeys: [SigningKeys]
    let tracking: TrackingPolicy
    let trackingJudge: TrackingJudge

    /// - Parameters:
    ///   - published: which next DKIM keys may sign.
    ///   - sts: the MTA-STS policies of recipient domains.
    /// - Throws: `Failure` naming what in the conf cannot be used.
    init(
        _ installation: Installation, logins: Logins, resolver: any Resolver, eventLoops: any EventLoopGroup,
        published: PublishedKeys = PublishedKeys(),
        sts: (any STSPolicySource)? = nil, logger: Logger
    ) throws {
        let settings = installation.settings
        let identities = try Self.identities(settings, in: installation.workspaces)
        let companies = try Self.companies(settings)
        let addresses = try Self.addresses(settings)
        let composer = Self.composer(installation, addresses)
        guard
            let retry = RetrySchedule(
                waits: settings.queue.retrySchedule, jitter: settings.queue.retryJitter, lifetime: settings.queue.maxQueueLifetime)
        else { throw Failure(.configuration, "[queue] retry_schedule cannot be used") }
        let rules = try BounceRuleFiles.load(settings)
        let courier = Courier(
            routes: try settings.routes.map { try Self.route($0, settings, logins) }, resolver: resolver,
            security: try TransportPolicies.security(settings, sts: sts), eventLoops: eventLoops,
            seed: installation.chance.bits("mx order", []), logger: logger)
        self.identities = identities
        self.companies = companies
        self.addresses = addresses
        tracking = Self.tracking(settings)
        trackingJudge = TrackingJudge(machineWithin: settings.tracking.machineWithin, machines: try TrackingMachineFiles.load(settings))
        signingKeys = try Self.signingKeys(settings)
        var policy = try Self.deliveryPolicy(settings, resolver: resolver)
        policy.limits.workspaces = installation.workspaces
        dispatch = StepDispatcher.Desk(
            identities: identities, composer: composer, chance: installation.chance, safety: policy.safety,
            frequency: Self.frequency(settings, companies), webhooks: Self.webhookBook(settings))
        webhooks = try Self.webhooks(settings)
        let forwarder = ReplyForwarder(
            hostname: settings.main.myhostname, addresses: addresses, routes: Self.routePlan(settings), chance: installation.chance,
            ids: installation.ids)
        delivery = OutboxDeliverer.Desk(
            courier: courier,
            signer: AttemptSigner(
                keys: signingKeys, published: published,
                unsigned: Dictionary(settings.routes.map { ($0.name, $0.effectiveUnsigned) }, uniquingKeysWith: { $1 })),
            decider: DeliveryDecider(
                retry: retry, onUncertain: settings.queue.onUncertain == .hold ? .hold : .resend, chance: installation.chance,
                ids: installation.ids),
            judge: FailureJudge(rules: rules), identities: identities, lifetime: settings.queue.maxQueueLifetime,
            limits: Dictionary(settings.routes.map { ($0.name, $0.effectiveProcessLimit) }) { first, _ in first }, addresses: addresses,
            forwarder: forwarder, policy: policy)
        guard let handers = PeerNetworks(settings.main.authservFrom) else {
            throw Failure(.configuration, "[main] authserv_from names what is no network")
        }
        intake = IntakeSorter.Desk(
            correlator: Correlator(addresses: addresses.map { [$0] } ?? []),
            classifier: try Classifier(bounceRules: rules, tone: try ToneModelFiles.load(settings)),
            authenticator: MessageAuthenticator(resolver: resolver, authservID: settings.main.myhostname),
            trust: ResultsTrust(
                general: settings.main.authservID,
                mailboxes: Dictionary(
                    settings.mailboxes.compactMap { section in section.authservID.map { (section.name, $0) } }, uniquingKeysWith: { $1 }),
                networks: handers),
            identities: identities, companies: companies,
            forwarder: forwarder)
        let domains = settings.acceptDomains.compactMap(DomainName.toASCII)
        let roles = (settings.smtpListener?.roleAddresses ?? []) + (settings.lmtpListener?.roleAddresses ?? [])
        listening = TokenDesk.Policy(
            domains: Set(domains),
            roles: Set(roles.map { String(decoding: $0.utf8.map { $0 >= 65 && $0 <= 90 ? $0 | 0x20 : $0 }, as: UTF8.self) }),
            addresses: addresses.map { [$0] } ?? [])
        var contexts: [String: TLSServerContext] = [:]
        if let listener = settings.smtpListener { contexts["smtp"] = try Self.tls(listener) }
        if let listener = settings.lmtpListener { contexts["lmtp"] = try Self.tls(listener) }
        listenerTLS = contexts
    }

    static func tls(_ listener: any ListenerSettings) throws -> TLSServerContext? {
        guard let certificate = listener.tlsCertFile, let key = listener.tlsKeyFile else { return nil }
        do throws(TLSError) {
            return try TLSServerContext(certificateChainFile: certificate, keyFile: key.path)
        } catch {
            throw Failure(.configuration, "\(error)")
        }
    }

    // MARK: Identities and addresses

    /// - Parameter book: the workspaces they belong to; nil: there is no state at hand, and nobody asks whose they are.
    static func identities(_ settings: Settings, in book: WorkspaceBook?) throws(Failure) -> [String: SenderIdentity] {
        var identities: [String: SenderIdentity] = [:]
        let calendar = try ConfCalendar(settings)
        for section in settings.identities { identities[section.name] = try identity(section, settings, calendar, book) }
        return identities
    }

    private static func identity(
        _ section: IdentitySettings, _ settings: Settings, _ calendar: ConfCalendar, _ book: WorkspaceBook?
    ) throws(Failure) -> SenderIdentity {
        var workspace = WorkspaceID.default
        if let book {
            guard let known = book.workspace(named: section.workspace) else {
                throw Failure(.internalError, "[identity.\(section.name)] workspace: '\(section.workspace)' was not made")
            }
            workspace = known.id
        }
        guard let address = EmailAddress(section.from.address) else {
            throw Failure(.configuration, "[identity.\(section.name)] from: '\(section.from.address)' is not an email address")
        }
        let zoneName = settings.timezone(of: section).identifier
        guard let zone = LocalZone(zoneName) else { throw Failure(.configuration, "time zone '\(zoneName)' is not known on this machine") }
        let window = try calendar.window(zone)
        guard let way = settings.wayOut(of: section) else {
            throw Failure(.configuration, "[identity.\(section.name)] has no usable route")
        }
        var forwarding: ReplyForwarding?
        if let target = section.forwardRepliesTo {
            guard let address = EmailAddress(target.address) else {
                throw Failure(
                    .configuration, "[identity.\(section.name)] forward_replies_to: '\(target.address)' is not an email address")
            }
            forwarding = ReplyForwarding(
                address: address, manner: section.forwardRepliesAs == .asIs ? .asIs : .attached,
                cap: ForwardCap(perIdentity: section.forwardDailyLimit, perContact: section.forwardContactDailyLimit))
        }
        return SenderIdentity(
            name: section.name, workspace: workspace, workspaceName: section.workspace,
            from: Mailbox(displayName: section.from.displayName, address: address), route: way,
            replyTo: section.replyTo == .token ? .token : .mailbox, returnPath: section.returnPath == .bounce ? .token : .mailbox,
            pacing: PacingGate.Policy(
                dailyLimit: section.dailyLimit, hourlyLimit: section.hourlyLimit, dailyStarts: section.dailyStarts,
                minimumGap: section.minGap,
                gapJitter: section.minGap > .zero ? section.gapJitter : .zero, window: window,
                workday: section.workday ? workday(settings) : nil,
                warmUp: try warmUp(section.warmup, settings, at: "[identity.\(section.name)]"), recipients: calendar.recipients),
            signature: section.signature, optOut: try optOut(section, settings), postalAddress: settings.postalAddress(of: section),
            law: settings.law(of: section).asksWayOut ? settings.law(of: section).rawValue : nil, forwarding: forwarding)
    }

    private static func optOut(_ section: IdentitySettings, _ settings: Settings) throws(Failure) -> MessageTemplate? {
        guard let text = settings.optOut(of: section) else { return nil }
        do throws(TemplateError) {
            return try MessageTemplate(text, format: .text)
        } catch {
            throw Failure(.configuration, "opt_out of [identity.\(section.name)] \(error)")
        }
    }

    /// Who writes the messages of steps.
    static func composer(_ installation: Installation) throws(Failure) -> StepComposer {
        composer(installation, try addresses(installation.settings))
    }

    private static func composer(_ installation: Installation, _ addresses: TokenAddresses?) -> StepComposer {
        StepComposer(
            hostname: installation.settings.main.myhostname, addresses: addresses,
            unsubscribe: unsubscribePolicy(installation.settings), tracking: tracking(installation.settings),
            routes: routePlan(installation.settings), chance: installation.chance, ids: installation.ids)
    }

    /// The token addresses of the conf; nil when it has no keys.
    static func addresses(_ settings: Settings) throws(Failure) -> TokenAddresses? {
        guard !settings.tokens.keyFiles.isEmpty else { return nil }
        var keys: [TokenCodec.Key] = []
        for file in settings.tokens.keyFiles {
            guard let key = TokenCodec.Key(secret: try read(file)) else {
                throw Failure(.configuration, "\(file.path): a token key needs at least 16 bytes; make one with: openssl rand -hex 32")
            }
            keys.append(key)
        }
        guard let codec = TokenCodec(keys: keys) else {
            throw Failure(.configuration, "[tokens] key_files: two of the keys have the same id; make one of them anew")
        }
        guard let domain = settings.tokenDomain else { return nil }
        return TokenAddresses(
            domain: domain, codec: codec, replyValid: settings.tokens.replyValid, bounceValid: settings.tokens.bounceValid)
    }

    static func read(_ file: SecretFile) throws(Failure) -> [UInt8] {
        switch file.read() {
        case .success(let bytes): return bytes
        case .failure(let trouble): throw Failure(.configuration, "\(file.path): \(trouble.reason)")
        }
    }

    static func tracking(_ settings: Settings) -> TrackingPolicy {
        let section = settings.tracking
        return TrackingPolicy(opens: section.opens, clicks: section.clicks, base: section.baseURL.map(folder))
    }

    private static func folder(_ url: String) -> String { url.utf8.last == UInt8(ascii: "/") ? url : "\(url)/" }

    private static func unsubscribePolicy(_ settings: Settings) -> UnsubscribePolicy {
        let section = settings.unsubscribe
        let base = section?.oneClickURL.map(folder)
        return UnsubscribePolicy(
            mailto: section.map { $0.listUnsubscribe != .https } ?? true, oneClickBase: section?.listUnsubscribe == .mailto ? nil : base)
    }

    // MARK: Routes, keys and mailboxes

    static func fallbacks(_ settings: Settings) -> RouteFallbacks {
        let pairs = settings.routes.compactMap { route in route.fallback.map { (route.name, $0) } }
        return RouteFallbacks(Dictionary(pairs) { first, _ in first })
    }

    static func routePlan(_ settings: Settings) -> RoutePlan {
        let rules = settings.transport.map?.entries.map { RoutePlan.Rule(RoutePlan.Pattern($0.recipients), to: $0.target) }
        let pools = settings.pools.map { pool in (pool.name, pool.members.map { RoutePlan.Member($0.route, weight: $0.weight) }) }
        return RoutePlan(rules: rules ?? [], pools: Dictionary(pools) { first, _ in first })
    }

    static func route(_ section: RouteSettings, _ settings: Settings, _ logins: Logins) throws -> Route {
        let host = section.host
        let kind: Route.Kind =
            switch (section.type, host) {
            case (.submission, _): .submission(host: host?.description ?? "", port: section.effectivePort)
            case (.mx, _): .mx(port: section.effectivePort)
            case (.lmtp, .unix(let path)): .lmtp(.socket(path: path))
            case (.lmtp, _): .lmtp(.host(host?.description ?? "localhost", port: section.effectivePort))
            case (.sink, _): .sink
            case (.maildir, _): .maildir(path: section.path ?? "")
            }
        let source = section.source.flatMap { settings.source(named: $0) }
        let policy = TransportPolicies.policy(section.effectiveSecurityLevel, section.tlsMatch, section.tlsFingerprints)
        return Route(
            name: section.name, kind: kind, tls: Route.TLSMode(section.effectiveTLS),
            level: policy.level, match: policy.match, fingerprints: policy.fingerprints, trust: try logins.trust(section.tlsCAFile),
            credentials: try section.auth.map { try logins.credentials($0, isLocal: host?.isLocal == true) },
            helloName: source?.helo ?? settings.main.myhostname, sourceAddress: source?.address,
            timeouts: timeouts(settings.queue),
            // Mail on another port than 25 goes to servers of one's own: nobody on the Internet takes mail there.
            allowsPrivateDestinations: section.effectivePort != 25,
            connections: ConnectionLimits(
                total: section.effectiveProcessLimit, perHost: section.effectiveProcessLimitPerHost,
                messages: section.messagesPerConnection,
                idle: section.connectionIdle),
            publicTrust: section.type == .mx ? try section.tlsCAFile.map { try publicTrust($0, logins) } : nil)
    }

    /// The machine's authorities beside those of the file; a machine that has none trusts those of the file.
    private static func publicTrust(_ file: String, _ logins: Logins) throws(Failure) -> TLSClientContext {
        guard let both = try? TLSClientContext(trust: .systemAndFile(file)) else { return try logins.trust(file) }
        return both
    }

    private static func timeouts(_ queue: QueueSettings) -> Timeouts {
        var timeouts = Timeouts()
        timeouts.connect = queue.connectTimeout
        timeouts.greeting = queue.heloTimeout
        timeouts.hello = queue.heloTimeout
        timeouts.mail = queue.mailTimeout
        timeouts.recipient = queue.rcptTimeout
        timeouts.data = queue.dataInitTimeout
        timeouts.content = queue.dataXferTimeout
        timeouts.finalDot = queue.dataDoneTimeout
        return timeouts
    }

    /// The keys of each signing domain.
    static func signingKeys(_ settings: Settings) throws(Failure) -> [SigningKeys] {
        var all: [SigningKeys] = []
        for section in settings.dkimKeys {
            guard let domain = DomainName.toASCII(section.domain) else {
                throw Failure(.configuration, "[dkim.key.\"\(section.domain)\"]: not a domain")
            }
            var keys: [DKIMSigner.Key] = []
            for (selector, file) in section.keyFiles { keys.append(DKIMSigner.Key(selector: selector, key: try key(file))) }
            let next = section.nextKeyFile == nil ? nil : keys.popLast()
            all.append(SigningKeys(domain: domain, current: keys, next: next, validity: settings.dkim.expiry))
        }
        return all
    }

    private static func key(_ file: SecretFile) throws(Failure) -> PrivateKey {
        do throws(KeyError) {
            return try PrivateKey(pemFile: file.path)
        } catch {
            throw Failure(.configuration, "\(error)")
        }
    }
}

extension RoutePlan.Pattern {
    init(_ recipients: TransportMap.Recipients) {
        self =
            switch recipients {
            case .everybody: .everybody
            case .domain(let domain): .domain(domain)
            case .below(let domain): .below(domain)
            case .address(let address): .address(address)
            }
    }
}

extension Route.TLSMode {
    init(_ mode: TLSMode) {
        self =
            switch mode {
            case .none: .none
            case .starttls: .starttls
            case .implicit: .implicit
            }
    }
}
