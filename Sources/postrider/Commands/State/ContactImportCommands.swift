import ArgumentParser
import Foundation
import InternetMessage
import Mailroom
import Outreach
import Settings

struct ContactsImport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Take in contacts from a CSV file, with a verdict for every row.",
        discussion: """
            The first line names the columns. 'email' (or 'e-mail', 'address') is needed; 'name' stands in the To field; 'time_zone' is an IANA \
            name; 'tags' and 'lists' hold names with ',' or ';' between them, 'further_addresses' other addresses of the person; 'consent_source' \
            and 'consent_date' (2026-03-01, or with a time) say since when and by what they may be written to; every other column is a field for \
            templates. --map says of a column what it is; a contact that is there already is \
            brought up to date: cells that are empty leave its values as they are. A suppressed address is never taken in, and one that is \
            another address of a contact brings that contact up to date.
            With --check-mx a row whose domain does not exist or takes no mail is refused; one whose domain gave no answer is taken in and \
            noted. What was found is kept for a week, what was missing for an hour.
            Encoding (UTF-8, UTF-16, Windows-1252) and delimiter (',' ';' tab '|') are found out. The file is read twice: what makes it \
            unreadable is said before anything is stored. Refused rows go to standard error as FILE:LINE: reason, and the exit status is 65; the \
            good rows are stored all the same. 'contacts undo IMPORT' takes an import back.
            """)

    @OptionGroup var conf: StateOption
    @Argument(help: "The CSV file, or - for standard input.") var file: String
    @Flag(help: "Say what would happen and store nothing.") var dryRun = false
    @Flag(help: "One JSON object per row on standard output.") var json = false
    @Flag(name: .shortAndLong, help: "Only the counts and the refused rows.") var quiet = false
    @Option(
        help: ArgumentHelp(
            "What a column is: email, name, time_zone, tags, lists, consent_source, consent_date, further_addresses, a field, or - to leave it out.",
            valueName: "title=meaning"))
    var map: [String] = []
    @Option(help: "utf-8, utf-16le, utf-16be or windows-1252, where it is not found out rightly.") var encoding: String?
    @Option(help: "The character between cells, or 'tab', where it is not found out rightly.") var delimiter: String?
    @Option(help: "Write the refused rows to this CSV file, with where they stood and why, to be mended and taken in again.")
    var errors: String?
    @Option(help: "Refuse role, free_mail or disposable addresses in place of what [contacts] refuses; 'none' refuses none of them.")
    var refuse: [String] = []

    @Option(help: ArgumentHelp("A tag that every contact of the file gets; may be given several times.", valueName: "name"))
    var tag: [String] = []
    @Option(help: ArgumentHelp("A list that every contact of the file comes on; may be given several times.", valueName: "name"))
    var list: [String] = []

    @Option(help: ArgumentHelp("Where the consent of those comes from whose row does not say.", valueName: "words"))
    var consentSource: String?
    @Option(help: ArgumentHelp("When it was given: 2026-03-01, or with a time.", valueName: "date")) var consentDate: String?
    @Flag(name: .customLong("check-mx"), help: "Ask DNS of every domain whether it takes mail.") var checkMX = false

    func run() async throws {
        try await OpenState.use(conf, noting: true) { state in
            let contactImport = ContactImport(
                id: state.ids.next(), workspace: state.workspace, file: file, person: OpenState.person, at: state.now())
            let importing = ContactImporting(
                state: state, sheet: try SheetFile(file), encoding: try namedEncoding(), delimiter: try namedDelimiter(),
                choices: try choices(), lists: try Desks.addressLists(state.settings), refused: try refusedTraits(state.settings),
                contactImport: dryRun ? nil : contactImport,
                groups: try GroupNames.read(.tag, tag) + GroupNames.read(.list, list),
                consent: try ConsentWords.read(source: consentSource, date: consentDate, now: state.now()),
                domains: checkMX ? Self.domains(state, keeps: !dryRun) : nil)
            let survey = try importing.survey()
            if !quiet {
                for renaming in survey.columns.renamings {
                    Console.error(
                        "\(file):\(survey.header.line): the column '\(TerminalText.line(renaming.title))' becomes the field '\(renaming.field)'"
                    )
                }
            }
            let refusals = try errors.map { path throws(Failure) in try RefusalFile(path, file: file, header: survey.header) }
            if !dryRun { try await state.store.begin(contactImport) }
            var silences = 0
            var progress = Progress(total: survey.rows, isShown: !json && isatty(STDERR_FILENO) != 0)
            let counts = try await importing.run(survey) { outcome in
                report(outcome, of: dryRun ? nil : contactImport.id)
                try refusals?.note(outcome)
                if outcome.silence != nil { silences += 1 }
                progress.step()
            }
            progress.end()
            try refusals?.close()
            let store = dryRun ? " (dry run: nothing was stored)" : "; import \(contactImport.id)"
            let silent = silences == 0 ? "" : "; DNS did not answer for the domains of \(silences) rows"
            let summary =
                "\(file): \(counts.rows) rows: \(counts.created) created, \(counts.updated) updated, \(counts.suppressed) suppressed, "
                + "\(counts.refused) refused\(silent)\(store)"
            if json { Console.error(summary) } else { Console.out(summary) }
            if counts.refused > 0 { throw ExitStatus.badInput.code }
        }
    }

    /// What asks for the domains; a person waits for it, so it gives up sooner than mail does.
    private static func domains(_ state: OpenState, keeps: Bool) -> MailDomainChecker {
        MailDomainChecker(
            resolver: TransportPolicies.resolver(state.settings, deadline: .seconds(10)), store: state.store,
            clock: state.installation.clock,
            keeps: keeps)
    }

    private func report(_ outcome: ContactImporting.Outcome, of contactImport: ContactImport.ID?) {
        let (line, verdict) = (outcome.row.line, outcome.verdict)
        if json {
            JSONLine.write([
                "line": .count(line), "address": .string(outcome.written), "verdict": .string(verdict.name),
                "contact": .id(verdict.contact), "reason": .text(verdict.reason),
                "notes": .texts(outcome.traits.map(\.rawValue) + (outcome.silence == nil ? [] : ["mx_unknown"])),
                "import": .id(contactImport),
            ])
        }
        switch verdict {
        case .refused, .duplicate: Console.error("\(file):\(line): refused: \(TerminalText.line(verdict.reason ?? ""))")
        case .suppressed(let reason): if !json { Console.out("\(line): suppressed \(TerminalText.line(outcome.written)): \(reason)") }
        case .created, .updated:
            guard !json, !quiet else { return }
            let words = outcome.traits.map(\.words) + (outcome.silence.map { ["its domain was not checked: \($0)"] } ?? [])
            let notes = words.isEmpty ? "" : " (\(words.joined(separator: ", ")))"
            Console.out(TerminalText.line("\(line): \(verdict.name) \(outcome.written)\(notes)"))
        }
    }

    private func choices() throws(Failure) -> [ContactColumns.Choice] {
        var choices: [ContactColumns.Choice] = []
        for text in map {
            guard let choice = ContactColumns.Choice(text) else {
                throw Failure(.usage, "--map '\(TerminalText.line(text))' must be TITLE=MEANING, for instance 'Firma=company' or 'Notes=-'")
            }
            choices.append(choice)
        }
        return choices
    }

    private func namedEncoding() throws(Failure) -> SheetEncoding? {
        guard let encoding else { return nil }
        guard let named = SheetEncoding(named: encoding) else {
            let known = SheetEncoding.allCases.map(\.rawValue).joined(separator: ", ")
            throw Failure(.usage, "--encoding '\(TerminalText.line(encoding))' is not one of \(known)")
        }
        return named
    }

    private func namedDelimiter() throws(Failure) -> UInt8? {
        guard let delimiter else { return nil }
        if delimiter.utf8.elementsEqual("tab".utf8) { return 9 }
        let bytes = Array(delimiter.utf8)
        guard bytes.count == 1, bytes[0] != UInt8(ascii: "\""), bytes[0] == 9 || (bytes[0] > 32 && bytes[0] < 127) else {
            throw Failure(.usage, "--delimiter must be one character other than a quote, or 'tab'")
        }
        return bytes[0]
    }

    private func refusedTraits(_ settings: Settings) throws(Failure) -> Set<AddressLists.Trait> {
        if refuse.isEmpty { return Set(settings.contacts.refuse.compactMap { AddressLists.Trait(rawValue: $0.rawValue) }) }
        if refuse.count == 1, refuse[0].utf8.elementsEqual("none".utf8) { return [] }
        var traits: Set<AddressLists.Trait> = []
        for text in refuse {
            guard let trait = AddressLists.Trait(rawValue: text) else {
                let known = AddressLists.Trait.allCases.map(\.rawValue).joined(separator: ", ")
                throw Failure(.usage, "--refuse '\(TerminalText.line(text))' is none of \(known), none")
            }
            traits.insert(trait)
        }
        return traits
    }

    /// How far a long import is, on a terminal.
    private struct Progress {
        let total: Int
        let isShown: Bool
        private var done = 0

        init(total: Int, isShown: Bool) {
            self.total = total
            self.isShown = isShown && total >= 20_000
        }

        mutating func step() {
            done += 1
            guard isShown, done % 10_000 == 0 else { return }
            write("\r\(done) of \(total) rows")
        }

        func end() { if isShown { write("\r\u{1b}[K") } }

        private func write(_ text: String) { try? FileHandle.standardError.write(contentsOf: Data(text.utf8)) }
    }
}

