import InternetMessage
import Mailroom
import Outreach
import Settings

/// Brings the contacts of a file into the copy and enrolls them in the order of the file.
struct CampaignContacts {
    let state: OpenState
    let version: SequenceVersion
    let senders: SenderRotation
    let file: String

    func enroll() async throws {
        let contactImport = ContactImport(
            id: state.ids.next(), workspace: state.workspace, file: file, person: OpenState.person, at: state.now())
        let importing = ContactImporting(
            state: state, sheet: try SheetFile(file), encoding: nil, delimiter: nil, choices: [],
            lists: try Desks.addressLists(state.settings),
            refused: Set(state.settings.contacts.refuse.compactMap { AddressLists.Trait(rawValue: $0.rawValue) }),
            contactImport: contactImport)
        let survey = try importing.survey()
        try await state.store.begin(contactImport)
        var taken: [Contact.ID] = []
        _ = try await importing.run(survey) { outcome in
            switch outcome.verdict {
            case .created, .updated:
                if let id = outcome.verdict.contact { taken.append(id) }
            case .suppressed, .refused, .duplicate:
                Console.error(
                    "\(file):\(outcome.row.line): left out: \(TerminalText.line(outcome.written)): \(outcome.verdict.name)"
                        + " (\(TerminalText.line(outcome.verdict.reason ?? "")))")
            }
        }
        let enrolling = Enrolling(state: state, version: version, senders: senders)
        var batch: [Contact] = []
        for (index, id) in taken.enumerated() {
            if let contact = try await state.store.contact(id: id) { batch.append(contact) }
            guard batch.count == 500 || index == taken.count - 1 else { continue }
            for (address, verdict) in try await enrolling.enroll(batch) {
                if case .enrolled = verdict { continue }
                Console.error("\(file): left out: \(TerminalText.line(address)): \(verdict.name) \(verdict.reason ?? "")")
            }
            batch = []
        }
    }
}
