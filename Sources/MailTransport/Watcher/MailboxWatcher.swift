package import IMAP
package import InternetMessage
package import Logging
package import NIOCore
import NIOPosix
import OpenSSL
import SASL
import Synchronization

/// Reads the mailboxes of one account over one connection, each message once, and stays to watch them.
///
/// Invariants: a message is stored with its UID in one transaction before anything else is done with it; flags are touched only when
/// conf says so, and only after that.
package final class MailboxWatcher: Sendable {
    /// How a session ended.
    package struct Ending: Sendable {
        /// nil when no connection stood.
        package let reason: ClientSession.CloseReason?
        /// Our own words, where there are any.
        package let note: String?
        /// Whether every mailbox was looked at before.
        package let pollFinished: Bool
        /// Whether the login was accepted.
        package let loggedIn: Bool
        /// Mailboxes that could not be read, and other things an operator should know.
        package let alerts: [ClientSession.Alert]
        /// Messages that were passed over after several sessions, with why.
        package var skipped: [(message: MessageKey, reason: String)] = []
        /// The session ended over one message while others could be read; another session asks for it again.
        package var hadSetback = false
        /// Why there were no credentials, so that no connection was made; nil when there were.
        package var loginTrouble: LoginTrouble?
    }

    private let account: MailboxAccount
    private let desk: any MailboxDesk
    private let eventLoops: any EventLoopGroup
    private let names: (any NIOPosix.Resolver & Sendable)?
    private let logger: Logger
    /// Messages over which sessions ended; the desk keeps them too, for the time after a restart.
    private let troubles = Mutex<[MessageKey: MessageTrouble]>([:])
    /// What is stored and not yet marked or moved, where conf asks for that; the desk keeps it too. nil: the desk was not asked yet.
    private let undisposed = Mutex<Set<MessageKey>?>(nil)

    package convenience init(account: MailboxAccount, desk: any MailboxDesk, eventLoops: any EventLoopGroup, logger: Logger) {
        self.init(account: account, desk: desk, eventLoops: eventLoops, logger: logger, names: nil)
    }

    /// - Parameter names: finds the addresses of the host's name; nil: the system does.
    init(
        account: MailboxAccount, desk: any MailboxDesk, eventLoops: any EventLoopGroup, logger: Logger,
        names: (any NIOPosix.Resolver & Sendable)?
    ) {
        self.account = account
        self.desk = desk
        self.eventLoops = eventLoops
        self.names = names
        var logger = logger
        logger[metadataKey: "mailbox"] = "\(account.name)"
        self.logger = logger
    }

    /// One session from connect to close.
    ///
    /// - Parameters:
    ///   - watches: false: one poll of all mailboxes, then logout.
    ///   - now: the day from which a mailbox is read at first sight follows from it.
    ///   - onLogin: told when the server has taken the login.
    /// - Throws: what the desk throws; the session is closed then.
    package func session(watches: Bool, now: Timestamp, onLogin: @Sendable () async -> Void = {}) async throws -> Ending {
        var isRenewed = false
        while true {
            let login: Login
            do throws(LoginTrouble) {
                login = try await account.credentials.source.login()
            } catch {
                return Ending(
                    reason: nil, note: error.message, pollFinished: false, loggedIn: false, alerts: [], loginTrouble: error)
            }
            let ending = try await session(as: login, watches: watches, now: now, onLogin: onLogin)
            // An access token can end before its time; a fresh one is tried once.
            guard !isRenewed, case .loginRefused? = ending.reason, await account.credentials.source.renewed(after: login) else {
                return ending
            }
            isRenewed = true
        }
    }

    private func session(as login: Login, watches: Bool, now: Timestamp, onLogin: @Sendable () async -> Void) async throws -> Ending {
        let news = NewsQueue<IMAPClientHandler.News>()
        let name = DomainName.toASCII(account.host) ?? account.host
        let session = try await makeSession(as: login, watches: watches, now: now)
        let connection: Connection
        do {
            connection = try await connect(
                session, as: login, peer: .verified(name: account.certificateName.map { DomainName.toASCII($0) ?? $0 } ?? name), news: news)
        } catch {
            return Ending(
                reason: nil, note: "cannot connect to \(account.host):\(account.port): \(ConnectTrouble.words(error))", pollFinished: false,
                loggedIn: false,
                alerts: [])
        }
        return try await withTaskCancellationHandler {
            do {
                return try await follow(news, connection: connection, login: login, watches: watches, name: name, onLogin: onLogin)
            } catch {
                connection.tell { $0.closeNow() }
                throw error
            }
        } onCancel: {
            connection.tell { $0.closeNow(because: "cancelled") }
        }
    }

    private func makeSession(as login: Login, watches: Bool, now: Timestamp) async throws -> ClientSession {
        var configuration = ClientSession.Configuration(authentication: .sasl, mailboxes: account.mailboxes)
        configuration.encryption =
            switch account.tls {
            case .implicit: .implicit
            case .starttls: .startTLS
            case .none: .none
            }
        if account.tls == .none, account.credentials.isLocal { configuration.credentialPolicy = .anywhere }
        configuration.loginFallback = loginFallback(login.credentials)
        configuration.access = account.access
        configuration.since = SearchDate(millisecondsSince1970: (now - account.lookback).milliseconds)
        configuration.watches = watches
        configuration.messageSizeLimit = account.messageSizeLimit
        configuration.pollInterval = account.pollInterval
        configuration.idleReissue = account.idleReissue
        return ClientSession(
            configuration: configuration, cursors: try await desk.cursors(account: account.name), setbacks: try await setbacks(now),
            undisposed: try await undisposedOfEarlier())
    }

    /// What earlier sessions stored and did not mark or move, an earlier process among them; what conf does not ask for any more is forgotten.
    private func undisposedOfEarlier() async throws -> Set<MessageKey> {
        if let known = undisposed.withLock({ $0 }) { return known }
        let kept = try await desk.undisposed(account: account.name)
        let past = kept.filter { !account.access.touches($0.mailbox) }
        if !past.isEmpty { try await desk.disposed(Array(past), account: account.name) }
        let left = kept.subtracting(past)
        undisposed.withLock { $0 = left }
        return left
    }

    private func forgetUndisposed(_ messages: [MessageKey]) async throws {
        undisposed.withLock { $0?.subtract(messages) }
        if !messages.isEmpty { try await desk.disposed(messages, account: account.name) }
    }

    /// Of each message in trouble, how often and for how long.
    private func setbacks(_ now: Timestamp) async throws -> [MessageKey: Setbacks] {
        let kept = try await desk.troubles(account: account.name)
        let begun = troubles.withLock { troubles in
            troubles.merge(kept) { own, _ in own }
            let begun = troubles.keys.filter { troubles[$0]?.since == nil }
            for key in troubles.keys {
                let since = troubles[key]?.since ?? now
                troubles[key]?.since = since
                troubles[key]?.setbacks.age = now - since
            }
            return begun
        }
        for key in begun { try await keepTrouble(of: key) }
        return troubles.withLock { $0.mapValues(\.setbacks) }
    }

    private func keepTrouble(of message: MessageKey) async throws {
        try await desk.keep(troubles.withLock { $0[message] }, of: message, account: account.name)
    }

    /// The messages are stored.
    private func forgetTroubles(of messages: [MessageKey]) async throws {
        for key in messages where troubles.withLock({ $0.removeValue(forKey: key) }) != nil { try await keepTrouble(of: key) }
    }

    /// Old servers know the LOGIN command only; it shows the password as PLAIN does, so it needs the same leave.
    private func loginFallback(_ credentials: SASLCredentials) -> Credentials? {
        guard account.credentials.mechanisms.contains(where: { $0 == .plain || $0 == .login }), let password = credentials.password else {
            return nil
        }
        return Credentials(username: Array(credentials.user.utf8), password: password)
    }

    // MARK: Connection

    private typealias Connection = ClientChannel<IMAPClientHandler>

    private func connect(_ session: ClientSession, as login: Login, peer: TLSPeer, news: NewsQueue<IMAPClientHandler.News>) async throws
        -> Connection
    {
        let eventLoop = eventLoops.next()
        let account = account
        let names = names
        do {
            return try await Connection.open(
                on: eventLoop, tls: account.tls == .implicit ? (account.trust, peer) : nil,
                connect: { bootstrap in
                    bootstrap.connectTimeout(TimeAmount(account.connectTimeout)).channelOption(.socketOption(.so_keepalive), value: 1)
                        .resolver(names).connect(host: account.host, port: account.port)
                }
            ) { IMAPClientHandler(session: session, account: account, peer: peer, login: login.credentials, news: news) }
        } catch {
            news.finish()
            throw error
        }
    }

    // MARK: News

    private func follow(
        _ news: NewsQueue<IMAPClientHandler.News>, connection: Connection, login: Login, watches: Bool, name: String,
        onLogin: () async -> Void
    ) async throws
        -> Ending
    {
        var exchange: SASLClient?
        var pollFinished = false
        var loggedIn = false
        var alerts: [ClientSession.Alert] = []
        var skipped: [(message: MessageKey, reason: String)] = []
        var hadSetback = false
        var wanted: [MessageKey: Int] = [:]
        while let gathered = await news.next() {
            var events = gathered[...]
            while let event = events.popFirst() {
                switch event {
                case .startAuthentication(let offered):
                    exchange = await startAuthentication(offered, as: login, name: name, connection: connection)
                case .challenge(let challenge):
                    await answer(challenge, with: exchange, connection: connection)
                case .authenticated:
                    loggedIn = true
                    if let exchange, (try? exchange.finish()) == nil {
                        connection.tell { $0.closeNow(because: "the server did not prove who it is") }
                    } else {
                        await onLogin()
                    }
                case .deliver(let first):
                    // Together, so that they share what it costs to be durable.
                    var messages = [first]
                    while case .deliver(let message)? = events.first {
                        messages.append(message)
                        events.removeFirst()
                    }
                    var room = ClientSession.undisposedLimit - undisposed.withLock { $0?.count ?? 0 }
                    for index in messages.indices where messages[index].awaitsDisposal {
                        room -= 1
                        messages[index].awaitsDisposal = room >= 0
                    }
                    try await desk.store(messages, account: account.name)
                    let keys = messages.map(\.key)
                    try await forgetTroubles(of: keys)
                    let toDispose = messages.filter(\.awaitsDisposal).map(\.key)
                    undisposed.withLock { $0?.formUnion(toDispose) }
                    connection.tell { handler in for key in keys { handler.committed(key) } }
                case .watermark(let mailbox, let validity, let uid):
                    try await desk.advance(account: account.name, mailbox: mailbox, uidValidity: validity, to: uid)
                    troubles.withLock { troubles in
                        troubles = troubles.filter { key, _ in key.mailbox != mailbox || key.uidValidity != validity || key.uid > uid }
                    }
                case .pollFinished:
                    pollFinished = true
                    // One that was asked for in this session and not spoken of is in no mailbox that it reads.
                    let more = try await desk.wanted(account: account.name).filter { wanted[$0.key] == nil }
                    wanted.merge(more) { $1 }
                    if !more.isEmpty { connection.tell { $0.want(more) } } else if !watches { connection.tell { $0.logOut() } }
                case .refetched(let message, let outcome):
                    try await desk.refetched(message, account: account.name, outcome, tries: wanted.removeValue(forKey: message) ?? 0)
                    log(event)
                case .closed(let reason, let note):
                    return Ending(
                        reason: reason, note: note, pollFinished: pollFinished, loggedIn: loggedIn, alerts: alerts, skipped: skipped,
                        hadSetback: hadSetback)
                case .setback(let mailbox, let validity, let uid, let kind):
                    if kind == .own { hadSetback = true }
                    let message = MessageKey(mailbox, validity, uid)
                    troubles.withLock { $0[message, default: MessageTrouble()].setbacks.count(kind) }
                    try await keepTrouble(of: message)
                case .alert(let alert):
                    if alerts.count < 100 { alerts.append(alert) }
                    log(event)
                case .skipped(let mailbox, let validity, let uid, let why):
                    log(event)
                    let message = MessageKey(mailbox, validity, uid)
                    try await desk.skipped(message, account: account.name, reason: why.words)
                    troubles.withLock { _ = $0.removeValue(forKey: message) }
                    if skipped.count < 100 { skipped.append((message, why.words)) }
                case .disposed(let mailbox, let validity, let uids):
                    try await forgetUndisposed(uids.map { MessageKey(mailbox, validity, $0) })
                case .uidValidityChanged(let mailbox, let old, let new):
                    if old == new {
                        try await desk.numberedAnew(mailbox, uidValidity: new, account: account.name)
                        troubles.withLock { troubles in
                            troubles = troubles.filter { key, _ in key.mailbox != mailbox || key.uidValidity != new }
                        }
                    }
                    // What was numbered otherwise is no message any more.
                    let known = undisposed.withLock { $0 } ?? []
                    try await forgetUndisposed(known.filter { $0.mailbox == mailbox && (old == new || $0.uidValidity != new) })
                    log(event)
                }
            }
        }
        return Ending(
            reason: nil, note: nil, pollFinished: pollFinished, loggedIn: loggedIn, alerts: alerts, skipped: skipped, hadSetback: hadSetback
        )
    }

    private func startAuthentication(_ offered: [String], as login: Login, name: String, connection: Connection) async -> SASLClient? {
        let credentials = account.credentials
        let client = SASLClient(
            service: "imap", host: name, credentials: login.credentials, mechanisms: credentials.mechanisms,
            channelIsProtected: account.tls != .none || credentials.isLocal)
        do throws(SASLError) {
            let start = try await client.begin(offered: offered)
            connection.tell { $0.authenticate(mechanism: start.mechanism.rawValue, initial: start.initialResponse) }
            return client
        } catch {
            let why = "\(error)"
            connection.tell { $0.abandonAuthentication(because: why) }
            return nil
        }
    }

    private func answer(_ challenge: [UInt8], with exchange: SASLClient?, connection: Connection) async {
        do {
            let response = try await exchange?.answer(challenge) ?? []
            connection.tell { $0.answer(response) }
        } catch {
            let why = "\(error)"
            connection.tell { $0.abandonAuthentication(because: why) }
        }
    }

    private func log(_ event: IMAPClientHandler.News) {
        switch event {
        case .uidValidityChanged(let mailbox, let old, let new) where old == new:
            logger.warning(
                "UIDNEXT went back and UIDVALIDITY is the same: the mailbox was restored or made anew, and is read anew",
                metadata: ["folder": "\(mailbox)", "uidvalidity": "\(new)"])
        case .uidValidityChanged(let mailbox, let old, let new):
            logger.warning(
                "UIDVALIDITY changed; the mailbox is read anew", metadata: ["folder": "\(mailbox)", "old": "\(old)", "new": "\(new)"])
        case .skipped(let mailbox, _, let uid, let why):
            logger.error("message passed over", metadata: ["folder": "\(mailbox)", "uid": "\(uid)", "reason": "\(why.words)"])
        case .refetched(let message, let outcome):
            logger.warning(
                "message asked for anew and not given",
                metadata: ["folder": "\(message.mailbox)", "uid": "\(message.uid)", "reason": "\(outcome.words)"])
        case .alert(let alert):
            logger.warning(
                "mailbox alert",
                metadata: [
                    "kind": "\(alert.kind)", "folder": "\(alert.mailbox.map { "\($0)" } ?? "")",
                    "text": "\(String(decoding: alert.text, as: UTF8.self))",
                ])
        default: break
        }
    }
}

extension Refetch {
    /// For a person.
    package var words: String {
        switch self {
        case .gone: "it is in its folder no more"
        case .uidValidityChanged: "its folder was numbered anew (UIDVALIDITY changed), and its UID means nothing any more"
        case .withheld: "the server has it and does not give its text"
        case .broken: "the session broke over it"
        }
    }
}

extension ClientSession.SkipReason {
    /// For a person.
    fileprivate var words: String {
        switch self {
        case .noBody: "the server has it and did not give its text, in three sessions that could read others or for a day"
        case .oversized: "the server sends more of it than asked for, in three sessions or for a day, and more than may be held"
        case .setbacks: "four sessions that could read others broke over it"
        }
    }
}
