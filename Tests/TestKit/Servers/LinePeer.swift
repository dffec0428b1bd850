import NIOCore
import NIOPosix
import Synchronization

/// A server on 127.0.0.1 for a protocol of lines, in clear: a function of the lines of a connection says what is answered.
package final class LinePeer: Sendable {
    private let channel: any Channel
    private let seen: Seen

    private final class Seen: Sendable {
        let connections = Mutex<[[String]]>([])
    }

    package var port: Int { channel.localAddress?.port ?? 0 }
    /// The lines of each connection, without their ends.
    package var connections: [[String]] { seen.connections.withLock { $0 } }

    private init(_ channel: any Channel, _ seen: Seen) {
        self.channel = channel
        self.seen = seen
    }

    /// - Parameter answer: gets all lines of the connection so far, the last one to be answered; nil says nothing.
    package static func start(greeting: String, answer: @escaping @Sendable ([String]) -> String?) async throws -> LinePeer {
        let seen = Seen()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton).childChannelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(Handler(greeting: greeting, answer: answer, seen: seen))
            }
        }.bind(host: "127.0.0.1", port: 0).get()
        return LinePeer(channel, seen)
    }

    package func stop() async { try? await channel.close() }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let greeting: String
        private let answer: @Sendable ([String]) -> String?
        private let seen: Seen
        private var number = 0
        private var input = ByteBuffer()

        init(greeting: String, answer: @escaping @Sendable ([String]) -> String?, seen: Seen) {
            self.greeting = greeting
            self.answer = answer
            self.seen = seen
        }

        func channelActive(context: ChannelHandlerContext) {
            number = seen.connections.withLock { connections in
                connections.append([])
                return connections.count - 1
            }
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: greeting)), promise: nil)
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var more = unwrapInboundIn(data)
            input.writeBuffer(&more)
            while let end = input.readableBytesView.firstIndex(of: 10) {
                let length = end - input.readerIndex + 1
                let line = String(decoding: (input.readBytes(length: length) ?? []).dropLast(2), as: UTF8.self)
                let lines = seen.connections.withLock { connections in
                    connections[number].append(line)
                    return connections[number]
                }
                if let text = answer(lines) { context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil) }
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
