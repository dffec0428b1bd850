package import InternetMessage

/// What a contact would get of a sequence, written as it would be but never queued.
///
/// The steps are gone through in the order of the file, as if each of their messages had left: in a plan that branches a contact gets only
/// some of them. Which variant and wording a contact gets is what it really gets.
package struct LetterPreview: Sendable {
    package struct Step: Sendable {
        package let name: String
        package let result: StepComposer.Result
    }

    private let composer: StepComposer
    private let version: SequenceVersion
    private let templates: StepTemplates

    /// - Throws: a template of the plan that cannot be read.
    package init(_ version: SequenceVersion, composer: StepComposer) throws(StepTemplates.Fault) {
        self.version = version
        self.composer = composer
        templates = try StepTemplates(version.plan)
    }

    /// What becomes of each step that is a message.
    package func letters(for contact: Contact, as identity: SenderIdentity, ids: RecordIDs, at now: Timestamp) -> [Step] {
        let enrollment: Enrollment.ID = ids.next()
        var earlier: [OutboxMessage] = []
        var steps: [Step] = []
        for (index, step) in version.plan.steps.enumerated() where step.letter != nil {
            let due = DueEnrollment(
                enrollment: Enrollment(
                    id: enrollment, workspace: contact.workspace, contact: contact.id, sequence: version.id, identity: identity.name,
                    state: .active, cause: nil, reason: "", nextStep: index, dueAt: now, heldBy: nil, version: 0, createdAt: now),
                contact: contact, sequence: version, earlier: earlier)
            let result = composer.compose(.init(due: due, templates: templates, identity: identity, earlier: earlier, now: now))
            if case .message(var message) = result {
                message.finalDotAt = now
                earlier.append(message)
            }
            steps.append(Step(name: step.name, result: result))
        }
        return steps
    }
}
