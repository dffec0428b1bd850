import InternetMessage
import Outreach
import Synchronization

/// What the deliverer has learned of mail sites since it started: how many deliveries each takes, what its replies led to, who waits for it.
///
/// Levels of limits are in the store and survive; this is forgotten with the process, and learned again.
final class SiteBoard: Sendable {
    private struct Entry {
        /// Of the conf that holds.
        var policy: SiteFeedback.Policy
        let provider: String
        var feedback: SiteFeedback
        var measures = SiteMeasures()
        /// How many messages were told to wait for the site and have not come back, as far as this process knows.
        var waiting = 0
        /// Whether mail that found it dead is called now that it answers.
        var releases = false
        /// Moving average of how long a delivery takes, in milliseconds.
        var usual: Double = 2000
    }

    enum Permit: Equatable {
        case go
        /// To come back then, with the reason for a person.
        case wait(until: Timestamp, because: String)
    }

    /// Beyond so many, what was learned of those without any delivery under way is forgotten.
    private static let manySites = 5_000

    private let entries = Mutex<[String: Entry]>([:])

    /// Asks for room for one delivery to a site. What it lets go is told with `ended`.
    func begin(_ site: MailSite, policy: SiteFeedback.Policy, at now: Timestamp) -> Permit {
        entries.withLock { entries in
            var entry = entries[site.name] ?? Entry(policy: policy, provider: site.profile.name, feedback: SiteFeedback(policy: policy))
            entry.policy = policy
            defer { entries[site.name] = entry }
            if let suspension = entry.measures.suspension(at: now) {
                entry.waiting += 1
                return .wait(
                    until: suspension.until,
                    because: "site \(site.name) is suspended until \(suspension.until.iso8601) by what it replied (\(suspension.rule))")
            }
            if let ceiling = entry.measures.connections(at: now), entry.feedback.underWay >= ceiling {
                return wait(&entry, site, width: ceiling, at: now)
            }
            switch entry.feedback.begin(policy, at: now) {
            case .go: return .go
            case .full(let width): return wait(&entry, site, width: width, at: now)
            case .resting(let until):
                // One after the other, so that the first probes and the others do not all come with it.
                let turn = until + .milliseconds(100 * min(entry.waiting, 36_000))
                entry.waiting += 1
                return .wait(until: turn, because: "site \(site.name) does not answer; it is tried again at \(until.iso8601)")
            }
        }
    }

    private func wait(_ entry: inout Entry, _ site: MailSite, width: Int, at now: Timestamp) -> Permit {
        let share = entry.usual * Double(entry.waiting + 1) / Double(max(1, width))
        entry.waiting += 1
        return .wait(
            until: now + .milliseconds(Int64(min(600_000, 1000 + share))),
            because: "site \(site.name) takes \(width) deliveries at a time, and they are under way")
    }

    /// A delivery that `begin` let go has ended, after `lasted`; true when the site came back to life by it.
    func ended(_ site: MailSite, _ experience: SiteFeedback.Experience, lasted: Duration, at now: Timestamp) -> Bool {
        entries.withLock { entries in
            guard var entry = entries[site.name] else { return false }
            let revived = entry.feedback.ended(experience, entry.policy, at: now)
            if experience == .answered { entry.usual += (Double(lasted.wholeMilliseconds) - entry.usual) / 8 }
            // Mail that a process before this one put off may wait, too.
            if revived {
                entry.waiting = max(entry.waiting, 1_000_000)
                entry.releases = true
            }
            let isIdle =
                entry.feedback.underWay == 0 && !entry.feedback.isDead && entry.waiting == 0 && !entry.releases
                && entry.measures.isSpent(at: now)
            let isForgettable = isIdle && (entry.feedback == SiteFeedback(policy: entry.policy) || entries.count > Self.manySites)
            entries[site.name] = isForgettable ? nil : entry
            return revived
        }
    }

    /// A reply that deferred or refused a message; what is done about it from now on.
    func replied(_ site: MailSite, _ reply: [UInt8], rules: [ReactionRule], at now: Timestamp) -> [SiteMeasures.Measure] {
        entries.withLock { entries in
            entries[site.name]?.measures.replied(reply, provider: site.profile.name, rules: rules, at: now) ?? []
        }
    }

    /// Rates that the site's replies led to.
    func rates(_ site: MailSite, at now: Timestamp) -> [Rate] {
        entries.withLock { $0[site.name]?.measures.rates(at: now) ?? [] }
    }

    /// Whom to call: by what they wait for, as many as their site could take now. First those that were told that there is no room, then
    /// those that found it dead.
    func calls(at now: Timestamp) -> [String: Int] {
        entries.withLock { entries in
            var calls: [String: Int] = [:]
            for (name, entry) in entries where entry.waiting > 0 || entry.releases {
                guard entry.measures.suspension(at: now) == nil else { continue }
                var room = entry.feedback.room(entry.policy, at: now)
                if let ceiling = entry.measures.connections(at: now) { room = min(room, max(0, ceiling - entry.feedback.underWay)) }
                guard room > 0 else { continue }
                if entry.waiting > 0 {
                    calls[OutboxMessage.awaiting(site: name)] = min(room, entry.waiting)
                } else {
                    calls[OutboxMessage.awaiting(answerOf: name)] = room
                }
            }
            return calls
        }
    }

    /// The room of one site; nil when nothing is known of it.
    func room(of name: String, at now: Timestamp) -> Int? {
        entries.withLock { entries in entries[name].map { $0.feedback.room($0.policy, at: now) } }
    }

    /// Whether a site is dead and no probe is due.
    func isResting(_ name: String, at now: Timestamp) -> Bool {
        entries.withLock { entries in entries[name].map { $0.feedback.isDead && $0.feedback.room($0.policy, at: now) == 0 } ?? false }
    }

    /// Whether a site was found dead between then and now; what a clock that was set back since says is not believed.
    func hasDied(_ site: MailSite, since then: Timestamp, now: Timestamp) -> Bool {
        entries.withLock { entries in entries[site.name]?.feedback.restsSince.map { (then...max(then, now)).contains($0) } ?? false }
    }

    /// Has a site that rests since before `moment` tried by the next who wants to go there.
    func wake(_ name: String, at moment: Timestamp, now: Timestamp) {
        entries.withLock { $0[name]?.feedback.wake(at: moment, now: now) }
    }

    /// The clock was set back: what is to last until a moment of the time before lasts no longer.
    func clockWasSetBack(now: Timestamp) {
        entries.withLock { entries in
            for name in entries.keys {
                entries[name]?.feedback.wake(at: now, now: now)
                entries[name]?.measures = SiteMeasures()
            }
        }
    }

    /// What came of `calls`: by what they waited for, how many came. Fewer than were called means that no more wait.
    func answered(_ calls: [String: Int], _ came: [String: Int]) {
        entries.withLock { entries in
            for (name, entry) in entries {
                if let wanted = calls[OutboxMessage.awaiting(site: name)] {
                    let count = came[OutboxMessage.awaiting(site: name)] ?? 0
                    entries[name]?.waiting = count < wanted ? 0 : max(0, entry.waiting - count)
                }
                if let wanted = calls[OutboxMessage.awaiting(answerOf: name)] {
                    entries[name]?.releases = came[OutboxMessage.awaiting(answerOf: name)] ?? 0 >= wanted
                }
            }
        }
    }
}
