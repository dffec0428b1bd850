import ArgumentParser
import InternetMessage
import Outreach

struct SequencePreview: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "preview", abstract: "Write every message of a sequence for contacts as it would leave, and queue none.",
        discussion: """
            For contacts that are named it shows the messages; for all of them, or those of --where or --segment, which would be parked, at \
            which step and why, with the first of them by name. The sequence is one that is loaded, or a file. In a sequence that branches \
            every message is written, though a contact gets only some of them.
            """)

    @OptionGroup var conf: StateOption
    @Argument(help: "Name of the sequence, or a sequence file (.toml, .json).") var sequence: String
    @Argument(help: "Email addresses of contacts.") var contacts: [String] = []
    @OptionGroup var segment: SegmentOption
    @Option(help: SenderChoice.help) var identity: String?
    @Flag(help: "One JSON object per contact.") var json = false

    func validate() throws {
        if !contacts.isEmpty, segment.isGiven { throw ValidationError("name the contacts, or give --where or --segment") }
    }

    func run() async throws {
        try await OpenState.use(conf) { state in
            let version = try await version(state)
            let senders = try SenderChoice.senders(identity, in: state.settings, of: state.here.name)
            let composer = try Desks.composer(state.installation)
            let preview: LetterPreview
            do throws(StepTemplates.Fault) {
                preview = try LetterPreview(version, composer: composer, chance: state.installation.chance)
            } catch {
                throw Failure(.badInput, "\(version.plan.name): \(error)")
            }
            let writers = Enrolling(state: state, version: version, senders: senders, isDryRun: true)
            let identities = try Desks.identities(state.settings, in: state.installation.workspaces)
            var matrix = PreviewMatrix(version.plan)
            func write(_ contacts: [Contact]) async throws {
                for (contact, name) in zip(contacts, try await writers.identities(of: contacts)) {
                    guard let identity = identities[name] else { continue }
                    let steps = preview.letters(for: contact, as: identity, ids: state.ids, at: state.now())
                    let suppression = try await state.store.suppression(
                        workspace: state.workspace, address: contact.address, now: state.now())
                    matrix.count(steps, of: contact, isSuppressed: suppression != nil)
                    if json {
                        JSONLine.write(
                            PreviewFacts.object(steps, of: contact, as: name, suppression: suppression, whole: !self.contacts.isEmpty))
                    } else if !self.contacts.isEmpty {
                        if let suppression {
                            Console.error(
                                TerminalText.line(
                                    "\(contact.address.text) is suppressed (\(suppression.reason.rawValue)) and gets none of these"))
                        }
                        for step in steps { PreviewFacts.show(step, of: contact, as: name) }
                    }
                }
            }
            if contacts.isEmpty {
                try await state.eachPage(in: try await segment.query(state), write)
            } else {
                for text in contacts { try await write([try await state.contact(text)]) }
            }
            if !json, contacts.isEmpty { matrix.write(version.plan.name) }
        }
    }

    private func version(_ state: OpenState) async throws -> SequenceVersion {
        let isFile = [".toml", ".json"].contains { sequence.utf8.suffix($0.utf8.count).elementsEqual($0.utf8) }
        guard isFile else { return try await state.sequence(sequence) }
        guard let file = try SequenceFiles.read([sequence], state.settings).first?.file else {
            throw Failure(.badInput, "\(sequence): no sequence")
        }
        return SequenceVersion(id: state.ids.next(), workspace: state.workspace, plan: file.plan, hash: file.hash)
    }
}

/// For how many contacts which step comes to nothing, and why.
struct PreviewMatrix {
    private struct Gap {
        let step: String
        let why: String
        var contacts: Int
        let first: String
    }

    private let order: [String]
    private var gaps: [String: Gap] = [:]
    // What is wrong with a message may be said in words of the contact.
    private static let mostGaps = 1_000
    private var contacts = 0
    private var parked = 0
    private var suppressed = 0

