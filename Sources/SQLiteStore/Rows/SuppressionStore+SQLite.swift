import GRDB
package import InternetMessage
package import Outreach

extension SQLiteStore: SuppressionStore {
    package func suppress(_ suppressions: [Suppression]) async throws(StoreError) {
        try await write { ledger in
            for suppression in suppressions where !suppression.isOver(at: suppression.at) {
                try ledger.add(suppression)
                guard case .address(let key) = suppression.subject else { continue }
                let contacts = try ledger.db.records(
                    """
                    SELECT id FROM contact WHERE workspace_id IN (\(Suppression.scope)) AND address_key = :key
                    UNION SELECT contact_id FROM further_address WHERE address_key = :key AND workspace_id IN (\(Suppression.scope))
                    """,
                    ["workspace": suppression.workspace.rawValue, "key": key])
                for contact in contacts {
                    try ledger.append(
                        TimelineEvent(
                            id: ledger.ids.next(), at: suppression.at,
                            kind: suppression.reason == .unsubscribed ? .unsubscribed : .suppressed, contact: contact.id("id"),
                            summary: "\(suppression.reason.rawValue) (\(suppression.source.rawValue))",
                            facts: suppression.note.utf8.isEmpty ? [:] : ["note": suppression.note]))
                }
            }
        }
    }

    package func unsuppress(workspace: WorkspaceID, subject: Suppression.Subject) async throws(StoreError) -> Bool {
        try await write { ledger in
            func delete(_ subject: Suppression.Subject) throws -> Bool {
                try ledger.db.run(
                    "DELETE FROM suppression WHERE workspace_id = :workspace AND kind = :kind AND subject = :subject",
                    ["workspace": workspace.rawValue, "kind": subject.kind, "subject": subject.text]) > 0
            }
            let found = try delete(subject)
            guard case .address(let key) = subject else { return found }
            return try delete(ledger.hash(ofKey: key)) || found
        }
    }

    package func suppression(workspace: WorkspaceID, of subject: Suppression.Subject) async throws(StoreError) -> Suppression? {
        try await read { ledger in
            func find(_ subject: Suppression.Subject) throws -> Suppression? {
                try ledger.db.record(
                    "SELECT * FROM suppression WHERE workspace_id = :workspace AND kind = :kind AND subject = :subject",
                    ["workspace": workspace.rawValue, "kind": subject.kind, "subject": subject.text]
                ).map(Suppression.init)
            }
            let found = try find(subject)
            guard case .address(let key) = subject, let forgotten = try find(ledger.hash(ofKey: key)) else { return found }
            // What the person asked for must not stand behind what somebody else wrote down.
            return found.map { !$0.reason.isAskedFor && forgotten.reason.isAskedFor ? forgotten : $0 } ?? forgotten
        }
    }

    package func suppression(workspace: WorkspaceID, address: EmailAddress, now: Timestamp) async throws(StoreError) -> Suppression? {
        try await read { try $0.suppression(workspace: workspace, address: address, now: now) }
    }

    package func suppressions(workspace: WorkspaceID, after: Suppression.ID?, limit: Int) async throws(StoreError) -> [Suppression] {
        try await read { ledger in
            try ledger.db.records(
                "SELECT * FROM suppression WHERE +workspace_id IN (0, :workspace) AND id > :after ORDER BY id LIMIT :limit",
                ["workspace": workspace.rawValue, "after": after?.rawValue ?? 0, "limit": max(0, limit)]
            ).map(Suppression.init)
        }
    }
}
