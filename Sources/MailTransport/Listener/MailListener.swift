import DNS
package import Logging
package import NIOCore
import NIOPosix
package import OpenSSL
package import SMTP
import Synchronization

/// Listens for SMTP or LMTP on one address and brings what comes to the desk.
///
/// Invariants: `250` after the final dot only when the desk stored the message; no relay; caps on connections hold before anything is read.
package struct MailListener: Sendable {
    package enum Address: Sendable, Hashable, CustomStringConvertible {
        case host(String, port: Int)
        /// A socket file; one that is left over is replaced.
        ///
        /// `group`: the name of its group; nil: that of the process.
        case socket(path: String, mode: UInt32, group: String? = nil)

        package var description: String {
            switch self {
            case .host(let host, let port): "\(host):\(port)"
            case .socket(let path, _, _): "unix:\(path)"
            }
        }
    }

    package struct Configuration: Sendable {
        package var address: Address
        package var session: ServerConfiguration
        package var maximumConnections: Int
        package var maximumConnectionsPerAddress: Int
        /// Connections from there begin with a PROXY header that names the client, and count for that one.
        package var proxies: PeerNetworks

        package init(
            address: Address, session: ServerConfiguration, maximumConnections: Int = 500, maximumConnectionsPerAddress: Int = 20,
            proxies: PeerNetworks = .none
        ) {
            self.address = address
            self.session = session
            self.maximumConnections = maximumConnections
            self.maximumConnectionsPerAddress = maximumConnectionsPerAddress
            self.proxies = proxies
        }
    }

    private typealias Server = NIOAsyncChannel<Connection, Never>

    private struct Connection: Sendable {
        let channel: any Channel
        let handler: NIOLoopBound<SMTPServerHandler>
        let offered: AsyncStream<InboundMail>
    }

    private let configuration: Configuration
    private let desk: any InboundDesk
    private let server: Server
    private let open = OpenConnections()
    private let logger: Logger

    /// The port that is listened on; nil for a socket file.
    package var port: Int? { server.channel.localAddress?.port }

    private init(
        configuration: Configuration, desk: any InboundDesk, server: Server, logger: Logger
    ) {
        self.configuration = configuration
        self.desk = desk
        self.server = server
        self.logger = logger
    }

    /// Binds the address; connections wait until `run`.
    ///
    /// - Parameters:
    ///   - budget: shared with every other listener of the process, but in tests.
    ///   - tls: asked for each connection, so that a new certificate serves the next one; nil: STARTTLS is not offered.
    /// - Throws: when the address cannot be bound.
    package static func bind(
        _ configuration: Configuration, desk: any InboundDesk, tls: @escaping @Sendable () -> TLSServerContext?,
        eventLoops: any EventLoopGroup, budget: ContentBudget = .process, logger: Logger
    ) async throws -> MailListener {
        let census = Census(limit: configuration.maximumConnections, limitPerAddress: configuration.maximumConnectionsPerAddress)
        let headerFaults = LineLimit()
        let initializer: @Sendable (any Channel) -> EventLoopFuture<Connection> = { channel in
            channel.eventLoop.makeCompletedFuture {
                try connect(
                    channel, configuration: configuration, desk: desk, tls: tls(), census: census, budget: budget,
                    headerFaults: headerFaults, logger: logger)
            }
        }
        let bootstrap = ServerBootstrap(group: eventLoops).serverChannelOption(.backlog, value: 1024).serverChannelOption(
            .socketOption(.so_reuseaddr), value: 1
        ).childChannelOption(.allowRemoteHalfClosure, value: true)
        let server: Server
        switch configuration.address {
        case .host(let host, let port):
            server = try await bootstrap.childChannelOption(.tcpOption(.tcp_nodelay), value: 1).bind(
                host: host, port: port, childChannelInitializer: initializer)
        case .socket(let path, let mode, let group):
            server = try await bootstrap.bind(
                unixDomainSocketPath: path, cleanupExistingSocketFile: true, childChannelInitializer: initializer)
            if let group { try SocketFile.setGroup(group, of: path) }
            try SocketFile.setMode(mode, of: path)
        }
        return MailListener(configuration: configuration, desk: desk, server: server, logger: logger)
    }

    private static func connect(
        _ channel: any Channel, configuration: Configuration, desk: any InboundDesk, tls: TLSServerContext?, census: Census,
        budget: ContentBudget, headerFaults: LineLimit, logger: Logger
    ) throws -> Connection {
        let address = channel.remoteAddress?.ipAddress
        let isProxied = address.flatMap { IPAddress($0) }.map(configuration.proxies.contains) ?? false
        let (offered, continuation) = AsyncStream.makeStream(of: InboundMail.self)
        var session = configuration.session
        session.offersTLS = tls != nil
        let handler = SMTPServerHandler(
            configuration: session, peer: address, isProxied: isProxied, tls: tls, census: census, budget: budget,
            verdict: { desk.verdict(forwardPath: $0) }, isUnderPressure: { budget.isUnderPressure || desk.isUnderPressure },
            offers: continuation
        ) { peer, end in
            switch end {
            case .closed(let reason):
                logger.debug(
                    "connection closed", metadata: ["remote.address": "\(peer)", "reason": "\(reason.map { "\($0)" } ?? "peer")"])
            case .noHeader(let fault):
                guard let leftOut = headerFaults.next() else { return }
                logger.info(
                    "connection from a proxy's network closed; each must begin with a PROXY header (v1 or v2)",
                    metadata: ["remote.address": "\(peer)", "reason": "\(fault)", "left_out": "\(leftOut)"])
            }
        }
        try channel.pipeline.syncOperations.addHandler(handler)
        return Connection(channel: channel, handler: NIOLoopBound(handler, eventLoop: channel.eventLoop), offered: offered)
    }

    /// Serves until `stop`, then until the last connection has ended.
    package func run() async throws {
        try await server.executeThenClose { inbound in
            await withDiscardingTaskGroup { group in
                do {
                    for try await connection in inbound {
                        open.add(connection.handler, on: connection.channel)
                        group.addTask(executorPreference: LoopExecutor(connection.channel.eventLoop)) { await serve(connection) }
                    }
                } catch is CancellationError {
                    // Something else failed, and says so.
                } catch {
                    logger.error("the listener failed", metadata: ["address": "\(configuration.address)", "error": "\(error)"])
                }
                open.shutDown()
            }
        }
    }

    /// Takes no new connection; messages whose content is coming are taken in to their end, everything else ends with 421.
    package func stop() {
        server.channel.close(promise: nil)
        open.shutDown()
    }

    /// Runs on the connection's event loop.
    private func serve(_ connection: Connection) async {
        for await mail in connection.offered {
            let verdict = await desk.accept(mail)
            connection.handler.value.delivered(verdict)
            log(mail, verdict)
        }
    }

    private func log(_ mail: InboundMail, _ verdict: DeliveryVerdict) {
        logger.info(
            "message offered",
            metadata: [
                "remote.address": "\(mail.peer)", "helo": "\(String(decoding: mail.envelope.helloName, as: UTF8.self))",
                "with": "\(mail.envelope.transmissionType)", "size": "\(mail.content.count)", "verdict": "\(verdict)",
            ])
    }
}

/// The connections to be told when the listener stops.
private final class OpenConnections: Sendable {
    private let state = Mutex((stopped: false, open: [ObjectIdentifier: @Sendable () -> Void]()))

    func add(_ handler: NIOLoopBound<SMTPServerHandler>, on channel: any Channel) {
        let key = ObjectIdentifier(channel)
        let tell: @Sendable () -> Void = { channel.eventLoop.execute { handler.value.shutDown() } }
        let stopped = state.withLock { state in
            if !state.stopped { state.open[key] = tell }
            return state.stopped
        }
        if stopped { tell() }
        channel.closeFuture.whenComplete { _ in self.state.withLock { $0.open[key] = nil } }
    }

    func shutDown() {
        let open = state.withLock { state in
            state.stopped = true
            return Array(state.open.values)
        }
        for tell in open { tell() }
    }
}
