package import InternetMessage

/// What the steps and texts of one sequence brought, over all its versions.
///
/// A step is the same in all versions by its name. Variants are compared as long as their step says the same: a version that changes the text
/// of one of them, or adds or takes away one, begins a new trial. A change of weights alone does not.
package struct VersionStatistics: Sendable {
    package struct Step: Sendable, Equatable {
        package let name: String
        /// Whether the latest version has it.
        package let isCurrent: Bool
        package let tally: Tally
    }

    /// The variants of one step, as long as none of them changed.
    package struct Trial: Sendable, Equatable {
        package struct Arm: Sendable, Equatable {
            package let variant: String
            package let tally: Tally
        }

        /// nil: from before it was noted of which step a variant is.
        package let step: String?
        /// When the first version was loaded that said this; nil where `step` is.
        package let since: Timestamp?
        /// Whether the latest version says this.
        package let isCurrent: Bool
        /// In the order of the plan.
        package let arms: [Arm]

        /// Which variant is answered most.
        package var verdict: VariantTrial.Verdict {
            VariantTrial(
                arms.map { arm in
                    let rate = arm.tally.rate(.reply, ofPeople: false)
                    return VariantTrial.Arm(name: arm.variant, sent: rate.sample, replied: rate.count)
                }
            ).verdict()
        }
    }

    /// One text of a step with its variants, and the versions that say it.
    private struct Text {
        let plan: SequencePlan
        let step: Int
        let since: SequenceVersion.ID
        var isCurrent: Bool

        var name: String { plan.steps[step].name }
        var variants: [String] { plan.steps[step].letter?.variants.map(\.name) ?? [] }
    }

    private struct Place: Hashable {
        let version: SequenceVersion.ID
        let step: Int
    }

    private let latest: SequenceVersion
    /// Oldest first.
    private let versions: [SequenceVersion]

    /// - Parameter versions: all that counts are of; the latest may be one of them.
    package init(latest: SequenceVersion, versions: [SequenceVersion]) {
        self.latest = latest
        self.versions = (versions.filter { $0.id != latest.id } + [latest]).sorted { $0.id < $1.id }
    }

    /// The versions that parts are of.
    package static func versions(of parts: [StatisticsPart]) -> Set<SequenceVersion.ID> {
        Set(
            parts.compactMap { part in
                switch part.value {
                case .step(let version, _), .variant(let version, _, _): version
                case .all, .day, .named: nil
                }
            })
    }

    /// The counts by step, in the order of the latest version; behind them those of steps that it does not have.
    package func steps(_ parts: [StatisticsPart]) -> [Step] {
        var tallies: [String: Tally] = [:]
        for part in parts {
            guard case .step(let version, let step) = part.value else { continue }
            let plan = version.map { id in versions.first { $0.id == id } ?? latest } ?? latest
            tallies[plan.plan.stepName(step) ?? "\(step + 1)", default: Tally()] += part.tally
        }
        let names = latest.plan.steps.map(\.name)
        let current = names.compactMap { name in tallies.removeValue(forKey: name).map { Step(name: name, isCurrent: true, tally: $0) } }
        let gone = tallies.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        return current + gone.map { Step(name: $0.key, isCurrent: false, tally: $0.value) }
    }

    /// The counts by text, steps in the order of the latest version and the oldest text of each first; what has no step comes last.
    package func trials(_ parts: [StatisticsPart]) -> [Trial] {
        let (texts, places) = texts()
        var tallies = [[String: Tally]](repeating: [:], count: texts.count)
        var others: [String: Tally] = [:]
        for part in parts {
            guard case .variant(let version, let step, let name) = part.value else { continue }
            if let version, let step, let text = places[Place(version: version, step: step)] {
                tallies[text][name, default: Tally()] += part.tally
            } else {
                others[name, default: Tally()] += part.tally
            }
        }
        let order = latest.plan.steps.map(\.name) + texts.map(\.name)
        let sorted = texts.indices.sorted { a, b in
            let places = (order.firstIndex(of: texts[a].name) ?? 0, order.firstIndex(of: texts[b].name) ?? 0)
            return places.0 == places.1 ? a < b : places.0 < places.1
        }
        let trials = sorted.filter { texts[$0].isCurrent || !tallies[$0].isEmpty }.map { index in
            let text = texts[index]
            return Trial(
                step: text.name, since: RecordIDSource.moment(of: text.since.rawValue), isCurrent: text.isCurrent,
                arms: text.variants.map { Trial.Arm(variant: $0, tally: tallies[index][$0] ?? Tally()) })
        }
        guard !others.isEmpty else { return trials }
        let arms = others.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }.map { Trial.Arm(variant: $0.key, tally: $0.value) }
        return trials + [Trial(step: nil, since: nil, isCurrent: false, arms: arms)]
    }

    /// What each step of each version says, told apart where it differs.
    private func texts() -> (texts: [Text], places: [Place: Int]) {
        var texts: [Text] = []
        var places: [Place: Int] = [:]
        for version in versions {
            for (step, work) in version.plan.steps.enumerated() where !(work.letter?.variants ?? []).isEmpty {
                let known = texts.firstIndex { $0.plan.says(atStep: $0.step, whatSays: version.plan, at: step) }
                let text = known ?? texts.count
                if known == nil { texts.append(Text(plan: version.plan, step: step, since: version.id, isCurrent: false)) }
                if version.id == latest.id { texts[text].isCurrent = true }
                places[Place(version: version.id, step: step)] = text
            }
        }
        return (texts, places)
    }
}

extension SequencePlan {
    /// Whether two plans say the same in a step of one name, whatever the weights of its variants are.
    fileprivate func says(atStep step: Int, whatSays other: SequencePlan, at place: Int) -> Bool {
        let (mine, its) = (steps[step], other.steps[place])
        guard mine.name.utf8.elementsEqual(its.name.utf8), let a = mine.letter?.unweighted, let b = its.letter?.unweighted else {
            return false
        }
        return a == b && (snippets == other.snippets || !a.usesSnippets)
    }
}

extension SequencePlan.Letter {
    fileprivate var unweighted: Self {
        Self(
            subject: subject, text: text, html: html,
            variants: variants.map { Variant(name: $0.name, weight: 1, subject: $0.subject, text: $0.text, html: $0.html) })
    }

    fileprivate var usesSnippets: Bool {
        let sources = [subject, text, html] + variants.flatMap { [$0.subject, $0.text, $0.html] }
        return sources.contains { $0?.contains(#/\{\{\s*>/#) ?? false }
    }
}
