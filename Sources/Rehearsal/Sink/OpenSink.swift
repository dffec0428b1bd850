package import Logging
import MailTransport
package import Mailroom
package import NIOCore
import SMTP
import Synchronization

/// A mail server on loopback that takes every message for everybody and keeps none of them.
package struct OpenSink: Sendable {
    /// The port on loopback that it listens on.
    package let port: Int
    private let desk: Desk
    private let listener: MailListener

    /// How many messages it took.
    package var count: Int { desk.count }

    /// The sink as a service.
    package var service: ListenerService { ListenerService(listener) }

    /// - Throws: what kept it from listening on a free port.
    package static func bind(eventLoops: any EventLoopGroup, logger: Logger) async throws -> OpenSink {
        let desk = Desk()
        var session = ServerConfiguration(hostname: RehearsalWorld.exchangerName)
        session.limits.messages = .max
        session.limits.messageSize = 0
        let configuration = MailListener.Configuration(
            address: .host("127.0.0.1", port: 0), session: session, maximumConnections: 1000, maximumConnectionsPerAddress: 1000)
        let listener = try await MailListener.bind(configuration, desk: desk, tls: { nil }, eventLoops: eventLoops, logger: logger)
        guard let port = listener.port else { throw RehearsalError("the sink has no port") }
        return OpenSink(port: port, desk: desk, listener: listener)
    }

    private final class Desk: InboundDesk {
        private let taken = Mutex(0)

        var count: Int { taken.withLock { $0 } }

        func verdict(forwardPath: [UInt8]) -> RecipientVerdict { .accepted }

        func accept(_ mail: InboundMail) async -> DeliveryVerdict {
            .stored(
                id: taken.withLock { taken in
                    taken += 1
                    return "\(taken)"
                })
        }
    }
}
