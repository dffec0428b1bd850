import DNS
import Foundation
import InternetMessage
import Logging
import MailAuthentication
import MailTransport
import Mailroom
import NIOCore
import OpenSSL
import Outreach
import SMTP
import SQLiteStore
import ServiceLifecycle
import Settings
import WebInterface

/// The services of one installation, wired: what `serve` and the rehearsal run.
///
/// The store is open and the listeners are bound before any service runs; a conf that is read again swaps the desks and nothing else.
final class Appliance: Sendable {
    let installation: Installation
    /// Name of this process on its leases.
    let owner: String
    let sequenceBell = Bell()
    let outboxBell = Bell()
    let callBell = Bell()
    let intakeBell = Bell()
    let mailboxBoard = MailboxBoard()
    let forwardBoard = ForwardBoard()
    let hitRecorder: HitRecorder

    private let resolver: any Resolver
    private let eventLoops: any EventLoopGroup
    private let logger: Logger
    private let dispatchDesk: Swappable<StepDispatcher.Desk>
    private let deliveryDesk: Swappable<OutboxDeliverer.Desk>
    private let webhookDesk: Swappable<WebhookCaller.Desk>
    private let intakeDesk: Swappable<IntakeSorter.Desk>
    private let listeningDesk: Swappable<TokenDesk.Policy>
    private let listenerTLS: Swappable<[String: TLSServerContext]>
    private let identities: Swappable<[String: SenderIdentity]>
    private let companies: Swappable<CompanyBook>
    private let codec: Swappable<TokenCodec?>
    private let tracking: Swappable<TrackingPolicy>
    private let trackingJudge: Swappable<TrackingJudge>
    private let trackingBell = Bell()
    private let emergency = Emergency()
    private let pressure: StoragePressure
    private let signingKeys: Swappable<[SigningKeys]>
    private let guardrails: Swappable<[GuardrailRule]>
    private let guardrailBell = Bell()
    private let retention: Swappable<Caretaker.Retention>
    private let alertWriter: Swappable<AlertWriter?>
    private let publishedKeys = PublishedKeys()
    private let keyBell = Bell()
    private let web: WebClient
    private let policyFetcher: Swappable<STSFetcher>
    private let logins: Swappable<Logins>
    private let policies: STSPolicyKeeper
    /// By the names of the mailboxes that were in the conf at the start.
    private let watchers: [String: (desk: Swappable<MailboxPoller.Desk>, bell: Bell)]

    init(_ installation: Installation, resolver: any Resolver, eventLoops: any EventLoopGroup, logger: Logger) throws {
        let web = WebClient(on: eventLoops)
        let fetcher = Swappable(TransportPolicies.fetcher(installation.settings, http: web.http, resolver: resolver))
        let policies = STSPolicyKeeper(
            store: installation.store, resolver: resolver, fetch: { await fetcher.current.fetch($0) }, clock: SystemClock(), logger: logger)
        let logins = try Logins(installation, fetcher: web.http, logger: logger)
        let desks = try Desks(
            installation, logins: logins, resolver: resolver, eventLoops: eventLoops, published: publishedKeys, sts: policies,
            logger: logger)
        self.web = web
        policyFetcher = fetcher
        self.logins = Swappable(logins)
        self.policies = policies
        self.installation = installation
        pressure = StoragePressure(
            folder: installation.settings.main.stateDirectory,
            minimumFree: UInt64(clamping: installation.settings.main.effectiveQueueMinfree.bytes))
        self.resolver = resolver
        self.eventLoops = eventLoops
        self.logger = logger
        owner = "\(ProcessInfo.processInfo.hostName)/\(ProcessInfo.processInfo.processIdentifier)"
        dispatchDesk = Swappable(desks.dispatch)
        deliveryDesk = Swappable(desks.delivery)
        webhookDesk = Swappable(desks.webhooks)
        intakeDesk = Swappable(desks.intake)
        listeningDesk = Swappable(desks.listening)
        listenerTLS = Swappable(desks.listenerTLS)
        identities = Swappable(desks.identities)
        companies = Swappable(desks.companies)
        codec = Swappable(desks.addresses?.codec)
        tracking = Swappable(desks.tracking)
        trackingJudge = Swappable(desks.trackingJudge)
        hitRecorder = HitRecorder(
            store: installation.store, codec: codec, policy: tracking, clock: installation.clock, sorterBell: trackingBell, logger: logger)
        signingKeys = Swappable(desks.signingKeys)
        guardrails = Swappable(Desks.guardrails(installation.settings))
        retention = Swappable(Desks.retention(installation.settings))
        alertWriter = Swappable(try Desks.alertWriter(installation, desks.identities))
        var watchers: [String: (desk: Swappable<MailboxPoller.Desk>, bell: Bell)] = [:]
        for section in installation.settings.mailboxes {
            let desk = try Self.pollingDesk(section, installation, logins, bell: intakeBell, eventLoops: eventLoops, logger: logger)
            watchers[section.name] = (Swappable(desk), Bell())
        }
        self.watchers = watchers
    }

