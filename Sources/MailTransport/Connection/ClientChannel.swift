import NIOCore
import NIOPosix
import OpenSSL

/// A connected channel that reads nothing before its handler stands in it.
///
/// NIO tries every address of a name and runs a bootstrap's initializer for each of them, so a handler made there may belong to a connection
/// that lost the race. Here the handler goes into the one channel that came of it, in the same turn of its event loop: a server that speaks
/// and closes at once would otherwise be read by nobody, because NIO takes in what is left before it tells of the end.
struct ClientChannel<Handler: ChannelHandler & SendableMetatype>: Sendable {
    let channel: any Channel
    let handler: NIOLoopBound<Handler>

    /// Connects and puts the handler into the channel, with TLS before it where that begins at once; a task that is cancelled meanwhile gives
    /// up at once, and a connection that still comes of it is closed.
    ///
    /// - Parameter connect: settles what else the connection is to be, and begins it, on the event loop.
    static func open(
        on eventLoop: any EventLoop, tls: (context: TLSClientContext, peer: TLSPeer)?,
        connect: @escaping @Sendable (ClientBootstrap) throws -> EventLoopFuture<any Channel>, _ make: @escaping @Sendable () -> Handler
    ) async throws -> ClientChannel {
        let promise = eventLoop.makePromise(of: ClientChannel.self)
        eventLoop.execute {
            // All of this happens on the event loop alone, so that nothing can overtake anything: not even a connection that stands at once.
            let isGivenUp = NIOLoopBoundBox(false, eventLoop: eventLoop)
            promise.futureResult.whenFailure { _ in isGivenUp.value = true }
            let connecting: EventLoopFuture<any Channel>
            do {
                connecting = try connect(ClientBootstrap(group: eventLoop).channelOption(.autoRead, value: false))
            } catch {
                return promise.fail(error)
            }
            connecting.hop(to: eventLoop).whenComplete { result in
                switch result {
                case .failure(let error): promise.fail(error)
                case .success(let channel) where isGivenUp.value: channel.close(promise: nil)
                case .success(let channel):
                    do {
                        promise.succeed(ClientChannel(channel: channel, handler: try install(into: channel, tls: tls, make)))
                    } catch {
                        channel.close(promise: nil)
                        promise.fail(error)
                    }
                }
            }
        }
        return try await withTaskCancellationHandler {
            try await promise.futureResult.get()
        } onCancel: {
            promise.fail(CancellationError())
        }
    }

    private static func install(
        into channel: any Channel, tls: (context: TLSClientContext, peer: TLSPeer)?, _ make: () -> Handler
    ) throws -> NIOLoopBound<Handler> {
        guard channel.isActive else { throw ChannelError.ioOnClosedChannel }
        let handler = make()
        try channel.pipeline.syncOperations.addHandler(handler)
        if let tls {
            let shield = try TLSChannelHandler(client: tls.context, peer: tls.peer)
            try channel.pipeline.syncOperations.addHandler(shield, position: .first)
        }
        // A channel that is gone already has told the handler so.
        try? channel.syncOptions?.setOption(.autoRead, value: true)
        return NIOLoopBound(handler, eventLoop: channel.eventLoop)
    }

    /// Does something with the handler on its event loop, after whatever it was told before.
    func tell(_ what: @escaping @Sendable (Handler) -> Void) {
        channel.eventLoop.execute { what(handler.value) }
    }
}
