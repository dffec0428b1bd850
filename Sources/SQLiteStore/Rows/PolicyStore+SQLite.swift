import GRDB
package import InternetMessage
package import Outreach

extension SQLiteStore: PolicyStore {
    package func keep(_ policy: KeptPolicy) async throws(StoreError) {
        try await write { ledger in
            _ = try ledger.db.run(
                """
                INSERT INTO sts_policy (domain, record_id, document, fetched_at, expires_at, used_at)
                VALUES (:domain, :record, :document, :fetched, :expires, :used)
                ON CONFLICT (domain) DO UPDATE SET
                    record_id = excluded.record_id, document = excluded.document, fetched_at = excluded.fetched_at,
                    expires_at = excluded.expires_at, used_at = excluded.used_at
                """,
                [
                    "domain": policy.domain, "record": policy.recordID, "document": policy.document,
                    "fetched": policy.fetchedAt.milliseconds, "expires": policy.expiresAt.milliseconds, "used": policy.usedAt.milliseconds,
                ])
        }
    }

    package func keptPolicy(domain: String) async throws(StoreError) -> KeptPolicy? {
        try await read { ledger in
            try ledger.db.record("SELECT * FROM sts_policy WHERE domain = :domain", ["domain": domain]).map(KeptPolicy.init)
        }
    }

    package func markPolicyUsed(domain: String, at: Timestamp) async throws(StoreError) {
        try await write { ledger in
            _ = try ledger.db.run(
                "UPDATE sts_policy SET used_at = :at WHERE domain = :domain AND used_at < :at",
                ["domain": domain, "at": at.milliseconds])
        }
    }

    package func policiesEnding(after now: Timestamp, before end: Timestamp, usedSince: Timestamp, limit: Int) async throws(StoreError)
        -> [KeptPolicy]
    {
        try await read { ledger in
            try ledger.db.records(
                """
                SELECT * FROM sts_policy
                WHERE expires_at > :now AND expires_at < :end AND used_at >= :used
                ORDER BY expires_at, domain LIMIT :limit
                """,
                ["now": now.milliseconds, "end": end.milliseconds, "used": usedSince.milliseconds, "limit": max(0, limit)]
            ).map(KeptPolicy.init)
        }
    }

    package func dropPolicies(endedBefore: Timestamp) async throws(StoreError) -> Int {
        try await write { ledger in
            try ledger.db.run("DELETE FROM sts_policy WHERE expires_at < :before", ["before": endedBefore.milliseconds])
        }
    }
}

extension KeptPolicy {
    fileprivate init(_ record: Record) throws {
        self.init(
            domain: try record.text("domain"), recordID: try record.text("record_id"), document: try record.bytes("document"),
            fetchedAt: try record.moment("fetched_at"), expiresAt: try record.moment("expires_at"), usedAt: try record.moment("used_at"))
    }
}
