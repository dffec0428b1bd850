import Foundation
import InternetMessage
import Outreach

/// Brings the rows of a sheet of contacts into the store, many thousand in one transaction.
struct ContactImporting {
    /// What is said of one row.
    struct Outcome {
        let row: CSVReader.Row
        let written: String
        let verdict: ContactImport.Verdict
        let traits: [AddressLists.Trait]
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
        let contact: Contact?
        let groups: [ContactGroup.Name]
        let refusal: String
        let traits: [AddressLists.Trait]
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
            columns = try ContactColumns(header: header, choices: choices)
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
            async let verdicts = judge(current)
            batch = try nextBatch(&rows, survey.columns)
            for (item, verdict) in zip(current, try await verdicts) {
                let verdict = contactImport == nil ? foreseen.judge(verdict, item.contact, line: item.row.line) : verdict
                counts.count(verdict)
                try report(Outcome(row: item.row, written: item.written, verdict: verdict, traits: item.traits))
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
        case .refused(let why): return Prepared(row: row, written: written, contact: nil, groups: [], refusal: why, traits: [])
        case .contact(let draft):
            let traits = lists.traits(of: draft.address)
            if let trait = traits.first(where: refused.contains) {
                return Prepared(row: row, written: written, contact: nil, groups: [], refusal: trait.words, traits: traits)
            }
            let contact = Contact(
                id: state.ids.next(), workspace: state.workspace, address: draft.address, displayName: draft.name, fields: draft.fields,
                timeZone: draft.timeZone, createdAt: state.now())
            return Prepared(
                row: row, written: written, contact: contact, groups: draft.groups + groups.filter { !draft.groups.contains($0) },
                refusal: "",
                traits: traits)
        }
    }

    private func judge(_ batch: [Prepared]) async throws -> [ContactImport.Verdict] {
        let rows = batch.compactMap { item in item.contact.map { ContactImport.Row(line: item.row.line, contact: $0, groups: item.groups) }
        }
        var verdicts: ArraySlice<ContactImport.Verdict> = []
        if !rows.isEmpty {
            verdicts =
                if let contactImport { try await state.store.take(rows, into: contactImport.id)[...] } else {
                    try await state.store.foresee(rows)[...]
                }
        }
        return batch.map { item in item.contact == nil ? .refused(item.refusal) : verdicts.popFirst() ?? .refused("no verdict") }
    }

    /// The addresses that a dry run has seen, by a hash of theirs: nothing is stored that they could be looked up in.
    private struct Foreseen {
        private var lines: [Int: Int32] = [:]

        mutating func judge(_ verdict: ContactImport.Verdict, _ contact: Contact?, line: Int) -> ContactImport.Verdict {
            guard let contact else { return verdict }
            if case .suppressed = verdict { return verdict }
            var hasher = Hasher()
            for byte in contact.address.suppressionKey.utf8 { hasher.combine(byte) }
            let hash = hasher.finalize()
            if let first = lines[hash] { return .duplicate(line: Int(first)) }
            lines[hash] = Int32(clamping: line)
            return verdict
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
