import HTTPFetch
import Logging
import NIOPosix
import Synchronization
import TestKit
import Testing

@testable import MailTransport

/// A token source against a scripted endpoint, with a clock that the test winds.
struct TokenBench: Sendable {
    let server: WebPeer
    let endpoint: TokenEndpoint
    let source: TokenSource
    private let clock: Clock

    private final class Clock: Sendable {
        let passed = Mutex(Duration.zero)
        let begin = ContinuousClock.now
    }

    func pass(_ time: Duration) { clock.passed.withLock { $0 += time } }

    /// Holds that this token is given out now.
    func expect(_ wanted: String, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let token = String(decoding: try await source.current().octets, as: UTF8.self)
        #expect(token == wanted, sourceLocation: sourceLocation)
    }

    static func token(_ token: String, seconds: String = "3600", refresh: String? = nil) -> String {
        let refresh = refresh.map { #","refresh_token":"\#($0)""# } ?? ""
        return #"{"token_type":"Bearer","access_token":"\#(token)","expires_in":\#(seconds)\#(refresh)}"#
    }

    static func use(
        _ answer: @escaping @Sendable (WebPeer.Request, Int) -> WebPeer.Answer, flow: OAuthAccount.Flow = .clientCredentials,
        keeper: MemoryKeeper? = nil, limits: HTTPFetcher.Limits = .init(), _ body: (TokenBench) async throws -> Void
    ) async throws {
        let server = try await WebPeer.start(answer: answer)
        let fetcher = HTTPFetcher(on: MultiThreadedEventLoopGroup.singleton)
        let account = OAuthAccount(
            name: "office", tokenURL: "http://127.0.0.1:\(server.port)/token", deviceURL: "http://127.0.0.1:\(server.port)/device",
            clientID: "app 1", clientSecret: "p&w", scope: "a b", flow: flow)
        let endpoint = TokenEndpoint(account: account, fetcher: fetcher, limits: limits)
        let clock = Clock()
        let source = TokenSource(endpoint: endpoint, keeper: keeper, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }) {
            clock.begin + clock.passed.withLock { $0 }
        }
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(TokenBench(server: server, endpoint: endpoint, source: source, clock: clock)))
        } catch {
            result = .failure(error)
        }
        await fetcher.shutdown()
        await server.stop()
        try result.get()
    }
}

/// Keeps one refresh token, as a store does; can be told to fail.
final class MemoryKeeper: RefreshTokenKeeper {
    private let state: Mutex<(token: [UInt8]?, version: Int64, fails: Bool)>

    init(_ token: String?) { state = Mutex((token.map { Array($0.utf8) }, 1, false)) }

    var text: String? { state.withLock { $0.token.map { String(decoding: $0, as: UTF8.self) } } }

    var fails: Bool {
        get { state.withLock { $0.fails } }
        set { state.withLock { $0.fails = newValue } }
    }

    func logIn(_ token: String) {
        state.withLock { state in
            state.token = Array(token.utf8)
            state.version += 1
        }
    }

    func refreshToken(of account: String) async throws(LoginTrouble) -> KeptRefreshToken? {
        state.withLock { state in state.token.map { KeptRefreshToken(token: $0, version: state.version) } }
    }

    func keep(_ token: [UInt8], of account: String, replacing: KeptRefreshToken?) async throws(LoginTrouble) -> Bool {
        try state.withLock { state throws(LoginTrouble) in
            if state.fails { throw LoginTrouble(.time, "the disk is full") }
            if let replacing, replacing.version != state.version { return false }
            state.token = token
            state.version += 1
            return true
        }
    }
}
