import NIOCore
import NIOPosix
import Synchronization

/// A server on 127.0.0.1 that says what it is told to say, and writes down the lines that come.
///
/// `answers` maps the first word of a line (in upper case) to what is said to it; a word without an answer gets silence. A line within DATA is
/// not answered, the dot is `"."`.
final class ScriptedPeer: Sendable {
    private let channel: any Channel
    private let state: State

    final class State: Sendable {
        let lines = Mutex<[String]>([])
        let connections = Mutex(0)
    }

    var port: Int { channel.localAddress?.port ?? 0 }
    var lines: [String] { state.lines.withLock { $0 } }
    var connections: Int { state.connections.withLock { $0 } }

    private init(_ channel: any Channel, _ state: State) {
        self.channel = channel
        self.state = state
    }

    static func start(greeting: String?, _ answers: [String: String]) async throws -> ScriptedPeer {
        let state = State()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton).childChannelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                state.connections.withLock { $0 += 1 }
                try channel.pipeline.syncOperations.addHandler(Handler(greeting: greeting, answers: answers, state: state))
            }
        }.bind(host: "127.0.0.1", port: 0).get()
        return ScriptedPeer(channel, state)
    }

    func stop() async { try? await channel.close() }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let greeting: String?
        private let answers: [String: String]
        private let state: State
        private var input = ByteBuffer()
        private var isInData = false

        init(greeting: String?, answers: [String: String], state: State) {
            self.greeting = greeting
            self.answers = answers
            self.state = state
        }

        func channelActive(context: ChannelHandlerContext) { if let greeting { say(greeting, context) } }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var more = unwrapInboundIn(data)
            input.writeBuffer(&more)
            while let end = input.readableBytesView.firstIndex(of: 10) {
                let length = end - input.readerIndex + 1
                let line = String(decoding: (input.readBytes(length: length) ?? []).dropLast(2), as: UTF8.self)
                if isInData, line != "." { continue }
                isInData = false
                state.lines.withLock { $0.append(line) }
                let word = line.split(separator: " ").first.map { $0.uppercased() } ?? ""
                if word == "DATA" { isInData = true }
                if let answer = answers[word] { say(answer, context) }
            }
        }

        private func say(_ text: String, _ context: ChannelHandlerContext) {
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
        }
    }

    /// A mail server in order, but for what `changes` says.
    static func mail(_ changes: [String: String?] = [:]) async throws -> ScriptedPeer {
        var answers: [String: String] = [
            "EHLO": "250 peer\r\n", "MAIL": "250 2.1.0 Ok\r\n", "RCPT": "250 2.1.5 Ok\r\n", "DATA": "354 go\r\n",
            ".": "250 2.0.0 taken\r\n",
            "RSET": "250 2.0.0 Ok\r\n", "QUIT": "221 2.0.0 Bye\r\n",
        ]
        for (word, answer) in changes { answers[word] = answer }
        return try await start(greeting: "220 peer ESMTP\r\n", answers)
    }
}

/// Gives every name these addresses of IPv4, in this order.
final class FixedAddresses: NIOPosix.Resolver, Sendable {
    private let eventLoop: any EventLoop
    private let addresses: [String]

    init(_ addresses: [String], on eventLoop: any EventLoop) {
        self.addresses = addresses
        self.eventLoop = eventLoop
    }

    func initiateAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> {
        eventLoop.makeCompletedFuture { try addresses.map { try SocketAddress(ipAddress: $0, port: port) } }
    }

    func initiateAAAAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> { eventLoop.makeSucceededFuture([]) }

    func cancelQueries() {}
}
