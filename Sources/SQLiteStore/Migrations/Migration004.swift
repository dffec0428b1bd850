extension Migration {
    /// What recipient domains ask of TLS; secrets that change while the program runs.
    static let fourth = Migration(number: 4, sql: secrets + policies)

    private static let secrets = """
        -- Sealed with a key that is not in here; the id of the row is part of what is authenticated.
        CREATE TABLE secret (
            id INTEGER PRIMARY KEY CHECK (id > 0),
            kind TEXT NOT NULL CHECK (kind IN ('refresh_token')),
            name TEXT NOT NULL CHECK (name <> ''),
            sealed BLOB NOT NULL CHECK (length(sealed) >= 33),
            changed_at INTEGER NOT NULL,
            UNIQUE (kind, name)
        ) STRICT;

        """

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
