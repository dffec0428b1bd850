package import Logging
import SASL

/// The access token of one `[oauth.NAME]`: fetched when somebody needs it, kept in memory until shortly before its end.
///
/// Invariants: however many want a token, one request is under way; a fault of the server is shared for a while, not asked for again by each; a
/// refresh token that the server exchanged is kept before the one it replaces is forgotten.
package actor TokenSource {
    struct Token {
        let octets: [UInt8]
        let fetchedAt: ContinuousClock.Instant
        /// When another one is fetched.
        let renewAt: ContinuousClock.Instant
        let serial: Int
    }

    /// How long before its end a token is no longer given out.
    static let margin = Duration.seconds(60)
    /// A token younger than this that a server refuses is not to blame: another one would be refused too.
    static let youth = Duration.seconds(60)
    /// How long a fault is shared, when the server does not say.
    static let pauseAfterFault = Duration.seconds(15)
    static let longestPause = Duration.seconds(300)

    private let endpoint: TokenEndpoint
    private let keeper: (any RefreshTokenKeeper)?
    private let logger: Logger
    private let now: @Sendable () -> ContinuousClock.Instant

    private var token: Token?
    private var serial = 0
    private var fault: (trouble: LoginTrouble, until: ContinuousClock.Instant)?
    private var isFetching = false
    private var waiting: [CheckedContinuation<Void, Never>] = []
    /// A refresh token that the server gave and that could not be kept yet; without it the login would be lost.
    private var unkept: (token: [UInt8], replacing: KeptRefreshToken)?

    /// - Parameter keeper: for flows with a refresh token.
    package init(endpoint: TokenEndpoint, keeper: (any RefreshTokenKeeper)?, logger: Logger) {
        self.init(endpoint: endpoint, keeper: keeper, logger: logger) { .now }
    }

    /// - Parameter now: the clock of a token's life.
    init(
        endpoint: TokenEndpoint, keeper: (any RefreshTokenKeeper)?, logger: Logger,
        now: @escaping @Sendable () -> ContinuousClock.Instant
    ) {
        self.endpoint = endpoint
        self.keeper = keeper
        self.logger = logger
        self.now = now
    }

    /// Whose tokens they are.
    package nonisolated var account: OAuthAccount { endpoint.account }

    /// Logins of `user` with this account's tokens.
    package nonisolated func logins(of user: String) -> any LoginSource { TokenLogin(source: self, user: user) }

    func current() async throws(LoginTrouble) -> Token {
        while true {
            if let token, now() < token.renewAt { return token }
            if let fault, now() < fault.until { throw fault.trouble }
            if Task.isCancelled { throw LoginTrouble(.time, "given up before there was an access token") }
            if isFetching {
                await withCheckedContinuation { waiting.append($0) }
                continue
            }
            isFetching = true
            // In a task of its own: who asked first may be cancelled, and a refresh token that the server has exchanged by then must not be lost.
            let fetching = Task { await fetch() }
            await fetching.value
            isFetching = false
            let ended = waiting
            waiting = []
            for continuation in ended { continuation.resume() }
        }
    }

    /// Whether there is another token than that of `serial`, which a server refused.
    func renewed(after serial: Int) async -> Bool {
        if let token, token.serial == serial {
            guard now() - token.fetchedAt >= Self.youth else { return false }
            self.token = nil
            logger.notice(
                "an access token was refused before its time; a new one is fetched", metadata: ["oauth": "\(endpoint.account.name)"])
        }
        guard let token = try? await current() else { return false }
        return token.serial != serial
    }

    /// One request; leaves a token or a fault.
    private func fetch() async {
        do throws(OAuthTrouble) {
            let answer = try await answer()
            let moment = now()
            serial += 1
            // A token of a short life is used for half of it.
            let use = max(answer.lifetime - Self.margin, answer.lifetime / 2)
            token = Token(octets: answer.token, fetchedAt: moment, renewAt: moment + max(use, .seconds(1)), serial: serial)
            if fault != nil { logger.notice("there is an access token again", metadata: ["oauth": "\(endpoint.account.name)"]) }
            fault = nil
        } catch {
            let trouble = error.loginTrouble
            if fault?.trouble != trouble {
                logger.log(
                    level: trouble.remedy == .person ? .critical : .warning, "no access token",
                    metadata: ["oauth": "\(endpoint.account.name)", "reason": "\(trouble.message)"])
            }
            let pause = max(.seconds(1), min(error.retryAfter ?? Self.pauseAfterFault, Self.longestPause))
            fault = (trouble, now() + pause)
        }
    }

    private func answer() async throws(OAuthTrouble) -> AccessToken {
        guard endpoint.account.flow == .refreshToken else { return try await endpoint.token(.clientCredentials) }
        guard let keeper else { throw OAuthTrouble.loginNeeded(endpoint.account.name, because: "nobody has logged in") }
        try await keepUnkept(keeper)
        let kept = try await kept(keeper)
        do throws(OAuthTrouble) {
            return try await refresh(kept, keeper)
        } catch {
            // Somebody may have logged in anew while we asked.
            guard error.code == .loginNeeded, let newer = try? await self.kept(keeper), newer != kept else { throw error }
            return try await refresh(newer, keeper)
        }
    }

    private func refresh(_ kept: KeptRefreshToken, _ keeper: any RefreshTokenKeeper) async throws(OAuthTrouble) -> AccessToken {
        let answer = try await endpoint.token(.refreshToken(kept.token))
        if let exchanged = answer.refreshToken, exchanged != kept.token {
            unkept = (exchanged, kept)
            do {
                try await keepUnkept(keeper)
            } catch {
                logger.critical(
                    "a refresh token that the server exchanged cannot be stored; a restart now would need a new login",
                    metadata: ["oauth": "\(endpoint.account.name)", "reason": "\(error)"])
            }
        }
        return answer
    }

    private func kept(_ keeper: any RefreshTokenKeeper) async throws(OAuthTrouble) -> KeptRefreshToken {
        let found: KeptRefreshToken?
        do {
            found = try await keeper.refreshToken(of: endpoint.account.name)
        } catch {
            throw Self.trouble(error)
        }
        guard let found else { throw OAuthTrouble.loginNeeded(endpoint.account.name, because: "nobody has logged in") }
        return found
    }

    /// Keeps what an earlier call could not keep. One that somebody else replaced meanwhile is dropped: his is newer.
    private func keepUnkept(_ keeper: any RefreshTokenKeeper) async throws(OAuthTrouble) {
        guard let (token, replacing) = unkept else { return }
        do {
            _ = try await keeper.keep(token, of: endpoint.account.name, replacing: replacing)
        } catch {
            throw Self.trouble(error)
        }
        unkept = nil
    }

    private static func trouble(_ error: LoginTrouble) -> OAuthTrouble {
        OAuthTrouble(error.remedy == .time ? .temporary : .loginNeeded, error.message)
    }
}

/// The tokens of an account, as credentials of one user.
struct TokenLogin: LoginSource {
    let source: TokenSource
    let user: String

    func login() async throws(LoginTrouble) -> Login {
        let token = try await source.current()
        return Login(credentials: .token(token.octets, user: user), serial: token.serial)
    }

    func renewed(after login: Login) async -> Bool { await source.renewed(after: login.serial) }
}
