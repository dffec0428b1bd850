import Foundation
import InternetMessage
import Mailroom
import Outreach
import SQLiteStore
import Settings

/// The state that a command works on, opened for as long as the command runs.
struct OpenState {
    let installation: Installation
    /// The workspace that a person named; nil: none, and what shows the whole instance shows all of it.
    let asked: Workspace?
    /// The workspace that the command works in.
    let here: Workspace

    /// - Parameter asked: the name of the workspace that a person named.
    init(installation: Installation, asked: String?) throws(Failure) {
        self.installation = installation
        let name = asked ?? installation.settings.workspaceMeant
        guard let found = installation.workspaces.workspace(named: name) else {
            throw Failure(
                .badInput,
                "there is no workspace '\(TerminalText.line(name))'; there are \(TerminalText.line(installation.workspaces.names)), and an "
                    + "[identity.NAME] with workspace = \"...\" makes one")
        }
        here = found
        self.asked = asked == nil ? nil : found
    }

    /// By its roles alone, so that a command works on any implementation.
    var store:
        any AuditStore & ContactGroupStore & ContactImportStore & ContactStore & ErasureStore & GuardrailStore & IntakeStore
            & MailDomainStore
            & OutboxStore
            & PauseStore
            & SequenceStore
            & SegmentStore & StatisticsStore & SuppressionStore & TimelineStore & TrackingStore & WebhookStore & WorkspaceStore
    {
        installation.store
    }
    var settings: Settings { installation.settings }
    var ids: RecordIDs { installation.ids }
    var workspace: WorkspaceID { here.id }

    func now() -> Timestamp { installation.clock.now() }

    /// Who works at this terminal, for the reasons that stay in the timeline.
    static var person: String {
        let environment = ProcessInfo.processInfo.environment
        let name = environment["SUDO_USER"] ?? ProcessInfo.processInfo.userName
        return name.utf8.isEmpty ? "a person" : name
    }

    /// Opens the state of a conf, runs `body`, and ends the command with its failure, if there is one.
    ///
    /// - Parameters:
    ///   - noting: the command changes the state, so the audit log tells of it; of a dry run it does not.
    ///   - isBrake: it must work with a conf that has faults, too.
    static func use(
        _ conf: StateOption, noting: Bool = false, isBrake: Bool = false, _ body: (OpenState) async throws -> Void
    ) async throws {
        try await use(conf.conf, asked: conf.asked, saysSo: conf.workspace != nil, noting: noting, isBrake: isBrake, body)
    }

    /// The same for what is of no workspace.
    static func use(
        _ conf: ConfOption, noting: Bool = false, isBrake: Bool = false, _ body: (OpenState) async throws -> Void
    ) async throws {
        try await use(conf, asked: nil, saysSo: true, noting: noting, isBrake: isBrake, isOfAll: true, body)
    }

    /// - Parameters:
    ///   - saysSo: whether the command line says which workspace is meant.
    ///   - isOfAll: no workspace is meant.
    private static func use(
        _ conf: ConfOption, asked: String?, saysSo: Bool, noting: Bool, isBrake: Bool, isOfAll: Bool = false,
        _ body: (OpenState) async throws -> Void
    ) async throws {
        try await reportingFailures {
            let (settings, isWhole) = isBrake ? try conf.loadForBrake() : (try conf.load(), true)
            let installation = try await Installation.open(settings)
            if installation.isNew { Console.error("a new database was made: \(installation.store.path)") }
            if !isWhole, asked == nil, !isOfAll, installation.workspaces.hasSeveral {
                throw Failure(
                    .configuration,
                    "the conf does not say which workspace is meant; name it with --workspace: "
                        + TerminalText.line(installation.workspaces.names))
            }
            let state = try OpenState(installation: installation, asked: asked)
            var arguments = Array(CommandLine.arguments.dropFirst())
            if noting, !arguments.contains(where: { $0.utf8.elementsEqual("--dry-run".utf8) }) {
                if let asked, !saysSo { arguments += ["--workspace", asked] }
                try await state.noting(AuditEntry.command(arguments), body)
            } else {
                try await body(state)
            }
            try installation.store.close()
        }
    }

