package import InternetMessage
package import Outreach
import Synchronization

/// To which mailboxes replies could not be sent on within the last day and why, for alerts.
package final class ForwardBoard: Sendable {
    private struct Failure {
        var latest: IncomingMessage.ID
        var reason: String
        var at: Timestamp
        var count: Int
    }

    private static let memory = Duration.seconds(86_400)

    private let failures = Mutex<[String: Failure]>([:])

    package init() {}

    func failed(_ reply: IncomingMessage.ID, to mailbox: EmailAddress, because reason: String, at now: Timestamp) {
        failures.withLock { failures in
            let earlier = failures[mailbox.text].map { now - $0.at < Self.memory ? $0.count : 0 } ?? 0
            failures[mailbox.text] = Failure(latest: reply, reason: reason, at: now, count: earlier + 1)
        }
    }

    /// One for each mailbox.
    package func troubles(at now: Timestamp) -> [Trouble] {
        failures.withLock { failures in
            failures = failures.filter { now - $0.value.at < Self.memory }
            return failures.sorted { $0.key < $1.key }.map { mailbox, failure in
                let many = failure.count == 1 ? "a reply was" : "\(failure.count) replies were"
                return Trouble(
                    key: "forward to \(mailbox)",
                    words: "\(many) not sent on to \(mailbox): \(failure.reason); 'postrider inbox show \(failure.latest)' shows "
                        + (failure.count == 1 ? "it" : "the latest"))
            }
        }
    }
}
