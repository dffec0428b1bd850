extension Migration {
    /// Where the line of an identity ends, without a look at everybody who is on the way.
    static let twelfth = Migration(
        number: 12,
        sql: """
            CREATE INDEX enrollment_line ON enrollment (identity, due_at) WHERE held_by IS NOT NULL AND due_at IS NOT NULL;

            """)
}