    /// Before it is done, so that nothing is done that nobody gave.
    private func noting(_ command: String, _ body: (OpenState) async throws -> Void) async throws {
        func note(_ failure: String?) async throws {
            try await store.note([.init(id: ids.next(), at: now(), person: Self.person, command: command, failure: failure)])
        }
        try await note(nil)
        do {
            try await body(self)
        } catch {
            let message = (error as? Failure)?.message ?? (error as? StoreError)?.message
            // What went wrong matters more than that it cannot be noted.
            try? await note(message ?? "not all of it was done")
            throw error
        }
    }

    static let clock = SystemClock()

    /// The present moment as it can stand in a file name.
    static func stamp() -> String {
        String(decoding: clock.now().iso8601.utf8.filter { $0 != UInt8(ascii: ":") && $0 != UInt8(ascii: "-") }, as: UTF8.self)
    }

    /// The sequences that are paused as a whole, by name.
    func pausedSequences() async throws -> [String: SequencePauseMark] {
        let marks = try await store.pausedSequences().filter { $0.workspace == workspace }
        return Dictionary(marks.map { ($0.sequence, $0) }) { first, _ in first }
    }

    // MARK: Workspaces

    /// Whether lists say of each line whose it is.
    var namesWorkspaces: Bool { asked == nil && installation.workspaces.hasSeveral }

    func name(of workspace: WorkspaceID) -> String { installation.workspaces.name(of: workspace) }

    /// The column that says whose each line is, where that is to be said.
    var workspaceColumn: [Table.Column] { namesWorkspaces ? [.init("WORKSPACE", limit: 30)] : [] }

    /// What stands in it; nil: nobody's.
    func workspaceCell(_ workspace: WorkspaceID?) -> [String] {
        namesWorkspaces ? [workspace.map { $0 == .instance ? "-" : name(of: $0) } ?? "-"] : []
    }

    /// ` of workspace 'sales'`, where there are several.
    var whose: String { installation.workspaces.hasSeveral ? " of workspace '\(TerminalText.line(here.name))'" : "" }

    /// - Throws: when a person named another workspace than the one that something is of.
    func requireMeant(_ workspace: WorkspaceID, _ what: String) throws(Failure) {
        guard let asked, asked.id != workspace else { return }
        throw Failure(
            .badInput, "\(what) is of workspace '\(TerminalText.line(name(of: workspace)))', not of '\(TerminalText.line(asked.name))'")
    }

    // MARK: Finding what a person named

    func address(_ text: String) throws(Failure) -> EmailAddress {
        guard let address = EmailAddress(text) else {
            throw Failure(.badInput, "'\(TerminalText.line(text))' is not an email address; give one like ann@example.com")
        }
        return address
    }

    /// A domain of an email address in lower case with A-labels; nil when the text is none.
    static func domain(_ text: String) -> String? {
        if case .domain(let domain)? = try? Suppression.Subject.read(text) { domain } else { nil }
    }

    func contact(_ text: String) async throws -> Contact {
        let address = try address(text)
        guard let contact = try await store.contact(workspace: workspace, address: address) else {
            if let suppression = try await store.suppression(workspace: workspace, address: address, now: now()) {
                throw Failure(
                    .badInput, "there is no contact \(address.text)\(whose); the address is suppressed (\(suppression.reason.rawValue))")
            }
            throw Failure(.badInput, "there is no contact \(address.text)\(whose); 'postrider contacts import' takes contacts in")
        }
        return contact
    }

    func sequence(_ name: String) async throws -> SequenceVersion {
        guard let version = try await store.sequence(workspace: workspace, name: name) else {
            let known = try await store.sequences(workspace: workspace).map(\.plan.name)
            let hint =
                known.isEmpty ? "none is loaded; 'postrider sequence load FILE' does that" : "loaded are \(known.joined(separator: ", "))"
            throw Failure(.badInput, "there is no sequence '\(TerminalText.line(name))'\(whose): \(hint)")
        }
        return version
    }

    static func id<Subject>(_ text: String, of what: String) throws(Failure) -> RecordID<Subject> {
        guard let id = RecordID<Subject>(text) else {
            let article = "aeiou".utf8.contains(what.utf8.first ?? 0) ? "an" : "a"
            throw Failure(
                .badInput, "'\(TerminalText.line(text))' is not the id of \(article) \(what); ids have ten characters, as lists show them")
        }
        return id
    }

