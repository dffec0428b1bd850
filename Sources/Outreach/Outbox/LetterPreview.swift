package import InternetMessage

/// What a contact would get of a sequence, written as it would be but never queued.
///
/// The steps are gone through in the order of the file, as if each of their messages had left and each action had been done: in a plan that
/// branches a contact gets only some of them. Which variant and wording a contact gets is what it really gets.
package struct LetterPreview: Sendable {
    package struct Step: Sendable {
        package let name: String
        package let result: StepComposer.Result
    }

    private let composer: StepComposer
    private let version: SequenceVersion
    private let templates: StepTemplates
    private let chance: Chance

    /// - Throws: a template of the plan that cannot be read.
    package init(_ version: SequenceVersion, composer: StepComposer, chance: Chance) throws(StepTemplates.Fault) {
        self.version = version
        self.composer = composer
        self.chance = chance
        templates = try StepTemplates(version.plan)
    }

    /// What becomes of each step that is a message, and of those that hand over values which the contact has not.
    package func letters(for contact: Contact, as identity: SenderIdentity, ids: RecordIDs, at now: Timestamp) -> [Step] {
        let enrollment: Enrollment.ID = ids.next()
        var contact = contact
        var earlier: [OutboxMessage] = []
        var steps: [Step] = []
        for (index, step) in version.plan.steps.enumerated() {
            if case .action(let actions) = step.work {
                for action in actions { apply(action.settled(for: contact, step: step.name, in: version.plan.name, chance: chance), to: &contact) }
            }
            let due = DueEnrollment(
                enrollment: Enrollment(
                    id: enrollment, workspace: contact.workspace, contact: contact.id, sequence: version.id, identity: identity.name,
                    state: .active, cause: nil, reason: "", nextStep: index, dueAt: now, heldBy: nil, version: 0, createdAt: now),
                contact: contact, sequence: version, earlier: earlier)
            if case .webhook(let call) = step.work {
                let composed = WebhookComposer.compose(
                    call, to: call.webhook ?? "", of: due, templates: templates, identity: identity, id: ids.next(), at: now)
                if case .missing(let names) = composed { steps.append(Step(name: step.name, result: .missing(names))) }
            }
            guard step.letter != nil else { continue }
            let result = composer.compose(.init(due: due, templates: templates, identity: identity, earlier: earlier, now: now))
            if case .message(var message) = result {
                message.finalDotAt = now
                earlier.append(message)
            }
            steps.append(Step(name: step.name, result: result))
        }
        return steps
    }

    private func apply(_ action: SequencePlan.Action, to contact: inout Contact) {
        switch action {
        case .set(let field, let value): contact.fields[field] = value.utf8.isEmpty ? nil : value
        case .assign(let owners): contact.fields[SequencePlan.Action.ownerField] = owners.first
        case .join, .leave, .suppress, .enroll: break
        }
    }
}
