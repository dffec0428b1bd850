package import InternetMessage

/// Something that came back for an enrollment, as ways out of a step see it.
package enum PlanFact: Sendable, Equatable {
    case reply(ReplyClass, intent: String?)
    /// - Parameter failureClass: nil: not known.
    case bounce(failureClass: String?)
    /// A person opened the message of that step.
    case open(step: Int)
    /// A person clicked a link of the message of that step.
    case click(step: Int)

    /// The step whose message it is about; nil: whichever it is, it is an answer to them all.
    var step: Int? {
        switch self {
        case .open(let step), .click(let step): step
        case .reply, .bounce: nil
        }
    }

    /// Whether it is what a way waits for; which message it is about is not looked at.
    package func isAwaited(by way: SequencePlan.Way) -> Bool {
        switch (self, way.on) {
        case (.reply(let replyClass, let intent), .replied):
            guard replyClass.isHuman || replyClass == .leftCompany else { return false }
            let isOfClass = way.classes.isEmpty ? replyClass.isHuman : way.classes.contains { Self.same($0, replyClass.rawValue) }
            return isOfClass && (way.intent.map { wanted in intent.map { Self.same($0, wanted) } ?? false } ?? true)
        case (.reply(.outOfOffice, _), .outOfOffice): return true
        case (.bounce(let failureClass), .bounced):
            return way.classes.isEmpty || failureClass.map { known in way.classes.contains { Self.same($0, known) } } ?? false
        case (.open, .opened), (.click, .clicked): return true
        default: return false
        }
    }

    /// Whether it is of the kind that must not have come for a way.
    func refutes(_ way: SequencePlan.Way) -> Bool {
        switch (self, way.on.absent) {
        case (.reply(let replyClass, _), .replied): replyClass.isHuman || replyClass == .leftCompany
        case (.bounce, .bounced): true
        case (.open, .opened), (.click, .clicked): true
        // Who clicks has opened, whether the pictures were fetched or not.
        case (.click, .opened): true
        default: false
        }
    }

    /// For a person.
    var words: String {
        switch self {
        case .reply(let replyClass, let intent): "replied (\(replyClass.rawValue)\(intent.map { ", \($0)" } ?? ""))"
        case .bounce(let failureClass): "bounced (\(failureClass ?? "class unknown"))"
        case .open: "opened"
        case .click: "clicked"
        }
    }

    private static func same(_ a: String, _ b: String) -> Bool { a.utf8.elementsEqual(b.utf8) }
}

/// What came back for one enrollment, in order of time.
package struct SequenceHistory: Sendable, Equatable {
    package struct Entry: Sendable, Equatable {
        package let fact: PlanFact
        package let at: Timestamp

        package init(_ fact: PlanFact, at: Timestamp) {
            self.fact = fact
            self.at = at
        }
    }

    package let entries: [Entry]

    package init(_ entries: [Entry] = []) { self.entries = entries.sorted { $0.at < $1.at } }
}

/// All that a decision about one step may look at.
package struct StepFacts: Sendable {
    package let contact: Contact
    package let identity: String
    package let plan: SequencePlan
    package let history: SequenceHistory
    /// Every message of the enrollment, cancelled ones included.
    package let messages: [OutboxMessage]
    /// Tags and lists of the contact; empty where nothing asks for them.
    package let groups: [ContactGroup.Name]

    package init(
        contact: Contact, identity: String, plan: SequencePlan, history: SequenceHistory, messages: [OutboxMessage],
        groups: [ContactGroup.Name] = []
    ) {
        self.contact = contact
        self.identity = identity
        self.plan = plan
        self.history = history
        self.messages = messages
        self.groups = groups
    }

    /// The text of a name; empty when there is none.
    func text(_ name: PlanCondition.Name) -> String {
        switch name.kind {
        case .field: contact.fields[name.detail ?? ""] ?? ""
        case .email: contact.address.text
        case .domain: contact.address.asciiDomain ?? contact.address.domain
        case .provider: messages.filter { $0.provider != nil }.max { $0.createdAt < $1.createdAt }?.provider ?? ""
        case .name: contact.displayName ?? ""
        case .identity: identity
        case .intent: history.entries.last { if case .reply = $0.fact { true } else { false } }.flatMap(Self.intent) ?? ""
        case .variant: message(of: name.detail)?.variant ?? ""
        case .sent, .replied, .bounced, .outOfOffice, .opened, .clicked, .tag, .list: ""
        }
    }

    /// Whether a fact is one.
    func holds(_ name: PlanCondition.Name) -> Bool {
        switch name.kind {
        case .sent: message(of: name.detail)?.state == .sent
        case .replied: has(SequencePlan.Way(on: .replied, classes: name.detail.map { [$0] } ?? [], to: ""))
        case .bounced: has(SequencePlan.Way(on: .bounced, classes: name.detail.map { [$0] } ?? [], to: ""))
        case .outOfOffice: has(SequencePlan.Way(on: .outOfOffice, to: ""))
        case .opened: isTouched(name.detail, orOpened: true)
        case .clicked: isTouched(name.detail, orOpened: false)
        case .tag: isIn(.tag, name.detail)
        case .list: isIn(.list, name.detail)
        case .field, .email, .domain, .provider, .name, .identity, .intent, .variant: false
        }
    }

    private func isIn(_ kind: ContactGroup.Kind, _ text: String?) -> Bool {
        guard let text, let name = try? ContactGroup.Name(kind, text) else { return false }
        return groups.contains(name)
    }

    private func has(_ way: SequencePlan.Way) -> Bool { history.entries.contains { $0.fact.isAwaited(by: way) } }

    /// Whether a person clicked in the message of a step, or opened it; nil: in any message.
    private func isTouched(_ step: String?, orOpened: Bool) -> Bool {
        let wanted = step.flatMap(plan.index(of:))
        guard step == nil || wanted != nil else { return false }
        return history.entries.contains { entry in
            switch entry.fact {
            case .click(let step): wanted.map { $0 == step } ?? true
            case .open(let step): orOpened && wanted.map { $0 == step } ?? true
            case .reply, .bounce: false
            }
        }
    }

    private func message(of step: String?) -> OutboxMessage? {
        guard let index = step.flatMap(plan.index(of:)) else { return nil }
        return messages.last { $0.step == index && $0.state != .cancelled }
    }

    private static func intent(_ entry: SequenceHistory.Entry) -> String? {
        if case .reply(_, let intent) = entry.fact { intent } else { nil }
    }
}

extension ReplyClass {
    /// Whether a person wrote it to say something, as against a machine; a wish to hear no more is none of them, it always ends.
    package var isHuman: Bool {
        switch self {
        case .positive, .question, .negative, .notNow, .referral, .neutral: true
        default: false
        }
    }

    /// The human ones, for a person.
    static var humanWords: String { allCases.filter(\.isHuman).map(\.rawValue).joined(separator: ", ") }
}
