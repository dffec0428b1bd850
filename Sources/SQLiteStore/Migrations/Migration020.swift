extension Migration {
    /// Calls to other systems that a person took back.
    static let twentieth = Migration(
        number: 20,
        sql: """
            PRAGMA writable_schema = ON;
            UPDATE sqlite_schema SET sql = replace(sql, '(''queued'', ''delivered'', ''failed'')', '(''queued'', ''delivered'', ''failed'', ''cancelled'')')
            WHERE type = 'table' AND name = 'webhook_call';
            PRAGMA writable_schema = RESET;

            """)
}
