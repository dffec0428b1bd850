extension Migration {
    /// Calls to other systems that steps of sequences decided on.
    static let eighteenth = Migration(number: 18, sql: words + calls)

    // As in the sixteenth: the words of a CHECK are widened where the schema is kept.
    private static let words = """
        PRAGMA writable_schema = ON;
        UPDATE sqlite_schema SET sql = replace(sql, '''transition'', ''queued''', '''transition'', ''webhook'', ''queued''')
        WHERE type = 'table' AND name = 'timeline';
        PRAGMA writable_schema = RESET;


        """

    private static let calls = """
        CREATE TABLE webhook_call (
            id INTEGER PRIMARY KEY CHECK (id > 0),
            workspace_id INTEGER NOT NULL REFERENCES workspace (id),
            enrollment_id INTEGER NOT NULL REFERENCES enrollment (id),
            contact_id INTEGER NOT NULL REFERENCES contact (id),
            version_id INTEGER NOT NULL REFERENCES sequence_version (id),
            step TEXT NOT NULL CHECK (step <> ''),
            webhook TEXT NOT NULL CHECK (webhook <> ''),
            -- The same at each attempt; NULL once it was dropped or erased.
            body TEXT CHECK (body IS NULL OR json_valid(body)),
            created_at INTEGER NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('queued', 'delivered', 'failed')),
            -- Attempts that were begun, and how many of them before a person queued it anew.
            attempts INTEGER NOT NULL CHECK (attempts >= 0),
            attempts_before INTEGER NOT NULL CHECK (attempts_before BETWEEN 0 AND attempts),
            next_attempt_at INTEGER,
            lease_owner TEXT,
            lease_until INTEGER,
            last_status INTEGER,
            reason TEXT,
            ended_at INTEGER,
            CHECK ((state = 'queued') = (next_attempt_at IS NOT NULL)),
            CHECK ((state = 'queued') = (ended_at IS NULL)),
            CHECK (state <> 'queued' OR body IS NOT NULL),
            CHECK ((lease_owner IS NULL) = (lease_until IS NULL)),
            CHECK (lease_owner IS NULL OR state = 'queued')
        ) STRICT;
        -- An enrollment calls once for a step.
        CREATE UNIQUE INDEX webhook_call_step ON webhook_call (enrollment_id, step);
        CREATE INDEX webhook_call_due ON webhook_call (webhook, next_attempt_at) WHERE state = 'queued';
        CREATE INDEX webhook_call_state ON webhook_call (state, id);
        CREATE INDEX webhook_call_content ON webhook_call (created_at) WHERE body IS NOT NULL AND state <> 'queued';
        CREATE INDEX webhook_call_contact ON webhook_call (contact_id);
        CREATE TRIGGER webhook_call_stays
            BEFORE UPDATE OF workspace_id, enrollment_id, contact_id, version_id, step, webhook, body, created_at ON webhook_call
            WHEN NEW.workspace_id <> OLD.workspace_id OR NEW.enrollment_id <> OLD.enrollment_id OR NEW.contact_id <> OLD.contact_id
                OR NEW.version_id <> OLD.version_id OR NEW.step <> OLD.step OR NEW.webhook <> OLD.webhook
                OR NEW.created_at <> OLD.created_at OR NEW.body IS NOT NULL AND NEW.body IS NOT OLD.body
        BEGIN SELECT RAISE(ABORT, 'what is handed over never changes'); END;
        CREATE TRIGGER webhook_call_keeps BEFORE DELETE ON webhook_call WHEN OLD.state = 'queued'
        BEGIN SELECT RAISE(ABORT, 'a call that waits is not forgotten'); END;

        """
}
