import ArgumentParser
import Foundation
import InternetMessage
import Logging
import Mailroom
import NIOCore
import NIOPosix
import Outreach
import SQLiteStore
import ServiceLifecycle
import Settings
import UnixSignals
import WebInterface

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run everything until SIGTERM (drains); SIGHUP re-reads conf and certificates.")

    @OptionGroup var conf: ConfOption

    func run() async throws {
        try await reportingFailures {
            let hangups = await UnixSignalsSequence(trapping: .sighup)
            let settings = try conf.load()
            LoggingSystem.bootstrap { label in
                LineLog(label: label, format: settings.log.format, logLevel: Logger.Level(rawValue: settings.log.level.rawValue) ?? .info)
            }
            let logger = Logger(label: "postrider")
            try Installation.prepareStateDirectory(settings)
            let lock = try ServeLock(path: Installation.databasePath(settings))
            defer { withExtendedLifetime(lock) {} }
            let installation = try await Installation.open(settings)
            if installation.isNew { logger.notice("a new database was made", metadata: ["path": "\(installation.store.path)"]) }
            for message in try await installation.recover() {
                logger.warning(
                    "ambiguous: the process ended between the final dot and its reply; held for a person",
                    metadata: [
                        "message.id": "\(message.id)", "to": "\(message.recipient.text)",
                        "message.message_id": "\(message.messageID.text)",
                    ])
            }
            let eventLoops = MultiThreadedEventLoopGroup(numberOfThreads: 2)
            let resolver = TransportPolicies.resolver(settings)
            try await TransportPolicies.requireValidation(settings, of: resolver, logger: logger)
            let appliance = try Appliance(installation, resolver: resolver, eventLoops: eventLoops, logger: logger)
            if let note = ConfNotes.nowhere(settings) {
                logger.log(level: ConfNotes.isUnconfigured(settings) ? .critical : .warning, "\(note)")
            }
            var services = try await appliance.services()
            services.append(ForeignCommits(store: installation.store, appliance: appliance, logger: logger))
            services.append(Reloader(path: conf.path, hangups: hangups, appliance: appliance, logger: logger))
            services.append(appliance.alerter())
            if let http = settings.http { services.append(try web(http, appliance, logger: logger)) }
            var configuration = ServiceGroupConfiguration(
                services: services.map { .init(service: $0) }, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
            configuration.maximumGracefulShutdownDuration = .seconds(30)
            configuration.maximumCancellationDuration = .seconds(10)
            try await ServiceGroup(configuration: configuration).run()
            try await installation.store.releaseLeases(owner: appliance.owner)
            try installation.store.close()
            try await eventLoops.shutdownGracefully()
            logger.notice("stopped")
        }
    }

    private func web(_ http: HTTPSettings, _ appliance: Appliance, logger: Logger) throws -> WebServer {
        guard case .ip(let host, let port) = http.listen else {
            throw Failure(.configuration, "[http] listen must be an address and a port")
        }
        let installation = appliance.installation
        return WebServer(
            desk: LinkDesk(unsubscriber: appliance.unsubscriber, logger: logger),
            tracking: TrackingLinks(recorder: appliance.hitRecorder, logger: logger),
            board: StoreBoard(
                store: installation.store, title: "Postrider", clock: installation.clock, mailboxes: appliance.mailboxBoard,
                showsPage: false), host: host,
            port: port,
            logger: logger)
    }
}
