import ArgumentParser
import InternetMessage
import Outreach

struct Suppress: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "suppress",
        abstract: "Keep addresses, domains and patterns from ever being written to.",
        subcommands: [SuppressAdd.self, SuppressRemove.self, SuppressList.self, SuppressImport.self, SuppressExport.self])
}

extension OpenState {
    /// What tells the hashes of this installation from those of others, and tells nothing else of it.
    var hashMark: String {
        let digits = String(installation.chance.bits("suppression hashes", []), radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }

    /// Empty for what means the same everywhere.
    func mark(of subject: Suppression.Subject) -> String {
        if case .hash = subject { hashMark } else { "" }
    }
}

extension Suppression {
    /// `instance` where it holds in every workspace.
    var scope: String { workspace == .instance ? "instance" : "workspace" }
}

/// Words and dates of a suppression as people write them.
enum SuppressionWords {
    static func subject(_ text: String) throws(Failure) -> Suppression.Subject {
        do throws(Suppression.SubjectFault) {
            return try Suppression.Subject.read(text)
        } catch {
            throw Failure(.badInput, "'\(TerminalText.line(text))' \(error.what)")
        }
    }

    /// The workspace of a scope.
    static func workspace(_ scope: String, of state: OpenState) throws(Failure) -> WorkspaceID {
        if scope.utf8.elementsEqual("workspace".utf8) { return state.workspace }
        if scope.utf8.elementsEqual("instance".utf8) { return .instance }
        throw Failure(.badInput, "'\(TerminalText.line(scope))' is no scope; there are: workspace instance")
    }

    static func reason(_ text: String) throws(Failure) -> Suppression.Reason {
        guard let reason = Suppression.Reason(rawValue: text) else {
            let known = Suppression.Reason.allCases.map(\.rawValue).joined(separator: " ")
            throw Failure(.badInput, "'\(TerminalText.line(text))' is no reason; there are: \(known)")
        }
        return reason
    }

    /// The start (UTC) of a day such as `2027-03-01`, or a moment such as `2027-03-01T00:00:00Z`.
    static func expiry(_ text: String) throws(Failure) -> Timestamp {
        guard let moment = WrittenMoment.read(text, in: nil) else {
            throw Failure(.badInput, "'\(TerminalText.line(text))' is not a day; write for instance 2027-03-01")
        }
        return moment
    }
}

struct SuppressAdd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Suppress addresses, domains and patterns; what runs for them stops and what is queued is taken back.",
        discussion:
            """
            A domain means its own addresses, not those of its subdomains. With a * it is a pattern of addresses, with * for any text and ? for \
            one character: 'info@*', '*@*.example.com'; without an @ one of domains: '*.example.com'. A complaint replaces weaker reasons; an \
            unsubscribe replaces any and never ends. The scope 'instance' holds in every workspace.
            """
    )

    @OptionGroup var conf: StateOption
    @Argument(help: "Email addresses, domains and patterns.") var subjects: [String]
    @Option(help: "unsubscribed, invalid_recipient, complaint, refused or manual.") var reason = "manual"
    @Option(help: "Where it holds: workspace or instance.") var scope = "workspace"
    @Option(help: "Words that say who asked, and where.") var note = ""
    @Option(help: "The first day (UTC) on which it no longer holds; unset: for ever.") var until: String?
    @Flag(help: "One JSON object per suppression.") var json = false

    func run() async throws {
        try await OpenState.use(conf, noting: true, isBrake: true) { state in
            let workspace = try SuppressionWords.workspace(scope, of: state)
            let reason = try SuppressionWords.reason(reason)
            let expiry = try until.map { try SuppressionWords.expiry($0) }
            if let expiry, expiry <= state.now() {
                throw Failure(.badInput, "--until \(until ?? "") is over already; give a day to come, or leave it out")
            }
            if expiry != nil, reason.isForEver { throw Failure(.usage, "an unsubscribe never ends; leave --until out") }
            let named = try subjects.map { try SuppressionWords.subject($0) }
            let words = note.utf8.isEmpty ? "by \(OpenState.person)" : "\(note) (\(OpenState.person))"
            let suppressions = named.map { subject in
                Suppression(
                    id: state.ids.next(), workspace: workspace, subject: subject, reason: reason, source: .manual, note: words,
                    at: state.now(), expiresAt: expiry)
            }
            try await state.store.suppress(suppressions)
            for suppression in suppressions {
                if json {
                    JSONLine.write(state.json(suppression))
                } else {
                    Console.out("suppressed \(suppression.subject.kind) \(suppression.subject.text)")
                }
            }
        }
    }
}

