package import InternetMessage

extension SequencePlan {
    /// A message as a step writes it.
    package struct Letter: Sendable, Equatable, Codable {
        /// Another text for some of those who get the step.
        package struct Variant: Sendable, Equatable, Codable {
            package let name: String
            /// Its share among the variants of the step.
            package let weight: Int
            /// nil: the step's.
            package let subject: String?
            /// nil: the step's; blank with HTML beside it: derived from that.
            package let text: String?
            /// nil: the step's, unless the variant has a text of its own.
            package let html: String?

            package init(name: String, weight: Int, subject: String? = nil, text: String? = nil, html: String? = nil) {
                self.name = name
                self.weight = weight
                self.subject = subject
                self.text = text
                self.html = html
            }
        }

        /// Mustache source. A step without one goes on in the thread with `Re:`.
        package let subject: String?
        /// Mustache source of the plain text; blank with HTML beside it: derived from that for each recipient.
        package let text: String
        /// Mustache source of the HTML alternative; nil: plain text only.
        package let html: String?
        /// Everybody gets one of them; empty: there is only the step's own text.
        package let variants: [Variant]

        package init(subject: String?, text: String, html: String? = nil, variants: [Variant] = []) {
            self.subject = subject
            self.text = text
            self.html = html
            self.variants = variants
        }

        /// The text where it says one; nil: it is derived from the HTML, or each variant has its own.
        package var writtenText: String? {
            text.utf8.allSatisfy { $0 <= 32 } && (html != nil || !variants.isEmpty) ? nil : text
        }

        /// What each of those who get it gets: its own text, or what its variants make of it.
        var wordings: [(variant: Int?, text: String, html: String?)] {
            guard !variants.isEmpty else { return [(nil, text, html)] }
            return variants.enumerated().map { index, variant in
                (index, variant.text ?? text, variant.html ?? (variant.text == nil ? html : nil))
            }
        }

        /// Whether somebody gets it as HTML.
        package var hasHTML: Bool { html != nil || variants.contains { $0.html != nil } }
    }

    /// What an action does to the contact.
    package enum Action: Sendable, Equatable, Codable {
        case set(field: String, value: String)
        /// It gets a tag, or comes on a list.
        case join(group: ContactGroup.Name)
        /// It loses a tag, or leaves a list.
        case leave(group: ContactGroup.Name)
        /// Nobody writes to its address any more, which ends every sequence of it.
        case suppress
        /// It gets an owner, who looks after it: one of them, by lot and the same for the same contact, unless it has one of them already.
        /// The owner is the field `owner`.
        case assign(owners: [String])
        /// It begins another sequence, unless it is on its way through it.
        case enroll(sequence: String)

        /// The field of a contact that names who looks after it.
        package static let ownerField = "owner"
        static let mostOwners = 50

        /// For a person; nil for what is told otherwise.
        var words: String? {
            switch self {
            case .join(let group): "\(group)"
            case .leave(let group): "no \(group)"
            case .assign(let owners): "owner \(owners.joined(separator: " or "))"
            case .set, .suppress, .enroll: nil
            }
        }

        /// As it is for one contact: whoever becomes its owner is chosen.
        func settled(for contact: Contact, step: String, in plan: String, chance: Chance) -> Action {
            guard case .assign(let owners) = self, owners.count > 1 else { return self }
            let present = contact.fields[Self.ownerField].map(ExpressionScanner.folded)
            if let kept = owners.first(where: { ExpressionScanner.folded($0) == present }) { return .assign(owners: [kept]) }
            let place = chance.fraction("owner", [plan, step, contact.address.suppressionKey])
            return .assign(owners: Weighted.pick(owners, at: place) { _ in 1 }.map { [$0] } ?? owners)
        }
    }

    /// A call to another system, as a step writes it.
    package struct Call: Sendable, Equatable, Codable {
        /// Name of the webhook in conf; nil: the one that has this `url`.
        package let webhook: String?
        /// What plans of other programs say of it; it must be the URL of a webhook in conf.
        package let url: String?
        /// Fields of the contact that are handed over.
        package let fields: [String]
        /// Texts by name that are handed over as well, Mustache source.
        package let data: [String: String]

        package init(webhook: String?, url: String? = nil, fields: [String] = [], data: [String: String] = [:]) {
            self.webhook = webhook
            self.url = url
            self.fields = fields
            self.data = data
        }

        /// For a person.
        var words: String { webhook.map { "webhook \($0)" } ?? "the webhook of its URL" }
    }