/// The refused rows of an import as a CSV file, with where each stood and why it was refused before its own cells.
final class RefusalFile {
    private let path: String
    private let file: String
    private let handle: FileHandle
    private var waiting: [UInt8] = []

    init(_ path: String, file: String, header: CSVReader.Row) throws(Failure) {
        self.path = path
        self.file = file
        guard FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600]),
            let handle = FileHandle(forWritingAtPath: path)
        else { throw Failure(.badInput, "\(path): cannot be written") }
        self.handle = handle
        add(ContactColumns.refusalTitles + header.cells.map(CSVCell.read))
    }

    func note(_ outcome: ContactImporting.Outcome) throws {
        guard outcome.verdict.isRefusal else { return }
        add(["\(file):\(outcome.row.line)", outcome.verdict.reason ?? ""] + outcome.row.cells.map(CSVCell.read))
        if waiting.count > 1 << 16 { try flush() }
    }

    func close() throws {
        try flush()
        try handle.close()
    }

    private func add(_ cells: [String]) { waiting += (cells.map(CSVCell.written).joined(separator: ",") + "\n").utf8 }

    private func flush() throws {
        do { try handle.write(contentsOf: Data(waiting)) } catch {
            throw Failure(.tryAgain, "\(path): cannot be written to its end: \(error.localizedDescription)")
        }
        waiting = []
    }
}

