import GRDB
import InternetMessage
package import Outreach

extension SQLiteStore: SecretStore {
    package func secret(_ kind: SealedSecret.Kind, name: String) async throws(StoreError) -> SealedSecret? {
        try await read { ledger in
            try ledger.db.record("SELECT * FROM secret WHERE kind = :kind AND name = :name", ["kind": kind.rawValue, "name": name])
                .map(SealedSecret.init)
        }
    }

    package func keep(_ secret: SealedSecret, replacing: SealedSecret.ID?) async throws(StoreError) -> Bool {
        try await write { ledger in
            if let replacing {
                let stands = try ledger.db.exists(
                    "SELECT 1 FROM secret WHERE id = :id AND kind = :kind AND name = :name",
                    ["id": replacing.rawValue, "kind": secret.kind.rawValue, "name": secret.name])
                guard stands else { return false }
            }
            try ledger.db.run(
                "DELETE FROM secret WHERE kind = :kind AND name = :name", ["kind": secret.kind.rawValue, "name": secret.name])
            try ledger.db.run(
                """
                INSERT INTO secret (id, kind, name, sealed, changed_at) VALUES (:id, :kind, :name, :sealed, :changed_at)
                """,
                [
                    "id": secret.id.rawValue, "kind": secret.kind.rawValue, "name": secret.name, "sealed": secret.sealed,
                    "changed_at": secret.changedAt.milliseconds,
                ])
            return true
        }
    }

    package func forgetSecret(_ kind: SealedSecret.Kind, name: String) async throws(StoreError) -> Bool {
        try await write { ledger in
            try ledger.db.run("DELETE FROM secret WHERE kind = :kind AND name = :name", ["kind": kind.rawValue, "name": name]) > 0
        }
    }
}

extension SealedSecret {
    init(_ row: Record) throws {
        self.init(
            id: try row.id("id"), kind: try row.word("kind"), name: try row.text("name"), sealed: try row.bytes("sealed"),
            changedAt: try row.moment("changed_at"))
    }
}
