package import InternetMessage

/// The first of the two gates: may this identity start one more message now?
///
/// It decides at dispatch by open hours, daily cap with its warm-up, hourly cap and minimum gap; what route, site and the rest of the
/// installation allow is decided when the route is known.
package struct PacingGate: Sendable {
    package struct Policy: Sendable, Hashable {
        /// Messages per sender's local date; nil: no cap.
        package let dailyLimit: Int?
        /// Messages in any hour; nil: no cap.
        package let hourlyLimit: Int?
        /// People who get their first message of a sequence per sender's local date; nil: no cap.
        package let dailyStarts: Int?
        /// Least time between two messages of the identity.
        package let minimumGap: Duration
        /// Up to this much is added to the gap, differently for each message.
        package let gapJitter: Duration
        package let window: SendingWindow
        /// The hours within the window that a person would work; nil: all of them.
        package let workday: Workday?
        /// A lower daily cap for a sender who is new; nil: none.
        package let warmUp: WarmUp?
        /// The hours of those who are written to, by their own clocks; nil: only those of the identity count.
        package let recipients: RecipientHours?

        package init(
            dailyLimit: Int?, hourlyLimit: Int? = nil, dailyStarts: Int? = nil, minimumGap: Duration, gapJitter: Duration,
            window: SendingWindow,
            workday: Workday? = nil, warmUp: WarmUp? = nil, recipients: RecipientHours? = nil
        ) {
            self.dailyLimit = dailyLimit
            self.hourlyLimit = hourlyLimit
            self.dailyStarts = dailyStarts
            self.minimumGap = minimumGap
            self.gapJitter = gapJitter
            self.window = window
            self.workday = workday
            self.warmUp = warmUp
            self.recipients = recipients
        }
    }

    package enum Verdict: Sendable, Equatable {
        case leave
        /// Not before `until`, because of the limit that binds, in words for a person.
        case wait(until: Timestamp, because: String)
        /// Not before `until`, because of what the identity may send altogether: only one of those who wait for that leaves then.
        case line(until: Timestamp, because: String)
    }

    private let identity: String
    private let policy: Policy
    private let chance: Chance
    /// When the identity may send.
    package let hours: OpenHours

    package init(identity: String, policy: Policy, chance: Chance) {
        self.identity = identity
        self.policy = policy
        self.chance = chance
        hours = OpenHours(identity: identity, window: policy.window, workday: policy.workday, chance: chance)
    }

    /// The local date whose budget a message at `now` uses.
    package func budgetDate(at now: Timestamp) -> CivilDate { policy.window.zone.date(at: now) }

    /// - Parameters:
    ///   - history: asked for only by a warm-up; nil counts as a first day.
    ///   - contact: who is written to, whose own hours count where they are known; nil: they do not.
    package func verdict(
        at now: Timestamp, usage: IdentityUsage, history: SendingHistory? = nil, enrollment: Enrollment.ID, contact: Contact? = nil
    )
        -> Verdict
    {
        if let closed = closed(at: now, for: contact) { return closed }
        if let limit = policy.dailyLimit, usage.countOnDate >= limit {
            return .line(until: hours.nextDay(after: now), because: "daily limit of \(limit) for identity \(identity) is reached")
        }
        if let warmUp = policy.warmUp {
            let limit = warmUp.limit(after: history ?? SendingHistory(days: 0, sent: 0, bounced: 0, complained: 0))
            if usage.countOnDate >= limit.count {
                return .line(
                    until: hours.nextDay(after: now),
                    because: "daily limit of \(limit.count) for identity \(identity) is reached (\(limit.words))"
                )
            }
        }
        if let limit = policy.hourlyLimit, usage.countInHour >= limit, let first = usage.lifting {
            return .line(
                until: hours.nextOpen(from: max(first + .seconds(3600), now + .seconds(1))),
                because: "hourly limit of \(limit) for identity \(identity) is reached")
        }
        if let last = usage.lastAt {
            let free = last + gap(after: last, sent: usage.countOnDate)
            if free > now { return .line(until: hours.nextOpen(from: free), because: "minimum gap of identity \(identity)") }
        }
        return .leave
    }

    /// How long after a message the next may leave.
    ///
    /// By its place in the day and not by its moment, so that a rehearsal, which is a little faster or slower, draws the same.
    func gap(after last: Timestamp, sent: Int) -> Duration {
        policy.minimumGap
            + policy.gapJitter.scaled(by: chance.fraction("gap jitter", [identity, budgetDate(at: last).iso8601, sent.description]))
    }

    /// The least time between two messages on the whole: the gap, or what an hourly limit comes to; nil: there is none.
    var leastGap: Duration? {
        let hourly = policy.hourlyLimit.map { Duration.seconds(3600) / max(1, $0) } ?? .zero
        let gap = max(policy.minimumGap, hourly)
        return gap > .zero ? gap : nil
    }

    /// When the hours of the identity and of whom it writes to are open together, with what bound them last; nil when they are now.
    ///
    /// A preferred hour counts on a day on which both can still meet after it.
    private func closed(at now: Timestamp, for contact: Contact?) -> Verdict? {
        let theirs = contact.flatMap { policy.recipients?.window(of: $0) }
        let preferred = closed(at: now, hours, theirs)
        guard case .wait(let until, _)? = preferred, policy.window.preferredHour != nil || theirs?.preferredHour != nil else {
            return preferred
        }
        let plain = closed(at: now, hours.withoutPreferredHour, theirs?.withoutPreferredHour)
        var first = now
        if case .wait(let moment, _)? = plain { first = moment }
        let zone = (theirs ?? policy.window).zone
        let doMeet = hours.nextOpen(from: until) == until && theirs?.isOpen(at: until) ?? true
        return doMeet && zone.date(at: first) == zone.date(at: until) ? preferred : plain
    }

    private func closed(at now: Timestamp, _ hours: OpenHours, _ theirs: SendingWindow?) -> Verdict? {
        var (at, because) = (now, "")
        // Hours that never meet move ahead twice a day.
        for _ in 0..<64 {
            let own = hours.nextOpen(from: at)
            guard own - at < OpenHours.never else {
                return .wait(
                    until: now + .seconds(86_400), because: "the hours of identity \(identity) never come (\(policy.window.zone.name))")
            }
            if own > at {
                let what =
                    policy.window.isOpen(at: at) ? "outside of the working hours of \(identity)" : policy.window.next(onOrAfter: at)?.words
                because = "\(what ?? "its hours never come") (\(policy.window.zone.name))"
                at = own
            }
            guard let theirs else { break }
            guard let opening = theirs.next(onOrAfter: at) else {
                return .wait(until: now + .seconds(86_400), because: "the hours of [recipients] never come in \(theirs.zone.name)")
            }
            if opening.at == at { return at > now ? .wait(until: at, because: because) : nil }
            because = "the recipient's \(opening.words) (\(theirs.zone.name))"
            at = opening.at
        }
        guard let theirs else { return at > now ? .wait(until: at, because: because) : nil }
        return .wait(
            until: now + .seconds(86_400),
            because: "the hours of identity \(identity) (\(policy.window.zone.name)) and of the recipient (\(theirs.zone.name)) do not meet"
        )
    }
}
