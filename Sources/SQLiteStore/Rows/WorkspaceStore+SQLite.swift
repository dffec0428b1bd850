import GRDB
package import Outreach

extension SQLiteStore: WorkspaceStore {
    package func workspaces() async throws(StoreError) -> WorkspaceBook { try await read { try $0.workspaces() } }

    package func workspaces(making names: [String]) async throws(StoreError) -> WorkspaceBook {
        // Mostly there is nothing to make, and then nobody waits for the writer.
        let known = try await workspaces()
        let missing = names.filter { known.workspace(named: $0) == nil }
        guard !missing.isEmpty else { return known }
        return try await write { ledger in
            for name in missing {
                try ledger.db.run("INSERT INTO workspace (name) VALUES (:name) ON CONFLICT (name) DO NOTHING", ["name": name.storable])
            }
            return try ledger.workspaces()
        }
    }
}

extension Ledger {
    fileprivate func workspaces() throws -> WorkspaceBook {
        WorkspaceBook(
            try db.records("SELECT id, name FROM workspace ORDER BY id").map { record in
                Workspace(id: WorkspaceID(rawValue: try record.integer("id")), name: try record.text("name"))
            })
    }
}