struct ContactsImports: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "imports", abstract: "List the files that were taken in, newest first.")

    @OptionGroup var conf: StateOption
    @Flag(help: "One JSON object per import.") var json = false

    func run() async throws {
        try await OpenState.use(conf) { state in
            var table = Table([
                .init("IMPORT"), .init("AT"), .init("FILE", limit: 60), .init("BY"), .init("ROWS", number: true),
                .init("CREATED", number: true),
                .init("UPDATED", number: true), .init("SUPPRESSED", number: true), .init("REFUSED", number: true), .init("STATE"),
            ])
            for one in try await state.store.contactImports(workspace: state.workspace) {
                let counts = one.counts
                let word = one.undoneAt != nil ? "undone" : one.finishedAt != nil ? "finished" : "broken off"
                if json {
                    JSONLine.write([
                        "id": .id(one.id), "file": .string(one.file), "person": .string(one.person), "at": .moment(one.at),
                        "finished_at": .moment(one.finishedAt), "undone_at": .moment(one.undoneAt), "state": .string(word),
                        "rows": .count(counts.rows), "created": .count(counts.created), "updated": .count(counts.updated),
                        "suppressed": .count(counts.suppressed), "refused": .count(counts.refused),
                    ])
                    continue
                }
                table.add(
                    [one.id.description, one.at.iso8601, one.file, one.person]
                        + [counts.rows, counts.created, counts.updated, counts.suppressed, counts.refused].map(\.description) + [word])
            }
            if !json { table.isEmpty ? Console.out("no imports") : table.write() }
        }
    }
}

struct ContactsUndo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "undo", abstract: "Take an import back.",
        discussion: """
            Contacts that it made go, unless they were enrolled or written to since, or a later import brought them up to date. Values that it \
            replaced come back where nobody has changed them since, and tags and lists that it gave first go, even those that a later import \
            gave again. It can be undone a second time after it was broken off.
            """)

    @OptionGroup var conf: StateOption
    @Argument(help: "The id of the import, as 'contacts imports' shows it.") var id: String
    @Flag(help: "One JSON object.") var json = false

    func run() async throws {
        try await OpenState.use(conf, noting: true) { state in
            let contactImport: ContactImport.ID = try OpenState.id(id, of: "import")
            // What another workspace took in is not taken back unasked.
            let known = try await state.store.contactImports(workspace: state.workspace).contains { $0.id == contactImport }
            if !known {
                for other in state.installation.workspaces.all where other.id != state.workspace {
                    guard try await state.store.contactImports(workspace: other.id).contains(where: { $0.id == contactImport }) else {
                        continue
                    }
                    throw Failure(
                        .badInput,
                        "import \(contactImport) is of workspace '\(other.name)', not of '\(state.here.name)'; name it with --workspace")
                }
            }
            var sum = (deleted: 0, restored: 0, ungrouped: 0)
            var kept: [ContactImportUndo.Kept] = []
            while true {
                guard let undo = try await state.store.undo(contactImport, at: state.now(), limit: 1000) else {
                    throw Failure(.badInput, "there is no import \(contactImport); 'postrider contacts imports' lists them")
                }
                sum = (sum.deleted + undo.deleted, sum.restored + undo.restored, sum.ungrouped + undo.ungrouped)
                kept += undo.kept
                if !undo.hasMore { break }
            }
            if json {
                return JSONLine.write([
                    "id": .id(contactImport), "deleted": .count(sum.deleted), "restored": .count(sum.restored),
                    "ungrouped": .count(sum.ungrouped),
                    "kept": .array(kept.map { ["address": .string($0.address.text), "reason": .string($0.because)] }),
                ])
            }
            for one in kept { Console.out("kept \(TerminalText.line(one.address.text)): \(one.because)") }
            let groups = sum.ungrouped == 0 ? "" : ", \(sum.ungrouped) tags and lists taken back"
            Console.out(
                "import \(contactImport): \(sum.deleted) deleted, \(sum.restored) given their values back, \(kept.count) kept\(groups)")
        }
    }
}
