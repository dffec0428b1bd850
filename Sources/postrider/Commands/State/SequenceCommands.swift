import ArgumentParser
import InternetMessage
import Outreach
import Settings

struct Sequences: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sequence", abstract: "Check, load, look at and steer sequences.",
        subcommands: [
            SequenceValidate.self, SequenceLoad.self, SequenceList.self, SequenceShow.self, SequenceStats.self, SequencePreview.self,
            SequenceSimulate.self,
            SequencePause.self, SequenceResume.self, SequenceStop.self, SequenceMigrate.self,
        ])
}

/// Sequence files read together: all of them, or every fault of all.
enum SequenceFiles {
    /// - Parameters:
    ///   - settings: the conf that knows what steps may call; nil: they are not held against any.
    ///   - loaded: the plans that there are beside the files, which stand for those of the same name.
    static func read(
        _ paths: [String], _ settings: Settings?, beside loaded: [SequencePlan] = []
    ) throws(Failure) -> [(path: String, file: SequenceFile)] {
        var files: [(path: String, file: SequenceFile)] = []
        var faults: [String] = []
        let webhooks = settings.map(Desks.webhookBook)
        for path in paths {
            let bytes: [UInt8]
            do throws(Failure) {
                bytes = try InputFile.bytes(path)
            } catch {
                faults.append(error.message)
                continue
            }
            do throws(SequenceFile.Faults) {
                let file = try SequenceFile(parsing: bytes, file: path, webhooks: webhooks)
                if let first = files.first(where: { $0.file.plan.name.utf8.elementsEqual(file.plan.name.utf8) }) {
                    faults.append("\(path):1: '\(file.plan.name)' is the name of the sequence in \(first.path) too; rename one of them")
                }
                for warning in file.warnings { Console.error("\(TerminalText.line(warning.description)) (a warning)") }
                files.append((path, file))
            } catch {
                faults += error.faults.map(\.description)
            }
        }
        if faults.isEmpty { faults = circles(files, among: SequenceLinks(loaded + files.map(\.file.plan))) }
        guard faults.isEmpty else { throw Failure(.badInput, faults.map(TerminalText.line).joined(separator: "\n")) }
        return files
    }

    /// Sequences of the files that lead back to themselves, each circle once.
    private static func circles(_ files: [(path: String, file: SequenceFile)], among links: SequenceLinks) -> [String] {
        var faults: [String] = []
        var known: Set<[String]> = []
        for (path, file) in files {
            for beginning in file.beginnings {
                guard let way = links.way(from: beginning.sequence, to: file.plan.name), known.insert(way.sorted()).inserted else {
                    continue
                }
                let names = ([file.plan.name] + way).joined(separator: " → ")
                faults.append(
                    "\(path):\(beginning.line): a circle of sequences: \(names); nobody would ever come out of it, so let one of them begin none"
                )
            }
        }
        return faults
    }
}

struct SequenceLoad: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load", abstract: "Take sequence files in; all of them or, when one has a fault, none.",
        discussion: """
            A file that changed becomes a new version of its sequence. Contacts that are on their way stay on theirs until 'postrider sequence \
            migrate' takes them to the new one; who is enrolled from now \
            on gets the new one. Refused are sequences that would begin each other in a circle, and quiet hours that leave nothing of the hours \
            of an identity.
            """)

    @OptionGroup var conf: StateOption
    @Argument(help: "Sequence files: .toml, or the JSON plan \"1.0\" as .json.") var files: [String]
    @Flag(help: "One JSON object per file.") var json = false

    func run() async throws {
        try await OpenState.use(conf, noting: true) { state in
            let loaded = try await state.store.sequences(workspace: state.workspace).map(\.plan)
            let read = try SequenceFiles.read(files, state.settings, beside: loaded)
            try SequenceConfCheck(state.settings, workspace: state.here.name).check(read)
            try await SequenceMentions.warn(of: read, beside: loaded, in: state)
            let links = SequenceLinks(loaded + read.map(\.file.plan))
            for (path, file) in read {
                for beginning in file.beginnings where !links.has(beginning.sequence) {
                    let place = "\(path):\(beginning.line): it begins the sequence '\(beginning.sequence)', which is not loaded"
                    Console.error("\(TerminalText.line(place)); who comes there waits until it is, and is resumed (a warning)")
                }
            }
            for (path, file) in read {
                let before = try await state.store.sequence(workspace: state.workspace, name: file.plan.name)
                let version = try await state.store.load(
                    SequenceVersion(id: state.ids.next(), workspace: state.workspace, plan: file.plan, hash: file.hash))
                let verdict = before == nil ? "loaded" : before?.id == version.id ? "unchanged" : "new version"
                if json {
                    JSONLine.write([
                        "file": .string(path), "sequence": .string(version.plan.name), "verdict": .string(verdict), "id": .id(version.id),
                        "version": .string(version.hash), "steps": .count(version.plan.steps.count),
                    ])
                } else {
                    Console.out("\(path): \(verdict): sequence '\(version.plan.name)', \(version.plan.steps.count) steps")
                }
            }
        }
    }
}