    init(_ plan: SequencePlan) { order = plan.steps.map(\.name) }

    /// Of who is suppressed nothing is written, so nothing is missing there.
    mutating func count(_ steps: [LetterPreview.Step], of contact: Contact, isSuppressed: Bool) {
        contacts += 1
        guard !isSuppressed else { return suppressed += 1 }
        var isParked = false
        for step in steps {
            for why in step.faults {
                isParked = true
                let isNew = gaps["\(step.name)\n\(why)"] == nil
                let why = isNew && gaps.count >= Self.mostGaps ? "for other reasons" : why
                gaps["\(step.name)\n\(why)", default: Gap(step: step.name, why: why, contacts: 0, first: contact.address.text)].contacts +=
                    1
            }
        }
        if isParked { parked += 1 }
    }

    func write(_ sequence: String) {
        let rest = suppressed == 0 ? "" : "; \(suppressed) are suppressed and get none"
        Console.out(
            "\(TerminalText.line(sequence)): \(contacts - parked - suppressed) of \(contacts) contacts get every message; "
                + "\(parked) would be parked\(rest)")
        var table = Table([.init("STEP"), .init("WHY", limit: 100), .init("CONTACTS", number: true), .init("FIRST")])
        let places = Dictionary(zip(order, order.indices)) { first, _ in first }
        for gap in gaps.values.sorted(by: { (places[$0.step] ?? 0, -$0.contacts, $0.why) < (places[$1.step] ?? 0, -$1.contacts, $1.why) }) {
            table.add([gap.step, gap.why, "\(gap.contacts)", gap.first])
        }
        if !table.isEmpty { table.write() }
    }
}

/// One message of a preview, for a person and for programs.
enum PreviewFacts {
    static func show(_ step: LetterPreview.Step, of contact: Contact, as identity: String) {
        Console.out(TerminalText.line("== \(contact.address.text), step \(step.name), as \(identity)"))
        guard case .message(let message) = step.result else {
            return Console.out(TerminalText.line("parked: \(step.faults.joined(separator: ", "))") + "\n")
        }
        if let variant = message.variant { Console.out(TerminalText.line("variant: \(variant)")) }
        Console.out(TerminalText.line("Subject: \(message.subject)") + "\n")
        let content = Message(parsing: message.bytes)
        Console.out(TerminalText.lines(content.text ?? "") + "\n")
        if let html = content.html { Console.out("HTML, which most readers see instead:\n\n\(TerminalText.lines(html))\n") }
    }

    /// - Parameter whole: with the texts.
    static func object(
        _ steps: [LetterPreview.Step], of contact: Contact, as identity: String, suppression: Suppression?, whole: Bool
    ) -> JSONValue {
        let written: [JSONValue] = steps.map { step in
            var members: [(key: String, value: JSONValue)] = [("step", .string(step.name))]
            switch step.result {
            case .message(let message):
                members += [
                    ("verdict", "message"), ("variant", .text(message.variant)), ("subject", .string(message.subject)),
                    ("bytes", .count(message.bytes.count)),
                ]
                guard whole else { break }
                let content = Message(parsing: message.bytes)
                members += [("text", .text(content.text)), ("html", .text(content.html))]
            case .missing(let names): members += [("verdict", "missing"), ("missing", .texts(names))]
            case .impossible(let why): members += [("verdict", "impossible"), ("reason", .string(why))]
            }
            return .object(members)
        }
        return [
            "address": .string(contact.address.text), "identity": .string(identity), "suppressed": .text(suppression?.reason.rawValue),
            "parked": .bool(steps.contains { !$0.faults.isEmpty }), "steps": .array(written),
        ]
    }
}

extension LetterPreview.Step {
    /// Why nothing would leave; empty when it would.
    var faults: [String] {
        switch result {
        case .message: []
        case .missing(let names): names.map { "no value for \($0)" }
        case .impossible(let why): [why]
        }
    }
}
