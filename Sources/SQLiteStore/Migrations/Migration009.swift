extension Migration {
    /// The replies that wait for an answer, without a look at all others.
    static let ninth = Migration(
        number: 9,
        sql: """
            CREATE INDEX reply_waiting ON reply (intake_id) WHERE requires_response = 1 AND is_own = 0;

            """)
}
