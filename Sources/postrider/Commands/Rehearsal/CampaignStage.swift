import DNS
import Foundation
import InternetMessage
import Logging
import MailTransport
import Mailroom
import NIOCore
import NIOPosix
import Outreach
import Rehearsal
import SQLiteStore
import ServiceLifecycle
import Settings
import Synchronization
import UnixSignals

/// A copy of the installation in a folder of its own, on a clock that is wound, whose every route leads to a sink on this machine.
///
/// The services are those of `serve`; nothing of the installation is changed, and nothing leaves. Nobody answers: what is shown is what
/// happens as long as nobody does.
struct CampaignStage {
    let settings: Settings
    /// The workspace that a person named; nil: none.
    let workspace: String?
    /// The present of the rehearsal.
    let start: Timestamp
    /// How much is played at most.
    let length: Duration
    /// Whether DNS is asked which domains are one site; else each is its own.
    let asksDNS: Bool
    /// Where the copy is made and kept; nil: in a folder for temporary files, and taken away at the end.
    let keptFolder: String?

    /// What the rehearsal stands on and how it ended.
    struct Result {
        let ending: CampaignDirector.Ending
        /// Whether a signal ended it before its end.
        let isInterrupted: Bool
        /// Everything that the rehearsal wrote has an id above this one.
        let mark: TimelineEvent.ID
        /// When the clock stood still.
        let end: Timestamp
    }

    /// Plays it, or goes on with the one that was broken off in the kept folder.
    ///
    /// - Parameters:
    ///   - prepare: brings into the copy what the real state does not have yet; the name of the sequence that it is about.
    ///   - told: called with the present of the rehearsal and with how many messages have left.
    ///   - conclude: reads from the copy what became of everything.
    func run(
        prepare: (OpenState) async throws -> String, told: @escaping @Sendable (Timestamp, Int) -> Void,
        conclude: (OpenState, String, Result) async throws -> Void
    ) async throws {
        StageFolder.removeLeftOvers()
        let path = try keptFolder.map { try StageFolder.open($0) } ?? StageFolder.make()
        defer { if keptFolder == nil { try? FileManager.default.removeItem(atPath: path) } }
        let database = path + StageFolder.database
        let lock = try ServeLock(path: database)
        defer { withExtendedLifetime(lock) {} }
        let note = try StageNote.read(in: path)
        var seed: [UInt8] = []
        if note == nil { seed = try await copyDatabase(to: database) }
        // Only now: whatever the copy tells of came before it.
        let start = max(start, OpenState.clock.now())
        let clock = RehearsalClock(start: note?.start ?? start)
        let ids = RecordIDs(now: { clock.now() }, random: { UInt8.random(in: .min ... .max) })
        let store = try SQLiteStore.open(path: database, mode: note == nil ? .createIfMissing(seed: seed) : .existing, ids: ids)
        let installation = Installation(
            settings: settings, store: store, ids: ids, chance: Chance(seed: try await store.installationSeed()), clock: clock,
            workspaces: try await store.workspaces(making: settings.workspaces))
        let state = try OpenState(installation: installation, asked: workspace)
        if let note { clock.wind(to: try await Self.reached(state, after: TimelineEvent.ID(rawValue: note.mark)) ?? note.start) }
        let uncertain = try await installation.recover()
        if note != nil {
            // The sink keeps nothing, so nobody gets it twice.
            _ = try await store.command(.release(resend: true), on: OutboxSelection(ids: uncertain.map(\.id)), at: clock.now())
        }
        let mark: TimelineEvent.ID = note.map { TimelineEvent.ID(rawValue: $0.mark) } ?? ids.next()
        let sequence: String
        if let note { sequence = note.sequence } else { sequence = try await prepare(state) }
        if note == nil, keptFolder != nil { try StageNote(start: start, mark: mark.rawValue, sequence: sequence).write(in: path) }
        let log = try LogFile(path: path + "/postrider.log", clock: clock)
        let eventLoops = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        do {
            let result = try await play(
                installation, clock: clock, horizon: (note?.start ?? start) + length, mark: mark, eventLoops: eventLoops,
                logger: log.logger("postrider"), told: told)
            try await conclude(state, sequence, result)
            try store.close()
            try await eventLoops.shutdownGracefully()
        } catch {
            try? await eventLoops.shutdownGracefully()
            if let error = error as? RehearsalError { throw Failure(.internalError, error.description) }
            throw error
        }
    }

    /// When the latest thing happened that the rehearsal wrote down; nil when nothing did.
    private static func reached(_ state: OpenState, after mark: TimelineEvent.ID) async throws -> Timestamp? {
        var (after, reached) = (mark, Timestamp?.none)
        while true {
            let page = try await state.store.timeline(after: after, limit: 2000)
            guard let last = page.last else { return reached }
            after = last.id
            reached = max(reached ?? last.at, page.map(\.at).max() ?? last.at)
        }
    }

    /// Copies the database of one moment, when there is one; the seed for a new one in any case.
    private func copyDatabase(to copy: String) async throws -> [UInt8] {
        let database = Installation.databasePath(settings)
        if FileManager.default.fileExists(atPath: database) {
            let store = try DatabaseFile.open(database)
            try await store.backup(to: copy)
            try store.close()
        } else {
            Console.error("note: \(database) is not there yet, so this rehearsal draws its own chances: gaps and hours will be others")
        }
        return (0..<32).map { _ in UInt8.random(in: .min ... .max) }
    }

