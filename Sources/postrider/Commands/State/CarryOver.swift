import Foundation
import InternetMessage
import Mailroom
import Outreach
import SQLiteStore

/// Brings from the database that a restore replaces what must not be forgotten: who must not be written to, how far each enrollment came, the
/// tags, lists and further addresses of contacts, who was erased, what was paused and which commands were given, which calls to other systems were made, and where the links of messages lead that left
/// since.
struct CarryOver {
    enum Summary {
        case carried(suppressions: Int, enrollments: Int, groups: Int, calls: Int, erased: Int, left: Int, stop: Bool)
        /// Why nothing could be carried over.
        case unreadable(String)

        /// For the person who restores.
        var words: String {
            switch self {
            case .carried(let suppressions, let enrollments, let groups, let calls, let erased, let left, let stop):
                "carried over from the database that was there: \(suppressions) suppressions, \(enrollments) enrollments that went on since the backup"
                    + (groups == 0 ? "" : ", \(groups) tags and lists that were given or taken since")
                    + (calls == 0 ? "" : ", \(calls) webhook calls as they came to stand since")
                    + (erased == 0 ? "" : ", \(erased) persons who were erased since")
                    + (left == 0
                        ? "" : "; \(left) who were erased since are not, because a message was on its way to them: erase them again")
                    + (stop ? ", the global STOP" : "")
            case .unreadable(let why):
                "nothing was carried over from the database that was there, it cannot be read: \(TerminalText.line(why)); whoever unsubscribed since the backup must be "
                    + "suppressed again before 'postrider resume-all'"
            }
        }
    }

    private let old: SQLiteStore
    private let new: SQLiteStore
    /// Each workspace of the old one, and that of its name in the new one: their numbers may differ.
    private let workspaces: [(old: WorkspaceID, new: WorkspaceID)]
    private let now: Timestamp

