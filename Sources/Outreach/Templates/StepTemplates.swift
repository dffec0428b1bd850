import InternetMessage

/// The parsed templates of one sequence version, ready to render.
package struct StepTemplates: Sendable {
    struct Step: Sendable {
        let subject: MessageTemplate?
        let text: MessageTemplate
        let html: MessageTemplate?
    }

    let steps: [Step]

    /// What is wrong, in which step and part.
    package struct Fault: Error, Sendable, Equatable, CustomStringConvertible {
        package let step: Int
        /// `subject`, `text` or `html`.
        package let part: String
        package let error: TemplateError

        package var description: String { "step \(step + 1), \(part), \(error)" }
    }

    /// - Throws: the first fault.
    package init(_ plan: SequencePlan) throws(Fault) {
        var steps: [Step] = []
        for (index, step) in plan.steps.enumerated() {
            func parse(_ source: String, _ part: String, _ format: MessageTemplate.Format) throws(Fault) -> MessageTemplate {
                do throws(TemplateError) {
                    return try MessageTemplate(source, format: format)
                } catch {
                    throw Fault(step: index, part: part, error: error)
                }
            }
            var subject: MessageTemplate?
            if let source = step.subject { subject = try parse(source, "subject", .text) }
            var html: MessageTemplate?
            if let source = step.html { html = try parse(source, "html", .html) }
            steps.append(Step(subject: subject, text: try parse(step.text, "text", .text), html: html))
        }
        self.steps = steps
    }
}
