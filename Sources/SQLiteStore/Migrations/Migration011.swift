extension Migration {
    /// Counts of what the timeline tells, kept beside it.
    static let eleventh = Migration(number: 11, sql: touchpoints + rollups + follower)

    private static let touchpoints = """
        -- Whose hosts a message was tried at, by the names of provider files; NULL: the recipient's domain says it.
        ALTER TABLE outbox ADD COLUMN provider TEXT CHECK (provider <> '');
        CREATE TRIGGER outbox_provider_stays BEFORE UPDATE OF provider ON outbox
            WHEN OLD.provider IS NOT NULL AND NEW.provider IS NOT OLD.provider
        BEGIN SELECT RAISE(ABORT, 'the provider of a message never changes'); END;


        """

    private static let counts = """
        queued INTEGER NOT NULL, accepted INTEGER NOT NULL, deferred INTEGER NOT NULL, refused INTEGER NOT NULL,
            bounced_hard INTEGER NOT NULL, bounced_soft INTEGER NOT NULL, expired INTEGER NOT NULL, cancelled INTEGER NOT NULL,
            contacted INTEGER NOT NULL, replied INTEGER NOT NULL, positive INTEGER NOT NULL, question INTEGER NOT NULL,
            negative INTEGER NOT NULL, not_now INTEGER NOT NULL, referral INTEGER NOT NULL, neutral INTEGER NOT NULL,
            out_of_office INTEGER NOT NULL, unsubscribed INTEGER NOT NULL, complained INTEGER NOT NULL
        """

    private static let rollups = """
        -- Days of UTC since 1970-01-01. Sequence 0: all sequences of the workspace.
        CREATE TABLE rollup_day (
            workspace_id INTEGER NOT NULL,
            sequence_id INTEGER NOT NULL,
            dimension TEXT NOT NULL CHECK (dimension IN ('all', 'step', 'variant', 'identity', 'provider')),
            day INTEGER NOT NULL,
            value TEXT NOT NULL,
            \(counts),
            PRIMARY KEY (workspace_id, sequence_id, dimension, day, value)
        ) STRICT, WITHOUT ROWID;
        -- Hours since 1970-01-01T00:00Z.
        CREATE TABLE rollup_contact_hour (
            contact_id INTEGER NOT NULL,
            hour INTEGER NOT NULL,
            \(counts),
            PRIMARY KEY (contact_id, hour)
        ) STRICT, WITHOUT ROWID;
        -- How many enrollments are in a state; cause '': none.
        CREATE TABLE rollup_state (
            workspace_id INTEGER NOT NULL,
            sequence_id INTEGER NOT NULL,
            state TEXT NOT NULL,
            cause TEXT NOT NULL,
            enrollments INTEGER NOT NULL,
            PRIMARY KEY (workspace_id, sequence_id, state, cause)
        ) STRICT, WITHOUT ROWID;
        -- As what an enrollment is counted, so that it can be counted as something else.
        CREATE TABLE tally (
            enrollment_id INTEGER PRIMARY KEY REFERENCES enrollment (id),
            state TEXT NOT NULL,
            cause TEXT NOT NULL,
            contacted_event INTEGER,
            contacted_hour INTEGER,
            contacted_outbox INTEGER REFERENCES outbox (id),
            answers TEXT CHECK (answers IS NULL OR json_valid(answers)),
            CHECK ((contacted_event IS NULL) = (contacted_hour IS NULL) AND (contacted_event IS NULL) = (contacted_outbox IS NULL))
        ) STRICT;


        """

    private static let follower = """
        -- Up to which event the timeline is counted.
        CREATE TABLE rollup_mark (
            one INTEGER PRIMARY KEY CHECK (one = 1),
            timeline_id INTEGER NOT NULL
        ) STRICT;
        INSERT INTO rollup_mark (one, timeline_id) VALUES (1, 0);
        CREATE TRIGGER rollup_mark_rises BEFORE UPDATE ON rollup_mark WHEN NEW.timeline_id < OLD.timeline_id
        BEGIN SELECT RAISE(ABORT, 'what is counted is not counted again'); END;
        -- Ids are made before the transaction that stores them begins: what is stored behind the mark is noted, and counted next.
        CREATE TABLE rollup_late (
            timeline_id INTEGER PRIMARY KEY
        ) STRICT;
        CREATE TRIGGER timeline_is_late AFTER INSERT ON timeline
            WHEN NEW.id <= (SELECT timeline_id FROM rollup_mark WHERE one = 1)
        BEGIN INSERT INTO rollup_late (timeline_id) VALUES (NEW.id); END;

        """
}
