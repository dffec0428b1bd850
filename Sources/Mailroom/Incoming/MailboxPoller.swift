import IMAP
package import InternetMessage
package import Logging
package import MailTransport
package import ServiceLifecycle

/// Keeps one account watched: reconnects with growing waits, stops after three refused logins and says so.
package struct MailboxPoller: Service {
    private static let waits: [Duration] = [.seconds(60), .seconds(120), .seconds(300), .seconds(900), .seconds(1800)]
    private static let throttledWait = Duration.seconds(900)
    private static let loginTries = 3

    private let account: String
    private let watcher: MailboxWatcher
    private let clock: any MailClock
    private let jitter: @Sendable () -> Double
    private let logger: Logger

    /// - Parameter jitter: a share of 0 ..< 1 that spreads reconnects.
    package init(account: String, watcher: MailboxWatcher, clock: any MailClock, jitter: @escaping @Sendable () -> Double, logger: Logger) {
        self.account = account
        self.watcher = watcher
        self.clock = clock
        self.jitter = jitter
        self.logger = logger
    }

    package func run() async throws {
        try await cancelWhenGracefulShutdown {
            var failures = 0
            var refused = 0
            while !Task.isCancelled {
                let ending = try await watcher.session(watches: true, now: clock.now())
                if Task.isCancelled { return }
                failures = ending.pollFinished ? 0 : failures + 1
                refused = ending.loggedIn ? 0 : refused
                if case .loginRefused(let text) = ending.reason {
                    refused += 1
                    logger.error(
                        "login refused", metadata: ["mailbox": "\(account)", "text": "\(String(decoding: text, as: UTF8.self))", "tries": "\(refused)"])
                    if refused >= Self.loginTries {
                        logger.critical("mailbox is not watched any more; correct its credentials and reload", metadata: ["mailbox": "\(account)"])
                        try? await Task.sleep(for: .seconds(365 * 86_400))
                        return
                    }
                }
                try? await clock.sleep(until: clock.now() + wait(after: ending, failures: failures))
            }
        }
    }

    private func wait(after ending: MailboxWatcher.Ending, failures: Int) -> Duration {
        logger.info(
            "mailbox session ended",
            metadata: ["mailbox": "\(account)", "reason": "\(ending.reason.map { "\($0)" } ?? "none")", "note": "\(ending.note ?? "")"])
        if case .throttled = ending.reason { return Self.throttledWait }
        guard failures > 0 else { return .seconds(1) }
        let base = Self.waits[min(failures, Self.waits.count) - 1]
        return base + .milliseconds(Int64(Double(base.wholeMilliseconds) * 0.2 * jitter()))
    }
}