    // MARK: Walking long lists

    /// Calls `body` with contacts in id order, some hundred at a time.
    ///
    /// - Parameter query: for whom it must hold; nil: everybody is meant.
    func eachPage(
        in query: SegmentQuery? = nil, after start: Contact.ID? = nil, limit: Int? = nil, _ body: ([Contact]) async throws -> Void
    ) async throws {
        var after = start
        var left = limit ?? .max
        let now = now()
        while left > 0 {
            let page: [Contact]
            if let query {
                page = try await store.contacts(in: query, workspace: workspace, at: now, after: after, limit: min(left, 500))
            } else {
                page = try await store.contacts(workspace: workspace, after: after, limit: min(left, 500))
            }
            guard let last = page.last else { return }
            try await body(page)
            left -= page.count
            after = last.id
        }
    }

    /// The same with what each contact has beside its row.
    func eachContact(
        in query: SegmentQuery? = nil, after start: Contact.ID? = nil, limit: Int? = nil,
        _ body: (Contact, ContactTies) async throws -> Void
    ) async throws {
        try await eachPage(in: query, after: start, limit: limit) { page in
            let groups = try await store.groups(of: page.map(\.id))
            let addresses = try await store.furtherAddresses(of: page.map(\.id))
            for contact in page {
                try await body(contact, ContactTies(groups: groups[contact.id] ?? [], addresses: addresses[contact.id] ?? []))
            }
        }
    }

    func ties(of contact: Contact.ID) async throws -> ContactTies {
        ContactTies(
            groups: try await store.groups(of: [contact])[contact] ?? [],
            addresses: try await store.furtherAddresses(of: [contact])[contact] ?? [])
    }

    /// Calls `body` with every enrollment of a sequence that is there now; those that are made meanwhile are not gone after.
    func eachEnrollment(of sequence: String, _ body: (Enrollment) async throws -> Void) async throws {
        guard let end = try await store.lastEnrollment(workspace: workspace, sequenceName: sequence) else { return }
        var after: Enrollment.ID?
        while true {
            let page = try await store.enrollments(workspace: workspace, sequenceName: sequence, after: after, limit: 500)
            for enrollment in page where enrollment.id <= end { try await body(enrollment) }
            guard let last = page.last, last.id < end else { return }
            after = last.id
        }
    }

    func eachMessage(_ selection: OutboxSelection, _ body: (OutboxMessage) async throws -> Void) async throws {
        var after: OutboxMessage.ID?
        while true {
            let page = try await store.list(selection, after: after, limit: 500)
            for message in page { try await body(message) }
            guard let last = page.last else { return }
            after = last.id
        }
    }

    func eachSuppression(_ body: (Suppression) throws -> Void) async throws {
        var after: Suppression.ID?
        while true {
            let page = try await store.suppressions(workspace: workspace, after: after, limit: 500)
            for suppression in page { try body(suppression) }
            guard let last = page.last else { return }
            after = last.id
        }
    }

    // MARK: Changing an enrollment

    /// Applies an event to an enrollment, deciding anew while something else is faster; nil when it changes nothing.
    @discardableResult
    func change(_ id: Enrollment.ID, _ event: SequenceEvent) async throws -> Transition? {
        let identities = try Desks.identities(settings, in: installation.workspaces)
        while true {
            guard let machine = try await store.machine(of: id, identities: identities) else { return nil }
            let consequence = OutboxConsequence.changed(machine, event, ids: ids, at: now())
            guard let transition = consequence.transition else { return nil }
            if try await store.apply(consequence) == .committed { return transition }
        }
    }
}

/// Reading the files that a person names.
enum InputFile {
    /// The bytes of a file, or of standard input for `-`.
    static func bytes(_ path: String) throws(Failure) -> [UInt8] {
        do {
            if path.utf8.elementsEqual("-".utf8) { return [UInt8](try FileHandle.standardInput.readToEnd() ?? Data()) }
            // By a handle, which reads what has no size, too.
            let handle = try FileHandle(forReadingFrom: URL(filePath: path))
            defer { try? handle.close() }
            return [UInt8](try handle.readToEnd() ?? Data())
        } catch {
            throw Failure(.badInput, "\(path): cannot be read; does it exist, and may you read it?")
        }
    }
}