    /// Carries from the database at `path` to the one that takes its place; nil when there is none.
    ///
    /// - Throws: what the new one refuses. Faults of the old one are in the summary.
    static func run(from path: String, to new: SQLiteStore) async throws(StoreError) -> Summary? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        let old: SQLiteStore
        let found:
            (
                suppressions: [Suppression], enrollments: [Enrollment], groups: Groups, addresses: [Further], calls: [WebhookCall],
                links: [[LinkTarget]], erased: [Contact.ID], pauses: [SequencePauseMark], audit: [AuditEntry],
                stop: String?
            )
        let book: WorkspaceBook
        do throws(StoreError) {
            old = try DatabaseFile.open(path)
        } catch {
            return .unreadable(error.message)
        }
        defer { try? old.close() }
        do throws(StoreError) {
            book = try await old.workspaces()
        } catch {
            return .unreadable(error.message)
        }
        let made = try await new.workspaces(making: book.all.map(\.name))
        let workspaces = book.all.compactMap { old in made.workspace(named: old.name).map { (old: old.id, new: $0.id) } }
        let carrier = CarryOver(old: old, new: new, workspaces: workspaces, now: OpenState.clock.now())
        do throws(StoreError) {
            found = try await (
                carrier.suppressions(), carrier.enrollments(), carrier.groups(), carrier.addresses(), carrier.calls(), carrier.links(),
                carrier.erased(), old.pausedSequences(), carrier.audit(), old.stopReason()
            )
        } catch {
            return .unreadable(error.message)
        }
        // Before the suppressions, which hold for every address of a person.
        for further in found.addresses {
            for address in further.addresses { _ = try await new.add(address, to: further.contact, at: carrier.now) }
        }
        // First how far each came, then the suppressions, which stop what still runs.
        var moved = 0
        var latest: [SequenceVersion] = []
        for workspace in made.all { latest += try await new.sequences(workspace: workspace.id) }
        for enrollment in found.enrollments where try await carrier.move(enrollment) { moved += 1 }
        // The versions of those who were moved to another one came with them, and are not the latest for that.
        for version in latest { _ = try await new.load(version) }
        let known = Set(try await suppressions(in: new, of: made.all.map(\.id)).map(\.key))
        let missing = found.suppressions.filter { !known.contains($0.key) && !$0.isOver(at: carrier.now) }
        for start in stride(from: 0, to: missing.count, by: 500) {
            try await new.suppress(Array(missing[start..<min(start + 500, missing.count)]))
        }
        let groups = try await carrier.regroup(as: found.groups)
        for links in found.links { _ = try await new.add(links) }
        // What was made is not made again, and what waits is not lost with the steps that decided it.
        var calls = 0
        for start in stride(from: 0, to: found.calls.count, by: 500) {
            calls += try await new.carry(Array(found.calls[start..<min(start + 500, found.calls.count)]))
        }
        for mark in found.pauses {
            guard let workspace = carrier.new(mark.workspace) else { continue }
            _ = try await new.setPause(of: mark.sequence, workspace: workspace, by: mark.person, at: mark.since)
        }
        try await new.note(found.audit)
        // Last, so that nothing that was carried over brings anything back.
        var (erased, left) = (0, 0)
        for contact in found.erased {
            switch try await carrier.erase(contact) {
            case .erased: erased += 1
            case .onItsWay: left += 1
            case nil: break
            }
        }
        if let stop = found.stop { try await new.setStop(reason: stop, at: carrier.now) }
        return .carried(
            suppressions: missing.count, enrollments: moved, groups: groups, calls: calls, erased: erased, left: left,
            stop: found.stop != nil)
    }

    /// The workspace of the new database that has the name of one of the old one.
    private func new(_ workspace: WorkspaceID) -> WorkspaceID? {
        workspace == .instance ? .instance : workspaces.first { $0.old == workspace }?.new
    }

    /// Those of the old database, each in the workspace of the new one that it is to hold in.
    private func suppressions() async throws(StoreError) -> [Suppression] {
        try await Self.suppressions(in: old, of: workspaces.map(\.old)).compactMap { one in
            new(one.workspace).map { workspace in
                Suppression(
                    id: one.id, workspace: workspace, subject: one.subject, reason: one.reason, source: one.source, note: one.note,
                    at: one.at, expiresAt: one.expiresAt)
            }
        }
    }

    /// Each once, although those of the installation hold in every workspace.
    private static func suppressions(in store: SQLiteStore, of workspaces: [WorkspaceID]) async throws(StoreError) -> [Suppression] {
        var all: [Suppression] = []
        for (place, workspace) in workspaces.enumerated() {
            var after: Suppression.ID?
            while true {
                let page = try await store.suppressions(workspace: workspace, after: after, limit: 500)
                guard let last = page.last else { break }
                after = last.id
                all += page.filter { $0.workspace == workspace || place == 0 }
            }
        }
        return all
    }

    private func calls() async throws(StoreError) -> [WebhookCall] {
        var all: [WebhookCall] = []
        while true {
            let page = try await old.calls(state: nil, after: all.last?.id, limit: 500, withBody: true)
            if page.isEmpty { return all }
            all += page
        }
    }

    /// Every enrollment that the old database knows.
    private func enrollments() async throws(StoreError) -> [Enrollment] {
        var all: [Enrollment] = []
        for workspace in workspaces.map(\.old) {
            for sequence in try await old.sequences(workspace: workspace) {
                var after: Enrollment.ID?
                while true {
                    let page = try await old.enrollments(
                        workspace: workspace, sequenceName: sequence.plan.name, after: after, limit: 500)
                    guard let last = page.last else { break }
                    all += page
                    after = last.id
                }
            }
        }
        return all
    }

    private struct Further {
        let contact: Contact.ID
        let addresses: [EmailAddress]
    }

    /// Every contact of the old database that has further addresses.
    private func addresses() async throws(StoreError) -> [Further] {
        var all: [Further] = []
        for workspace in workspaces.map(\.old) {
            var after: Contact.ID?
            while true {
                let page = try await old.contacts(workspace: workspace, after: after, limit: 5000)
                guard let last = page.last else { break }
                after = last.id
                let found = try await old.furtherAddresses(of: page.map(\.id))
                all += page.compactMap { contact in found[contact.id].map { Further(contact: contact.id, addresses: $0) } }
            }
        }
        return all
    }

    /// Every contact that was erased in the old database.
    private func erased() async throws(StoreError) -> [Contact.ID] { try await old.erasedContacts() }

    /// Erases in the new database who was erased in the old one; nil when there is nothing left of them.
    private func erase(_ id: Contact.ID) async throws(StoreError) -> Erasure.Verdict? {
        guard let contact = try await new.contact(id: id) else { return nil }
        let by = "the erasure before a backup was restored"
        return try await new.erase(Erasure(workspace: contact.workspace, address: contact.address, person: by, at: now))
    }

    private func audit() async throws(StoreError) -> [AuditEntry] {
        var all: [AuditEntry] = []
        while true {
            let page = try await old.audit(after: all.last?.id, limit: 500)
            if page.isEmpty { return all }
            all += page
        }
    }

    /// Where every link leads that the old database knows.
    private func links() async throws(StoreError) -> [[LinkTarget]] {
        var pages: [[LinkTarget]] = []
        while true {
            let page = try await old.linkTargets(after: pages.last?.map(\.id.rawValue).max().map(LinkTarget.ID.init), limit: 500)
            if page.isEmpty { return pages }
            pages.append(page)
        }
    }

    /// The groups of the old database, each in the workspace of the new one, and every contact that is in one.
    private func groups() async throws(StoreError) -> Groups {
        var all = Groups()
        for (workspace, new) in workspaces {
            for kind in ContactGroup.Kind.allCases {
                for group in try await old.groups(workspace: workspace, kind: kind).map(\.group) {
                    all.groups.append(
                        ContactGroup(workspace: new, name: group.name, description: group.description, createdAt: group.createdAt))
                }
            }
            var after: Contact.ID?
            while true {
                let page = try await old.memberships(workspace: workspace, after: after, limit: 500)
                guard let last = page.last else { break }
                after = last.contact
                all.memberships += page
            }
        }
        return all
    }

    private struct Groups {
        var groups: [ContactGroup] = []
        var memberships: [ContactGroup.Membership] = []
    }

    /// Gives every contact that both know the tags and lists that it had; how many were given or taken.
    private func regroup(as found: Groups) async throws(StoreError) -> Int {
        var present: [ContactGroup] = []
        for workspace in workspaces.map(\.new) {
            for kind in ContactGroup.Kind.allCases { present += try await new.groups(workspace: workspace, kind: kind).map(\.group) }
        }
        for group in found.groups {
            let same = present.first { $0.name == group.name && $0.workspace == group.workspace }
            if same?.description.utf8.elementsEqual(group.description.utf8) != true { _ = try await new.define(group) }
        }
        var changed = 0
        for start in stride(from: 0, to: found.memberships.count, by: 500) {
            let page = found.memberships[start..<min(start + 500, found.memberships.count)]
            let others = try await new.groups(of: page.map(\.contact))
            let changes = page.flatMap { self.changes($0, beside: others, isMember: true) }
            if !changes.isEmpty { changed += try await new.regroup(changes).count { $0 } }
        }
        let before = Dictionary(found.memberships.map { ($0.contact, $0.names) }) { $1 }
        for workspace in workspaces.map(\.new) {
            var after: Contact.ID?
            while true {
                let page = try await new.memberships(workspace: workspace, after: after, limit: 500)
                guard let last = page.last else { break }
                after = last.contact
                for one in page {
                    let changes = changes(one, beside: before, isMember: false)
                    // Somebody whom the database that was there does not know has lost nothing.
                    guard !changes.isEmpty, try await old.contact(id: one.contact) != nil else { continue }
                    changed += try await new.regroup(changes).count { $0 }
                }
            }
        }
        return changed
    }

    private func changes(_ one: ContactGroup.Membership, beside others: [Contact.ID: [ContactGroup.Name]], isMember: Bool)
        -> [ContactGroup.Change]
    {
        let known = others[one.contact] ?? []
        return one.names.filter { !known.contains($0) }.map { .init(contact: one.contact, name: $0, isMember: isMember, at: now) }
    }

    /// Brings the new database's enrollment to where the old one's was; false when it is there already, or only the old one knows it.
    private func move(_ last: Enrollment) async throws(StoreError) -> Bool {
        guard let first = try await new.enrollment(id: last.id), first.contact == last.contact, first.version < last.version else {
            return false
        }
        let version = try await version(of: last, insteadOf: first)
        // Halted first, so that what the backup still has in its queue is taken back and does not leave a second time.
        try await apply(first, .paused, .person, "restored from a backup", at: last, due: nil, movesTo: version)
        guard let halted = try await new.enrollment(id: last.id) else { return false }
        switch last.state {
        case .sending:
            let reason = "its step may have left before the database was restored from a backup; look, then resume or stop it"
            try await apply(halted, .paused, .person, reason, at: last, due: nil)
        case .paused:
            try await apply(halted, .paused, last.cause, last.reason, at: last, due: nil)
        case .active, .held, .needsData, .finished, .stopped:
            try await apply(halted, last.state, last.cause, last.reason, at: last, due: last.dueAt)
        }
        return true
    }

    /// The version to which a person took it since the backup, which knows nothing of it; nil when nobody did.
    private func version(of last: Enrollment, insteadOf first: Enrollment) async throws(StoreError) -> SequenceVersion.ID? {
        guard last.sequence != first.sequence, let version = try await old.sequence(id: last.sequence) else { return nil }
        // The enrollment says which workspace that is here.
        return try await new.load(
            SequenceVersion(id: version.id, workspace: first.workspace, plan: version.plan, hash: version.hash)
        ).id
    }

    private func apply(
        _ enrollment: Enrollment, _ state: Enrollment.State, _ cause: Enrollment.Cause?, _ reason: String, at last: Enrollment,
        due: Timestamp?, movesTo version: SequenceVersion.ID? = nil
    ) async throws(StoreError) {
        let transition = Transition(
            enrollment: enrollment.id, expectedVersion: enrollment.version, at: now, state: state, cause: cause, reason: reason,
            nextStep: last.nextStep, dueAt: due, doneAt: last.doneAt, movesTo: version)
        let ids = RecordIDs(now: { OpenState.clock.now() }, random: { UInt8.random(in: .min ... .max) })
        _ = try await new.apply(OutboxConsequence.carried(transition, of: enrollment, ids: ids))
    }
}

extension Suppression {
    /// What two suppressions of one subject, reason and end have in common.
    fileprivate var key: [String] {
        [workspace.rawValue.description, subject.kind, subject.text, reason.rawValue, "\(expiresAt?.milliseconds ?? 0)"]
    }
}
