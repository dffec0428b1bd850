import IMAP
import InternetMessage
package import Logging
package import MailTransport
import ServiceLifecycle

/// Keeps one account watched: reconnects with growing waits, tries refused logins again once an hour and says so each time.
package struct MailboxPoller: Service {
    private static let waits: [Duration] = [.seconds(60), .seconds(120), .seconds(300), .seconds(900), .seconds(1800)]
    private static let throttledWait = Duration.seconds(900)
    /// Servers lock accounts over refused logins, so that few are made in a row; the mailbox is not given up, because an administrator may
    /// set it right on the other side.
    private static let loginTries = 3
    private static let refusedWait = Duration.seconds(3600)
    /// When somebody must log in first.
    private static let personWait = Duration.seconds(300)

    private let account: String
    private let watcher: Swappable<MailboxWatcher>
    private let board: MailboxBoard
    private let bell: Bell
    private let loop: ServiceLoop
    private let clock: any MailClock
    private let jitter: @Sendable () -> Double
    private let logger: Logger

    /// - Parameters:
    ///   - watcher: swapped when conf is read again; the next session is the new one's.
    ///   - board: told when the mailbox is not watched, and when it is again.
    ///   - bell: rung to end a wait, for instance because conf was read again.
    ///   - jitter: a share of 0 ..< 1 that spreads reconnects.
    package init(
        account: String, watcher: Swappable<MailboxWatcher>, board: MailboxBoard, bell: Bell, clock: any MailClock,
        jitter: @escaping @Sendable () -> Double, logger: Logger
    ) {
        self.account = account
        self.watcher = watcher
        self.board = board
        self.bell = bell
        loop = ServiceLoop("mailbox \(account)", logger: logger)
        self.clock = clock
        self.jitter = jitter
        self.logger = logger
    }

    package func run() async throws {
        try await cancelWhenGracefulShutdown {
            var failures = 0
            var refused = 0
            while !Task.isCancelled {
                let now = clock.now()
                let ending = try await loop.round {
                    try await watcher.current.session(watches: true, now: now) { board.isWatched(account) }
                }
                guard let ending else { continue }
                if Task.isCancelled { return }
                failures = ending.pollFinished ? 0 : failures + 1
                if ending.loggedIn { refused = 0 }
                if case .loginRefused(let text) = ending.reason {
                    refused += 1
                    let words = String(decoding: text, as: UTF8.self)
                    logger.error("login refused", metadata: ["mailbox": "\(account)", "text": "\(words)", "tries": "\(refused)"])
                    if refused >= Self.loginTries {
                        logger.critical(
                            "mailbox is not watched; correct its credentials and reload; the login is tried again in an hour",
                            metadata: ["mailbox": "\(account)", "tries": "\(refused)"])
                        board.isNotWatched(account, because: "its login is refused")
                    }
                }
                if let trouble = ending.loginTrouble, trouble.remedy == .person {
                    logger.critical("mailbox is not watched", metadata: ["mailbox": "\(account)", "reason": "\(trouble.message)"])
                    board.isNotWatched(account, because: trouble.message)
                }
                await bell.wait(until: clock.now() + wait(after: ending, failures: failures, refused: refused), clock: clock)
            }
        }
    }

    private func wait(after ending: MailboxWatcher.Ending, failures: Int, refused: Int) -> Duration {
        logger.info(
            "mailbox session ended",
            metadata: ["mailbox": "\(account)", "reason": "\(ending.reason.map { "\($0)" } ?? "none")", "note": "\(ending.note ?? "")"])
        if refused >= Self.loginTries { return Self.refusedWait }
        if ending.loginTrouble?.remedy == .person { return Self.personWait }
        if case .throttled = ending.reason { return Self.throttledWait }
        guard failures > 0 else { return .seconds(1) }
        let base = Self.waits[min(failures, Self.waits.count) - 1]
        return base + .milliseconds(Int64(Double(base.wholeMilliseconds) * 0.2 * jitter()))
    }
}
