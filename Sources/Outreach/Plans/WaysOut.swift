package import InternetMessage

/// Which way out of a step that is done is taken, and when to look again.
///
/// What came back counts before time that passed, however late one looks: a reply is never passed over for a deadline that was missed
/// while nobody looked. Of several events the earliest counts, of several ways the first in the file.
package struct WaysOut: Sendable {
    package enum Look: Sendable, Equatable {
        case take(SequencePlan.Way, because: String)
        /// Nothing before `until`, unless something comes back.
        case wait(until: Timestamp)
        /// No way can be taken any more.
        case over
    }

    private let ways: [SequencePlan.Way]
    /// The step whose opens and clicks count; nil: those of any message, because the step is none.
    private let message: Int?
    private let doneAt: Timestamp
    private let zone: LocalZone
    /// When its way without an event is open: of a wait, at its end.
    private let ends: Timestamp

    /// - Parameters:
    ///   - doneAt: when the step was done.
    ///   - zone: where days are counted.
    ///   - holidays: days that are no business days.
    package init(of step: Int, in plan: SequencePlan, doneAt: Timestamp, zone: LocalZone, holidays: Holidays = .none) {
        ways = plan.ways(of: step)
        message = plan.steps[step].letter == nil ? nil : step
        self.doneAt = doneAt
        self.zone = zone
        ends = plan.steps[step].work == .wait ? plan.steps[step].due(after: doneAt, in: zone, holidays: holidays) : doneAt
    }

    /// - Parameter entries: what came back since its message entered the outbox.
    package func look(_ entries: [SequenceHistory.Entry], at now: Timestamp) -> Look {
        let entries = entries.filter { isAbout($0.fact) }
        for entry in entries {
            if let way = way(on: entry.fact, at: entry.at) { return .take(way, because: "\(entry.fact.words) at \(entry.at.iso8601)") }
        }
        var next: Timestamp?
        var due: (way: SequencePlan.Way, at: Timestamp)?
        for way in ways where !way.on.isEvent && !entries.contains(where: { $0.fact.refutes(way) }) {
            let moment = self.moment(of: way)
            if moment > now {
                next = min(next ?? moment, moment)
            } else if due.map({ moment < $0.at }) ?? true {
                due = (way, moment)
            }
        }
        if let due { return .take(due.way, because: due.way.words) }
        if let next { return .wait(until: next) }
        // Nothing but events: until the last of them may come.
        guard let last = ways.filter({ $0.on.isEvent && $0.on != .deferred }).map(end(of:)).max(), last > now else { return .over }
        return .wait(until: last)
    }

    /// The way that an event of this moment takes; nil when it takes none.
    package func way(on fact: PlanFact, at now: Timestamp) -> SequencePlan.Way? {
        guard isAbout(fact) else { return nil }
        let way = ways.first { fact.isAwaited(by: $0) && now <= end(of: $0) }
        // Who clicks has opened, whether the pictures were fetched or not.
        if way == nil, case .click(let step) = fact { return self.way(on: .open(step: step), at: now) }
        return way
    }

    /// Whether it is about the message of the step, where it is about a message at all.
    private func isAbout(_ fact: PlanFact) -> Bool {
        guard let message, let step = fact.step else { return true }
        return step == message
    }

    /// What is waited for, for a person.
    package var words: String { ways.map(\.words).joined(separator: ", ") }

    private func end(of way: SequencePlan.Way) -> Timestamp {
        way.within.map { zone.adding($0, to: doneAt) } ?? doneAt + SequencePlan.Way.longestWait
    }

    private func moment(of way: SequencePlan.Way) -> Timestamp {
        switch way.on {
        case .delivered: later(way.after ?? way.within, than: doneAt) ?? doneAt + SequencePlan.Way.deliveryWindow
        case .done: later(way.after, than: ends) ?? ends
        default: later(way.after, than: doneAt) ?? doneAt
        }
    }

    private func later(_ duration: ISODuration?, than moment: Timestamp) -> Timestamp? { duration.map { zone.adding($0, to: moment) } }
}
