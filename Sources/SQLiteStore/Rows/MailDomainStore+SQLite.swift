import GRDB
package import InternetMessage
package import Outreach

extension SQLiteStore: MailDomainStore {
    package func mailDomains(_ domains: [String], at now: Timestamp) async throws(StoreError) -> [MailDomain] {
        try await read { ledger in
            try ledger.db.records(
                """
                SELECT mail_domain.* FROM json_each(:domains) AS asked CROSS JOIN mail_domain ON mail_domain.domain = asked.value
                WHERE expires_at > :now
                """, ["domains": jsonText(domains), "now": now.milliseconds]
            ).map(MailDomain.init)
        }
    }

    package func keepMailDomains(_ found: [MailDomain], at now: Timestamp) async throws(StoreError) {
        try await write { ledger in
            try ledger.db.run("DELETE FROM mail_domain WHERE expires_at <= :now", ["now": now.milliseconds])
            for one in found {
                try ledger.db.run(
                    """
                    INSERT INTO mail_domain (domain, refusal, asked_at, expires_at) VALUES (:domain, :refusal, :asked, :expires)
                    ON CONFLICT (domain) DO UPDATE SET
                        refusal = excluded.refusal, asked_at = excluded.asked_at, expires_at = excluded.expires_at
                    """,
                    [
                        "domain": one.domain, "refusal": one.refusal?.storable, "asked": one.askedAt.milliseconds,
                        "expires": one.expiresAt.milliseconds,
                    ])
            }
            return
        }
    }
}

extension MailDomain {
    fileprivate init(_ record: Record) throws {
        self.init(
            domain: try record.text("domain"), refusal: record.textOrNil("refusal"), askedAt: try record.moment("asked_at"),
            expiresAt: try record.moment("expires_at"))
    }
}
