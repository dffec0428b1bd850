import ArgumentParser
import InternetMessage
import Outreach

struct Contacts: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Take in and look at the people that are written to.",
        subcommands: [ContactsImport.self, ContactsList.self, ContactsShow.self, ContactsExport.self])
}

struct ContactsImport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Take in contacts from a CSV file, with a verdict for every row.",
        discussion: """
            The first line names the columns. 'email' (or 'e-mail', 'address') is needed; 'name' stands in the To field; 'time_zone' is an IANA \
            name; every other column is a field for the tags of templates. Delimiter ',' ';' or tab, UTF-8. A contact that is there already is \
            brought up to date: cells that are empty leave its values as they are. A suppressed address is never taken in.
            Refused rows go to standard error as FILE:LINE: reason, and the exit status is 65; the good rows are stored all the same.
            """)

    @OptionGroup var conf: ConfOption
    @Argument(help: "The CSV file, or - for standard input.") var file: String
    @Flag(help: "Say what would happen and store nothing.") var dryRun = false
    @Flag(help: "One JSON object per row on standard output.") var json = false
    @Flag(name: .shortAndLong, help: "Only the counts and the refused rows.") var quiet = false

    func run() async throws {
        try await OpenState.use(conf) { state in
            let sheet = try ContactSheet(try InputFile.bytes(file), file: file)
            let counts = try await ContactImport(state: state, sheet: sheet, dryRun: dryRun).run { row, verdict in report(row, verdict) }
            let store = dryRun ? " (dry run: nothing was stored)" : ""
            let summary =
                "\(file): \(sheet.rows.count) rows: \(counts.created) created, \(counts.updated) updated, \(counts.suppressed) suppressed, "
                + "\(counts.refused) refused\(store)"
            if json { Console.error(summary) } else { Console.out(summary) }
            if counts.refused > 0 { throw ExitStatus.badInput.code }
        }
    }

    private func report(_ row: ContactSheet.Row, _ verdict: ContactImport.Verdict) {
        if json {
            JSONLine.write([
                "line": .count(row.line), "address": .string(row.written), "verdict": .string(verdict.name),
                "contact": .id(verdict.contact),
                "reason": .text(verdict.reason),
            ])
        }
        switch verdict {
        case .refused(let reason): Console.error("\(file):\(row.line): refused: \(TerminalText.line(reason))")
        case .suppressed(let reason) where !json: Console.out("\(row.line): suppressed \(row.written): \(reason)")
        default: if !json, !quiet { Console.out("\(row.line): \(verdict.name) \(TerminalText.line(row.written))") }
        }
    }
}

/// Brings the rows of a sheet into the store, some hundred in one transaction.
struct ContactImport {
    enum Verdict {
        case created(Contact.ID?)
        case updated(Contact.ID?)
        case suppressed(String)
        case refused(String)

        var name: String {
            switch self {
            case .created: "created"
            case .updated: "updated"
            case .suppressed: "suppressed"
            case .refused: "refused"
            }
        }

        var contact: Contact.ID? {
            switch self {
            case .created(let id), .updated(let id): id
            case .suppressed, .refused: nil
            }
        }

        var reason: String? {
            switch self {
            case .created, .updated: nil
            case .suppressed(let reason), .refused(let reason): reason
            }
        }
    }

    struct Counts {
        var created = 0
        var updated = 0
        var suppressed = 0
        var refused = 0

        mutating func count(_ verdict: Verdict) {
            switch verdict {
            case .created: created += 1
            case .updated: updated += 1
            case .suppressed: suppressed += 1
            case .refused: refused += 1
            }
        }
    }

    let state: OpenState
    let sheet: ContactSheet
    let dryRun: Bool

    /// Calls `report` for every row in the order of the file, after the row is stored.
    func run(report: (ContactSheet.Row, Verdict) -> Void) async throws -> Counts {
        var counts = Counts()
        for start in stride(from: 0, to: sheet.rows.count, by: 500) {
            let rows = sheet.rows[start..<min(start + 500, sheet.rows.count)]
            let contacts = rows.compactMap(contact)
            var verdicts = (dryRun ? try await foresee(contacts) : try await store(contacts))[...]
            for row in rows {
                var verdict: Verdict?
                switch row.reading {
                case .refused(let reason): verdict = .refused(reason)
                case .contact: verdict = verdicts.popFirst()
                }
                guard let verdict else { continue }
                counts.count(verdict)
                report(row, verdict)
            }
        }
        return counts
    }

    private func contact(_ row: ContactSheet.Row) -> Contact? {
        guard case .contact(let address, let name, let timeZone, let fields) = row.reading else { return nil }
        return Contact(
            id: state.ids.next(), workspace: state.workspace, address: address, displayName: name, fields: fields, timeZone: timeZone,
            createdAt: state.now())
    }

