import Foundation
import InternetMessage
import Mailroom
import Outreach

/// Brings the rows of a sheet of contacts into the store, many thousand in one transaction.
struct ContactImporting {
    /// What is said of one row.
    struct Outcome {
        let row: CSVReader.Row
        let written: String
        let verdict: ContactImport.Verdict
        let traits: [AddressLists.Trait]
        /// Why DNS did not say whether the domain takes mail; nil: it did, or was not asked.
        let silence: String?
    }

    /// What a first look at the whole file says.
    struct Survey {
        let columns: ContactColumns
        let header: CSVReader.Row
        /// Rows without the header.
        let rows: Int
    }

    /// A row that was read and not stored yet.
    private struct Prepared: Sendable {
        let row: CSVReader.Row
        let written: String
        /// nil: refused.
        var contact: Contact?
        var groups: [ContactGroup.Name] = []
        var furtherAddresses: [EmailAddress] = []
        var refusal = ""
        var traits: [AddressLists.Trait] = []
        var silence: String?
    }

    /// Large, because each transaction writes every page of an index that its rows fall into, and addresses fall everywhere.
    static let batchSize = 10_000
    /// With so many octets of cells a batch is full, however few its rows are.
    private static let batchOctets = 8 << 20

    let state: OpenState
    let sheet: SheetFile
    let encoding: SheetEncoding?
    let delimiter: UInt8?
    let choices: [ContactColumns.Choice]
    let lists: AddressLists
    let refused: Set<AddressLists.Trait>
    /// nil: a dry run.
    let contactImport: ContactImport?
    /// Tags and lists that every row comes into.
    var groups: [ContactGroup.Name] = []
    /// Of every row that does not say.
    var consent = Consent()
    /// Says of each domain whether it takes mail; nil: nobody is asked.
    var domains: MailDomainChecker?

    /// Reads the file to its end, so that what makes it unreadable is known before anything is stored.
    func survey() throws(Failure) -> Survey {
        var rows = try sheet.rows(encoding: encoding, delimiter: delimiter)
        guard let header = try rows.next() else {
            throw Failure(.badInput, "\(sheet.name):1: the file is empty; the first line must name the columns")
        }
        guard !header.isDamaged else {
            throw Failure(.badInput, "\(sheet.name):\(header.line): bytes that are not UTF-8; say what the file is in with --encoding")
        }
        let columns: ContactColumns
        do throws(CSVFault) {
            columns = try ContactColumns(header: header, choices: choices, now: state.now())
        } catch {
            throw Failure(.badInput, "\(sheet.name):\(error)")
        }
        var count = 0
        while try rows.next() != nil { count += 1 }
        return Survey(columns: columns, header: header, rows: count)
    }

    /// Calls `report` for every row in the order of the file, after the row is stored.
    func run(_ survey: Survey, report: (Outcome) throws -> Void) async throws -> ContactImport.Counts {
        var counts = ContactImport.Counts()
        var rows = try sheet.rows(encoding: encoding, delimiter: delimiter)
        _ = try rows.next()
        var foreseen = Foreseen()
        var batch = try nextBatch(&rows, survey.columns)
        while !batch.isEmpty {
            let current = batch
            // While one batch is stored the next one is read.
            async let judged = judge(current)
            batch = try nextBatch(&rows, survey.columns)
            for (item, verdict) in try await judged {
                let verdict = contactImport == nil ? foreseen.judge(verdict, item, line: item.row.line) : verdict
                counts.count(verdict)
                try report(Outcome(row: item.row, written: item.written, verdict: verdict, traits: item.traits, silence: item.silence))
            }
        }
        if let contactImport { try await state.store.finish(contactImport.id, counts: counts, at: state.now()) }
        return counts
    }

    private func nextBatch(_ rows: inout SheetFile.Rows, _ columns: ContactColumns) throws(Failure) -> [Prepared] {
        var batch: [Prepared] = []
        var octets = 0
        while batch.count < Self.batchSize, octets < Self.batchOctets, let row = try rows.next() {
            octets += row.cells.reduce(0) { $0 + $1.utf8.count }
            batch.append(prepare(row, columns))
        }
        return batch
    }

