import InternetMessage
import Outreach
import Synchronization

/// What an identity has used of its budgets, as it was read, with what was queued since.
struct SenderAccount: Sendable {
    var usage: IdentityUsage
    let date: CivilDate
    /// nil: it warms up by nothing.
    let history: SendingHistory?
    let readAt: Timestamp

    mutating func add(_ message: OutboxMessage) {
        usage = IdentityUsage(
            countOnDate: usage.countOnDate + 1, lastAt: message.createdAt, countInHour: usage.countInHour + 1,
            lifting: usage.lifting ?? message.createdAt)
    }
}

/// The accounts of a round, handed to the one that follows at once: what an identity sent today takes the longer to count the more it is.
///
/// Invariant: an account says too much when messages were cancelled since it was read, or left the hour, and never too little. So whom it
/// lets pass may pass, and before it keeps anybody waiting it is read anew.
final class SenderAccounts: Sendable {
    private static let lifetime = Duration.seconds(1)

    private let kept = Mutex<[String: SenderAccount]>([:])

    /// They are the round's until it keeps them: what a round that failed has added is not known.
    func take(at now: Timestamp) -> [String: SenderAccount] {
        kept.withLock { kept in
            defer { kept = [:] }
            return kept.filter { $0.value.readAt <= now && now - $0.value.readAt < Self.lifetime }
        }
    }

    func keep(_ accounts: [String: SenderAccount]) {
        kept.withLock { $0 = accounts }
    }
}
