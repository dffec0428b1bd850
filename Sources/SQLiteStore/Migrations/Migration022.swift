extension Migration {
    /// Where the right to write to a contact comes from, and what DNS said of the domains of contacts.
    static let twentySecond = Migration(
        number: 22,
        sql: """
            ALTER TABLE contact ADD COLUMN consent_source TEXT CHECK (consent_source <> '');
            ALTER TABLE contact ADD COLUMN consent_at INTEGER;

            -- Whether a domain takes mail, as an import asked it last.
            CREATE TABLE mail_domain (
                -- A-labels in lower case.
                domain TEXT PRIMARY KEY CHECK (domain <> '' AND domain = lower(domain)),
                -- Why it takes none, for a person; NULL: it does.
                refusal TEXT CHECK (refusal <> ''),
                asked_at INTEGER NOT NULL,
                expires_at INTEGER NOT NULL CHECK (expires_at > asked_at)
            ) STRICT, WITHOUT ROWID;
            CREATE INDEX mail_domain_end ON mail_domain (expires_at);

            """)
}
