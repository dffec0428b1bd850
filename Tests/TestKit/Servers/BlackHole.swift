import NIOCore
import NIOPosix

/// An address of this machine where a connection is neither taken nor refused, as behind a firewall that drops: its queue is full.
package final class BlackHole: Sendable {
    private let channels: [any Channel]

    private init(_ channels: [any Channel]) { self.channels = channels }

    package static func start(host: String, port: Int) async throws -> BlackHole {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 1).serverChannelOption(.autoRead, value: false)
            .bind(host: host, port: port).get()
        var channels: [any Channel] = [server]
        // Those that get in fill it; the first that does not says that it is full.
        for _ in 0..<8 {
            let client = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).connectTimeout(.milliseconds(300))
            guard let channel = try? await client.connect(host: host, port: port).get() else { break }
            channels.append(channel)
        }
        return BlackHole(channels)
    }

    package func stop() async {
        for channel in channels { try? await channel.close() }
    }
}
