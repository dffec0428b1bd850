extension Migration {
    /// Failures that count against an address, and identities that are paused as routes are.
    static let seventh = Migration(number: 7, sql: strikes + pauses)

    private static let strikes = """
        -- A message that failed for good in a way which only its repetition makes the address's own.
        CREATE TABLE strike (
            outbox_id INTEGER PRIMARY KEY REFERENCES outbox (id),
            workspace_id INTEGER NOT NULL REFERENCES workspace (id),
            address_key TEXT NOT NULL CHECK (instr(address_key, '@') > 1),
            failure_class TEXT NOT NULL CHECK (failure_class <> ''),
            at INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX strike_address ON strike (address_key, failure_class, at);


        """

    private static let pauses = """
        DROP INDEX route_pause_open;
        DROP TRIGGER route_pause_keeps;
        ALTER TABLE route_pause RENAME TO sending_pause;
        ALTER TABLE sending_pause RENAME COLUMN route TO name;
        ALTER TABLE sending_pause ADD COLUMN kind TEXT NOT NULL DEFAULT 'route' CHECK (kind IN ('route', 'identity'));
        CREATE UNIQUE INDEX sending_pause_open ON sending_pause (kind, name) WHERE ended_at IS NULL;
        CREATE TRIGGER sending_pause_keeps BEFORE DELETE ON sending_pause
        BEGIN SELECT RAISE(ABORT, 'what was paused is kept'); END;

        """
}