struct SuppressRemove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Take suppressions back. What was stopped stays stopped.",
        discussion: """
            Whoever unsubscribed, complained or was erased asked to be left alone; --unsubscribed says that they asked to be written to again.
            """
    )

    @OptionGroup var conf: StateOption
    @Argument(help: "Email addresses, domains and patterns.") var subjects: [String]
    @Option(help: "Where it holds: workspace or instance.") var scope = "workspace"
    @Flag(help: "Also those who unsubscribed, complained or were erased.") var unsubscribed = false
    @Flag(help: "One JSON object per subject.") var json = false

    func run() async throws {
        try await OpenState.use(conf, noting: true) { state in
            let workspace = try SuppressionWords.workspace(scope, of: state)
            let named = try subjects.map { try SuppressionWords.subject($0) }
            for subject in named where !unsubscribed {
                guard let held = try await state.store.suppression(workspace: workspace, of: subject), held.reason.isAskedFor else {
                    continue
                }
                throw Failure(
                    .badInput,
                    "\(subject.text): \(held.reason.rawValue) (\(held.source.rawValue), \(held.at.iso8601)); nothing was done. "
                        + "Add --unsubscribed when the person asked for mail again")
            }
            var missing = 0
            for subject in named {
                let removed = try await state.store.unsuppress(workspace: workspace, subject: subject)
                if !removed { missing += 1 }
                if json {
                    JSONLine.write(["kind": .string(subject.kind), "subject": .string(subject.text), "removed": .bool(removed)])
                } else if removed {
                    Console.out("removed \(subject.kind) \(subject.text)")
                } else {
                    Console.error("\(subject.text) was not suppressed")
                }
            }
            if missing > 0 { throw ExitStatus.badInput.code }
        }
    }
}

struct SuppressList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List what is suppressed, and why.")

    @OptionGroup var conf: StateOption
    @Option(help: "Only those for this reason.") var reason: String?
    @Option(help: "Only those of this kind: address, domain, pattern or hash.") var kind: String?
    @Flag(help: "One JSON object per suppression.") var json = false

    func run() async throws {
        try await OpenState.use(conf) { state in
            let only = try reason.map { try SuppressionWords.reason($0) }
            if let kind, !["address", "domain", "pattern", "hash"].contains(where: { $0.utf8.elementsEqual(kind.utf8) }) {
                throw Failure(.badInput, "'\(TerminalText.line(kind))' is no kind; there are: address domain pattern hash")
            }
            var table = Table([
                .init("SUBJECT", limit: 60), .init("SCOPE"), .init("REASON"), .init("SOURCE"), .init("SINCE"), .init("UNTIL"),
                .init("NOTE", limit: 80),
            ])
            try await state.eachSuppression { suppression in
                guard only.map({ $0 == suppression.reason }) ?? true,
                    kind.map({ $0.utf8.elementsEqual(suppression.subject.kind.utf8) }) ?? true
                else { return }
                if json { return JSONLine.write(state.json(suppression)) }
                table.add([
                    suppression.subject.text, suppression.scope, suppression.reason.rawValue, suppression.source.rawValue,
                    suppression.at.iso8601,
                    suppression.expiresAt?.iso8601 ?? "-", suppression.note,
                ])
            }
            if !json { table.isEmpty ? Console.out("nothing is suppressed") : table.write() }
        }
    }
}