    /// Takes over a conf that was read again; the old one stays when the new one cannot be used.
    func reload(_ settings: Settings) async throws {
        if ConfNotes.isUnconfigured(settings), !deliveryDesk.current.limits.keys.allSatisfy({ $0.utf8.elementsEqual("sink".utf8) }) {
            throw Failure(
                .configuration,
                "it has no [route.NAME] any more, and mail that went somewhere until now would go to a sink; put the route back, or restart"
            )
        }
        let renewed = Installation(
            settings: settings, store: installation.store, ids: installation.ids, chance: installation.chance, clock: installation.clock,
            workspaces: try await installation.store.workspaces(making: settings.workspaces))
        // The resolver is the one of the start, so what it proves has not changed; what is asked of it may have.
        try await TransportPolicies.requireValidation(settings, of: resolver, logger: logger)
        let logins = try Logins(renewed, fetcher: web.http, earlier: self.logins.current, logger: logger)
        let desks = try Desks(
            renewed, logins: logins, resolver: resolver, eventLoops: eventLoops, published: publishedKeys, sts: policies, logger: logger)
        var renewedWatchers: [String: MailboxPoller.Desk] = [:]
        for section in settings.mailboxes where watchers[section.name] != nil {
            renewedWatchers[section.name] = try Self.pollingDesk(
                section, renewed, logins, bell: intakeBell, eventLoops: eventLoops, logger: logger)
        }
        let newWriter = try Desks.alertWriter(renewed, desks.identities)
        self.logins.swap(logins)
        dispatchDesk.swap(desks.dispatch)
        let earlier = deliveryDesk.current.courier
        deliveryDesk.swap(desks.delivery)
        earlier.retire()
        webhookDesk.swap(desks.webhooks)
        intakeDesk.swap(desks.intake)
        listeningDesk.swap(desks.listening)
        listenerTLS.swap(desks.listenerTLS)
        identities.swap(desks.identities)
        companies.swap(desks.companies)
        codec.swap(desks.addresses?.codec)
        tracking.swap(desks.tracking)
        trackingJudge.swap(desks.trackingJudge)
        signingKeys.swap(desks.signingKeys)
        guardrails.swap(Desks.guardrails(settings))
        guardrailBell.ring()
        retention.swap(Desks.retention(settings))
        alertWriter.swap(newWriter)
        pressure.require(minimumFree: UInt64(clamping: settings.main.effectiveQueueMinfree.bytes))
        policyFetcher.swap(TransportPolicies.fetcher(settings, http: web.http, resolver: resolver))
        for (name, desk) in renewedWatchers {
            watchers[name]?.desk.swap(desk)
            watchers[name]?.bell.ring()
        }
        try await reconsider()
        ringAll()
        keyBell.ring()
    }

    /// What a limit, a window or a missing identity held back under another conf is decided anew under this one.
    private func reconsider() async throws(StoreError) {
        let waiting = try await installation.store.reconsiderWaiting(now: installation.clock.now())
        if waiting > 0 { logger.info("queued messages that waited for a limit are looked at anew", metadata: ["count": "\(waiting)"]) }
        let count = try await installation.store.reconsiderPostponed(now: installation.clock.now())
        if count > 0 { logger.info("postponed steps are due again under this conf", metadata: ["count": "\(count)"]) }
    }

