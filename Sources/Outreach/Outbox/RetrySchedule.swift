package import InternetMessage

/// When a deferred message is tried again, and when it is given up.
package struct RetrySchedule: Sendable, Hashable {
    /// Wait after the first, second, ... failed attempt; the last one repeats.
    package let waits: [Duration]
    /// Share by which a wait varies, 0 ... 1.
    package let jitter: Double
    /// Age at which a message that has not left is given up; a release by a person starts it anew.
    package let lifetime: Duration

    /// nil when there is no wait, or the jitter is not within 0 ... 1.
    package init?(waits: [Duration], jitter: Double, lifetime: Duration) {
        guard !waits.isEmpty, waits.allSatisfy({ $0 > .zero }), (0...1).contains(jitter), lifetime > .zero else { return nil }
        self.waits = waits
        self.jitter = jitter
        self.lifetime = lifetime
    }

    /// The moment of the next attempt; nil when the message has lived its time. The last one is shortly before the end, however long the
    /// wait would be, unless one was made a short while ago.
    ///
    /// - Parameters:
    ///   - attempts: how many attempts were made, the one that just failed included (1 or more).
    ///   - start: from when the message's lifetime counts.
    package func next(after attempts: Int, at now: Timestamp, waitsSince start: Timestamp, message: OutboxMessage.ID, chance: Chance)
        -> Timestamp?
    {
        let wait = waits[min(max(attempts, 1), waits.count) - 1]
        let share = chance.fraction("retry jitter", [message.description, attempts.description])
        let next = now + wait.scaled(by: 1 + jitter * (2 * share - 1))
        guard next - start > lifetime else { return next }
        let last = start + (lifetime - min(.seconds(300), lifetime / 20))
        return last - now >= wait / 4 ? last : nil
    }
}
