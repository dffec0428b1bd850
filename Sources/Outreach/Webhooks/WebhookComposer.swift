package import InternetMessage

/// Writes what a step hands over to another system.
package enum WebhookComposer {
    /// What composing gave.
    package enum Result: Sendable, Equatable {
        case call(WebhookCall)
        /// Template tags without value and without fallback.
        case missing([String])
    }

    /// What the body says that it is.
    static let type = "sequence.step"

    /// - Parameters:
    ///   - order: what its step says.
    ///   - webhook: name of the webhook in conf.
    package static func compose(
        _ order: SequencePlan.Call, to webhook: String, of due: DueEnrollment, templates: StepTemplates, identity: SenderIdentity,
        id: WebhookCall.ID, at now: Timestamp
    ) -> Result {
        let (contact, enrollment, plan) = (due.contact, due.enrollment, due.sequence.plan)
        let step = plan.steps[enrollment.nextStep].name
        var values = contact.fields
        values["email"] = contact.address.text
        if let name = contact.displayName { values["name"] = name }
        values["sender_email"] = identity.from.address.text
        if let name = identity.from.displayName { values["sender_name"] = name }
        var data: [PlanValue.Member] = []
        var missing: [String] = []
        for (name, template) in templates.data[enrollment.nextStep] {
            switch template.render(values) {
            case .text(let text): data.append(.init(key: name, value: .string(text)))
            case .missing(let names): missing += names.filter { !missing.contains($0) }
            }
        }
        guard missing.isEmpty else { return .missing(missing) }
        let fields = order.fields.map { name in
            PlanValue.Member(key: name, value: own(name, of: contact).map { .string($0) } ?? .null)
        }
        let body = PlanValue.table([
            .init(key: "id", value: .string(id.description)), .init(key: "type", value: .string(type)),
            .init(key: "at", value: .string(now.iso8601)), .init(key: "workspace", value: .string(identity.workspaceName)),
            .init(key: "sequence", value: .string(plan.name)), .init(key: "version", value: .string(due.sequence.hash)),
            .init(key: "step", value: .string(step)), .init(key: "enrollment", value: .string(enrollment.id.description)),
            .init(
                key: "contact",
                value: .table([
                    .init(key: "id", value: .string(contact.id.description)), .init(key: "email", value: .string(contact.address.text)),
                    .init(key: "fields", value: .table(fields)),
                ])),
            .init(key: "data", value: .table(data)),
        ])
        return .call(
            WebhookCall(
                id: id, workspace: enrollment.workspace, enrollment: enrollment.id, contact: contact.id, version: due.sequence.id,
                step: step,
                webhook: webhook, body: body.jsonLine, createdAt: now, nextAttemptAt: now))
    }

    /// Whether every contact can have it, without a field of that name.
    static func isOwn(_ name: String) -> Bool { ["name", "time_zone"].contains { $0.utf8.elementsEqual(name.utf8) } }

    /// What a contact has under a name; `name` and `time_zone` are its own where no field is called so.
    private static func own(_ name: String, of contact: Contact) -> String? {
        if let value = contact.fields[name] { return value }
        switch name {
        case "name": return contact.displayName
        case "time_zone": return contact.timeZone
        default: return nil
        }
    }
}