    /// Wakes every loop, for instance when another process wrote to the database.
    func ringAll() {
        sequenceBell.ring()
        outboxBell.ring()
        callBell.ring()
        intakeBell.ring()
    }

    /// The services in the order of decisions: those that work on the store, then those that let the world in.
    func services() async throws -> [any Service] {
        try await reconsider()
        let store = installation.store
        try await store.forgetUndisposed(besides: Array(watchers.keys))
        var services: [any Service] = [
            emergency,
            web,
            policies,
            StepDispatcher(
                store: store, desk: dispatchDesk, ids: installation.ids, clock: installation.clock, bell: sequenceBell,
                outboxBell: outboxBell, callBell: callBell, owner: owner, logger: logger),
            OutboxDeliverer(
                store: store, desk: deliveryDesk, clock: installation.clock, bell: outboxBell, sequenceBell: sequenceBell,
                forwards: forwardBoard, owner: owner, logger: logger),
            WebhookCaller(
                store: store, poster: WebhookPoster(http: web.http, resolver: resolver), desk: webhookDesk, clock: installation.clock,
                bell: callBell, owner: owner, logger: logger),
            IntakeSorter(
                store: store, desk: intakeDesk, ids: installation.ids, clock: installation.clock, bell: intakeBell,
                sequenceBell: sequenceBell, outboxBell: outboxBell, forwards: forwardBoard, pressure: pressure, owner: owner,
                logger: logger),
            hitRecorder,
            TrackingSorter(
                store: store, judge: trackingJudge, identities: identities, ids: installation.ids, clock: installation.clock,
                bell: trackingBell, sequenceBell: sequenceBell, logger: logger),
            StatisticsFollower(store: store, clock: installation.clock, logger: logger),
            Caretaker(store: store, retention: retention, clock: installation.clock, logger: logger),
            Guardian(
                store: store, rules: guardrails, clock: installation.clock, bell: guardrailBell,
                resumed: { [sequenceBell, outboxBell] in
                    sequenceBell.ring()
                    outboxBell.ring()
                }, logger: logger),
        ]
        services += watchers.sorted { $0.key < $1.key }.map { name, own in
            MailboxPoller(
                account: name, desk: own.desk, store: store, board: mailboxBoard, bell: own.bell, clock: installation.clock,
                jitter: { Double.random(in: 0..<1) }, logger: logger)
        }
        services.append(
            KeyWatch(
                keys: signingKeys, published: publishedKeys, lookUp: { [resolver] in await resolver.textAnswer($0) }, clock: SystemClock(),
                bell: keyBell, logger: logger))
        services += try await bindListeners().map { ListenerService($0) }
        return services
    }

    /// Tells people what is out of order; a rehearsal tells nobody.
    func alerter() -> Alerter {
        let board = StoreBoard(
            store: installation.store, title: "", clock: installation.clock, mailboxes: mailboxBoard, showsPage: false)
        return Alerter(
            store: installation.store, writer: alertWriter,
            troubles: { [forwardBoard, clock = installation.clock] in
                try await board.allTroubles() + forwardBoard.troubles(at: clock.now())
            }, clock: installation.clock, outboxBell: outboxBell, logger: logger)
    }

    private static func pollingDesk(
        _ section: MailboxSettings, _ installation: Installation, _ logins: Logins, bell: Bell, eventLoops: any EventLoopGroup,
        logger: Logger
    ) throws -> MailboxPoller.Desk {
        let desk = WatermarkDesk(store: installation.store, ids: installation.ids, clock: installation.clock, bell: bell)
        let watcher = MailboxWatcher(account: try Desks.account(section, logins), desk: desk, eventLoops: eventLoops, logger: logger)
        return MailboxPoller.Desk(watcher: watcher, login: Desks.login(section, installation.settings))
    }

    // MARK: Listeners

