import InternetMessage
import NIOCore
import NIOPosix

/// The POST that a mail program sends when its unsubscribe button is pressed (RFC 8058 §3.2).
///
/// The world has its reverse proxy with TLS elsewhere: the link's https name stands for the plain HTTP port that it hands requests to.
struct OneClickPost {
    private let host: String
    private let path: String

    /// Takes the first web link of the field; nil when it has none that is `https://HOST/PATH`.
    init?(listUnsubscribe field: HeaderField) {
        let scheme = Array("<https://".utf8)
        let bytes = Array(field.text.utf8)
        guard let start = bytes.indices.first(where: { bytes[$0...].starts(with: scheme) }) else { return nil }
        let link = bytes[(start + scheme.count)...].prefix { $0 != UInt8(ascii: ">") }
        guard let slash = link.firstIndex(of: UInt8(ascii: "/")), link.allSatisfy({ $0 > 32 && $0 < 127 }) else { return nil }
        host = String(decoding: link[..<slash], as: UTF8.self)
        path = String(decoding: link[slash...], as: UTF8.self)
    }

    /// Sends it to a port of loopback; the status line of the answer.
    func send(port: Int, on eventLoops: any EventLoopGroup) async throws -> String {
        let channel = try await ClientBootstrap(group: eventLoops).connectTimeout(.seconds(10)).connect(host: "127.0.0.1", port: port) {
            channel in
            channel.eventLoop.makeCompletedFuture {
                try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
            }
        }
        let content = "List-Unsubscribe=One-Click"
        let request =
            "POST \(path) HTTP/1.1\r\nHost: \(host)\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            + "Content-Length: \(content.utf8.count)\r\nConnection: close\r\n\r\n\(content)"
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: request))
            var answer: [UInt8] = []
            for try await piece in inbound {
                answer += piece.readableBytesView
                if answer.contains(13) || answer.count > 4096 { break }
            }
            return String(decoding: answer.prefix { $0 != 13 }, as: UTF8.self)
        }
    }
}
