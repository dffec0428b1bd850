extension Migration {
    /// Messages whose text is packed once nothing more happens to them, and events that are dropped when they are old and counted.
    static let thirteenth = Migration(number: 13, sql: packing + ageing)

    private static let packing = """
        -- In place of the row of outbox_body and of the transcripts, once a message is settled.
        CREATE TABLE packed_message (
            outbox_id INTEGER PRIMARY KEY REFERENCES outbox (id),
            -- Raw deflate of the bytes, and how many they are.
            body BLOB NOT NULL,
            body_size INTEGER NOT NULL CHECK (body_size >= 0),
            -- Raw deflate of {"attempt": "dialogue", ...}.
            transcripts BLOB NOT NULL,
            transcripts_size INTEGER NOT NULL CHECK (transcripts_size >= 0)
        ) STRICT;
        CREATE TRIGGER packed_message_stays BEFORE UPDATE ON packed_message
        BEGIN SELECT RAISE(ABORT, 'the bytes of a message never change'); END;


        """

    private static let ageing = """
        -- Events before it are old and counted: they may be dropped, and nothing counts them again.
        CREATE TABLE timeline_end (
            one INTEGER PRIMARY KEY CHECK (one = 1),
            timeline_id INTEGER NOT NULL
        ) STRICT;
        INSERT INTO timeline_end (one, timeline_id) VALUES (1, 0);
        CREATE TRIGGER timeline_end_is_counted BEFORE UPDATE ON timeline_end
            WHEN NEW.timeline_id < OLD.timeline_id
                OR NEW.timeline_id > (SELECT timeline_id + 1 FROM rollup_mark WHERE one = 1)
                OR EXISTS (SELECT 1 FROM rollup_late WHERE timeline_id < NEW.timeline_id)
        BEGIN SELECT RAISE(ABORT, 'only what is counted is old'); END;
        DROP TRIGGER timeline_keeps;
        CREATE TRIGGER timeline_keeps BEFORE DELETE ON timeline
            WHEN OLD.id >= (SELECT timeline_id FROM timeline_end WHERE one = 1)
        BEGIN SELECT RAISE(ABORT, 'the timeline is append-only'); END;

        """
}