    private func bindListeners() async throws -> [MailListener] {
        let settings = installation.settings
        var listeners: [MailListener] = []
        if let section = settings.smtpListener {
            for address in section.listen {
                listeners.append(try await bind(section, dialect: .smtp, key: "smtp", address: address, mode: 0o600))
            }
        }
        if let section = settings.lmtpListener {
            for address in section.listen {
                listeners.append(
                    try await bind(
                        section, dialect: .lmtp, key: "lmtp", address: address, mode: UInt32(section.socketMode),
                        group: section.socketGroup))
            }
        }
        return listeners
    }

    private func bind(
        _ section: any ListenerSettings, dialect: Dialect, key: String, address: ListenAddress, mode: UInt32, group: String? = nil
    ) async throws
        -> MailListener
    {
        let limits = section.limits
        var session = ServerConfiguration(dialect: dialect, hostname: installation.settings.main.myhostname)
        session.limits.messageSize = UInt64(installation.settings.main.messageSizeLimit.bytes)
        session.limits.recipients = limits.recipientLimit
        session.limits.messages = limits.maxMessagesPerSession
        session.limits.softErrors = limits.softErrorLimit
        session.limits.hardErrors = limits.hardErrorLimit
        session.limits.command = limits.commandTimeout
        session.limits.idle = limits.idleTimeout
        session.limits.session = limits.sessionLimit
        session.limits.dataRate = UInt64(limits.minDataRate.bytes)
        let bound: MailListener.Address =
            switch address {
            case .ip(let host, let port): .host(host, port: port)
            case .unix(let path): .socket(path: path, mode: mode, group: group)
            }
        guard let proxies = PeerNetworks(section.proxyProtocolFrom) else {
            throw Failure(.configuration, "[listener.\(key)] proxy_protocol_from names what is no network")
        }
        session.limits.greetingPause = section.greetingPause
        let configuration = MailListener.Configuration(
            address: bound, session: session, maximumConnections: limits.maxConnections,
            maximumConnectionsPerAddress: limits.maxConnectionsPerIP, proxies: proxies)
        let emergency = emergency
        let desk = TokenDesk(
            way: dialect == .smtp ? .smtp : .lmtp, store: installation.store, policy: listeningDesk, ids: installation.ids,
            clock: installation.clock,
            bell: intakeBell, pressure: pressure, onFatal: { emergency.raise($0) }, logger: logger)
        let contexts = listenerTLS
        do {
            let listener = try await MailListener.bind(
                configuration, desk: desk, tls: { contexts.current[key] }, eventLoops: eventLoops, logger: logger)
            logger.notice("listening", metadata: ["listener": "\(key)", "address": "\(address)"])
            return listener
        } catch {
            throw Failure(.configuration, "[listener.\(key)] cannot listen on \(address): \(address.obstacle ?? "\(error)")")
        }
    }

    // MARK: What the web needs

    var unsubscriber: Unsubscriber {
        Unsubscriber(
            store: installation.store, codec: codec, identities: identities, companies: companies, ids: installation.ids,
            clock: installation.clock, bell: sequenceBell)
    }
}

extension ListenAddress {
    /// What stands in the way of a socket file, and what to do; nil where nothing is known to.
    fileprivate var obstacle: String? {
        guard case .unix(let path) = self else { return nil }
        let files = FileManager.default
        if let type = try? files.attributesOfItem(atPath: path)[.type] as? FileAttributeType, type != .typeSocket {
            return "something is there that is no socket; move it away, or name another path in listen"
        }
        let folder = (path as NSString).deletingLastPathComponent
        var isFolder: ObjCBool = false
        guard files.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue else {
            return "there is no folder \(folder); create it, or name another path in listen"
        }
        return files.isWritableFile(atPath: folder)
            ? nil : "this user may not write to the folder \(folder); grant that, or name another path"
    }
}

/// Ends the process when the store can no longer be trusted: a service that throws brings the group down.
final class Emergency: Service {
    private let (stream, continuation) = AsyncStream.makeStream(of: StoreError.self)

    func raise(_ error: StoreError) { continuation.yield(error) }

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            for await error in self.stream { throw error }
        }
    }
}
