extension Migration {
    /// How often a company is written to, and enrollments that end because somebody else of their company answered.
    static let sixteenth = Migration(number: 16, sql: causes + frequency)

    // A CHECK cannot be altered; its words are widened where the schema is kept, as SQLite's page on ALTER TABLE describes, so that a million
    // rows need not be copied. The index behind it makes every connection read the schema anew.
    private static let causes = """
        PRAGMA writable_schema = ON;
        UPDATE sqlite_schema SET sql = replace(sql, '''person'', ''completed'')', '''person'', ''completed'', ''company'')')
        WHERE type = 'table' AND name = 'enrollment';
        PRAGMA writable_schema = RESET;


        """

    private static let frequency = """
        CREATE INDEX outbox_company ON outbox (workspace_id, recipient_domain, created_at) WHERE enrollment_id IS NOT NULL;

        """
}