    private func store(_ contacts: [Contact]) async throws -> [Verdict] {
        try await state.store.save(contacts).map { verdict in
            switch verdict {
            case .created(let id): .created(id)
            case .updated(let id): .updated(id)
            case .suppressed(let reason): .suppressed(reason)
            }
        }
    }

    private func foresee(_ contacts: [Contact]) async throws -> [Verdict] {
        var verdicts: [Verdict] = []
        for contact in contacts {
            if let suppression = try await state.store.suppression(
                workspace: state.workspace, address: contact.address, now: contact.createdAt)
            {
                verdicts.append(.suppressed(suppression.reason.rawValue))
            } else if let present = try await state.store.contact(workspace: state.workspace, address: contact.address) {
                verdicts.append(.updated(present.id))
            } else {
                verdicts.append(.created(nil))
            }
        }
        return verdicts
    }
}

struct ContactsList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List contacts in the order in which they came.")

    @OptionGroup var conf: ConfOption
    @Flag(help: "One JSON object per contact.") var json = false
    @Option(help: "At most so many.") var limit: Int?
    @Option(help: "Go on after the contact with this id.") var after: String?

    func validate() throws {
        if let limit, limit < 1 { throw ValidationError("--limit must be 1 or more") }
    }

    func run() async throws {
        try await OpenState.use(conf) { state in
            var table = Table([.init("ID"), .init("ADDRESS"), .init("NAME", limit: 40), .init("SINCE")])
            let start: Contact.ID? = try after.map { try OpenState.id($0, of: "contact") }
            try await state.eachContact(after: start, limit: limit) { contact in
                if json { return JSONLine.write(state.json(contact)) }
                table.add([contact.id.description, contact.address.text, contact.displayName ?? "", contact.createdAt.iso8601])
            }
            if !json { table.isEmpty ? Console.out("no contacts") : table.write() }
        }
    }
}

struct ContactsShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show what is known of a contact: fields, enrollments, and all that happened.")

    @OptionGroup var conf: ConfOption
    @Argument(help: "The contact's email address.") var address: String
    @Flag(help: "One JSON object.") var json = false

    func run() async throws {
        try await OpenState.use(conf) { state in
            let contact = try await state.contact(address)
            let timeline = try await state.store.timeline(contact: contact.id)
            let suppression = try await state.store.suppression(workspace: state.workspace, address: contact.address, now: state.now())
            if json {
                guard case .object(let facts) = state.json(contact) else { return }
                return JSONLine.write(
                    .object(
                        facts + [
                            (key: "suppression", value: suppression.map(state.json) ?? .null),
                            (key: "enrollments", value: .array(try await state.enrollments(of: contact.id))),
                            (key: "timeline", value: .array(timeline.map(state.json))),
                        ]))
            }
            FactSheet.write(
                [
                    ("id", contact.id.description), ("address", contact.address.text), ("name", contact.displayName),
                    ("time zone", contact.timeZone), ("since", contact.createdAt.iso8601),
                    ("suppressed", suppression.map { "\($0.subject.text): \($0.reason.rawValue), \($0.at.iso8601)" }),
                ] + contact.fields.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
            for enrollment in try await state.store.enrollments(contact: contact.id) {
                let version = try await state.store.sequence(id: enrollment.sequence)
                Console.out("")
                FactSheet.write([
                    ("sequence", version?.plan.name), ("enrollment", enrollment.id.description), ("identity", enrollment.identity),
                    ("state", enrollment.state.rawValue), ("cause", enrollment.cause?.rawValue), ("reason", enrollment.reason),
                    ("steps", version.map { "\(min(enrollment.nextStep, $0.plan.steps.count)) of \($0.plan.steps.count) done" }),
                    ("due", enrollment.dueAt?.iso8601), ("held by", enrollment.heldBy),
                ])
            }
            state.writeTimeline(timeline)
        }
    }
}

struct ContactsExport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write all contacts as CSV to standard output, as 'contacts import' reads them.")

    @OptionGroup var conf: ConfOption

    func run() async throws {
        try await OpenState.use(conf) { state in
            // Twice through the list: the first line must name every field.
            var fields: Set<String> = []
            try await state.eachContact { fields.formUnion($0.fields.keys) }
            let columns = fields.sorted()
            Console.out((["email", "name", "time_zone"] + columns).map(CSVCell.written).joined(separator: ","))
            try await state.eachContact { contact in
                let cells =
                    [contact.address.text, contact.displayName ?? "", contact.timeZone ?? ""] + columns.map { contact.fields[$0] ?? "" }
                Console.out(cells.map(CSVCell.written).joined(separator: ","))
            }
        }
    }
}
