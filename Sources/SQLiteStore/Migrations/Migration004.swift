extension Migration {
    /// What recipient domains ask of TLS.
    static let fourth = Migration(number: 4, sql: policies)

    private static let policies = """
        -- What recipient domains ask of TLS (RFC 8461), as their web servers gave it.
        CREATE TABLE sts_policy (
            domain TEXT PRIMARY KEY CHECK (domain <> ''),
            record_id TEXT NOT NULL CHECK (length(record_id) BETWEEN 1 AND 32),
            document BLOB NOT NULL CHECK (length(document) BETWEEN 1 AND 65536),
            fetched_at INTEGER NOT NULL,
            expires_at INTEGER NOT NULL CHECK (expires_at >= fetched_at),
            used_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX sts_policy_expires ON sts_policy (expires_at);

        """
}