    private func prepare(_ row: CSVReader.Row, _ columns: ContactColumns) -> Prepared {
        let written = columns.written(row)
        switch columns.read(row) {
        case .refused(let why): return Prepared(row: row, written: written, refusal: why)
        case .contact(let draft):
            let traits = lists.traits(of: draft.address)
            if let trait = traits.first(where: refused.contains) {
                return Prepared(row: row, written: written, refusal: trait.words, traits: traits)
            }
            let contact = Contact(
                id: state.ids.next(), workspace: state.workspace, address: draft.address, displayName: draft.name, fields: draft.fields,
                timeZone: draft.timeZone,
                consent: Consent(source: draft.consent.source ?? consent.source, at: draft.consent.at ?? consent.at), createdAt: state.now()
            )
            return Prepared(
                row: row, written: written, contact: contact, groups: draft.groups + groups.filter { !draft.groups.contains($0) },
                furtherAddresses: draft.furtherAddresses, traits: traits)
        }
    }

    /// The rows with what DNS says of their domains.
    private func checked(_ batch: [Prepared], by domains: MailDomainChecker) async throws -> [Prepared] {
        func domain(_ item: Prepared) -> String? { item.contact?.address.asciiDomain }
        let findings = try await domains.findings(of: batch.compactMap(domain))
        return batch.map { item in
            guard let domain = domain(item) else { return item }
            var item = item
            switch findings[domain] {
            case .refuses(let why):
                item.contact = nil
                item.refusal = "no mail can be sent to \(domain): \(why)"
            case .unknown(let why): item.silence = why
            case .accepts, nil: break
            }
            return item
        }
    }

    private func judge(_ batch: [Prepared]) async throws -> [(item: Prepared, verdict: ContactImport.Verdict)] {
        var batch = batch
        if let domains { batch = try await checked(batch, by: domains) }
        let rows = batch.compactMap { item in
            item.contact.map {
                ContactImport.Row(line: item.row.line, contact: $0, groups: item.groups, furtherAddresses: item.furtherAddresses)
            }
        }
        var verdicts: ArraySlice<ContactImport.Verdict> = []
        if !rows.isEmpty {
            verdicts =
                if let contactImport { try await state.store.take(rows, into: contactImport.id)[...] } else {
                    try await state.store.foresee(rows)[...]
                }
        }
        return batch.map { item in
            (item, item.contact == nil ? .refused(item.refusal) : verdicts.popFirst() ?? .refused("no verdict"))
        }
    }

    /// What a dry run would find of the rows before.
    private struct Foreseen {
        private var addresses = SheetAddresses()

        mutating func judge(_ verdict: ContactImport.Verdict, _ item: Prepared, line: Int) -> ContactImport.Verdict {
            guard let contact = item.contact, !verdict.isRefusal else { return verdict }
            if case .suppressed = verdict { return verdict }
            return addresses.note(contact.address, item.furtherAddresses, line: line) ?? verdict
        }
    }
}

extension ContactImport.Verdict {
    /// As verdicts are written.
    var name: String {
        switch self {
        case .created: "created"
        case .updated: "updated"
        case .suppressed: "suppressed"
        case .refused, .duplicate: "refused"
        }
    }

    var contact: Contact.ID? {
        switch self {
        case .created(let id): id
        case .updated(let id): id
        case .suppressed, .refused, .duplicate: nil
        }
    }

    var reason: String? {
        switch self {
        case .created, .updated: nil
        case .suppressed(let reason), .refused(let reason): reason
        case .duplicate(let line): "the same address as line \(line); keep one of the two"
        }
    }

    var isRefusal: Bool {
        switch self {
        case .refused, .duplicate: true
        case .created, .updated, .suppressed: false
        }
    }
}
