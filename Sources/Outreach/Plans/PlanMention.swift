/// A name in a condition or a call of a plan that means something only where there is such a thing.
package struct PlanMention: Sendable, Equatable {
    package enum Kind: String, Sendable {
        case field
        case tag
        case list
        case identity
        case provider
    }

    package let kind: Kind
    package let text: String
    /// Name of the step.
    package let step: String
    /// In its file.
    package let line: Int

    /// Whether it is one of the names, as conditions compare texts.
    package func isOne(of names: [String]) -> Bool { PlanCheck.isOne(text, of: names) }
}

extension SequencePlan {
    /// Every name of a kind once for each step, in the order of the plan.
    ///
    /// - Parameter line: of what a step hands over, or of the condition of one of its ways.
    func mentions(line: (_ step: Int, _ way: Int?) -> Int) -> [PlanMention] {
        var mentions: [PlanMention] = []
        func add(_ kind: PlanMention.Kind, _ text: String, _ step: Int, _ way: Int?) {
            let isKnown = mentions.contains { known in
                known.kind == kind && known.text.utf8.elementsEqual(text.utf8) && known.step.utf8.elementsEqual(steps[step].name.utf8)
            }
            if !isKnown { mentions.append(PlanMention(kind: kind, text: text, step: steps[step].name, line: line(step, way))) }
        }
        for (index, step) in steps.enumerated() {
            if case .webhook(let call) = step.work {
                for field in call.fields where !WebhookComposer.isOwn(field) { add(.field, field, index, nil) }
            }
            for (number, way) in (step.ways ?? []).enumerated() {
                for test in way.condition?.root.tests ?? [] {
                    switch test.name.kind {
                    case .field: add(.field, test.name.detail ?? "", index, number)
                    case .tag: add(.tag, test.name.detail ?? "", index, number)
                    case .list: add(.list, test.name.detail ?? "", index, number)
                    case .identity: for text in test.wholeTexts { add(.identity, text, index, number) }
                    case .provider: for text in test.wholeTexts { add(.provider, text, index, number) }
                    default: break
                    }
                }
            }
        }
        return mentions
    }

    /// Whether one of its actions gives contacts a field, tag or list of that name.
    package func gives(_ kind: PlanMention.Kind, _ text: String) -> Bool {
        func names(_ group: ContactGroup.Name, _ kind: ContactGroup.Kind) -> Bool {
            (try? ContactGroup.Name(kind, text)).map { $0 == group } ?? false
        }
        return steps.contains { step in
            guard case .action(let actions) = step.work else { return false }
            return actions.contains { action in
                switch (action, kind) {
                case (.set(let field, _), .field): field.utf8.elementsEqual(text.utf8)
                case (.assign, .field): Action.ownerField.utf8.elementsEqual(text.utf8)
                case (.join(let group), .tag): names(group, .tag)
                case (.join(let group), .list): names(group, .list)
                default: false
                }
            }
        }
    }
}

extension PlanCondition.Test {
    /// What a text is held against as a whole, but for the empty one; empty for facts and for parts of texts.
    var wholeTexts: [String] {
        guard case .compare(_, let comparison, let texts) = self, [.equal, .different, .isOneOf].contains(comparison) else { return [] }
        return texts.filter { !$0.utf8.isEmpty }
    }
}
