extension Migration {
    /// Messages that go on by another route, routes that are paused, and what smarthosts call a message.
    static let sixth = Migration(number: 6, sql: routing + pauses + names)

    private static let routing = """
        -- The route that a message was composed for, while it goes by another one.
        ALTER TABLE outbox ADD COLUMN first_route TEXT CHECK (first_route <> '');
        DROP TRIGGER outbox_facts_stay;
        CREATE TRIGGER outbox_facts_stay BEFORE UPDATE OF workspace_id, enrollment_id, contact_id, step, occurrence, identity,
            reverse_path, recipient, recipient_key, recipient_domain, message_id, subject, created_at, budget_day ON outbox
        BEGIN SELECT RAISE(ABORT, 'what a queued message is never changes'); END;
        CREATE TRIGGER outbox_route_waits BEFORE UPDATE OF route ON outbox
            WHEN NEW.route <> OLD.route AND (OLD.state NOT IN ('incoming', 'deferred') OR OLD.final_dot_at IS NOT NULL)
        BEGIN SELECT RAISE(ABORT, 'only a message that waits changes its route'); END;


        """

    private static let pauses = """
        CREATE TABLE route_pause (
            id INTEGER PRIMARY KEY,
            route TEXT NOT NULL CHECK (route <> ''),
            since INTEGER NOT NULL,
            renewed_at INTEGER NOT NULL CHECK (renewed_at >= since),
            until INTEGER NOT NULL CHECK (until > renewed_at),
            failure_class TEXT NOT NULL,
            reason TEXT NOT NULL,
            renewals INTEGER NOT NULL CHECK (renewals >= 0),
            ended_at INTEGER,
            ended_by TEXT CHECK ((ended_by IS NULL) = (ended_at IS NULL))
        ) STRICT;
        CREATE UNIQUE INDEX route_pause_open ON route_pause (route) WHERE ended_at IS NULL;
        CREATE TRIGGER route_pause_keeps BEFORE DELETE ON route_pause
        BEGIN SELECT RAISE(ABORT, 'what was paused is kept'); END;


        """

    private static let names = """
        -- What the next host called the message in its reply to the final dot, when it writes a Message-ID of its own.
        ALTER TABLE outbox ADD COLUMN provider_id TEXT CHECK (provider_id <> '');
        -- The Message-ID that the recipient sees then, where it is known.
        ALTER TABLE outbox ADD COLUMN sent_message_id TEXT CHECK (sent_message_id <> '');
        CREATE INDEX outbox_provider_id ON outbox (provider_id) WHERE provider_id IS NOT NULL;

        """
}
