import ArgumentParser
import InternetMessage
import Outreach

struct ContactsExport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write all contacts as CSV, or everything that is known of one person as JSON, to standard output.",
        discussion: """
            Without an address: CSV as 'contacts import' reads it, or with --json one object per contact. With an address: one JSON object with \
            the contact, its enrollments and history, every message to it and every reply with their text, and every call to another system, for whoever asks what is kept of \
            them (GDPR article 15).
            """)

    @OptionGroup var conf: StateOption
    @Argument(help: "Everything of this person.") var address: String?
    @Flag(help: "One JSON object per contact.") var json = false
    @OptionGroup var segment: SegmentOption

    func validate() throws {
        if address != nil, segment.isGiven { throw ValidationError("name one person, or give --where or --segment") }
    }

    func run() async throws {
        try await OpenState.use(conf) { state in
            if let address { return JSONLine.write(try await PersonDossier(state: state).object(try await state.contact(address))) }
            let query = try await segment.query(state)
            if json { return try await state.eachContact(in: query) { JSONLine.write(state.json($0, $1)) } }
            // Twice through the list: the first line must name everything that somebody has.
            var fields: Set<String> = []
            var (hasConsent, hasAddresses) = (false, false)
            try await state.eachPage(in: query) { page in
                for contact in page {
                    fields.formUnion(contact.fields.keys)
                    hasConsent = hasConsent || !contact.consent.isEmpty
                }
                if !hasAddresses { hasAddresses = try await !state.store.furtherAddresses(of: page.map(\.id)).isEmpty }
            }
            let columns = fields.sorted()
            var kinds: [ContactGroup.Kind] = []
            for kind in ContactGroup.Kind.allCases where try await !state.store.groups(workspace: state.workspace, kind: kind).isEmpty {
                kinds.append(kind)
            }
            let parts = (hasConsent ? ["consent_source", "consent_date"] : []) + (hasAddresses ? ["further_addresses"] : [])
            // A field from before its name meant a part of a contact has a title that reads as a field.
            let names = columns.map { ContactColumns.isPart($0) ? "field.\($0)" : $0 }
            let titles = ["email", "name", "time_zone"] + kinds.map { "\($0.rawValue)s" } + parts + names
            Console.out(titles.map(CSVCell.written).joined(separator: ","))
            try await state.eachContact(in: query) { contact, ties in
                var cells = [contact.address.text, contact.displayName ?? "", contact.timeZone ?? ""]
                cells += kinds.map { ties.groups.texts($0).joined(separator: ";") }
                if hasConsent { cells += [contact.consent.source ?? "", contact.consent.date ?? ""] }
                if hasAddresses { cells.append(ties.addresses.map(\.text).joined(separator: ";")) }
                cells += columns.map { contact.fields[$0] ?? "" }
                Console.out(cells.map(CSVCell.written).joined(separator: ","))
            }
        }
    }
}

/// Everything that is kept of one person, as one object.
struct PersonDossier {
    let state: OpenState

    func object(_ contact: Contact) async throws -> JSONValue {
        let timeline = try await state.store.timeline(contact: contact.id)
        let held = try await state.store.suppression(workspace: state.workspace, address: contact.address, now: state.now())
        var messages: [JSONValue] = []
        for enrollment in try await state.store.enrollments(contact: contact.id) {
            for message in try await state.store.messages(enrollment: enrollment.id) {
                messages.append([
                    "id": .id(message.id), "created_at": .moment(message.createdAt), "state": .string(message.state.rawValue),
                    "recipient": .string(message.recipient.text), "subject": .string(message.subject),
                    "content": .string(String(decoding: message.bytes, as: UTF8.self)),
                ])
            }
        }
        var replies: [JSONValue] = []
        var seen: Set<IncomingMessage.ID> = []
        for intake in timeline.compactMap(\.intake) where seen.insert(intake).inserted {
            guard let incoming = try await state.store.incoming(id: intake) else { continue }
            let reply = try await state.store.reply(intake)
            replies.append([
                "id": .id(intake), "received_at": .moment(incoming.receivedAt), "from": .text(reply?.from),
                "subject": .text(reply?.subject),
                "class": .text(reply?.replyClass.rawValue), "text": .text(reply?.reading.text),
                "content": .string(String(decoding: incoming.bytes, as: UTF8.self)),
            ])
        }
        guard case .object(let facts) = state.json(contact, try await state.ties(of: contact.id)) else { return .null }
        return .object(
            facts + [
                (key: "suppression", value: held.map(state.json) ?? .null),
                (key: "enrollments", value: .array(try await state.enrollments(of: contact.id))),
                (key: "messages", value: .array(messages)), (key: "replies", value: .array(replies)),
                (
                    key: "webhook_calls",
                    value: .array(try await state.store.calls(contact: contact.id).map { state.json($0, withBody: true) })
                ),
                (key: "opens_and_clicks", value: .array(try await state.store.touches(contact: contact.id).map(Self.touch))),
                (key: "own_links", value: .texts(try await state.store.ownLinks(of: contact.id))),
                (key: "timeline", value: .array(timeline.map(state.json))),
            ])
    }
}

