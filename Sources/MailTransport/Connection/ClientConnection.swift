import NIOCore
import NIOPosix
import OpenSSL
import SMTP

/// An open channel with its SMTP client handler, reachable from any task.
struct ClientConnection: Sendable {
    private let channel: any Channel
    private let handler: NIOLoopBound<SMTPClientHandler>

    /// Connects and puts the handlers in place; with implicit TLS the handshake begins at once.
    ///
    /// - Parameter names: finds the addresses of host names; nil: the system does.
    static func open(
        to host: Destination, route: Route, peer: TLSPeer, content: ByteBuffer, news: AsyncStream<SMTPClientHandler.News>.Continuation,
        on eventLoops: any EventLoopGroup, names: (any NIOPosix.Resolver & Sendable)? = nil
    ) async throws -> ClientConnection {
        let eventLoop = eventLoops.next()
        var bootstrap = ClientBootstrap(group: eventLoop).connectTimeout(TimeAmount(route.timeouts.connect)).channelOption(
            .tcpOption(.tcp_nodelay), value: 1
        ).resolver(names)
        do {
            if let source = route.sourceAddress { bootstrap = try bootstrap.bind(to: SocketAddress(ipAddress: source, port: 0)) }
            let channel = try await ClientChannel.open(bootstrap, on: eventLoop) { try host.connect(with: $0) }
            let handler = try await ClientChannel.install(
                into: channel, tls: route.tls == .implicit ? (route.trust, peer) : nil
            ) { SMTPClientHandler(route: route, peer: peer, content: content, news: news) }
            return ClientConnection(channel: channel, handler: handler)
        } catch {
            news.finish()
            throw error
        }
    }

    /// Does something with the handler on its event loop; nothing once the channel is gone.
    func tell(_ order: @escaping @Sendable (SMTPClientHandler) -> Void) {
        channel.eventLoop.execute { order(handler.value) }
    }

    /// Returns when the channel is closed, also in a task that was cancelled.
    func closed() async { try? await channel.closeFuture.get() }

    func facts() async -> SMTPClientHandler.Facts? {
        try? await channel.eventLoop.submit { handler.value.facts }.get()
    }
}