    /// What a step does.
    package enum Work: Sendable, Equatable {
        case send(Letter)
        /// Nothing, for as long as its delay says.
        case wait
        /// Takes the first of its ways whose condition holds.
        case condition
        /// Takes one of its ways by weight, the same for the same contact.
        case split
        case action([Action])
        /// Hands the contact over to another system; done once the call is queued.
        case webhook(Call)
        /// Ends the sequence; nil: without words.
        case stop(reason: String?)

        /// `send`, `wait`, ... as files spell it.
        package var word: String {
            switch self {
            case .send: "send"
            case .wait: "wait"
            case .condition: "condition"
            case .split: "split"
            case .action: "action"
            case .webhook: "webhook"
            case .stop: "stop"
            }
        }
    }

    /// One step of a plan; a contact comes to it once at most.
    package struct Step: Sendable, Equatable {
        package let name: String
        package let work: Work
        /// How long after coming to it the step is done; of a wait, how long it is.
        package let delay: ISODuration
        /// Whether the days of the delay are business days, Monday to Friday; nil is no.
        package let businessDays: Bool?
        /// nil: the step after it in the file comes next, once this one is done.
        package let ways: [Way]?
        /// A JSON object of what its file says beside that; nil when there is nothing.
        package let extra: String?

        package init(
            name: String, work: Work, delay: ISODuration = .none, businessDays: Bool? = nil, ways: [Way]? = nil, extra: String? = nil
        ) {
            self.name = name
            self.work = work
            self.delay = delay
            self.businessDays = businessDays
            self.ways = ways
            self.extra = extra
        }

        /// A message.
        package init(
            name: String, delay: ISODuration, businessDays: Bool? = nil, subject: String?, text: String, html: String? = nil,
            ways: [Way]? = nil
        ) {
            self.init(
                name: name, work: .send(Letter(subject: subject, text: text, html: html)), delay: delay, businessDays: businessDays,
                ways: ways)
        }

        /// Names of the sequences that it begins.
        package var begins: [String] {
            guard case .action(let actions) = work else { return [] }
            return actions.compactMap { if case .enroll(let name) = $0 { name } else { nil } }
        }

        /// nil when it is no message.
        package var letter: Letter? { if case .send(let letter) = work { letter } else { nil } }

        /// When the step is due that waits from `moment` on.
        ///
        /// - Parameters:
        ///   - zone: where days are counted.
        ///   - holidays: days that are no business days.
        package func due(after moment: Timestamp, in zone: LocalZone, holidays: Holidays = .none) -> Timestamp {
            guard businessDays == true, let days = BusinessDays(days: Weekday.business, holidays: holidays, zone: zone) else {
                return zone.adding(delay, to: moment)
            }
            return days.adding(Int(delay.seconds / 86_400), to: moment)
        }
    }

    /// What a way out of a step waits for.
    package enum Trigger: String, Sendable, CaseIterable, Codable {
        /// Nothing but the time.
        case done
        case accepted
        /// Accepted, and no report of a failure within a time.
        case delivered
        /// Put off again and again for longer than a time.
        case deferred
        case bounced
        case replied
        case outOfOffice = "out_of_office"
        case unsubscribed
        case complained
        case opened
        case clicked
        case noReply = "no_reply"
        case noOpen = "no_open"
        case noClick = "no_click"

        /// Whether it is something that happens, as against time that passes.
        package var isEvent: Bool {
            switch self {
            case .done, .accepted, .delivered, .noReply, .noOpen, .noClick: false
            case .deferred, .bounced, .replied, .outOfOffice, .unsubscribed, .complained, .opened, .clicked: true
            }
        }

        /// What must not have come for it; nil when nothing must.
        package var absent: Trigger? {
            switch self {
            case .noReply: .replied
            case .noOpen: .opened
            case .noClick: .clicked
            case .delivered: .bounced
            default: nil
            }
        }
    }

