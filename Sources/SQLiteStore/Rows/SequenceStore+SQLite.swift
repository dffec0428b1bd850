import GRDB
package import InternetMessage
package import Outreach

extension SQLiteStore: SequenceStore {
    package func load(_ version: SequenceVersion) async throws(StoreError) -> SequenceVersion {
        try await write { try $0.load(version) }
    }

    package func sequence(workspace: WorkspaceID, name: String) async throws(StoreError) -> SequenceVersion? {
        try await read { ledger in
            try ledger.db.record(
                """
                SELECT version.id, version.hash, version.plan, sequence.workspace_id
                FROM sequence JOIN sequence_version AS version ON version.id = sequence.latest_version_id
                WHERE sequence.workspace_id = :workspace AND sequence.name = :name
                """, ["workspace": workspace.rawValue, "name": name]
            ).map(SequenceVersion.init)
        }
    }

    package func sequence(id: SequenceVersion.ID) async throws(StoreError) -> SequenceVersion? {
        try await read { try $0.sequence(id) }
    }

    package func sequences(workspace: WorkspaceID) async throws(StoreError) -> [SequenceVersion] {
        try await read { ledger in
            try ledger.db.records(
                """
                SELECT version.id, version.hash, version.plan, sequence.workspace_id
                FROM sequence JOIN sequence_version AS version ON version.id = sequence.latest_version_id
                WHERE sequence.workspace_id = :workspace ORDER BY sequence.name
                """, ["workspace": workspace.rawValue]
            ).map(SequenceVersion.init)
        }
    }

    package func setPause(of sequence: String, workspace: WorkspaceID, by person: String?, at now: Timestamp) async throws(StoreError)
        -> Bool
    {
        try await write { ledger in
            let changed = try ledger.db.run(
                """
                UPDATE sequence SET paused_at = :at, paused_by = :by
                WHERE workspace_id = :workspace AND name = :name AND (paused_at IS NULL) = (:by IS NOT NULL)
                """,
                [
                    "workspace": workspace.rawValue, "name": sequence.storable, "by": person?.storable,
                    "at": person == nil ? nil : now.milliseconds,
                ])
            guard changed == 1 else { return false }
            if person == nil {
                _ = try ledger.reconsiderPostponed(
                    now: now, heldBy: SendingPause.Subject.sequence(sequence, in: workspace).beginning, in: workspace)
            }
            return true
        }
    }

    package func pausedSequences() async throws(StoreError) -> [SequencePauseMark] {
        try await read { ledger in
            try ledger.db.records("SELECT workspace_id, name, paused_at, paused_by FROM sequence WHERE paused_at IS NOT NULL ORDER BY id")
                .map { record in
                    SequencePauseMark(
                        workspace: WorkspaceID(rawValue: try record.integer("workspace_id")), sequence: try record.text("name"),
                        since: try record.moment("paused_at"), person: try record.text("paused_by"))
                }
        }
    }

    package func setStop(reason: String?, at: Timestamp) async throws(StoreError) {
        try await write { ledger in
            try ledger.db.run(
                "UPDATE installation SET stop_reason = :reason, stopped_at = :at",
                ["reason": reason?.storable, "at": reason == nil ? nil : at.milliseconds])
            return
        }
    }

    package func stopReason() async throws(StoreError) -> String? {
        try await read { try $0.stopReason() }
    }
}

extension Ledger {
    fileprivate func load(_ version: SequenceVersion) throws -> SequenceVersion {
        let name = version.plan.name
        try db.run(
            "INSERT INTO sequence (workspace_id, name) VALUES (:workspace, :name) ON CONFLICT (workspace_id, name) DO NOTHING",
            ["workspace": version.workspace.rawValue, "name": name])
        guard
            let sequence = try db.record(
                "SELECT id FROM sequence WHERE workspace_id = :workspace AND name = :name",
                ["workspace": version.workspace.rawValue, "name": name])?.integer("id")
        else { throw StoreError(code: .constraint, message: "a sequence vanished while it was loaded") }
        try db.run(
            "INSERT INTO sequence_version (id, sequence_id, hash, plan) VALUES (:id, :sequence, :hash, :plan) "
                + "ON CONFLICT (sequence_id, hash) DO NOTHING",
            ["id": version.id.rawValue, "sequence": sequence, "hash": version.hash, "plan": jsonText(version.plan)])
        guard
            let id = try db.record(
                "SELECT id FROM sequence_version WHERE sequence_id = :sequence AND hash = :hash",
                ["sequence": sequence, "hash": version.hash])?
                .integer("id")
        else { throw StoreError(code: .constraint, message: "a sequence version vanished while it was loaded") }
        // A file that went back to an earlier text is that version again, and the latest.
        try db.run("UPDATE sequence SET latest_version_id = :id WHERE id = :sequence", ["id": id, "sequence": sequence])
        return try self.sequence(SequenceVersion.ID(rawValue: id)) ?? version
    }

    func sequence(_ id: SequenceVersion.ID) throws -> SequenceVersion? {
        try db.record(
            """
            SELECT version.id, version.hash, version.plan, sequence.workspace_id
            FROM sequence_version AS version JOIN sequence ON sequence.id = version.sequence_id
            WHERE version.id = :id
            """, ["id": id.rawValue]
        ).map(SequenceVersion.init)
    }
}

extension SequenceVersion {
    init(_ record: Record) throws {
        self.init(
            id: try record.id("id"), workspace: WorkspaceID(rawValue: try record.integer("workspace_id")), plan: try record.json("plan"),
            hash: try record.text("hash"))
    }
}
