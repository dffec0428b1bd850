import OpenSSL
import Toml

/// A sequence file in TOML, read whole: the plan, or every fault with its line.
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

    /// - Parameters:
    ///   - file: the name that faults show.
    /// - Throws: all faults at once, in the order of the file.
    package init(parsing bytes: [UInt8], file: String) throws(Faults) {
        let document: TomlDocument
        do throws(TomlError) {
            document = try TomlDocument(parsing: bytes, file: file)
        } catch {
            throw Faults(faults: [Fault(file: file, line: error.line, message: error.message)])
        }
        var reader = Reader(document: document)
        let plan = reader.plan()
        var templates: StepTemplates?
        if reader.faults.isEmpty, let plan {
            do throws(StepTemplates.Fault) {
                templates = try StepTemplates(plan)
            } catch {
                let line = document.line(near: ["step", .index(error.step), .key(error.part)])
                reader.faults.append(Fault(file: file, line: line, message: "\(error.part) of this step, its \(error.error)"))
            }
        }
        guard let plan, let templates, reader.faults.isEmpty else {
            throw Faults(faults: reader.faults.sorted { $0.line < $1.line })
        }
        self.plan = plan
        self.templates = templates
        hash = Hex.encode(Digest.sha256(bytes))
    }

    private struct Reader {
        let document: TomlDocument
        var faults: [Fault] = []

        mutating func plan() -> SequencePlan? {
            let known = ["name", "description", "stop_on", "step"]
            refuseOthers(in: document.root, known: known, path: [])
            let name = string("name", in: document.root, path: [], required: true)
            if let name, !Self.isName(name) {
                fault(["name"], "a name has letters, digits, '-' and '_', at most 64 of them")
            }
            let description = string("description", in: document.root, path: [], required: false) ?? ""
            let steps = self.steps()
            let stopOn = stopRules()
            guard let name, faults.isEmpty else { return nil }
            return SequencePlan(name: name, description: description, steps: steps, stopOn: stopOn)
        }

        private mutating func steps() -> [SequencePlan.Step] {
            guard case .array(let tables)? = document.root["step"], !tables.isEmpty else {
                fault(["step"], "no steps; add at least one [[step]] with delay, subject and text")
                return []
            }
            guard tables.count <= 50 else {
                fault(["step"], "\(tables.count) steps are more than 50")
                return []
            }
            var steps: [SequencePlan.Step] = []
            for (index, value) in tables.enumerated() {
                let path: [TomlStep] = ["step", .index(index)]
                guard case .table(let table) = value else {
                    fault(path, "a step is a table: write [[step]]")
                    continue
                }
                if let step = step(table, index: index, path: path) { steps.append(step) }
            }
            let names = steps.map { Array($0.name.utf8) }
            if Set(names).count != names.count { fault(["step"], "two steps have the same name; names tell them apart in reports") }
            return steps
        }

        private mutating func step(_ table: TomlTable, index: Int, path: [TomlStep]) -> SequencePlan.Step? {
            refuseOthers(in: table, known: ["name", "delay", "business_days", "subject", "text", "html"], path: path)
            let name = string("name", in: table, path: path, required: false) ?? "step\(index + 1)"
            let text = string("text", in: table, path: path, required: true)
            let subject = string("subject", in: table, path: path, required: index == 0)
            let html = string("html", in: table, path: path, required: false)
            var delay = ISODuration("PT0S")
            if let written = string("delay", in: table, path: path, required: index > 0) {
                delay = ISODuration(written)
                if delay == nil {
                    fault(
                        path + ["delay"],
                        "'\(written)' is not an ISO 8601 duration of weeks, days, hours, minutes or seconds; write for instance \"P3D\"")
                }
            }
            let businessDays = businessDays(table, delay: delay, path: path)
            guard let text, let delay else { return nil }
            return SequencePlan.Step(name: name, delay: delay, businessDays: businessDays, subject: subject, text: text, html: html)
        }

        /// nil where the file says nothing of it.
        private mutating func businessDays(_ table: TomlTable, delay: ISODuration?, path: [TomlStep]) -> Bool? {
            guard let value = table["business_days"] else { return nil }
            guard case .bool(let flag) = value else {
                fault(path + ["business_days"], "'business_days' must be true or false, not \(value.kind)")
                return nil
            }
            if flag, let delay, delay.seconds % 86_400 != 0 || delay.seconds > 366 * 86_400 {
                fault(path + ["business_days"], "business days are whole days, at most 366; write the delay for instance as \"P3D\"")
            }
            return flag
        }

        private mutating func stopRules() -> Set<SequencePlan.StopRule> {
            guard let value = document.root["stop_on"] else { return Set(SequencePlan.StopRule.allCases) }
            guard case .array(let items) = value else {
                fault(["stop_on"], "must be a list of strings")
                return []
            }
            var rules: Set<SequencePlan.StopRule> = []
            for (index, item) in items.enumerated() {
                if case .string(let text) = item, let rule = SequencePlan.StopRule(rawValue: text) {
                    rules.insert(rule)
                } else {
                    let all = SequencePlan.StopRule.allCases.map(\.rawValue).joined(separator: ", ")
                    fault(["stop_on", .index(index)], "is none of \(all)")
                }
            }
            return rules
        }

        private mutating func string(_ key: String, in table: TomlTable, path: [TomlStep], required: Bool) -> String? {
            guard let value = table[key] else {
                if required { fault(path, "'\(key)' is missing") }
                return nil
            }
            guard case .string(let text) = value else {
                fault(path + [.key(key)], "'\(key)' must be a string, not \(value.kind)")
                return nil
            }
            return text
        }

        private mutating func refuseOthers(in table: TomlTable, known: [String], path: [TomlStep]) {
            for entry in table.entries where !known.contains(where: { $0.utf8.elementsEqual(entry.key.utf8) }) {
                fault(path + [.key(entry.key)], "unknown key '\(entry.key)'; known are \(known.joined(separator: ", "))")
            }
        }

        private mutating func fault(_ path: [TomlStep], _ message: String) {
            faults.append(Fault(file: document.file, line: document.line(near: path), message: message))
        }

        private static func isName(_ name: String) -> Bool {
            let bytes = Array(name.utf8)
            return !bytes.isEmpty && bytes.count <= 64
                && bytes.allSatisfy { byte in
                    (byte >= 48 && byte <= 57) || (byte | 0x20 >= 97 && byte | 0x20 <= 122) || byte == UInt8(ascii: "-")
                        || byte == UInt8(ascii: "_")
                }
        }
    }
}
