package import InternetMessage

/// Those who wait for what one identity may send altogether, one behind the other: each gets the moment at which its turn can come at the
/// earliest, so that a hundred thousand who are due at once are looked at once, and not once more at each gap.
///
/// Moments are never later than the turn, unless somebody who stood before drops out: then one turn goes unused. Under an hourly limit
/// neighbours may change places, since its hour slides with what left.
package struct SendingLine: Sendable {
    private struct Place {
        let at: Timestamp
        /// Messages that leave before it on its date.
        let before: Int
        /// When the hour began that it is counted in, and how many leave before it in that hour.
        let hour: Timestamp
        let beforeInHour: Int
    }

    /// Where the last one stands who joined; nil: nobody yet.
    private var tail: Place?
    /// Where the last one stands of those whose turn came too early.
    private var front: Place?
    /// The moment from which on the front was made up.
    private var frontFree: Timestamp?

    package init() {}

    /// The line as it stands in the store, for a process that begins anew.
    ///
    /// - Parameters:
    ///   - turns: of those who wait, the latest first; all of the latest one's date, at least.
    ///   - sent: messages of the identity on the date of `now`.
    package init(turns: [Timestamp], sent: Int, at now: Timestamp, gate: PacingGate) {
        guard let last = turns.first else { return }
        let date = gate.budgetDate(at: last)
        let before = turns.dropFirst().prefix { gate.budgetDate(at: $0) == date }.count
        tail = Place(
            at: last, before: before + (date == gate.budgetDate(at: now) ? sent : 0), hour: last, beforeInHour: 0)
    }

    /// A place for somebody who may not leave now.
    ///
    /// - Parameters:
    ///   - free: when the gate lets the next message of the identity out.
    ///   - sent: messages of the identity on the date of `free`.
    ///   - hasWaited: whether it waited before: then its turn is now, and it stays before all who are new.
    package mutating func place(free: Timestamp, sent: Int, hasWaited: Bool, gate: PacingGate) -> Timestamp {
        let first = Place(at: free, before: sent, hour: free, beforeInHour: 0)
        if hasWaited {
            if frontFree != free { front = nil }
            frontFree = free
            let place = front.map { Self.next($0, gate) } ?? first
            front = place
            if (tail?.at ?? place.at) <= place.at { tail = place }
            return place.at
        }
        let place = tail.flatMap { $0.at < free ? nil : Self.next($0, gate) } ?? first
        tail = place
        return place.at
    }

    private static func next(_ place: Place, _ gate: PacingGate) -> Place {
        var from = place.at
        var (hour, inHour) = (place.hour, place.beforeInHour + 1)
        if let limit = gate.mostPerHour, inHour >= limit {
            from = max(from, hour + .seconds(3600))
            (hour, inHour) = (from, 0)
        }
        let (at, before) = gate.turn(after: place.at, sent: place.before + 1, notBefore: from)
        return Place(at: at, before: before, hour: hour, beforeInHour: inHour)
    }
}

extension PacingGate {
    /// When the next message can leave after one that leaves at `moment`, as far as gap, hours and daily limit say it, and how many leave before
    /// it on its date.
    ///
    /// - Parameter sent: messages on the date of `moment`, with the one that leaves then.
    fileprivate func turn(after moment: Timestamp, sent: Int, notBefore: Timestamp) -> (at: Timestamp, before: Int) {
        let date = budgetDate(at: moment)
        let next = hours.nextOpen(from: max(notBefore, moment + gap(after: moment, sent: sent)))
        if budgetDate(at: next) != date { return (next, 0) }
        guard let limit = mostPerDay, sent >= limit else { return (next, sent) }
        return (hours.nextDay(after: next), 0)
    }

    /// Why somebody has the place `place` in the line of those who wait for `free`, for a person.
    package func words(_ because: String, waitingFor free: Timestamp, at place: Timestamp) -> String {
        guard let limit = mostPerDay, budgetDate(at: place) > budgetDate(at: free) else { return because }
        return "daily limit of \(limit) for identity \(identity) is reached by those before"
    }
}
