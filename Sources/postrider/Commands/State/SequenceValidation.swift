import ArgumentParser
import Foundation
import InternetMessage
import Mailroom
import Outreach
import Settings

struct SequenceValidate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate", abstract: "Check sequence files; every fault with file and line. Needs no database.",
        discussion: """
            With --contacts it says for how many rows of a CSV file a message would be parked, and for want of which value; with --json too, \
            one object for each row. With --conf it looks whether the conf lets the messages out at all and knows the webhooks. Warnings go to standard error and are \
            no faults.
            """)

    @Argument(help: "Sequence files: .toml, or the JSON plan \"1.0\" as .json.") var files: [String]
    @Option(help: ArgumentHelp("A CSV file of contacts, as 'contacts import' takes it.", valueName: "csv")) var contacts: String?
    @OptionGroup var conf: StateOption
    @Flag(help: "One JSON object per file, and with --contacts one per row.") var json = false

    func run() async throws {
        try await reportingFailures {
            // Only the one that is named: a file can be checked where there is no conf.
            let settings = conf.conf.conf == nil ? nil : try conf.load()
            let read = try SequenceFiles.read(files, settings)
            if let settings { try SequenceConfCheck(settings, workspace: conf.asked).check(read) }
            for (path, file) in read {
                if json {
                    JSONLine.write([
                        "file": .string(path), "sequence": .string(file.plan.name), "steps": .count(file.plan.steps.count),
                        "warnings": .texts(file.warnings.map(\.description)),
                    ])
                } else {
                    Console.out("\(path): no faults; sequence '\(file.plan.name)', \(file.plan.steps.count) steps")
                }
                let hasLink = settings.map { ComplianceGaps.link($0) == nil } ?? true
                if let contacts { try census(of: file, at: path, over: contacts, hasLink: hasLink) }
            }
        }
    }

    // MARK: Contacts

    private func census(of file: SequenceFile, at path: String, over contacts: String, hasLink: Bool) throws(Failure) {
        let sheet = try SheetFile(contacts)
        var rows = try sheet.rows(encoding: nil, delimiter: nil)
        guard let header = try rows.next() else {
            throw Failure(.badInput, "\(contacts):1: the file is empty; the first line must name the columns")
        }
        let columns: ContactColumns
        do throws(CSVFault) {
            columns = try ContactColumns(header: header)
        } catch {
            throw Failure(.badInput, "\(contacts):\(error)")
        }
        var census = TemplateCensus(file.plan, file.templates, hasLink: hasLink)
        var refused = 0
        var addresses = SheetAddresses()
        var present: Set<String> = []
        while let row = try rows.next() {
            guard case .contact(let draft) = columns.read(row),
                addresses.note(draft.address, draft.furtherAddresses, line: row.line) == nil
            else {
                refused += 1
                continue
            }
            present.formUnion(draft.fields.filter { !$0.value.utf8.isEmpty }.keys)
            var values = draft.fields
            values["email"] = draft.address.text
            values["name"] = draft.name
            let lacks = census.count(values, line: row.line)
            if json {
                JSONLine.write([
                    "contacts": .string(contacts), "line": .count(row.line), "address": .string(draft.address.text),
                    "sequence": .string(file.plan.name), "parked": .bool(!lacks.isEmpty),
                    "missing": .object(lacks.filter { !$0.names.isEmpty }.map { (key: $0.step, value: .texts($0.names)) }),
                    "marks": .object(lacks.filter { !$0.marked.isEmpty }.map { (key: $0.step, value: .texts($0.marked)) }),
                ])
            }
        }
        SequenceMentions.warn(of: file, at: path, present: present, in: contacts)
        if json { return }
        Console.out(
            "\(contacts): \(census.parked) of \(census.contacts) contacts would be parked for want of a value"
                + (refused > 0 ? "; \(refused) rows are no contacts" : ""))
        var table = Table([.init("STEP"), .init("VARIABLE"), .init("CONTACTS", number: true), .init("FIRST LINE", number: true)])
        for gap in census.found { table.add([gap.step, gap.name, "\(gap.contacts)", "\(gap.firstLine)"]) }
        if !table.isEmpty { table.write() }
    }
}
