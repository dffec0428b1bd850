extension Migration {
    /// The commands that changed the state; sequences that are paused as a whole; by which channel a message goes.
    static let twentyFirst = Migration(
        number: 21,
        sql: """
            CREATE TABLE audit (
                id INTEGER PRIMARY KEY CHECK (id > 0),
                at INTEGER NOT NULL,
                person TEXT NOT NULL,
                command TEXT NOT NULL CHECK (command <> ''),
                -- Why it was not done, or not all of it.
                failure TEXT
            ) STRICT;
            CREATE TRIGGER audit_stays BEFORE UPDATE ON audit
            BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
            CREATE TRIGGER audit_keeps BEFORE DELETE ON audit
            BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

            -- While it is paused by a person nobody goes on in it, whoever comes into it meanwhile.
            ALTER TABLE sequence ADD COLUMN paused_at INTEGER;
            ALTER TABLE sequence ADD COLUMN paused_by TEXT CHECK ((paused_by IS NULL) = (paused_at IS NULL));

            ALTER TABLE outbox ADD COLUMN channel TEXT NOT NULL DEFAULT 'email' CHECK (channel = 'email');
            ALTER TABLE suppression ADD COLUMN channel TEXT NOT NULL DEFAULT 'email' CHECK (channel = 'email');
            ALTER TABLE further_address ADD COLUMN channel TEXT NOT NULL DEFAULT 'email' CHECK (channel = 'email');

            """)
}
