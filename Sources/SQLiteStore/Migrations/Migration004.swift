extension Migration {
    /// What a message waits for, and how full the limits of delivery are; secrets that change while the program runs.
    static let fourth = Migration(number: 4, sql: pacing + secrets + policies)

    private static let pacing = """
        -- What keeps a waiting message back beside its time: 'limit ID', 'site NAME', 'answer of NAME', 'dns DOMAIN' or 'safety KEY'.
        ALTER TABLE outbox ADD COLUMN awaits TEXT CHECK (awaits <> '');
        -- What the latest claim took from limits, as [[limit, step], ...].
        ALTER TABLE outbox ADD COLUMN taken TEXT CHECK (taken IS NULL OR json_valid(taken));
        CREATE INDEX outbox_awaits ON outbox (awaits, next_attempt_at)
            WHERE awaits IS NOT NULL AND state IN ('incoming', 'deferred');

        CREATE INDEX reply_signal ON reply (effective_class, sorted_at) WHERE outbox_id IS NOT NULL;

        CREATE TABLE sending_level (
            id TEXT PRIMARY KEY CHECK (id <> ''),
            level INTEGER NOT NULL,
            booked INTEGER NOT NULL,
            until INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX sending_level_until ON sending_level (until);
        -- However a claim ends: without a dot its budget goes back.
        CREATE TRIGGER outbox_budget_returns AFTER UPDATE OF state ON outbox
            WHEN OLD.state = 'active' AND NEW.state <> 'active' AND OLD.final_dot_at IS NULL AND OLD.taken IS NOT NULL
        BEGIN
            UPDATE sending_level
            SET level = MAX(0, level - (
                SELECT json_extract(given.value, '$[1]') FROM json_each(OLD.taken) AS given
                WHERE json_extract(given.value, '$[0]') = sending_level.id))
            WHERE id IN (SELECT json_extract(given.value, '$[0]') FROM json_each(OLD.taken) AS given);
        END;


        """

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
