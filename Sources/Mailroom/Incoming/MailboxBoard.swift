package import Outreach
import Synchronization

/// Which mailboxes are not watched and why, for health checks.
package final class MailboxBoard: Sendable {
    private let unwatched = Mutex<[String: String]>([:])

    package init() {}

    /// One for each mailbox that is not watched.
    package var troubles: [Trouble] {
        unwatched.withLock { $0 }.sorted { $0.key < $1.key }.map { account, reason in
            Trouble(key: "mailbox \(account)", words: "mailbox \(account) is not watched: \(reason)")
        }
    }

    func isWatched(_ account: String) { unwatched.withLock { $0[account] = nil } }

    func isNotWatched(_ account: String, because reason: String) { unwatched.withLock { $0[account] = reason } }
}
