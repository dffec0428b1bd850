import ArgumentParser
import InternetMessage
import Outreach

struct SequenceMigrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate", abstract: "Take contacts that are on their way to the latest version of their sequence.",
        discussion: """
            Each goes on at the step at which it stands, found by its name. Who cannot stays on its version, and it is said why: because the \
            step is gone, or because what was written already would count as another step. New steps go behind those that were written.
            """)

    @OptionGroup var conf: StateOption
    @Argument(help: "Name of the sequence.") var name: String
    @Option(help: "Only this contact (an email address).") var contact: String?
    @Flag(name: .customLong("dry-run"), help: "Only say what would become of each.") var isDryRun = false
    @Flag(help: "One JSON object per contact.") var json = false

    func run() async throws {
        try await OpenState.use(conf, noting: true) { state in
            let latest = try await state.sequence(name)
            var only: Contact.ID?
            if let contact { only = try await state.contact(contact).id }
            var migration = Migration(state: state, latest: latest, isDryRun: isDryRun, json: json)
            if let only {
                for enrollment in try await state.store.enrollments(contact: only).reversed() { try await migration.add(enrollment) }
            } else {
                try await state.eachEnrollment(of: latest.plan.name) { try await migration.add($0) }
            }
            try await migration.flush()
            if !json { migration.report() }
        }
    }

    /// What becomes of the enrollments, stored many at a time.
    private struct Migration {
        let state: OpenState
        let latest: SequenceVersion
        let isDryRun: Bool
        let json: Bool
        private var versions: [SequenceVersion.ID: SequenceVersion?] = [:]
        private var waiting: [(enrollment: Enrollment, step: String, consequence: Consequence)] = []
        private var moved: [String: Int] = [:]
        private var stayed: [String: Int] = [:]
        private var done = 0

        private static let batch = 500

        init(state: OpenState, latest: SequenceVersion, isDryRun: Bool, json: Bool) {
            self.state = state
            self.latest = latest
            self.isDryRun = isDryRun
            self.json = json
        }

        mutating func add(_ enrollment: Enrollment) async throws {
            if versions[enrollment.sequence] == nil {
                versions[enrollment.sequence] = .some(try await state.store.sequence(id: enrollment.sequence))
            }
            guard let old = versions[enrollment.sequence] ?? nil, old.plan.name.utf8.elementsEqual(latest.plan.name.utf8) else { return }
            let messages = try await state.store.messages(enrollment: enrollment.id)
            let now = state.now()
            switch VersionMove(from: old, to: latest).verdict(on: enrollment, messages: messages, by: OpenState.person, at: now) {
            case .isDone: done += 1
            case .stays(let why):
                stayed[why, default: 0] += 1
                try await tell(enrollment, "stays", why)
            case .moves(let transition):
                let step = latest.plan.stepName(transition.nextStep) ?? ""
                waiting.append((enrollment, step, OutboxConsequence.carried(transition, of: enrollment, ids: state.ids)))
                if waiting.count == Self.batch { try await flush() }
            }
        }

        mutating func flush() async throws {
            let batch = waiting
            waiting = []
            var results = [CommitResult](repeating: .committed, count: batch.count)
            if !isDryRun, !batch.isEmpty { results = try await state.store.store(batch.map { .changed($0.consequence) }) }
            for (item, result) in zip(batch, results) {
                if result == .committed {
                    moved[item.step, default: 0] += 1
                    try await tell(item.enrollment, isDryRun ? "would move" : "moved", "at \(item.step)")
                } else if let again = try await state.store.enrollment(id: item.enrollment.id) {
                    // Something happened to it meanwhile: looked at anew.
                    try await add(again)
                }
            }
            if !waiting.isEmpty { try await flush() }
        }

        private func tell(_ enrollment: Enrollment, _ verdict: String, _ why: String) async throws {
            guard json else { return }
            let contact = try await state.store.contact(id: enrollment.contact)
            JSONLine.write([
                "address": .text(contact?.address.text), "enrollment": .id(enrollment.id), "verdict": .string(verdict),
                "reason": .string(why),
            ])
        }

        func report() {
            let count = moved.values.reduce(0, +)
            Console.out(
                "\(latest.plan.name): \(count) \(isDryRun ? "would move" : "moved") to version \(latest.hash.prefix(12)), "
                    + "\(stayed.values.reduce(0, +)) stay on theirs, \(done) are over or there already")
            for (step, number) in moved.sorted(by: { $0.key < $1.key }) { Console.out("  \(number) at \(step)") }
            for (why, number) in stayed.sorted(by: { $0.key < $1.key }) { Console.out("  \(number) stay: \(why)") }
        }
    }
}
