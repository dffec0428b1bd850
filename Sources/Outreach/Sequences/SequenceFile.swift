import OpenSSL
import Toml

/// A sequence file, in TOML or as a JSON plan "1.0", read whole: the plan, or every fault with its line.
package struct SequenceFile: Sendable {
    package struct Fault: Sendable, Equatable, CustomStringConvertible {
        package let file: String
        package let line: Int
        /// What is wrong and what to do.
        package let message: String

        package var description: String { "\(file):\(line): \(message)" }
    }

    package struct Faults: Error, Sendable, Equatable {
        package let faults: [Fault]
    }

    package let plan: SequencePlan
    package let templates: StepTemplates
    /// Hex SHA-256 of the file.
    package let hash: String
    /// What can stay as it is and may not be what was meant, in the order of the file.
    package let warnings: [Fault]

    /// - Parameters:
    ///   - file: the name that faults show; one that ends in `.json` is a JSON plan.
    ///   - webhooks: what steps may call; nil: they are not held against any.
    /// - Throws: all faults at once, in the order of the file.
    package init(parsing bytes: [UInt8], file: String, webhooks: WebhookBook? = nil) throws(Faults) {
        var reader = try Self.reader(bytes, file: file, webhooks: webhooks)
        let plan = reader.plan()
        var templates: StepTemplates?
        if reader.faults.isEmpty, let plan {
            for (name, text) in plan.snippets {
                do throws(TemplateError) {
                    _ = try MessageTemplate(text, format: .text, snippets: plan.snippets)
                } catch {
                    reader.fault(["snippets", .key(name)], "this snippet, its \(error)")
                }
            }
            do throws(StepTemplates.Fault) {
                templates = try StepTemplates(plan)
            } catch {
                var path: [TomlStep] = [.key(reader.dialect.steps), .index(error.step)]
                if let variant = error.variant { path += [.key(reader.dialect.variants), .index(variant)] }
                reader.fault(
                    path + [.key(error.part)] + (error.name.map { [.key($0)] } ?? []), "\(error.part) of this step, its \(error.error)")
            }
        }
        // Stored versions that say it stay readable: here new ones are refused.
        for (step, texts) in (templates?.data ?? []).enumerated() {
            for (name, template) in texts where template.fields.contains("unsubscribe_url") {
                reader.fault(
                    [.key(reader.dialect.steps), .index(step), "data", .key(name)],
                    "data of this step: {{unsubscribe_url}} is the link of one message, and a call is none; take it out")
            }
        }
        guard let plan, let templates, reader.faults.isEmpty else {
            throw Faults(faults: reader.faults.sorted { $0.line < $1.line })
        }
        self.plan = plan
        self.templates = templates
        hash = Hex.encode(Digest.sha256(bytes))
        warnings = reader.warnings.sorted { $0.line < $1.line }
    }

    private static func reader(_ bytes: [UInt8], file: String, webhooks: WebhookBook?) throws(Faults) -> PlanReader {
        if Array(file.utf8.suffix(5)).map({ $0 | 0x20 }) == Array(".json".utf8) {
            do throws(PlanJSON.Fault) {
                let json = try PlanJSON(parsing: bytes)
                return PlanReader(dialect: .json, file: file, root: json.root, webhooks: webhooks) { json.line(near: $0) }
            } catch {
                throw Faults(faults: [Fault(file: file, line: error.line, message: error.message)])
            }
        }
        do throws(TomlError) {
            let document = try TomlDocument(parsing: bytes, file: file)
            return PlanReader(dialect: .toml, file: file, root: PlanValue(document.root), webhooks: webhooks) { document.line(near: $0) }
        } catch {
            throw Faults(faults: [Fault(file: file, line: error.line, message: error.message)])
        }
    }
}