    // MARK: The services

    private func play(
        _ installation: Installation, clock: RehearsalClock, horizon: Timestamp, mark: TimelineEvent.ID, eventLoops: any EventLoopGroup,
        logger: Logger,
        told: @escaping @Sendable (Timestamp, Int) -> Void
    ) async throws -> Result {
        let web = WebClient(on: eventLoops)
        let sink = try await OpenSink.bind(eventLoops: eventLoops, logger: logger)
        let (dispatch, delivery) = try desks(installation, web: web, sinkPort: sink.port, eventLoops: eventLoops, logger: logger)
        let (sequenceBell, outboxBell) = (Bell(), Bell())
        let director = CampaignDirector(store: installation.store, clock: clock, horizon: horizon) {
            sequenceBell.ring()
            outboxBell.ring()
        }
        let play = Play { try await director.run { told($0, sink.count) } }
        let owner = "rehearsal/\(ProcessInfo.processInfo.processIdentifier)"
        let services: [any Service] = [
            web, sink.service,
            StepDispatcher(
                store: installation.store, desk: Swappable(dispatch), ids: installation.ids, clock: installation.clock, bell: sequenceBell,
                outboxBell: outboxBell, owner: owner, logger: logger),
            OutboxDeliverer(
                store: installation.store, desk: Swappable(delivery), clock: installation.clock, bell: outboxBell,
                sequenceBell: sequenceBell, owner: owner, logger: logger),
        ]
        var configurations = services.map { ServiceGroupConfiguration.ServiceConfiguration(service: $0) }
        configurations.append(.init(service: play, successTerminationBehavior: .gracefullyShutdownGroup))
        var configuration = ServiceGroupConfiguration(
            services: configurations, gracefulShutdownSignals: [.sigterm, .sigint, .sighup], logger: logger)
        configuration.maximumGracefulShutdownDuration = .seconds(10)
        configuration.maximumCancellationDuration = .seconds(5)
        try await ServiceGroup(configuration: configuration).run()
        let end = clock.now()
        return Result(ending: play.ending ?? .finished, isInterrupted: play.ending == nil, mark: mark, end: end)
    }

    /// The desks of the conf, with the sink behind every route, and with the seat belt of a dry run undone, since nothing can leave.
    private func desks(
        _ installation: Installation, web: WebClient, sinkPort: Int, eventLoops: any EventLoopGroup, logger: Logger
    ) throws -> (StepDispatcher.Desk, OutboxDeliverer.Desk) {
        let resolver: any DNS.Resolver = asksDNS ? TransportPolicies.resolver(settings) : StaticResolver([:])
        let logins = try Logins(installation, fetcher: web.http, logger: logger)
        let desks = try Desks(installation, logins: logins, resolver: resolver, eventLoops: eventLoops, logger: logger)
        let routes = try settings.routes.map { section in
            Route(
                name: section.name, kind: .submission(host: "127.0.0.1", port: sinkPort), tls: .none, level: .none,
                trust: try logins.trust(nil), helloName: settings.main.myhostname, allowsPrivateDestinations: true,
                connections: ConnectionLimits(total: section.effectiveProcessLimit, perHost: section.effectiveProcessLimit))
        }
        let real = desks.delivery
        var policy = real.policy
        policy.safety = policy.safety.live
        let courier = Courier(routes: routes, resolver: StaticResolver([:]), eventLoops: eventLoops, seed: 0, logger: logger)
        return (
            StepDispatcher.Desk(
                identities: desks.dispatch.identities, composer: desks.dispatch.composer, chance: desks.dispatch.chance,
                safety: desks.dispatch.safety.live, frequency: desks.dispatch.frequency, webhooks: desks.dispatch.webhooks),
            OutboxDeliverer.Desk(
                courier: courier, signer: real.signer, decider: real.decider, judge: real.judge, identities: real.identities,
                lifetime: real.lifetime, limits: real.limits, addresses: real.addresses, policy: policy)
        )
    }

    /// The play itself as the last of the services: when it ends, the others are shut down.
    private final class Play: Service {
        private let body: @Sendable () async throws -> CampaignDirector.Ending
        private let result = Mutex(CampaignDirector.Ending?.none)

        /// Nil while it goes on, and when it was interrupted.
        var ending: CampaignDirector.Ending? { result.withLock { $0 } }

        init(_ body: @escaping @Sendable () async throws -> CampaignDirector.Ending) { self.body = body }

        func run() async throws {
            try await cancelWhenGracefulShutdown {
                do {
                    let ending = try await self.body()
                    self.result.withLock { $0 = ending }
                } catch is CancellationError {
                    // By a signal: what was played so far is shown.
                }
            }
        }
    }
}

extension SendingSafety {
    /// The same without the seat belt of a dry run.
    fileprivate var live: SendingSafety {
        SendingSafety(isDryRun: false, allowed: allowed, dailyLimit: dailyLimit, batchLimit: batchLimit)
    }
}