extension PersonDossier {
    private static func touch(_ touch: ContactTouch) -> JSONValue {
        [
            "message": .id(touch.message), "what": touch.isOpen ? "open" : "click", "url": .text(touch.url),
            "by_person": .count(touch.byHuman), "by_machine": .count(touch.byMachine),
        ]
    }
}

struct ContactsErase: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "erase", abstract: "Forget a person: everything of theirs goes, and a hash keeps them from being written to.",
        discussion: """
            What runs for the address stops and its mail in the queue is taken back. Name, fields, every message to and from it with subject and \
            text, the dialogues with its server, what was handed over to other systems and the words of its history are overwritten in the database; what happened when stays, with \
            nothing of the person in it, so that figures stay right. The address stays suppressed by a hash: no import takes it in again, and \
            'suppress remove ADDRESS' ends that. Backups, logs, the mailboxes of your mail server and the systems that were called are not touched: a mailbox that still has \
            a reply does not bring it in again.
            Each workspace answers for its own people, so it is done in one of them; with --everywhere in all, for whoever asks you as the one \
            who runs the installation. What is not sorted yet is left where another workspace knows the address.
            Without --yes it says what there is and does nothing.
            """)

    @OptionGroup var conf: StateOption
    @Argument(help: "The person's email address.") var address: String
    @Flag(help: "In every workspace.") var everywhere = false
    @Flag(help: "Do it.") var yes = false
    @Flag(help: "One JSON object.") var json = false

    func run() async throws {
        try await OpenState.use(conf, noting: true) { state in
            let address = try state.address(address)
            let workspaces = everywhere ? state.installation.workspaces.all : [state.here]
            guard yes else {
                var known: [String] = []
                for workspace in workspaces {
                    guard let contact = try await state.store.contact(workspace: workspace.id, address: address) else { continue }
                    let enrollments = try await state.store.enrollments(contact: contact.id).count
                    let events = try await state.store.timeline(contact: contact.id).count
                    let place = state.installation.workspaces.hasSeveral ? "in workspace \(workspace.name) " : ""
                    known.append("\(place)a contact, \(enrollments) enrollments, \(events) events")
                }
                let words = known.isEmpty ? "no contact\(everywhere ? "" : state.whose)" : known.joined(separator: "; ")
                throw Failure(.usage, "\(address.text): \(words); nothing was erased. It cannot be undone: add --yes")
            }
            for workspace in workspaces {
                let erasure = Erasure(workspace: workspace.id, address: address, person: OpenState.person, at: state.now())
                switch try await state.store.erase(erasure) {
                case .onItsWay(let message):
                    let place = everywhere ? " in workspace \(workspace.name)" : ""
                    throw Failure(
                        .tryAgain,
                        "message \(message) to \(address.text) is in transmission just now; nothing was erased\(place), try again")
                case .erased(let report): write(report, of: address, in: state.installation.workspaces.hasSeveral ? workspace.name : nil)
                }
            }
            if !json { Console.out("Backups made before now still hold the person's data; delete or replace them as your retention says.") }
            guard !everywhere else { return }
            for other in state.installation.workspaces.all where other.id != state.workspace {
                guard try await state.store.contact(workspace: other.id, address: address) != nil else { continue }
                Console.error("workspace \(other.name) has a contact of that address, too; --everywhere erases that as well")
            }
        }
    }

    private func write(_ report: Erasure.Report, of address: EmailAddress, in workspace: String?) {
        if json {
            return JSONLine.write([
                "address": .string(address.text), "workspace": .text(workspace), "contact": .bool(report.contact),
                "enrollments": .count(report.enrollments),
                "messages": .count(report.messages), "attempts": .count(report.attempts), "replies": .count(report.replies),
                "events": .count(report.events), "import_rows": .count(report.importRows), "groups": .count(report.groups),
                "webhook_calls": .count(report.calls),
                "unsorted": .count(report.unsorted),
                "suppressed_as": .string(report.suppressedAs.rawValue), "log_overwritten": .bool(report.isLogClean),
            ])
        }
        FactSheet.write([
            ("erased", address.text), ("workspace", workspace), ("contact", report.contact ? "yes" : "there was none"),
            ("enrollments", "\(report.enrollments), stopped and without words"),
            ("messages", "\(report.messages), with \(report.attempts) delivery attempts"), ("replies", report.replies.description),
            ("events", "\(report.events), without words"), ("import rows", report.importRows.description),
            ("tags and lists", report.groups.description), ("webhook calls", "\(report.calls), without content"),
            ("suppressed", "by a hash, as \(report.suppressedAs.rawValue)"),
        ])
        if report.unsorted > 0 {
            Console.error("\(report.unsorted) messages of the address are not sorted yet and were left; erase again when they are")
        }
        if !report.isLogClean {
            Console.error("another process still reads old pages of the database's log; they are overwritten when it is done")
        }
    }
}
