import Foundation
import InternetMessage
import Logging
import Mailroom
import NIOCore
import Outreach
import Rehearsal
import SQLiteStore
import ServiceLifecycle
import Settings
import Synchronization
import UnixSignals
import WebInterface

/// One demo from folder to verdict: the services as `serve` runs them, on a clock that is wound, with the rehearsal world around them.
struct DemoRun {
    let path: String
    let eventLoops: any EventLoopGroup
    let log: LogFile
    let report: DemoReport
    /// Whether it goes on after the verdict until it is told to stop.
    let keeps: Bool
    let pace: Duration
    let deadline: Duration

    /// How a demo ended.
    enum Outcome: Sendable {
        case asScripted
        case different
        /// By a signal, before the verdict.
        case interrupted
    }

    let clock: RehearsalClock

    func run() async throws -> Outcome {
        let logger = log.logger("postrider")
        // The world needs the key of the demo, and the conf needs the port of the world.
        let keys = try DemoKeys.make()
        let world = try await RehearsalWorld.open(
            cast: Cast.all, expectation: keys.expectation, clock: clock, eventLoops: eventLoops, logger: log.logger("world"))
        let folder = try await DemoFolder.make(in: path, keys: keys, sinkPort: world.sink.port, eventLoops: eventLoops)
        let installation = try await Installation.open(folder.settings, clock: clock)
        try await DemoContacts(installation: installation).enroll()
        let appliance = try Appliance(installation, resolver: world.resolver, eventLoops: eventLoops, logger: logger)
        let stage = Stage(
            director: Director(
                store: installation.store, world: world, clock: clock,
                ports: .init(listener: folder.listenerPort, web: folder.webPort), pace: pace,
                deadline: deadline),
            judge: Judge(store: installation.store, world: world),
            teller: DemoTeller(store: installation.store, world: world, report: report), clock: clock, report: report,
            webPort: folder.webPort,
            path: path, keeps: keeps)
        report.opening(contacts: world.cast.count, path: path)
        var services: [any Service] = [world.sink.service]
        services += try await appliance.services()
        services.append(
            WebServer(
                desk: LinkDesk(unsubscriber: appliance.unsubscriber, logger: logger),
                tracking: TrackingLinks(recorder: appliance.hitRecorder, logger: logger),
                board: StoreBoard(store: installation.store, title: "Postrider demo", clock: clock, showsPage: true), host: "127.0.0.1",
                port: folder.webPort, logger: logger
            ) { _ in stage.curtain.yield() })
        var configurations = services.map { ServiceGroupConfiguration.ServiceConfiguration(service: $0) }
        configurations.append(.init(service: stage, successTerminationBehavior: .gracefullyShutdownGroup))
        var configuration = ServiceGroupConfiguration(
            services: configurations, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        configuration.maximumGracefulShutdownDuration = .seconds(10)
        configuration.maximumCancellationDuration = .seconds(5)
        try await ServiceGroup(configuration: configuration).run()
        try await installation.store.releaseLeases(owner: appliance.owner)
        try installation.store.close()
        return stage.outcome
    }

    /// The rehearsal itself as the last of the services: when it ends, the others are shut down.
    final class Stage: Service {
        let curtain: AsyncStream<Void>.Continuation
        private let raised: AsyncStream<Void>
        private let director: Director
        private let judge: Judge
        private let teller: DemoTeller
        private let clock: RehearsalClock
        private let report: DemoReport
        private let webPort: Int
        private let path: String
        private let keeps: Bool
        private let result = Mutex(Outcome.interrupted)

        var outcome: Outcome { result.withLock { $0 } }

        init(
            director: Director, judge: Judge, teller: DemoTeller, clock: RehearsalClock, report: DemoReport, webPort: Int, path: String,
            keeps: Bool
        ) {
            (raised, curtain) = AsyncStream.makeStream()
            self.director = director
            self.judge = judge
            self.teller = teller
            self.clock = clock
            self.report = report
            self.webPort = webPort
            self.path = path
            self.keeps = keeps
        }

        func run() async throws {
            try await cancelWhenGracefulShutdown {
                do {
                    try await self.rehearse()
                } catch is CancellationError {
                    self.report.trouble("interrupted before the end")
                } catch let error as RehearsalError {
                    self.report.trouble(error.description)
                    self.result.withLock { $0 = .different }
                    try await self.judgement()
                }
            }
            if keeps, !Task.isShuttingDownGracefully {
                report.keeping(port: webPort, path: path)
                try? await gracefulShutdown()
            }
        }

        private func rehearse() async throws {
            for await _ in raised { break }
            let started = ContinuousClock.now
            if keeps { report.keeping(port: webPort, path: path) }
            try await director.run { try await teller.tell() }
            let isAsScripted = try await judgement()
            result.withLock { $0 = isAsScripted ? .asScripted : .different }
            report.summary(isAsScripted: isAsScripted, simulated: clock.now() - Cast.start, took: ContinuousClock.now - started)
        }

        /// Shows how every contact ended.
        @discardableResult
        private func judgement() async throws -> Bool {
            try await teller.tell()
            let verdicts = try await judge.verdicts(now: clock.now())
            report.results(verdicts)
            return !verdicts.isEmpty && verdicts.allSatisfy(\.differences.isEmpty)
        }
    }
}