struct SuppressImport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Suppress what a file lists.",
        discussion: """
            A CSV file with a column 'subject' (or 'email', 'address', 'domain') and, if they are there, 'kind', 'scope', 'reason', 'note' and \
            'expires_at' (or 'expires', 'expiry', 'until'), as 'suppress export' writes it (a hash is taken back only by the installation that made it, column 'installation'); or a file with one address, domain or pattern a line. What other columns say is left out, which is said on standard error. Bad rows are named and the exit status is 65; the good \
            ones are stored.
            """)

    @OptionGroup var conf: StateOption
    @Argument(help: "The file, or - for standard input.") var file: String
    @Option(help: "Reason of rows that give none.") var reason = "manual"
    @Flag(help: "The counts as one JSON object.") var json = false

    func run() async throws {
        try await OpenState.use(conf, noting: true) { state in
            let fallback = try SuppressionWords.reason(reason)
            let sheet = try SuppressionSheet(try InputFile.bytes(file), file: file)
            for title in sheet.unknown {
                Console.error(
                    "\(file):1: the column '\(TerminalText.line(title))' means nothing here and is left out; there are subject, kind, scope, reason, note, expires_at"
                )
            }
            var suppressions: [Suppression] = []
            var faults = 0
            var over = 0
            for row in sheet.rows {
                do throws(Failure) {
                    let suppression =
                        Suppression(
                            id: state.ids.next(),
                            workspace: try row.scope.map { text throws(Failure) in try SuppressionWords.workspace(text, of: state) }
                                ?? state.workspace, subject: try row.named(own: state.hashMark),
                            reason: try row.reason.map { text throws(Failure) in try SuppressionWords.reason(text) } ?? fallback,
                            source: .import, note: row.note ?? "from \(file)", at: state.now(),
                            expiresAt: try row.expiry.map { text throws(Failure) in try SuppressionWords.expiry(text) })
                    if let expiry = row.expiry, suppression.reason.isForEver {
                        Console.error(
                            "\(file):\(row.line): note: '\(suppression.reason.rawValue)' never expires; its end '\(TerminalText.line(expiry))' is left out"
                        )
                    }
                    // An export lists what is over, too; it stops nobody any more.
                    if suppression.isOver(at: suppression.at) { over += 1 } else { suppressions.append(suppression) }
                } catch {
                    faults += 1
                    Console.error("\(file):\(row.line): \(error.message)")
                }
            }
            // Who is covered by a pattern or a hash is looked for among all: one at a time, so that 'serve' comes to its turn between them.
            let isQuick = { (suppression: Suppression) in
                switch suppression.subject {
                case .address, .domain: true
                case .pattern, .hash: false
                }
            }
            let quick = suppressions.filter(isQuick)
            for start in stride(from: 0, to: quick.count, by: 500) {
                try await state.store.suppress(Array(quick[start..<min(start + 500, quick.count)]))
            }
            for suppression in suppressions where !isQuick(suppression) { try await state.store.suppress([suppression]) }
            if json {
                JSONLine.write([
                    "rows": .count(sheet.rows.count), "suppressed": .count(suppressions.count), "refused": .count(faults),
                    "over": .count(over),
                ])
                if faults > 0 { throw ExitStatus.badInput.code }
                return
            }
            let overWords = over > 0 ? ", \(over) over already" : ""
            Console.out("\(file): \(sheet.rows.count) rows: \(suppressions.count) suppressed, \(faults) refused\(overWords)")
            if faults > 0 { throw ExitStatus.badInput.code }
        }
    }
}

struct SuppressExport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write all suppressions as CSV to standard output, as 'suppress import' reads them.")

    @OptionGroup var conf: StateOption
    @Flag(help: "One JSON object per suppression.") var json = false

    func run() async throws {
        try await OpenState.use(conf) { state in
            if json { return try await state.eachSuppression { JSONLine.write(state.json($0)) } }
            Console.out("subject,kind,reason,source,note,at,expires_at,scope,installation")
            try await state.eachSuppression { suppression in
                let cells = [
                    suppression.subject.text, suppression.subject.kind, suppression.reason.rawValue, suppression.source.rawValue,
                    suppression.note, suppression.at.iso8601, suppression.expiresAt?.iso8601 ?? "", suppression.scope,
                    state.mark(of: suppression.subject),
                ]
                Console.out(cells.map(CSVCell.written).joined(separator: ","))
            }
        }
    }
}
