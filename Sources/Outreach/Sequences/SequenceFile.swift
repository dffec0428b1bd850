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

    /// A step that begins another sequence.
    package struct Beginning: Sendable, Equatable {
        /// Name of the other one.
        package let sequence: String
        package let line: Int
    }

    package let plan: SequencePlan
    package let templates: StepTemplates
    /// Hex SHA-256 of the file.
    package let hash: String
    /// Where its steps begin other sequences, in the order of the file.
    package let beginnings: [Beginning]
    /// Where its messages do not show the link that ends all mail.
    package let linesWithoutWayOut: [Int]
    /// Where its messages cannot be written for somebody without a link that ends all mail.
    package let linesThatNeedLink: [Int]
    /// Names that mean something only where there is such a thing.
    package let mentions: [PlanMention]
    /// Where it first asks for opens and for clicks, else where it says that they are counted.
    package let touchLines: [SequencePlan.Trigger: Int]
    /// Where it says its quiet hours; nil: it has none.
    package let quietHoursLine: Int?
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
        if let plan {
            reader.checkTemplates(of: plan)
            if reader.faults.isEmpty {
                do throws(StepTemplates.Fault) {
                    templates = try StepTemplates(plan)
                } catch {
                    reader.fault([.key(reader.dialect.steps), .index(error.step)], error.description)
                }
            }
        }
        guard let plan, let templates, reader.faults.isEmpty else {
            throw Faults(faults: reader.faults.sorted { $0.line < $1.line })
        }
        self.plan = plan
        self.templates = templates
        hash = Hex.encode(Digest.sha256(bytes))
        warnings = reader.warnings.sorted { $0.line < $1.line }
        let dialect = reader.dialect
        beginnings = plan.steps.enumerated().flatMap { index, step in
            let line = reader.line([.key(dialect.steps), .index(index), "enroll"])
            return step.begins.map { Beginning(sequence: $0, line: line) }
        }
        func line(_ writing: StepTemplates.Writing) -> Int {
            reader.line(
                [.key(dialect.steps), .index(writing.step)] + (writing.variant.map { [.key(dialect.variants), .index($0)] } ?? []))
        }
        linesWithoutWayOut = templates.writings.filter { !$0.showsWayOut }.map(line)
        linesThatNeedLink = templates.writings.filter(\.needsLink).map(line)
        mentions = plan.mentions { step, way in
            let place: [TomlStep] = way.map { [.key(dialect.ways), .index($0), "if"] } ?? ["fields"]
            return reader.line([.key(dialect.steps), .index(step)] + place)
        }
        var touchLines: [SequencePlan.Trigger: Int] = [:]
        for (event, key) in [(SequencePlan.Trigger.opened, dialect.trackOpens), (.clicked, dialect.trackClicks)] {
            let asking = plan.firstAsking(for: event).map { first -> [TomlStep] in
                [.key(dialect.steps), .index(first.step), .key(dialect.ways), .index(first.way), first.isCondition ? "if" : "on"]
            }
            touchLines[event] = reader.line(asking ?? [.key(key)])
        }
        self.touchLines = touchLines
        quietHoursLine = plan.quietHours == nil ? nil : reader.line([.key(dialect.quietHours)])
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