struct SequenceList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the loaded sequences.")

    @OptionGroup var conf: StateOption
    @Flag(help: "One JSON object per sequence.") var json = false

    func run() async throws {
        try await OpenState.use(conf) { state in
            var table = Table([
                .init("NAME"), .init("STEPS", number: true), .init("ENROLLED", number: true), .init("RUNNING", number: true),
                .init("PAUSED"), .init("DESCRIPTION", limit: 70),
            ])
            let paused = try await state.pausedSequences()
            for version in try await state.store.sequences(workspace: state.workspace) {
                let states = try await state.states(of: version.plan.name)
                let running = states.filter { $0.key != .finished && $0.key != .stopped }.values.reduce(0, +)
                let enrolled = states.values.reduce(0, +)
                if json {
                    JSONLine.write([
                        "sequence": .string(version.plan.name), "description": .string(version.plan.description), "id": .id(version.id),
                        "version": .string(version.hash), "steps": .count(version.plan.steps.count), "enrolled": .count(enrolled),
                        "running": .count(running), "paused_since": .text(paused[version.plan.name]?.since.iso8601),
                        "paused_by": .text(paused[version.plan.name]?.person),
                    ])
                }
                table.add([
                    version.plan.name, "\(version.plan.steps.count)", "\(enrolled)", "\(running)",
                    paused[version.plan.name].map { "by \($0.person)" } ?? "-", version.plan.description,
                ])
            }
            if !json { table.isEmpty ? Console.out("no sequence is loaded") : table.write() }
        }
    }
}

struct SequenceShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show the steps of a sequence and how many contacts are in which state.",
        discussion: """
            With --plan it writes the latest version as a file that 'sequence load' takes, and nothing else: in TOML, or as the JSON plan "1.0".
            """)

    @OptionGroup var conf: StateOption
    @Argument(help: "Name of the sequence.") var name: String
    @Flag(help: "One JSON object.") var json = false
    @Option(help: ArgumentHelp("Write the plan as a file.", valueName: "json|toml")) var plan: PlanForm?

    enum PlanForm: String, ExpressibleByArgument { case json, toml }

    func run() async throws {
        try await OpenState.use(conf) { state in
            let version = try await state.sequence(name)
            if let form = self.plan {
                let writer = PlanWriter(version.plan)
                return Console.out(form == .json ? writer.json : writer.toml)
            }
            let plan = version.plan
            let states = try await state.states(of: plan.name)
            let rules = plan.stopOn.map(\.rawValue).sorted()
            if json {
                return JSONLine.write([
                    "sequence": .string(plan.name), "description": .string(plan.description), "id": .id(version.id),
                    "version": .string(version.hash), "stop_on": .texts(rules),
                    "steps": .array(
                        plan.steps.indices.map { index in
                            let step = plan.steps[index]
                            return [
                                "name": .string(step.name), "type": .string(step.work.word), "delay": .string(step.delay.description),
                                "subject": .text(step.letter?.subject), "text": .text(step.letter?.writtenText),
                                "html": .text(step.letter?.html),
                                "variants": .texts(step.letter?.variants.map(\.name) ?? []),
                                "transitions": .array(
                                    plan.ways(of: index).map { ["when": .string($0.condition?.source ?? $0.words), "to": .string($0.to)] }),
                            ]
                        }),
                    "states": .counts(states),
                ])
            }
            FactSheet.write([
                ("sequence", plan.name), ("description", plan.description), ("version", version.hash),
                ("stops on", rules.joined(separator: ", ")),
                (
                    "enrollments",
                    Enrollment.State.allCases.compactMap { state in states[state].map { "\($0) \(state.rawValue)" } }.joined(
                        separator: ", ")
                ),
            ])
            Console.out("")
            var table = Table([.init("STEP"), .init("TYPE"), .init("DELAY"), .init("SUBJECT", limit: 60), .init("THEN", limit: 100)])
            for (index, step) in plan.steps.enumerated() {
                var subject = step.letter?.subjectWords ?? ""
                if case .webhook(let call) = step.work { subject = call.webhook ?? call.url ?? "" }
                let ways = plan.ways(of: index)
                let then = plan.isLine ? "" : ways.map { "\($0.condition?.source ?? $0.words) → \($0.to)" }.joined(separator: "; ")
                table.add([step.name, step.work.word, step.delay.description, subject, then])
            }
            table.write()
        }
    }
}

extension OpenState {
    /// How many enrollments of a sequence, all its versions, are in each state.
    func states(of sequence: String) async throws -> [Enrollment.State: Int] {
        var states: [Enrollment.State: Int] = [:]
        for part in try await store.enrollmentCounts(workspace: workspace, sequenceName: sequence) {
            states[part.state, default: 0] += part.count
        }
        return states
    }
}

extension SequencePlan.Letter {
    /// Its subjects, for a person.
    fileprivate var subjectWords: String {
        var words: [String] = []
        for subject in variants.isEmpty ? [subject] : variants.map({ $0.subject ?? self.subject }) {
            let word = subject ?? "(goes on in the thread)"
            if !words.contains(where: { $0.utf8.elementsEqual(word.utf8) }) { words.append(word) }
        }
        return words.joined(separator: " | ")
    }
}

extension JSONValue {
    /// An object with the count of each word, every word of the kind named.
    static func counts<Word: RawRepresentable<String> & CaseIterable & Hashable>(_ counts: [Word: Int]) -> JSONValue {
        .object(Word.allCases.map { (key: $0.rawValue, value: .count(counts[$0] ?? 0)) })
    }
}
