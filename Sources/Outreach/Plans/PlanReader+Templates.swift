import Toml

/// The texts of a plan as templates.
extension PlanReader {
    /// Tells what is wrong with each, where it is written; what a step takes over from elsewhere is told of there alone.
    mutating func checkTemplates(of plan: SequencePlan) {
        let snippets = soundSnippets(of: plan)
        for (index, step) in plan.steps.enumerated() {
            let path: [TomlStep] = [.key(dialect.steps), .index(index)]
            switch step.work {
            case .send(let letter):
                check([("subject", letter.subject), ("text", letter.text), ("html", letter.html)], snippets, path)
                for (number, variant) in letter.variants.enumerated() {
                    let path = path + [.key(dialect.variants), .index(number)]
                    check([("subject", variant.subject), ("text", variant.text), ("html", variant.html)], snippets, path)
                }
            case .webhook(let call):
                for (name, text) in call.data.sorted(by: { $0.key < $1.key }) {
                    let place = path + ["data", .key(name)]
                    let template = template(text, .text, snippets, place, "data of this step, its")
                    // Stored versions that say it stay readable: here new ones are refused.
                    if template?.fields.contains("unsubscribe_url") == true {
                        fault(place, "data of this step: {{unsubscribe_url}} is the link of one message, and a call is none; take it out")
                    }
                }
            case .wait, .condition, .split, .action, .stop: break
            }
        }
    }

    /// The snippets with nothing in the place of those that cannot be read, so that each fault is told once.
    private mutating func soundSnippets(of plan: SequencePlan) -> [String: String] {
        var blank = plan.snippets.mapValues { _ in "" }
        if case .table(let members)? = root["snippets"] { for member in members { blank[member.key] = "" } }
        var sound = blank
        for (name, text) in plan.snippets.sorted(by: { $0.key < $1.key }) {
            if template(text, .text, blank, ["snippets", .key(name)], "this snippet, its") != nil { sound[name] = text }
        }
        for (name, text) in sound.sorted(by: { $0.key < $1.key }) {
            if template(text, .text, sound, ["snippets", .key(name)], "this snippet, its") == nil { sound[name] = "" }
        }
        return sound
    }

    private mutating func check(_ parts: [(name: String, source: String?)], _ snippets: [String: String], _ path: [TomlStep]) {
        for (name, source) in parts {
            guard let source else { continue }
            let format: MessageTemplate.Format = Self.same(name, "html") ? .html : .text
            let place = path + [.key(name)]
            guard let template = template(source, format, snippets, place, "\(name) of this step, its"), Self.same(name, "subject") else {
                continue
            }
            if template.isBlank {
                fault(place, "'subject' is empty; write one, or leave it out to go on in the thread of a message before it")
            } else if !template.isOneLine {
                fault(place, "'subject' has more than one line, which no message can have; write it in one")
            }
        }
    }

    /// nil: it cannot be read, which is told.
    private mutating func template(
        _ source: String, _ format: MessageTemplate.Format, _ snippets: [String: String], _ place: [TomlStep], _ what: String
    ) -> MessageTemplate? {
        do throws(TemplateError) {
            return try MessageTemplate(source, format: format, snippets: snippets)
        } catch {
            fault(place, "\(what) \(error)")
            return nil
        }
    }
}
