package import InternetMessage

/// Says of each hit on a message whether a person or a machine did it.
///
/// All hits of a message that came within a few seconds of each other are judged together, when no more have come for `grace`; so a verdict
/// is never taken back. What cannot be told from a person counts as one.
package struct TrackingJudge: Sendable {
    package enum Verdict: Sendable, Equatable {
        case human
        case machine(because: String)
    }

    /// Within it of each other, different links of one message are followed by machines only, and the picture beside them is fetched by one.
    package static let grace = Duration.seconds(5)
    /// Hits are judged at last so long after the first of them, even if more are coming.
    package static let patience = Duration.seconds(60)

    private let machineWithin: Duration
    private let machines: TrackingMachines

    /// - Parameters:
    ///   - machineWithin: so soon after a message was handed over nobody has read it.
    ///   - machines: programs that fetch by themselves.
    package init(machineWithin: Duration, machines: TrackingMachines) {
        self.machineWithin = machineWithin
        self.machines = machines
    }

    /// One for each hit, in their order.
    package func verdicts(of hits: [TrackingHit], sentAt: Timestamp?) -> [Verdict] {
        hits.map { hit in
            guard let sentAt, hit.at >= sentAt else { return .machine(because: "before the message had left") }
            if hit.at - sentAt <= machineWithin {
                return .machine(because: "within \(machineWithin.components.seconds) s of being handed over")
            }
            if hit.agent.utf8.isEmpty { return .machine(because: "the program does not say what it is") }
            if let name = machines.name(of: hit.agent) { return .machine(because: name) }
            // Whoever follows several links at once fetched the picture beside them too.
            let links = Set(hits.filter { max($0.at, hit.at) - min($0.at, hit.at) <= Self.grace }.compactMap(\.link))
            return links.count < 2
                ? .human : .machine(because: "\(links.count) links within \(Self.grace.components.seconds) s of each other")
        }
    }
}