    /// A way out of a step: when it is taken and where it leads.
    package struct Way: Sendable, Equatable, Codable {
        package let on: Trigger
        /// Classes of replies or failures that count; empty: all.
        package let classes: [String]
        /// Intent of the reply; nil: any.
        package let intent: String?
        /// When it is taken, counted from when the step was done; nil: at once.
        package let after: ISODuration?
        /// How long the event may take, counted from when the step was done; nil: `longestWait`.
        package let within: ISODuration?
        /// Of a condition: when it is taken; nil: otherwise.
        package let condition: PlanCondition?
        /// Of a split: its share; nil elsewhere.
        package let weight: Int?
        /// Name of the step that it leads to.
        package let to: String
        /// A JSON object of what its file says beside that; nil when there is nothing.
        package let extra: String?

        /// For how long an event is waited for where the plan does not say.
        package static let longestWait = Duration.seconds(30 * 86_400)
        /// How long a report of a failure may take where the plan does not say.
        package static let deliveryWindow = Duration.seconds(86_400)

        package init(
            on: Trigger, classes: [String] = [], intent: String? = nil, after: ISODuration? = nil, within: ISODuration? = nil,
            condition: PlanCondition? = nil, weight: Int? = nil, to: String, extra: String? = nil
        ) {
            self.on = on
            self.classes = classes
            self.intent = intent
            self.after = after
            self.within = within
            self.condition = condition
            self.weight = weight
            self.to = to
            self.extra = extra
        }

        /// `no_reply after P3D`, `replied (positive) within P14D`, ...
        package var words: String {
            var words = on.rawValue
            let kinds = classes + (intent.map { ["intent \($0)"] } ?? [])
            if !kinds.isEmpty { words += " (\(kinds.joined(separator: ", ")))" }
            if let after { words += " after \(after)" }
            if let within { words += " within \(within)" }
            return words
        }
    }
}

extension ISODuration {
    /// No time at all.
    package static let none = ISODuration(seconds: 0, description: "PT0S")
}

extension SequencePlan.Step: Codable {
    private enum CodingKeys: String, CodingKey {
        case name, type, delay, businessDays, subject, text, html, variants, actions, call, reason, ways, extra
    }

    /// Versions from before there were types are messages.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        let type = try values.decodeIfPresent(String.self, forKey: .type) ?? "send"
        let work: SequencePlan.Work
        switch type {
        case "send":
            work = .send(
                .init(
                    subject: try values.decodeIfPresent(String.self, forKey: .subject), text: try values.decode(String.self, forKey: .text),
                    html: try values.decodeIfPresent(String.self, forKey: .html),
                    variants: try values.decodeIfPresent([SequencePlan.Letter.Variant].self, forKey: .variants) ?? []))
        case "wait": work = .wait
        case "condition": work = .condition
        case "split": work = .split
        case "action": work = .action(try values.decode([SequencePlan.Action].self, forKey: .actions))
        case "webhook": work = .webhook(try values.decode(SequencePlan.Call.self, forKey: .call))
        case "stop": work = .stop(reason: try values.decodeIfPresent(String.self, forKey: .reason))
        default:
            throw DecodingError.dataCorruptedError(forKey: .type, in: values, debugDescription: "no type of step: \(type)")
        }
        self.init(
            name: try values.decode(String.self, forKey: .name), work: work, delay: try values.decode(ISODuration.self, forKey: .delay),
            businessDays: try values.decodeIfPresent(Bool.self, forKey: .businessDays),
            ways: try values.decodeIfPresent([SequencePlan.Way].self, forKey: .ways),
            extra: try values.decodeIfPresent(String.self, forKey: .extra))
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(name, forKey: .name)
        try values.encode(delay, forKey: .delay)
        try values.encodeIfPresent(businessDays, forKey: .businessDays)
        try values.encodeIfPresent(ways, forKey: .ways)
        try values.encodeIfPresent(extra, forKey: .extra)
        if letter == nil { try values.encode(work.word, forKey: .type) }
        switch work {
        case .send(let letter):
            try values.encodeIfPresent(letter.subject, forKey: .subject)
            try values.encode(letter.text, forKey: .text)
            try values.encodeIfPresent(letter.html, forKey: .html)
            if !letter.variants.isEmpty { try values.encode(letter.variants, forKey: .variants) }
        case .action(let actions): try values.encode(actions, forKey: .actions)
        case .webhook(let call): try values.encode(call, forKey: .call)
        case .stop(let reason): try values.encodeIfPresent(reason, forKey: .reason)
        case .wait, .condition, .split: break
        }
    }
}
