extension Migration {
    /// Figures that guardrails judged, what they paused, and what people said to it.
    static let twelfth = Migration(number: 12, sql: findings + pauses)

    private static let findings = """
        CREATE TABLE guardrail_finding (
            id INTEGER PRIMARY KEY,
            at INTEGER NOT NULL,
            rule TEXT NOT NULL CHECK (rule <> ''),
            origin TEXT NOT NULL CHECK (origin <> ''),
            kind TEXT NOT NULL CHECK (kind IN ('identity', 'sequence', 'instance')),
            name TEXT NOT NULL CHECK (name <> ''),
            metric TEXT NOT NULL CHECK (metric IN ('delivery', 'bounce', 'reply', 'positive', 'unsubscribe', 'complaint')),
            comparison TEXT NOT NULL CHECK (comparison IN ('above', 'below')),
            threshold REAL NOT NULL,
            minimum_sends INTEGER NOT NULL,
            days INTEGER NOT NULL CHECK (days > 0),
            action TEXT NOT NULL CHECK (action IN ('pause', 'alert')),
            count INTEGER NOT NULL,
            sample INTEGER NOT NULL,
            verdict TEXT NOT NULL CHECK (verdict IN ('within', 'too_few', 'violated', 'overridden'))
        ) STRICT;
        CREATE INDEX guardrail_finding_subject ON guardrail_finding (rule, kind, name, id);
        CREATE INDEX guardrail_finding_at ON guardrail_finding (at);

        CREATE TABLE guardrail_override (
            id INTEGER PRIMARY KEY,
            kind TEXT NOT NULL CHECK (kind IN ('identity', 'sequence', 'instance')),
            name TEXT NOT NULL CHECK (name <> ''),
            reason TEXT NOT NULL CHECK (reason <> ''),
            at INTEGER NOT NULL,
            until INTEGER CHECK (until > at),
            -- What had been counted of its day by then, as {"accepted": 12, ...}.
            counted TEXT NOT NULL CHECK (json_valid(counted))
        ) STRICT;
        CREATE INDEX guardrail_override_subject ON guardrail_override (kind, name, id);
        CREATE TRIGGER guardrail_override_stays BEFORE UPDATE ON guardrail_override
        BEGIN SELECT RAISE(ABORT, 'what a person said is kept'); END;
        CREATE TRIGGER guardrail_override_keeps BEFORE DELETE ON guardrail_override
        BEGIN SELECT RAISE(ABORT, 'what a person said is kept'); END;


        """

    private static let pauses = """
        DROP INDEX sending_pause_open;
        DROP TRIGGER sending_pause_keeps;
        CREATE TABLE sending_pause_new (
            id INTEGER PRIMARY KEY,
            kind TEXT NOT NULL CHECK (kind IN ('route', 'identity', 'sequence', 'instance')),
            name TEXT NOT NULL CHECK (name <> ''),
            since INTEGER NOT NULL,
            renewed_at INTEGER NOT NULL CHECK (renewed_at >= since),
            until INTEGER NOT NULL CHECK (until > renewed_at),
            failure_class TEXT NOT NULL,
            reason TEXT NOT NULL,
            renewals INTEGER NOT NULL CHECK (renewals >= 0),
            -- What a guardrail found; NULL: failures of deliveries led to it.
            finding_id INTEGER REFERENCES guardrail_finding (id),
            is_open_ended INTEGER NOT NULL DEFAULT 0 CHECK (is_open_ended IN (0, 1)),
            ended_at INTEGER,
            ended_by TEXT CHECK ((ended_by IS NULL) = (ended_at IS NULL)),
            CHECK (finding_id IS NOT NULL OR kind IN ('route', 'identity') AND is_open_ended = 0)
        ) STRICT;
        INSERT INTO sending_pause_new (id, kind, name, since, renewed_at, until, failure_class, reason, renewals, ended_at, ended_by)
        SELECT id, kind, name, since, renewed_at, until, failure_class, reason, renewals, ended_at, ended_by FROM sending_pause;
        DROP TABLE sending_pause;
        ALTER TABLE sending_pause_new RENAME TO sending_pause;
        CREATE UNIQUE INDEX sending_pause_open ON sending_pause (kind, name) WHERE ended_at IS NULL;
        CREATE INDEX sending_pause_finding ON sending_pause (finding_id) WHERE finding_id IS NOT NULL;
        CREATE TRIGGER sending_pause_keeps BEFORE DELETE ON sending_pause
        BEGIN SELECT RAISE(ABORT, 'what was paused is kept'); END;

        """
}
