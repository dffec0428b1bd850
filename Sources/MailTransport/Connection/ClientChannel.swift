import NIOCore
import NIOPosix
import OpenSSL

/// A connected channel that reads nothing before its handlers stand in it.
///
/// NIO tries every address of a name and runs a bootstrap's initializer for each of them, so a handler made there may belong to a connection
/// that lost the race. Here the handlers go into the one channel that came of it.
enum ClientChannel {
    /// Connects; a task that is cancelled meanwhile gives up at once, and a connection that still comes of it is closed.
    static func open(
        _ bootstrap: ClientBootstrap, on eventLoop: any EventLoop, _ connect: (ClientBootstrap) throws -> EventLoopFuture<any Channel>
    ) async throws -> any Channel {
        let connecting = try connect(bootstrap.channelOption(.autoRead, value: false))
        let promise = eventLoop.makePromise(of: (any Channel).self)
        connecting.whenSuccess { channel in
            promise.succeed(channel)
            promise.futureResult.whenFailure { _ in channel.close(promise: nil) }
        }
        connecting.whenFailure { promise.fail($0) }
        return try await withTaskCancellationHandler {
            try await promise.futureResult.get()
        } onCancel: {
            promise.fail(CancellationError())
        }
    }

    /// Puts the handler into the channel, with TLS before it where that begins at once, and lets the channel read.
    static func install<Handler: ChannelHandler & SendableMetatype>(
        into channel: any Channel, tls: (context: TLSClientContext, peer: TLSPeer)?, _ make: @escaping @Sendable () -> Handler
    ) async throws -> NIOLoopBound<Handler> {
        do {
            return try await channel.eventLoop.submit {
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
            }.get()
        } catch {
            channel.close(promise: nil)
            throw error
        }
    }
}
