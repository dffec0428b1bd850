import NIOCore
import NIOPosix
import OpenSSL
import SMTP

/// An open channel with its SMTP client handler, reachable from any task.
struct ClientConnection: Sendable {
    private let channel: any Channel
    private let handler: NIOLoopBound<SMTPClientHandler>

    /// Connects and puts the handlers in place; with implicit TLS the handshake begins at once.
    static func open(
        to host: Destination, route: Route, peer: TLSPeer, content: ByteBuffer, news: AsyncStream<SMTPClientHandler.News>.Continuation,
        on eventLoops: any EventLoopGroup
    ) async throws -> ClientConnection {
        let eventLoop = eventLoops.next()
        let promise = eventLoop.makePromise(of: NIOLoopBound<SMTPClientHandler>.self)
        var bootstrap = ClientBootstrap(group: eventLoop).connectTimeout(TimeAmount(route.timeouts.connect)).channelOption(
            .tcpOption(.tcp_nodelay), value: 1
        )
        .channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                let handler = SMTPClientHandler(route: route, peer: peer, content: content, news: news)
                if route.tls == .implicit {
                    try channel.pipeline.syncOperations.addHandler(TLSChannelHandler(client: route.trust, peer: peer))
                }
                try channel.pipeline.syncOperations.addHandler(handler)
                promise.succeed(NIOLoopBound(handler, eventLoop: channel.eventLoop))
            }
        }
        if let source = route.sourceAddress { bootstrap = try bootstrap.bind(to: SocketAddress(ipAddress: source, port: 0)) }
        do {
            let channel = try await host.connect(with: bootstrap)
            return ClientConnection(channel: channel, handler: try await promise.futureResult.get())
        } catch {
            promise.fail(error)
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
