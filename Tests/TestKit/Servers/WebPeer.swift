import Glibc
import NIOCore
import NIOPosix
import OpenSSL
import Synchronization

/// A web server on 127.0.0.1 that answers as the test says, over HTTPS or in clear, and writes down what it was asked.
///
/// It speaks just enough HTTP/1.1 for one request after another, shares no code with the client, and can misbehave.
package final class WebPeer: Sendable {
    /// One request, whole.
    package struct Request: Sendable {
        package let method: String
        /// With its query.
        package let path: String
        /// Names in lower case.
        package let headers: [(name: String, value: String)]
        package let body: String

        package func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }

        /// The value of a form field, decoded.
        package func field(_ name: String) -> String? {
            for pair in body.split(separator: "&") {
                let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                guard parts.first.map({ $0 == name }) == true, parts.count == 2 else { continue }
                return String(parts[1]).replacing("+", with: " ").removingPercents
            }
            return nil
        }
    }

    package enum Answer: Sendable {
        /// A whole response.
        case reply(Int, headers: [String] = [], body: String)
        /// These octets, and the connection is closed.
        case raw(String)
        /// Nothing, and the connection stays.
        case silence
        /// The connection is closed.
        case drop
        /// The connection is reset.
        case reset
        /// A response that never ends, in chunks of a kilobyte.
        case endless

        /// A JSON document.
        package static func json(_ body: String) -> Answer { json(200, body) }

        /// A JSON document with another status than 200.
        package static func json(_ status: Int, _ body: String) -> Answer {
            .reply(status, headers: ["Content-Type: application/json"], body: body)
        }
    }

    private let channel: any Channel
    private let seen: Seen

    private final class Seen: Sendable {
        let requests = Mutex<[Request]>([])
    }

    /// Kept from the start: a channel that is closed knows its address no more.
    package let port: Int
    /// In the order of their arrival.
    package var requests: [Request] { seen.requests.withLock { $0 } }

    private init(_ channel: any Channel, _ seen: Seen) {
        self.channel = channel
        port = channel.localAddress?.port ?? 0
        self.seen = seen
    }

    /// Starts to listen.
    ///
    /// - Parameters:
    ///   - certificate: nil serves in clear.
    ///   - answer: called for each request, with its number from 1.
    package static func start(
        certificate: CertificateFiles? = nil, answer: @escaping @Sendable (Request, Int) -> Answer
    ) async throws -> WebPeer {
        let seen = Seen()
        let tls = try certificate.map { try TLSServerContext(certificateChainFile: $0.certificate, keyFile: $0.key) }
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls { try channel.pipeline.syncOperations.addHandler(TLSChannelHandler(server: tls)) }
                    try channel.pipeline.syncOperations.addHandler(Handler(seen: seen, answer: answer))
                }
            }.bind(host: "127.0.0.1", port: 0).get()
        return WebPeer(channel, seen)
    }

    package func stop() async { try? await channel.close() }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let seen: Seen
        private let answer: @Sendable (Request, Int) -> Answer
        private var input: [UInt8] = []

        init(seen: Seen, answer: @escaping @Sendable (Request, Int) -> Answer) {
            self.seen = seen
            self.answer = answer
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            input += unwrapInboundIn(data).readableBytesView
            while let request = next() {
                let number = seen.requests.withLock { requests in
                    requests.append(request)
                    return requests.count
                }
                give(answer(request, number), context)
            }
        }

        /// A broken TLS connection is the client's affair.
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

        private func next() -> Request? {
            let end = Array("\r\n\r\n".utf8)
            guard let start = input.indices.first(where: { input[$0...].starts(with: end) }) else { return nil }
            let lines = String(decoding: input[..<start], as: UTF8.self).split(separator: "\r\n")
            let words = (lines.first ?? "").split(separator: " ")
            let headers = lines.dropFirst().map { line in
                let parts = line.split(separator: ":", maxSplits: 1)
                let value = parts.count > 1 ? String(parts[1].drop { $0 == " " }) : ""
                return (name: parts.first.map { $0.lowercased() } ?? "", value: value)
            }
            let length = headers.first { $0.name == "content-length" }.flatMap { Int($0.value) } ?? 0
            guard input.count >= start + 4 + length, words.count == 3 else { return nil }
            let body = String(decoding: input[(start + 4)..<(start + 4 + length)], as: UTF8.self)
            input.removeFirst(start + 4 + length)
            return Request(method: String(words[0]), path: String(words[1]), headers: headers, body: body)
        }

        private func give(_ answer: Answer, _ context: ChannelHandlerContext) {
            switch answer {
            case .reply(let status, let headers, let body):
                let lines = ["HTTP/1.1 \(status) scripted", "Content-Length: \(body.utf8.count)"] + headers
                say(lines.joined(separator: "\r\n") + "\r\n\r\n" + body, context)
            case .raw(let text):
                say(text, context)
                context.close(promise: nil)
            case .silence: break
            case .drop: context.close(promise: nil)
            case .reset:
                _ = (context.channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
                context.close(promise: nil)
            case .endless:
                say("HTTP/1.1 200 scripted\r\nTransfer-Encoding: chunked\r\n\r\n", context)
                chunk(context)
            }
        }

        private func chunk(_ context: ChannelHandlerContext) {
            let text = "400\r\n" + String(repeating: "x", count: 1024) + "\r\n"
            let written = context.eventLoop.makePromise(of: Void.self)
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: written)
            written.futureResult.assumeIsolated().whenSuccess { self.chunk(context) }
        }

        private func say(_ text: String, _ context: ChannelHandlerContext) {
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
        }
    }
}

extension String {
    /// `%XX` as the octets they stand for.
    fileprivate var removingPercents: String {
        var output: [UInt8] = []
        var rest = Array(utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) {
                output.append(value)
                rest = rest.dropFirst(2)
            } else {
                output.append(byte)
            }
        }
        return String(decoding: output, as: UTF8.self)
    }
}
