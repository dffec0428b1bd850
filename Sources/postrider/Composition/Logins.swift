import HTTPFetch
import Logging
import MailTransport
import Mailroom
import OpenSSL
import SASL
import Settings
import Synchronization

/// Contexts by the file of their certificates: all of a system's take a megabyte.
private final class TrustShelf: Sendable {
    private let contexts = Mutex<[String?: TLSClientContext]>([:])

    func context(_ file: String?) throws(Failure) -> TLSClientContext {
        if let known = contexts.withLock({ $0[file] }) { return known }
        do throws(TLSError) {
            let made = try TLSClientContext(trust: file.map { .caFile($0) } ?? .system)
            contexts.withLock { $0[file] = made }
            return made
        } catch {
            throw Failure(.configuration, "\(error)")
        }
    }
}

/// The logins that a conf asks for: passwords from their files, Kerberos tickets, and access tokens, which all users of an `[oauth.NAME]` share.
struct Logins {
    private let settings: Settings
    private let sources: [String: TokenSource]
    private let trusts = TrustShelf()

    /// - Parameters:
    ///   - keeper: where logins of people are kept; nil: nowhere, and who needs one is told so.
    ///   - earlier: of the conf before; accounts that did not change keep their tokens and what they are fetching.
    /// - Throws: `Failure` naming the file that cannot be used.
    init(
        _ settings: Settings, keeper: RefreshTokens?, fetcher: HTTPFetcher, earlier: Logins? = nil, logger: Logger
    ) throws(Failure) {
        self.settings = settings
        var sources: [String: TokenSource] = [:]
        for section in settings.oauths {
            let account = try Self.account(section)
            if let kept = earlier?.sources[section.name], kept.account == account, earlier?.settings.secrets == settings.secrets {
                sources[section.name] = kept
                continue
            }
            let endpoint = TokenEndpoint(account: account, fetcher: fetcher)
            sources[section.name] = TokenSource(endpoint: endpoint, keeper: keeper, logger: logger)
        }
        self.sources = sources
    }

    /// The logins of an installation, kept in its store.
    init(_ installation: Installation, fetcher: HTTPFetcher, earlier: Logins? = nil, logger: Logger) throws(Failure) {
        try self.init(
            installation.settings, keeper: Self.keeper(installation), fetcher: fetcher, earlier: earlier, logger: logger)
    }

    /// Nil when the conf has no key.
    static func keeper(_ installation: Installation) throws(Failure) -> RefreshTokens? {
        guard let key = try sealingKey(installation.settings) else { return nil }
        return RefreshTokens(store: installation.store, key: key, ids: installation.ids, clock: installation.clock)
    }

    static func sealingKey(_ settings: Settings) throws(Failure) -> SealingKey? {
        guard let file = settings.secrets.keyFile else { return nil }
        guard let key = SealingKey(secret: try read(file)) else {
            throw Failure(
                .configuration, "\(file.path): a key needs at least \(SealingKey.shortestSecret) bytes; make one with: openssl rand -hex 32"
            )
        }
        return key
    }

    static func account(_ section: OAuthSettings) throws(Failure) -> OAuthAccount {
        var secret: String?
        if let file = section.clientSecretFile {
            let bytes = try read(file)
            guard !bytes.isEmpty, bytes.allSatisfy({ (0x20...0x7E).contains($0) }) else {
                throw Failure(.configuration, "\(file.path): a client's secret is one line of printable ASCII")
            }
            secret = String(decoding: bytes, as: UTF8.self)
        }
        return OAuthAccount(
            name: section.name, tokenURL: section.effectiveTokenURL, deviceURL: section.effectiveDeviceURL, clientID: section.clientID,
            clientSecret: secret, scope: section.effectiveScope,
            flow: section.flow == .clientCredentials ? .clientCredentials : .refreshToken,
            trust: section.tlsCAFile.map { .caFile($0) } ?? .system)
    }

    /// Whom connections trust: the certificates in the file, nil: those of the system. Read once, however many use them.
    func trust(_ file: String?) throws(Failure) -> TLSClientContext { try trusts.context(file) }

    /// - Parameter isLocal: whether the server is on this machine.
    func credentials(_ section: AuthSettings, isLocal: Bool) throws(Failure) -> Route.Credentials {
        let user = settings.user(of: section) ?? ""
        let mechanism = SASLMechanism(offered: section.mechanism.rawValue).map { [$0] }
        if let name = section.oauth {
            guard let source = sources[name] else { throw Failure(.configuration, "there is no [oauth.\(name)]") }
            return Route.Credentials(source: source.logins(of: user), mechanisms: mechanism ?? SASLMechanism.withToken, isLocal: isLocal)
        }
        guard let file = section.passwordFile else {
            return Route.Credentials(sasl: .ticket(user: user), mechanisms: [.gssapi], isLocal: isLocal)
        }
        return Route.Credentials(
            sasl: .password(try Self.read(file), user: user), mechanisms: mechanism ?? SASLMechanism.withPassword, isLocal: isLocal)
    }

    private static func read(_ file: SecretFile) throws(Failure) -> [UInt8] {
        switch file.read() {
        case .success(let bytes): return bytes
        case .failure(let trouble): throw Failure(.configuration, "\(file.path): \(trouble.reason)")
        }
    }
}
