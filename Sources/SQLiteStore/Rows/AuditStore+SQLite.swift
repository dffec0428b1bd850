import GRDB
import InternetMessage
package import Outreach

extension SQLiteStore: AuditStore {
    package func note(_ entries: [AuditEntry]) async throws(StoreError) {
        try await write { ledger in
            for entry in entries {
                try ledger.db.run(
                    """
                    INSERT INTO audit (id, at, person, command, failure) VALUES (:id, :at, :person, :command, :failure)
                    ON CONFLICT (id) DO NOTHING
                    """,
                    [
                        "id": entry.id.rawValue, "at": entry.at.milliseconds, "person": entry.person.storable,
                        "command": entry.command.storable, "failure": entry.failure?.storable,
                    ])
            }
        }
    }

    package func audit(after: AuditEntry.ID?, limit: Int) async throws(StoreError) -> [AuditEntry] {
        try await read { ledger in
            try ledger.db.records(
                "SELECT * FROM audit WHERE id > :after ORDER BY id LIMIT :limit", ["after": after?.rawValue ?? 0, "limit": max(0, limit)]
            ).map(AuditEntry.init)
        }
    }
}

extension Ledger {
    /// Takes out of the log what was said of somebody; its trigger must be lifted.
    func eraseAudit(of addresses: [EmailAddress]) throws {
        for record in try db.records("SELECT * FROM audit") {
            guard let entry = try AuditEntry(record).forgetting(addresses) else { continue }
            try db.run(
                "UPDATE audit SET command = :command, failure = :failure WHERE id = :id",
                ["id": entry.id.rawValue, "command": entry.command.storable, "failure": entry.failure?.storable])
        }
    }
}

extension AuditEntry {
    init(_ record: Record) throws {
        self.init(
            id: try record.id("id"), at: try record.moment("at"), person: try record.text("person"), command: try record.text("command"),
            failure: record.textOrNil("failure"))
    }
}
