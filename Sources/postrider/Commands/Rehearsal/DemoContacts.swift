import InternetMessage
import Mailroom
import Outreach
import Rehearsal
import SQLiteStore

/// Loads the sequence of the demo, imports its contacts and enrolls them.
struct DemoContacts {
    let installation: Installation

    func enroll() async throws {
        let store = installation.store
        let ids = installation.ids
        let now = installation.clock.now()
        let file = try SequenceFile(parsing: try Cast.file(Cast.sequenceFile), file: Cast.sequenceFile)
        let version = try await store.load(
            SequenceVersion(id: ids.next(), workspace: .default, plan: file.plan, hash: file.hash))
        let contacts = try Self.contacts(ids: ids, now: now)
        let verdicts = try await store.save(contacts)
        var enrollments: [Enrollment] = []
        for verdict in verdicts {
            guard case .created(let contact) = verdict else { throw RehearsalError("a contact was not imported: \(verdict)") }
            enrollments.append(
                Enrollment(
                    id: ids.next(), workspace: .default, contact: contact, sequence: version.id, identity: DemoFolder.identity,
                    state: .active,
                    cause: nil, reason: "enrolled by the demo", nextStep: 0, dueAt: now, heldBy: nil, version: 0, createdAt: now))
        }
        let events = enrollments.map {
            TimelineEvent(
                id: ids.next(), at: now, kind: .enrolled, contact: $0.contact, enrollment: $0.id, summary: "in '\(file.plan.name)' as anna")
        }
        _ = try await store.enroll(enrollments, timeline: events)
    }

    private static func contacts(ids: RecordIDs, now: Timestamp) throws -> [Contact] {
        let table = try CSVTable(parsing: try Cast.file(Cast.contactsFile))
        return try table.rows.map { row in
            let cells = zip(table.header, row.cells).filter { !$1.utf8.isEmpty }
            var fields = Dictionary(cells.map { ($0, $1) }) { first, _ in first }
            guard let address = fields.removeValue(forKey: "email").flatMap({ EmailAddress($0) }) else {
                throw RehearsalError("line \(row.line) of the contacts has no address")
            }
            return Contact(
                id: ids.next(), workspace: .default, address: address, displayName: fields.removeValue(forKey: "name"), fields: fields,
                createdAt: now)
        }
    }
}
