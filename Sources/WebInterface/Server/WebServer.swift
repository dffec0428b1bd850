import Hummingbird
package import Logging
import ServiceLifecycle

/// The HTTP side: one-click unsubscribe, opens and clicks, health and status, on one address.
package struct WebServer: Service {
    private let desk: any UnsubscribeDesk
    private let tracking: (any TrackingDesk)?
    private let board: any StatusBoard
    private let host: String
    private let port: Int
    private let onReady: @Sendable (Int) async -> Void
    private let logger: Logger

    /// - Parameters:
    ///   - tracking: nil: there are no pictures and no links.
    ///   - port: 0 takes a free one.
    ///   - onReady: gets the port once the server listens.
    package init(
        desk: any UnsubscribeDesk, tracking: (any TrackingDesk)? = nil, board: any StatusBoard, host: String, port: Int, logger: Logger,
        onReady: @escaping @Sendable (Int) async -> Void = { _ in }
    ) {
        self.desk = desk
        self.tracking = tracking
        self.board = board
        self.host = host
        self.port = port
        self.logger = logger
        self.onReady = onReady
    }

    func router() -> Router<BasicRequestContext> {
        let router = Router()
        UnsubscribeRoutes(desk: desk).add(to: router)
        if let tracking { TrackingRoutes(desk: tracking).add(to: router) }
        StatusRoutes(board: board).add(to: router)
        return router
    }

    package func run() async throws {
        let onReady = onReady
        let application = Application(
            router: router(), configuration: .init(address: .hostname(host, port: port), serverName: nil),
            onServerRunning: { channel in await onReady(channel.localAddress?.port ?? 0) }, logger: logger)
        try await application.run()
    }
}
