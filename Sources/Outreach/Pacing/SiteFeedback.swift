package import InternetMessage

/// How many deliveries one mail site gets at a time, learned from how it takes them.
///
/// Overview: a success widens the window by 1/n, a connection that fails narrows it by 1/n, n being its width (Postfix's concurrency
/// feedback). After so many failed connections in a row the site is dead: it rests, and once in each rest one delivery probes it. The first
/// connection that works brings it back with its initial window, and its waiting mail is released.
package struct SiteFeedback: Sendable, Equatable {
    /// What conf and provider profile say.
    package struct Policy: Sendable, Hashable {
        package let initial: Int
        /// The window never grows beyond it; 1 or more.
        package let ceiling: Int
        /// Deliveries that stand ready beside those, once the window is as wide as it gets.
        package let ahead: Int
        /// Connections that fail in a row until the site counts as dead.
        package let deadAfter: Int
        /// How long a dead site rests after each probe that failed; the last one repeats. Never empty.
        package let rests: [Duration]

        package init(initial: Int = 5, ceiling: Int, ahead: Int = 0, deadAfter: Int = 3, rests: [Duration]) {
            self.ceiling = max(1, ceiling)
            self.ahead = max(0, ahead)
            self.initial = max(1, min(initial, self.ceiling))
            self.deadAfter = max(1, deadAfter)
            self.rests = rests.isEmpty ? [.seconds(300)] : rests
        }
    }

    package enum Permit: Sendable, Equatable {
        /// One delivery may begin; it is counted until `ended`.
        case go
        /// As many as the window holds are under way.
        case full(window: Int)
        /// The site is dead; the next probe is due then.
        case resting(until: Timestamp)
    }

    /// What one delivery said about the site.
    package enum Experience: Sendable, Equatable {
        /// The site spoke SMTP with us, whatever it said about the message.
        case answered
        /// No connection or no session came about.
        case unreachable
        /// The site asked us to slow down.
        case overloaded
        /// The delivery ended before it learned anything.
        case nothing
    }

    package private(set) var window: Double
    package private(set) var underWay = 0
    private var failuresInRow = 0
    private var probesFailed = 0
    /// The one delivery under way was let go after the site died; those from before are no probes.
    private var isProbing = false
    private struct Rest: Sendable, Equatable {
        let since: Timestamp
        var until: Timestamp
    }

    /// nil while the site is alive.
    private var resting: Rest?
    private var restsUntil: Timestamp? { resting?.until }

    package init(policy: Policy) { window = Double(policy.initial) }

    package var isDead: Bool { resting != nil }
    /// When its rest began, after the connections in a row or the probe that failed; nil while it is alive.
    package var restsSince: Timestamp? { resting?.since }

    /// How many more deliveries may begin now.
    package func room(_ policy: Policy, at now: Timestamp) -> Int {
        // A rest that begins in the future is of a clock that was set back.
        if let resting { return underWay == 0 && (resting.until <= now || resting.since > now) ? 1 : 0 }
        let width = width(policy)
        return max(0, width + (width == policy.ceiling ? policy.ahead : 0) - underWay)
    }

    package mutating func begin(_ policy: Policy, at now: Timestamp) -> Permit {
        if room(policy, at: now) > 0 {
            underWay += 1
            isProbing = restsUntil != nil
            return .go
        }
        if let restsUntil { return .resting(until: max(restsUntil, now + .seconds(1))) }
        return .full(window: width(policy))
    }

    /// A delivery that `begin` let go has ended; true when the site came back to life by it.
    package mutating func ended(_ experience: Experience, _ policy: Policy, at now: Timestamp) -> Bool {
        underWay = max(0, underWay - 1)
        let wasProbe = isProbing
        isProbing = false
        switch experience {
        case .nothing:
            return false
        case .overloaded:
            failuresInRow = 0
            window = max(1, window - 1 / max(1, window))
            return revive(policy)
        case .answered:
            failuresInRow = 0
            if revive(policy) { return true }
            window = min(Double(policy.ceiling), window + 1 / max(1, window))
            return false
        case .unreachable:
            failuresInRow += 1
            if restsUntil != nil {
                if wasProbe { rest(policy, at: now) }
            } else {
                window = max(1, window - 1 / max(1, window))
                if failuresInRow >= policy.deadAfter { rest(policy, at: now) }
            }
            return false
        }
    }

    /// Ends the rest of a dead site that began before `moment`, so that a probe is due: a person wants to know.
    package mutating func wake(at moment: Timestamp, now: Timestamp) {
        guard let rest = resting, rest.since <= moment || rest.since > now else { return }
        resting?.until = min(rest.until, now)
    }

    private func width(_ policy: Policy) -> Int { max(1, min(policy.ceiling, Int(window.rounded(.down)))) }

    private mutating func rest(_ policy: Policy, at now: Timestamp) {
        resting = Rest(since: now, until: now + policy.rests[min(probesFailed, policy.rests.count - 1)])
        probesFailed += 1
    }

    private mutating func revive(_ policy: Policy) -> Bool {
        guard resting != nil else { return false }
        resting = nil
        probesFailed = 0
        window = Double(policy.initial)
        return true
    }
}
