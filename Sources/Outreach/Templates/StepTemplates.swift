import InternetMessage

/// The parsed templates of one sequence version, ready to render.
package struct StepTemplates: Sendable {
    /// One text of a step.
    struct Letter: Sendable {
        /// Name of the variant; nil: the step's own text.
        let variant: String?
        let weight: Int
        let subject: MessageTemplate?
        let text: MessageTemplate
        let html: MessageTemplate?

        /// Each part by its name.
        var parts: [(name: String, template: MessageTemplate)] {
            [("subject", subject), ("text", text), ("html", html)].compactMap { name, template in template.map { (name, $0) } }
        }
    }

    /// By step: its texts, of which each message has one; none where the step is no message.
    let steps: [[Letter]]
    /// By step: the texts that a call hands over; none where the step calls nothing.
    let data: [[(name: String, template: MessageTemplate)]]

    /// What is wrong, in which step and part.
    package struct Fault: Error, Sendable, Equatable, CustomStringConvertible {
        package let step: Int
        /// Index of the variant; nil: the step's own.
        package var variant: Int?
        /// `subject`, `text`, `html` or `data`.
        package let part: String
        /// Which of the texts in `data`; nil: another part.
        package var name: String?
        package let error: TemplateError

        package var description: String { "step \(step + 1), \(part), \(error)" }
    }

    /// - Throws: the first fault.
    package init(_ plan: SequencePlan) throws(Fault) {
        var steps: [[Letter]] = []
        var data: [[(name: String, template: MessageTemplate)]] = []
        for (index, step) in plan.steps.enumerated() {
            data.append([])
            if case .webhook(let call) = step.work {
                for (name, source) in call.data.sorted(by: { $0.key < $1.key }) {
                    do throws(TemplateError) {
                        data[index].append((name, try MessageTemplate(source, format: .text, snippets: plan.snippets)))
                    } catch {
                        throw Fault(step: index, part: "data", name: name, error: error)
                    }
                }
            }
            guard let letter = step.letter else {
                steps.append([])
                continue
            }
            func parse(_ source: String, _ part: String, _ format: MessageTemplate.Format, variant: Int?) throws(Fault) -> MessageTemplate {
                do throws(TemplateError) {
                    return try MessageTemplate(source, format: format, snippets: plan.snippets)
                } catch {
                    throw Fault(step: index, variant: variant, part: part, error: error)
                }
            }
            func parse(
                _ subject: String?, _ text: String, _ html: String?, name: String?, weight: Int, variant: Int?
            ) throws(Fault) -> Letter {
                var parsedSubject: MessageTemplate?
                if let subject { parsedSubject = try parse(subject, "subject", .text, variant: variant) }
                var parsedHTML: MessageTemplate?
                if let html { parsedHTML = try parse(html, "html", .html, variant: variant) }
                return Letter(
                    variant: name, weight: weight, subject: parsedSubject, text: try parse(text, "text", .text, variant: variant),
                    html: parsedHTML)
            }
            let own = try parse(letter.subject, letter.text, letter.html, name: nil, weight: 1, variant: nil)
            var letters: [Letter] = []
            for (number, variant) in letter.variants.enumerated() {
                letters.append(
                    try parse(
                        variant.subject ?? letter.subject, variant.text ?? letter.text,
                        variant.html ?? (variant.text == nil ? letter.html : nil), name: variant.name, weight: variant.weight,
                        variant: number))
            }
            steps.append(letters.isEmpty ? [own] : letters)
        }
        self.steps = steps
        self.data = data
    }

    /// What the messages of a step are, in the order of their variants, and whether each shows the link that ends all mail.
    package struct Writing: Sendable, Equatable {
        /// Index of the step.
        package let step: Int
        /// Index of the variant; nil: the step has one text.
        package let variant: Int?
        package let showsWayOut: Bool
        /// Whether somebody's message cannot be written where that link has no value.
        package let needsLink: Bool
    }

    private static let link = "unsubscribe_url"

    package var writings: [Writing] {
        steps.enumerated().flatMap { step, letters in
            letters.enumerated().map { number, letter in
                // Where there is no text it is made of the HTML.
                let shown = [letter.text.isBlank && letter.html != nil ? nil : letter.text, letter.html].compactMap { $0 }
                return Writing(
                    step: step, variant: letter.variant == nil ? nil : number,
                    showsWayOut: shown.allSatisfy { $0.fields.contains(Self.link) },
                    needsLink: letter.parts.contains { $0.template.needs(Self.link) })
            }
        }
    }

    /// The text of a message of a step by the name of its variant.
    func letter(step: Int, variant: String?) -> Letter? {
        guard steps.indices.contains(step) else { return nil }
        let found = steps[step].first { letter in
            variant.map { wanted in letter.variant.map { $0.utf8.elementsEqual(wanted.utf8) } ?? false } ?? (letter.variant == nil)
        }
        return found ?? steps[step].first
    }
}
