extension Migration {
    /// Opens and clicks: where links lead, hits that wait to be judged, and what was judged of each message.
    static let nineteenth = Migration(number: 19, sql: kinds + links + hits + counts)

    // As in the sixteenth step, so that the timeline need not be copied.
    private static let kinds = """
        PRAGMA writable_schema = ON;
        UPDATE sqlite_schema SET sql = replace(sql, '''expired'', ''quarantined'')', '''expired'', ''quarantined'', ''opened'', ''clicked'')')
        WHERE type = 'table' AND name = 'timeline';
        PRAGMA writable_schema = RESET;


        """

    private static let links = """
        -- Where a tracked link leads. Of an address that was written with values of somebody, whose it is.
        CREATE TABLE link_target (
            id INTEGER PRIMARY KEY CHECK (id > 0),
            contact_id INTEGER REFERENCES contact (id) ON DELETE CASCADE,
            url TEXT NOT NULL CHECK (url GLOB '[hH][tT][tT][pP]*://?*')
        ) STRICT;
        CREATE INDEX link_target_contact ON link_target (contact_id) WHERE contact_id IS NOT NULL;
        CREATE TRIGGER link_target_stays BEFORE UPDATE ON link_target
        BEGIN SELECT RAISE(ABORT, 'a link leads where it led'); END;


        """

    private static let hits = """
        -- Link 0: the picture.
        CREATE TABLE tracking_hit (
            id INTEGER PRIMARY KEY,
            outbox_id INTEGER NOT NULL REFERENCES outbox (id),
            link_id INTEGER NOT NULL CHECK (link_id >= 0),
            at INTEGER NOT NULL,
            agent TEXT NOT NULL
        ) STRICT;
        CREATE INDEX tracking_hit_message ON tracking_hit (outbox_id, at);
        -- How often and when first, by people and by machines.
        CREATE TABLE touch (
            outbox_id INTEGER NOT NULL REFERENCES outbox (id),
            link_id INTEGER NOT NULL CHECK (link_id >= 0),
            by_human INTEGER NOT NULL CHECK (by_human >= 0),
            human_at INTEGER CHECK ((human_at IS NULL) = (by_human = 0)),
            by_machine INTEGER NOT NULL CHECK (by_machine >= 0),
            machine_at INTEGER CHECK ((machine_at IS NULL) = (by_machine = 0)),
            PRIMARY KEY (outbox_id, link_id)
        ) STRICT, WITHOUT ROWID;


        """

    private static let counts = ["rollup_day", "rollup_contact_hour"].flatMap { table in
        ["opened", "clicked", "machine_opened", "machine_clicked"].map {
            "ALTER TABLE \(table) ADD COLUMN \($0) INTEGER NOT NULL DEFAULT 0;\n"
        }
    }.joined()
}
