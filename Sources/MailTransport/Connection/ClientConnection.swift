import NIOCore
import NIOPosix
import OpenSSL
import SMTP

/// An open channel with its SMTP client handler, reachable from any task.
struct ClientConnection: Sendable {
    private let channel: ClientChannel<SMTPClientHandler>

    /// Connects and puts the handlers in place; with implicit TLS the handshake begins at once.
    ///
    /// - Parameters:
    ///   - number: of the connection in the pool, which the handler tells when the connection is free or gone.
    ///   - names: finds the addresses of host names; nil: the system does.
    static func open(
        to host: Destination, route: Route, peer: TLSPeer, order: DeliveryOrder, pool: ConnectionPool, number: Int,
        on eventLoops: any EventLoopGroup, names: (any NIOPosix.Resolver & Sendable)? = nil
    ) async throws -> ClientConnection {
        let eventLoop = eventLoops.next()
        let channel = try await ClientChannel.open(
            on: eventLoop, tls: route.tls == .implicit ? (route.trust, peer) : nil,
            connect: { bootstrap in
                var bootstrap = bootstrap.connectTimeout(TimeAmount(route.timeouts.connect))
                    .channelOption(.tcpOption(.tcp_nodelay), value: 1).resolver(names)
                if let source = route.sourceAddress { bootstrap = try bootstrap.bind(to: SocketAddress(ipAddress: source, port: 0)) }
                return try host.connect(with: bootstrap)
            }
        ) { SMTPClientHandler(route: route, peer: peer, order: order, pool: pool, number: number) }
        return ClientConnection(channel: channel)
    }

    /// Does something with the handler on its event loop, after whatever it was told before.
    func tell(_ what: @escaping @Sendable (SMTPClientHandler) -> Void) { channel.tell(what) }

    /// The same, unless the connection is done with the order.
    func tell(_ order: DeliveryOrder, _ what: @escaping @Sendable (SMTPClientHandler) -> Void) {
        tell { if $0.isAt(order) { what($0) } }
    }

    /// Closes without a farewell.
    func close() { channel.channel.close(promise: nil) }
}
