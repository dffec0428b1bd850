import IMAP
import InternetMessage
package import Logging
package import MailTransport
package import Outreach
import ServiceLifecycle

/// Keeps one account watched: reconnects with growing waits, and stops after three refused logins in a row until somebody does something.
///
/// Servers lock accounts over refused logins, so that the count outlives the process: a restart tries credentials that were refused three
/// times no more. Other credentials, or a conf that is read again, do.
package struct MailboxPoller: Service {
    /// What conf decides; swapped as one.
    package struct Desk: Sendable {
        package let watcher: MailboxWatcher
        /// What is logged in with, in words that are no secret and change with the credentials.
        package let login: String

        package init(watcher: MailboxWatcher, login: String) {
            self.watcher = watcher
            self.login = login
        }
    }

    private static let waits: [Duration] = [.seconds(60), .seconds(120), .seconds(300), .seconds(900), .seconds(1800)]
    private static let throttledWait = Duration.seconds(900)
    private static let loginTries = 3
    /// When somebody must log in first.
    private static let personWait = Duration.seconds(300)

    private let account: String
    private let desk: Swappable<Desk>
    private let store: any IntakeStore
    private let board: MailboxBoard
    private let bell: Bell
    private let loop: ServiceLoop
    private let clock: any MailClock
    private let jitter: @Sendable () -> Double
    private let logger: Logger

    /// - Parameters:
    ///   - desk: swapped when conf is read again; the next session is the new one's.
    ///   - board: told when the mailbox is not watched, and when it is again.
    ///   - bell: rung to end a wait, for instance because conf was read again.
    ///   - jitter: a share of 0 ..< 1 that spreads reconnects.
    package init(
        account: String, desk: Swappable<Desk>, store: any IntakeStore, board: MailboxBoard, bell: Bell, clock: any MailClock,
        jitter: @escaping @Sendable () -> Double, logger: Logger
    ) {
        self.account = account
        self.desk = desk
        self.store = store
        self.board = board
        self.bell = bell
        loop = ServiceLoop("mailbox \(account)", logger: logger)
        self.clock = clock
        self.jitter = jitter
        self.logger = logger
    }

    package func run() async throws {
        try await cancelWhenGracefulShutdown {
            try await waitOutRefusals()
            var failures = 0
            while !Task.isCancelled {
                let now = clock.now()
                let desk = desk.current
                let ending = try await loop.round {
                    try await desk.watcher.session(watches: true, now: now) {
                        board.isWatched(account)
                        await forgetRefusals()
                    }
                }
                guard let ending else { continue }
                if Task.isCancelled { return }
                logger.log(
                    level: ending.pollFinished ? .info : .warning,
                    "mailbox session ended\(ending.pollFinished ? "" : " before everything was read; it is tried again")",
                    metadata: ["mailbox": "\(account)", "reason": "\(ending.words)"])
                failures = ending.pollFinished ? 0 : failures + 1
                if case .loginRefused(let text) = ending.reason, try await stops(after: text, login: desk.login) {
                    failures = 0
                    await bell.wait()
                    continue
                }
                if let trouble = ending.loginTrouble, trouble.remedy == .person {
                    logger.critical("mailbox is not watched", metadata: ["mailbox": "\(account)", "reason": "\(trouble.message)"])
                    board.isNotWatched(account, because: trouble.message)
                }
                await bell.wait(until: clock.now() + wait(after: ending, failures: failures), clock: clock)
            }
        }
    }

    // MARK: Refused logins

    /// Counts a refused login; whether there are too many.
    private func stops(after text: [UInt8], login: String) async throws -> Bool {
        let words = String(decoding: text.prefix(1000), as: UTF8.self)
        let now = clock.now()
        let refusals = try await loop.patiently {
            try await store.loginRefused(account: account, login: login, reason: words, at: now)
        }
        logger.error("login refused", metadata: ["mailbox": "\(account)", "text": "\(words)", "tries": "\(refusals.count)"])
        guard refusals.count >= Self.loginTries else { return false }
        alert(refusals)
        return true
    }

    private func alert(_ refusals: LoginRefusals) {
        logger.critical(
            "mailbox is not watched; correct its credentials, or reload to try these once more",
            metadata: [
                "mailbox": "\(account)", "tries": "\(refusals.count)", "text": "\(refusals.reason)", "since": "\(refusals.since.iso8601)",
            ])
        board.isNotWatched(account, because: "its login is refused since \(refusals.since.iso8601)")
    }

    /// What an earlier process was refused is not tried again as it is.
    private func waitOutRefusals() async throws {
        let found = try await loop.patiently { try await store.loginRefusals(account: account) }
        guard let found, found.count >= Self.loginTries, found.login.utf8.elementsEqual(desk.current.login.utf8) else { return }
        alert(found)
        await bell.wait()
    }

    private func forgetRefusals() async {
        do {
            if try await store.loginRefusals(account: account) != nil { try await store.loginAccepted(account: account) }
        } catch {
            // They are forgotten at the next login then.
            logger.warning("refused logins are not forgotten yet", metadata: ["mailbox": "\(account)", "reason": "\(error)"])
        }
    }

    private func wait(after ending: MailboxWatcher.Ending, failures: Int) -> Duration {
        if ending.loginTrouble?.remedy == .person { return Self.personWait }
        if case .throttled = ending.reason { return Self.throttledWait }
        guard failures > 0 else { return .seconds(1) }
        let base = Self.waits[min(failures, Self.waits.count) - 1]
        return base + .milliseconds(Int64(Double(base.wholeMilliseconds) * 0.2 * jitter()))
    }
}
