package import MailTransport
package import ServiceLifecycle

/// A listener as a service: at shutdown it takes no new connection and lets what is coming be taken in.
package struct ListenerService: Service {
    private let listener: MailListener

    package init(_ listener: MailListener) { self.listener = listener }

    package func run() async throws {
        try await withGracefulShutdownHandler {
            try await listener.run()
        } onGracefulShutdown: {
            listener.stop()
        }
    }
}
