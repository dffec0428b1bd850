import ArgumentParser
import InternetMessage
import Outreach

struct Contacts: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "contacts",
        abstract: "Take in and look at the people that are written to.",
        subcommands: [
            ContactsImport.self, ContactsImports.self, ContactsUndo.self, ContactsList.self, ContactsShow.self, ContactsExport.self,
            ContactsErase.self, ContactsSet.self, ContactsAddress.self, ContactsTag.self, ContactsTags.self, ContactsLists.self,
        ])
}

struct ContactsList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List contacts in the order in which they came.")

    @OptionGroup var conf: StateOption
    @Flag(help: "One JSON object per contact.") var json = false
    @Option(help: "At most so many.") var limit: Int?
    @Option(help: "Go on after the contact with this id.") var after: String?
    @OptionGroup var segment: SegmentOption

    func validate() throws {
        if let limit, limit < 1 { throw ValidationError("--limit must be 1 or more") }
    }

    func run() async throws {
        try await OpenState.use(conf) { state in
            var table = Table([.init("ID"), .init("ADDRESS"), .init("NAME", limit: 40), .init("SINCE"), .init("TAGS", limit: 60)])
            let start: Contact.ID? = try after.map { try OpenState.id($0, of: "contact") }
            try await state.eachContact(in: try await segment.query(state), after: start, limit: limit) { contact, ties in
                if json { return JSONLine.write(state.json(contact, ties)) }
                table.add([
                    contact.id.description, contact.address.text, contact.displayName ?? "", contact.createdAt.iso8601,
                    ties.groups.texts(.tag).joined(separator: ", "),
                ])
            }
            if !json { table.isEmpty ? Console.out("no contacts") : table.write() }
        }
    }
}

struct ContactsShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show what is known of a contact: fields, enrollments, and all that happened.")

    @OptionGroup var conf: StateOption
    @Argument(help: "The contact's email address.") var address: String
    @Flag(help: "One JSON object.") var json = false

    func run() async throws {
        try await OpenState.use(conf) { state in
            let contact = try await state.contact(address)
            let ties = try await state.ties(of: contact.id)
            let timeline = try await state.store.timeline(contact: contact.id)
            let suppression = try await state.store.suppression(workspace: state.workspace, address: contact.address, now: state.now())
            let stop = try await state.store.stopReason()
            if json {
                guard case .object(let facts) = state.json(contact, ties) else { return }
                return JSONLine.write(
                    .object(
                        facts + [
                            (key: "suppression", value: suppression.map(state.json) ?? .null), (key: "stopped", value: .text(stop)),
                            (key: "enrollments", value: .array(try await state.enrollments(of: contact.id))),
                            (key: "timeline", value: .array(timeline.map(state.json))),
                        ]))
            }
            FactSheet.write(
                [
                    ("id", contact.id.description), ("address", contact.address.text),
                    ("also", Self.words(ties.addresses.map(\.text))), ("name", contact.displayName),
                    ("time zone", try Desks.zoneBook().zone(of: contact)?.words), ("since", contact.createdAt.iso8601),
                    ("consent", contact.consent.words), ("tags", Self.words(ties.groups.texts(.tag))),
                    ("lists", Self.words(ties.groups.texts(.list))),
                    ("suppressed", suppression?.words),
                    ("stopped", stop.map(Standing.words(ofStop:))),
                ] + contact.fields.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
            for enrollment in try await state.store.enrollments(contact: contact.id) {
                let version = try await state.store.sequence(id: enrollment.sequence)
                Console.out("")
                FactSheet.write([
                    ("sequence", version?.plan.name), ("enrollment", enrollment.id.description), ("identity", enrollment.identity),
                    ("state", enrollment.state.rawValue), ("cause", enrollment.cause?.rawValue), ("reason", enrollment.reason),
                    ("steps", version.map { Self.progress(of: enrollment, in: $0.plan) }),
                    ("due", enrollment.dueAt?.iso8601), ("held by", enrollment.heldBy),
                ])
            }
            state.writeTimeline(timeline)
        }
    }

    /// How far it came: of steps in a row their number, else where it stands.
    private static func progress(of enrollment: Enrollment, in plan: SequencePlan) -> String {
        if plan.isLine { return "\(min(enrollment.nextStep, plan.steps.count)) of \(plan.steps.count) done" }
        let name = plan.stepName(enrollment.nextStep) ?? "the end"
        return enrollment.doneAt.map { "behind \(name) since \($0.iso8601)" } ?? "at \(name)"
    }

    /// nil when there are none.
    private static func words(_ texts: [String]) -> String? { texts.isEmpty ? nil : texts.joined(separator: ", ") }
}
