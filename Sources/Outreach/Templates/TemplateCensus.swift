/// Counts whose messages of a plan would be parked for want of a value, over any number of contacts.
package struct TemplateCensus: Sendable {
    /// What one step lacks for one contact.
    package struct Lack: Sendable, Equatable {
        /// Name of the step.
        package let step: String
        /// Fields without value and without fallback.
        package let names: [String]
        /// Fields that hold the mark of a field in place of a value, in order of their names.
        package let marked: [String]

        package init(step: String, names: [String], marked: [String] = []) {
            self.step = step
            self.names = names
            self.marked = marked
        }
    }

    /// One field that one step lacks.
    package struct Gap: Sendable, Equatable {
        package let step: String
        /// Of the field, and that it holds a mark where that is what is wrong with it.
        package let name: String
        /// For how many contacts.
        package let contacts: Int
        /// The line of the first of them.
        package let firstLine: Int
    }

    private let sequence: String
    private let names: [String]
    private let templates: StepTemplates
    private let hasLink: Bool
    private var gaps: [String: [String: (contacts: Int, firstLine: Int)]] = [:]
    package private(set) var contacts = 0
    /// How many of them lack something in any step.
    package private(set) var parked = 0

    /// - Parameter hasLink: whether messages have a link that ends all mail, or it is not known.
    package init(_ plan: SequencePlan, _ templates: StepTemplates, hasLink: Bool = true) {
        sequence = plan.name
        names = plan.steps.map(\.name)
        self.templates = templates
        self.hasLink = hasLink
    }

    /// What a contact lacks, by step; of several variants and wordings each may be the one that it gets.
    ///
    /// - Parameter values: by name; what each message sets by itself need not be among them.
    package mutating func count(_ values: [String: String], line: Int) -> [Lack] {
        var known = values
        for name in ["sender_email", "sender_name"] { known[name] = "x" }
        let handedOver = known
        // A link of one message, and a call is none.
        if hasLink { known["unsubscribe_url"] = "x" }
        contacts += 1
        var lacks: [Lack] = []
        for (index, letters) in templates.steps.enumerated() {
            var missing: [String] = []
            let own = OwnLetter(of: values, sequence: sequence, step: names[index])
            for part in letters.flatMap(\.parts) where !own.replaces(part.name) {
                missing += part.template.missing(known).filter { !missing.contains($0) }
            }
            for text in templates.data[index] { missing += text.template.missing(handedOver).filter { !missing.contains($0) } }
            let marked = letters.isEmpty ? [] : marked(values, in: letters, own, step: names[index])
            guard !missing.isEmpty || !marked.isEmpty else { continue }
            lacks.append(Lack(step: names[index], names: missing, marked: marked))
            for name in missing + marked.map({ "\($0) (holds a mark)" }) {
                let before = gaps[names[index]]?[name]
                gaps[names[index], default: [:]][name] = ((before?.contacts ?? 0) + 1, before?.firstLine ?? line)
            }
        }
        if !lacks.isEmpty { parked += 1 }
        return lacks
    }

    /// Fields that a message may show and that are only the mark of a field, in order of their names.
    private func marked(_ values: [String: String], in letters: [StepTemplates.Letter], _ own: OwnLetter, step: String) -> [String] {
        // The name stands in To, whatever the message says.
        var shown: Set<String> = ["name"]
        for part in letters.flatMap(\.parts) where !own.replaces(part.name) { shown.formUnion(part.template.shown(values)) }
        for part in OwnLetter.parts where own.replaces(part) { shown.insert(OwnLetter.field(part, sequence: sequence, step: step)) }
        shown.remove("email")
        return shown.sorted().filter { values[$0].flatMap(FieldMark.first) != nil }
    }

    /// In the order of the steps, the most frequent first.
    package var found: [Gap] {
        names.flatMap { step in
            (gaps[step] ?? [:]).map { Gap(step: step, name: $0.key, contacts: $0.value.contacts, firstLine: $0.value.firstLine) }
                .sorted { a, b in a.contacts == b.contacts ? a.name < b.name : a.contacts > b.contacts }
        }
    }
}
