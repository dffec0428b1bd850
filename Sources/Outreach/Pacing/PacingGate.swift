package import InternetMessage

/// The first of the two gates: may this identity start one more message now?
///
/// It decides at dispatch by window, daily cap and minimum gap; what the route allows is decided when the route is known.
package struct PacingGate: Sendable {
    package struct Policy: Sendable, Hashable {
        /// Messages per sender's local date; nil: no cap.
        package let dailyLimit: Int?
        /// Least time between two messages of the identity.
        package let minimumGap: Duration
        /// Up to this much is added to the gap, differently for each message.
        package let gapJitter: Duration
        package let window: SendingWindow

        package init(dailyLimit: Int?, minimumGap: Duration, gapJitter: Duration, window: SendingWindow) {
            self.dailyLimit = dailyLimit
            self.minimumGap = minimumGap
            self.gapJitter = gapJitter
            self.window = window
        }
    }

    package enum Verdict: Sendable, Equatable {
        case leave
        /// Not before `until`, because of the limit that binds, in words for a person.
        case wait(until: Timestamp, because: String)
    }

    private let identity: String
    private let policy: Policy
    private let chance: Chance

    package init(identity: String, policy: Policy, chance: Chance) {
        self.identity = identity
        self.policy = policy
        self.chance = chance
    }

    /// The local date whose budget a message at `now` uses.
    package func budgetDate(at now: Timestamp) -> CivilDate { policy.window.zone.date(at: now) }

    package func verdict(at now: Timestamp, usage: IdentityUsage, enrollment: Enrollment.ID) -> Verdict {
        if !policy.window.isOpen(at: now) {
            return .wait(until: policy.window.nextOpen(from: now), because: "sending window is closed (\(policy.window.zone.name))")
        }
        if let limit = policy.dailyLimit, usage.countOnDate >= limit {
            return .wait(until: policy.window.nextDay(after: now), because: "daily limit of \(limit) for identity \(identity) is reached")
        }
        if let last = usage.lastAt {
            let share = chance.fraction("gap jitter", [identity, last.milliseconds.description])
            let free = last + policy.minimumGap + policy.gapJitter.scaled(by: share)
            if free > now { return .wait(until: free, because: "minimum gap of identity \(identity)") }
        }
        return .leave
    }
}
