import NIOCore
import NIOEmbedded
import OpenSSL

/// A client and a server whose ciphertext is carried over by hand.
final class EmbeddedPair {
    struct Side {
        let channel = EmbeddedChannel()
        let recorder = Recorder()
    }

    let client = Side()
    let server = Side()

    init(
        certificate: String = "good", peer: TLSPeer = .verified(name: testHost), halfClosure: Bool = false,
        closeTimeLimit: TimeAmount = .seconds(2), connected: Bool = true
    ) throws {
        let handlers = [
            (client, try TLSChannelHandler(client: TestCertificates.client(), peer: peer, closeTimeLimit: closeTimeLimit)),
            (server, try TLSChannelHandler(server: TestCertificates.server(certificate), closeTimeLimit: closeTimeLimit)),
        ]
        for (side, handler) in handlers {
            side.channel.allowRemoteHalfClosure = halfClosure
            try side.channel.pipeline.syncOperations.addHandlers([OutputEnd(), handler, side.recorder])
        }
        if connected { try connect() }
    }

    func connect() throws {
        try server.channel.connect(to: SocketAddress(unixDomainSocketPath: "server")).wait()
        try client.channel.connect(to: SocketAddress(unixDomainSocketPath: "client")).wait()
    }

    /// What `side` has to say to its peer by now.
    func take(from side: Side) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while let buffer = try side.channel.readOutbound(as: ByteBuffer.self) { bytes += buffer.readableBytesView }
        return bytes
    }

    /// Gives ciphertext to `side`, in pieces of `size` octets.
    func give(_ bytes: [UInt8], to side: Side, pieces size: Int = .max) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = rest.prefix(size)
            rest = rest.dropFirst(piece.count)
            try side.channel.writeInbound(ByteBuffer(bytes: piece))
        }
    }

    /// Carries ciphertext both ways until nobody has anything to say; the number of octets carried.
    @discardableResult
    func carry(pieces size: Int = .max) throws -> Int {
        var carried = 0
        while true {
            let fromClient = try take(from: client)
            try give(fromClient, to: server, pieces: size)
            let fromServer = try take(from: server)
            try give(fromServer, to: client, pieces: size)
            if fromClient.isEmpty, fromServer.isEmpty { return carried }
            carried += fromClient.count + fromServer.count
        }
    }

    /// Ends the test: closes what is open.
    func finish() {
        for side in [client, server] { side.channel.end() }
    }
}

/// An embedded channel closes altogether when only its output is to end; a socket does not.
final class OutputEnd: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        if mode == .output { promise?.succeed() } else { context.close(mode: mode, promise: promise) }
    }
}

extension EmbeddedChannel {
    /// Closes without waiting for a peer that will not come; `finish()` alone would wait for ever.
    func end() {
        close(promise: nil)
        embeddedEventLoop.advanceTime(by: .hours(1))
        _ = try? finish(acceptAlreadyClosed: true)
    }
}

struct Unsettled: Error {}

/// The result of a future of an embedded channel; unlike `wait()` it does not hang where there is none yet.
func settled(_ future: EventLoopFuture<Void>) throws {
    final class Box { var result: Result<Void, any Error> = .failure(Unsettled()) }
    let box = Box()
    future.assumeIsolated().whenComplete { box.result = $0 }
    try box.result.get()
}
