package import InternetMessage

/// Decides what follows from the hits on one message, once they are judged.
///
/// What a machine did is noted and counted apart, and moves nothing. Of the picture and of each link, the first time that a person did it and
/// the first time that a machine did are told in the timeline; how often it happened is counted.
package struct TrackingDecider: Sendable {
    private let ids: RecordIDs

    package init(ids: RecordIDs) { self.ids = ids }

    /// - Parameters:
    ///   - verdicts: one for each hit of the message.
    ///   - machine: of its enrollment; nil when it belongs to none.
    package func decide(
        _ touched: TouchedMessage, _ verdicts: [TrackingJudge.Verdict], machine: SequenceMachine?, at now: Timestamp
    ) -> (counts: [TouchCount], consequence: Consequence) {
        var counts: [TouchCount] = []
        var consequence = Consequence()
        var known = touched.known
        var facts: [(fact: PlanFact, at: Timestamp)] = []
        for (hit, verdict) in zip(touched.hits, verdicts) {
            let isHuman = verdict == .human
            let place = counts.firstIndex { $0.link == hit.link } ?? counts.count
            if place == counts.count { counts.append(TouchCount(link: hit.link)) }
            if isHuman {
                counts[place].byHuman += 1
                counts[place].firstByHuman = counts[place].firstByHuman ?? hit.at
            } else {
                counts[place].byMachine += 1
                counts[place].firstByMachine = counts[place].firstByMachine ?? hit.at
            }
            guard !known.contains(where: { $0.link == hit.link && (isHuman ? $0.byHuman : $0.byMachine) }) else { continue }
            let isFirst = !known.contains { ($0.link == nil) == (hit.link == nil) && (isHuman ? $0.byHuman : $0.byMachine) }
            known.append(.init(link: hit.link, byHuman: isHuman, byMachine: !isHuman))
            consequence.timeline.append(event(of: hit, verdict, in: touched, isFirst: isFirst))
            if isHuman { facts.append((hit.link == nil ? .open(step: touched.step) : .click(step: touched.step), hit.at)) }
        }
        guard let machine else { return (counts, consequence) }
        for (fact, moment) in facts {
            guard let transition = machine.advance(on: .touched(fact, at: moment), at: now) else { continue }
            consequence.transition = transition
            var writer = TimelineWriter(ids: ids, at: now, contact: touched.contact, enrollment: touched.enrollment)
            writer.outbox = touched.message
            if let event = writer.event(of: transition, from: machine.enrollment.state) { consequence.timeline.append(event) }
            break
        }
        return (counts, consequence)
    }

    private func event(of hit: TrackingHit, _ verdict: TrackingJudge.Verdict, in touched: TouchedMessage, isFirst: Bool) -> TimelineEvent {
        var writer = TimelineWriter(ids: ids, at: hit.at, contact: touched.contact, enrollment: touched.enrollment)
        writer.outbox = touched.message
        var facts: [String: String] = [:]
        if !hit.agent.utf8.isEmpty { facts["agent"] = hit.agent }
        let target = hit.link.flatMap { touched.targets[$0] }
        facts["url"] = target
        let who: String
        switch verdict {
        case .human:
            facts["by"] = "human"
            who = "by a person"
        case .machine(let why):
            facts["by"] = "machine"
            facts["reason"] = why
            who = "by a machine: \(why)"
        }
        let count: Tally.Count =
            switch (hit.link == nil, verdict == .human) {
            case (true, true): .opened
            case (true, false): .machineOpened
            case (false, true): .clicked
            case (false, false): .machineClicked
            }
        // Of each message the first one counts.
        if isFirst { facts["counts_as"] = count.rawValue }
        guard hit.link != nil else { return writer.event(.opened, "opened \(who)", facts) }
        return writer.event(.clicked, "clicked \(who)\(target.map { ": \($0)" } ?? "")", facts)
    }
}
