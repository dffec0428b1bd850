/// What an installation says of counting opens and clicks; a sequence may say otherwise of its own messages.
package struct TrackingPolicy: Sendable, Equatable {
    package let opens: Bool
    package let clicks: Bool
    /// What tracking addresses begin with, ending in `/`; nil: nothing is tracked, whatever a sequence says.
    package let base: String?

    package init(opens: Bool, clicks: Bool, base: String?) {
        self.opens = opens
        self.clicks = clicks
        self.base = base
    }

    package static let off = TrackingPolicy(opens: false, clicks: false, base: nil)

    /// Whether opens of the messages of a plan are counted.
    package func countsOpens(of plan: SequencePlan) -> Bool { base != nil && (plan.tracking.opens ?? opens) }

    /// Whether clicks in the messages of a plan are counted.
    package func countsClicks(of plan: SequencePlan) -> Bool { base != nil && (plan.tracking.clicks ?? clicks) }

    /// What a plan waits or asks for and does not get.
    package struct Gap: Sendable, Equatable {
        /// `opened` or `clicked`.
        package let event: SequencePlan.Trigger
        /// In one line, for a person.
        package let words: String
    }

    /// What a plan waits or asks for that is not counted under this policy; empty when there is nothing.
    package func gaps(in plan: SequencePlan) -> [Gap] {
        var gaps: [Gap] = []
        for (event, word, key, isCounted) in [
            (SequencePlan.Trigger.opened, "opens", "track_opens", countsOpens(of: plan)),
            (.clicked, "clicks", "track_clicks", countsClicks(of: plan)),
        ] where plan.asksFor(event) && !isCounted {
            let how = base == nil ? "set base_url and \(word) in [tracking]" : "set \(word) in [tracking], or \(key) = true in the file"
            gaps.append(Gap(event: event, words: "it asks for \(word), which are not counted for it, so that they never come; \(how)"))
        }
        for (event, wanted, word, key) in [
            (SequencePlan.Trigger.opened, plan.tracking.opens, "opens", "track_opens"),
            (.clicked, plan.tracking.clicks, "clicks", "track_clicks"),
        ] where wanted == true && base == nil && !plan.asksFor(event) {
            gaps.append(
                Gap(event: event, words: "\(key) = true, and \(word) are not counted all the same; set base_url in [tracking]"))
        }
        return gaps
    }
}

extension SequencePlan {
    /// What a plan says of counting opens and clicks; nil: as the installation does.
    package struct Tracking: Sendable, Equatable, Codable {
        package let opens: Bool?
        package let clicks: Bool?

        package init(opens: Bool? = nil, clicks: Bool? = nil) {
            self.opens = opens
            self.clicks = clicks
        }

        package static let unsaid = Tracking()
    }

    /// Whether a way or a condition looks for opens or clicks, or for their absence.
    package var asksForTouches: Bool { asksFor(.opened) || asksFor(.clicked) }

    /// Whether a way or a condition looks for it, or for its absence.
    func asksFor(_ event: Trigger) -> Bool { firstAsking(for: event) != nil }

    /// The first way that looks for it, or for its absence; nil: none does.
    func firstAsking(for event: Trigger) -> (step: Int, way: Int, isCondition: Bool)? {
        let kind: PlanCondition.Name.Kind = event == .opened ? .opened : .clicked
        for index in steps.indices {
            for (number, way) in ways(of: index).enumerated() {
                if way.on == event || way.on.absent == event { return (index, number, false) }
                if way.condition?.names.contains(where: { $0.kind == kind }) == true { return (index, number, true) }
            }
        }
        return nil
    }
}
