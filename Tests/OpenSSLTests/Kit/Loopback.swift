import NIOCore
import NIOPosix
import OpenSSL

/// TLS over real sockets on the loopback.
enum Loopback {
    /// What the client's end made of it.
    enum Outcome: Sendable {
        case completed(TLSFacts)
        case failed(TLSError)
    }

    /// Collects the outcome of one handshake.
    private final class Waiter: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private var promise: EventLoopPromise<Outcome>?

        init(_ promise: EventLoopPromise<Outcome>) { self.promise = promise }

        private func settle(_ outcome: Result<Outcome, any Error>) {
            promise?.completeWith(outcome)
            promise = nil
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if let completed = event as? TLSHandshakeCompleted { settle(.success(.completed(completed.facts))) }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            if let error = error as? TLSError { settle(.success(.failed(error))) } else { settle(.failure(error)) }
        }

        func channelInactive(context: ChannelHandlerContext) { settle(.failure(ChannelError.eof)) }
    }

    /// Sends back what it gets.
    final class Echo: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        func channelRead(context: ChannelHandlerContext, data: NIOAny) { context.write(data, promise: nil) }
        func channelReadComplete(context: ChannelHandlerContext) { context.flush() }
        func errorCaught(context: ChannelHandlerContext, error: any Error) {}
    }

    static func listen(
        _ prepare: @escaping @Sendable (any Channel) throws -> Void
    ) async throws -> any Channel {
        try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in channel.eventLoop.makeCompletedFuture { try prepare(channel) } }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    static func connect(
        _ port: Int, _ prepare: @escaping @Sendable (any Channel) throws -> Void
    ) async throws -> any Channel {
        try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in channel.eventLoop.makeCompletedFuture { try prepare(channel) } }
            .connect(host: "127.0.0.1", port: port).get()
    }

    /// One handshake with whoever listens on `port`.
    static func shake(_ context: TLSClientContext, _ peer: TLSPeer, port: Int) async throws -> Outcome {
        let promise = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: Outcome.self)
        let channel: any Channel
        do {
            channel = try await connect(port) { channel in
                try channel.pipeline.syncOperations.addHandlers([try TLSChannelHandler(client: context, peer: peer), Waiter(promise)])
            }
        } catch {
            promise.fail(error)
            throw error
        }
        let outcome = try await promise.futureResult.get()
        try? await channel.close()
        return outcome
    }
}
