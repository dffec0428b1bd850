import DNS
import InternetMessage
import Logging
import NIOPosix
import OpenSSL
import SMTP
import Synchronization
import TestKit
import Testing

@testable import MailTransport

/// What a courier is given in these tests.
enum Bench {
    static let logger = Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() }
    static let eventLoops = MultiThreadedEventLoopGroup.singleton
    static let bo = "bo@example.net"
    /// The machine's authorities take a while to read.
    private static let systemTrust = Result { try TLSClientContext(trust: .system) }

    static func message(
        to recipient: String = bo, attempts: Int = 0, id: String = "e1", domainWasMissing: Bool = false, messagesPerConnection: Int? = nil
    ) throws -> OutboundMessage {
        let text = "Message-ID: <one@example.com>\r\nSubject: One\r\n\r\n.dot\r\n\r\nend\r\n"
        return OutboundMessage(
            reversePath: .address(try #require(EmailAddress("ann@example.com"))), recipient: try #require(EmailAddress(recipient)),
            content: Array(text.utf8), envelopeID: id, earlierAttempts: attempts, domainWasMissing: domainWasMissing,
            messagesPerConnection: messagesPerConnection)
    }

    static func route(
        _ kind: Route.Kind, tls: Route.TLSMode = .none, level: Route.TLSLevel = .none, trust: TLSClientContext? = nil,
        finalDot: Duration = .seconds(20), timeouts: Timeouts = Timeouts(), credentials: Route.Credentials? = nil,
        connections: ConnectionLimits = .single
    ) throws -> Route {
        var timeouts = timeouts
        timeouts.connect = .seconds(5)
        timeouts.finalDot = finalDot
        return Route(
            name: "r", kind: kind, tls: tls, level: level, trust: try trust ?? systemTrust.get(),
            credentials: credentials, helloName: "out.example.com", timeouts: timeouts, allowsPrivateDestinations: true,
            connections: connections)
    }

    static func courier(_ route: Route, resolver: any DNS.Resolver = StaticResolver([:])) -> Courier {
        Courier(routes: [route], resolver: resolver, eventLoops: eventLoops, seed: 1, logger: logger)
    }

    static func deliver(
        _ message: OutboundMessage, over route: Route, resolver: any DNS.Resolver = StaticResolver([:]),
        checks: DeliveryChecks = DeliveryChecks(mayLeave: { true }, finalDot: { true })
    ) async -> DeliveryReport {
        await courier(route, resolver: resolver).deliver(message, route: "r", checks: checks)
    }
}

extension DeliveryReport {
    /// The outcome in one word.
    var word: String {
        switch result {
        case .withdrawn: "withdrawn"
        case .outcome(.accepted): "accepted"
        case .outcome(.deferred): "deferred"
        case .outcome(.rejected): "rejected"
        case .outcome(.ambiguous): "ambiguous"
        }
    }

    var failure: DeliveryFailure? { if case .outcome(let outcome) = result { outcome.failure } else { nil } }
}

/// A desk that writes down what it is asked, and answers a message when it is told to.
final class RecordingDesk: InboundDesk {
    private struct State {
        var mail: [InboundMail] = []
        var paths: [String] = []
        var holds = false
        var waiting: [CheckedContinuation<Void, Never>] = []
        var verdict: DeliveryVerdict?
        var isUnderPressure = false
    }

    private let state = Mutex(State())

    /// - Parameter verdict: on every message; nil: stored.
    init(holds: Bool = false, verdict: DeliveryVerdict? = nil) {
        state.withLock {
            $0.holds = holds
            $0.verdict = verdict
        }
    }

    var mail: [InboundMail] { state.withLock { $0.mail } }
    /// The forward-paths that were asked for.
    var paths: [String] { state.withLock { $0.paths } }

    var isUnderPressure: Bool { state.withLock { $0.isUnderPressure } }

    func press(_ isHigh: Bool) { state.withLock { $0.isUnderPressure = isHigh } }

    /// Lets every message be answered.
    func release() {
        let waiting = state.withLock { state in
            state.holds = false
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func verdict(forwardPath: [UInt8]) -> RecipientVerdict {
        let path = String(decoding: forwardPath, as: UTF8.self)
        state.withLock { $0.paths.append(path) }
        if path.hasPrefix("nobody@") { return .unknownMailbox }
        if path.hasPrefix("grey@") { return .greylisted }
        return path.hasSuffix("@r.example.com") ? .accepted : .relayDenied
    }

    func accept(_ mail: InboundMail) async -> DeliveryVerdict {
        state.withLock { $0.mail.append(mail) }
        await withCheckedContinuation { continuation in
            let now = state.withLock { state in
                if state.holds { state.waiting.append(continuation) }
                return !state.holds
            }
            if now { continuation.resume() }
        }
        return state.withLock { $0.verdict ?? .stored(id: "\($0.mail.count)") }
    }
}

/// A listener that serves until it is stopped.
struct OpenListener {
    let listener: MailListener
    let running: Task<Void, any Error>

    static func start(
        _ dialect: Dialect = .smtp, desk: RecordingDesk, tls: TLSServerContext? = nil, connections: Int = 500, perAddress: Int = 20,
        limits: ServerLimits = ServerLimits(), budget: ContentBudget = .process, proxies: PeerNetworks = .none,
        logger: Logger = Bench.logger
    ) async throws -> OpenListener {
        let listener = try await MailListener.bind(
            .init(
                address: .host("127.0.0.1", port: 0),
                session: ServerConfiguration(dialect: dialect, hostname: "in.example.com", limits: limits),
                maximumConnections: connections, maximumConnectionsPerAddress: perAddress, proxies: proxies), desk: desk, tls: { tls },
            eventLoops: Bench.eventLoops, budget: budget, logger: logger)
        return OpenListener(listener: listener, running: Task { try await listener.run() })
    }

    var port: Int { listener.port ?? 0 }

    func end() async throws {
        listener.stop()
        try await running.value
    }
}
