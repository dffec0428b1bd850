extension Migration {
    /// Calls to other systems that a person took back, and what a person changed of a contact by hand.
    static let twentieth = Migration(
        number: 20,
        sql: """
            PRAGMA writable_schema = ON;
            UPDATE sqlite_schema SET sql = replace(sql, '(''queued'', ''delivered'', ''failed'')', '(''queued'', ''delivered'', ''failed'', ''cancelled'')')
            WHERE type = 'table' AND name = 'webhook_call';
            UPDATE sqlite_schema SET sql = replace(sql, '''transition'', ''webhook''', '''transition'', ''webhook'', ''edited''')
            WHERE type = 'table' AND name = 'timeline';
            PRAGMA writable_schema = RESET;
            -- Of a contact that goes with its import nothing is left, so what was changed by hand goes too.
            DROP TRIGGER timeline_keeps;
            CREATE TRIGGER timeline_keeps BEFORE DELETE ON timeline
                WHEN OLD.kind <> 'edited' AND OLD.id >= (SELECT timeline_id FROM timeline_end WHERE one = 1)
            BEGIN SELECT RAISE(ABORT, 'the timeline is append-only'); END;

            """)
}
