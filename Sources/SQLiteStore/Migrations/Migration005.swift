extension Migration {
    /// Mail of our own that came back to us, and logins that a mailbox's server refused.
    static let fifth = Migration(number: 5, sql: own + refusals)

    private static let own = """
        -- A copy of what we wrote ourselves: it belongs to its conversation and answers nothing.
        ALTER TABLE reply ADD COLUMN is_own INTEGER NOT NULL DEFAULT 0 CHECK (is_own IN (0, 1));


        """

    private static let refusals = """
        -- Logins that were refused in a row; a row goes when one is accepted.
        CREATE TABLE login_refusal (
            account TEXT PRIMARY KEY CHECK (account <> ''),
            login TEXT NOT NULL,
            count INTEGER NOT NULL CHECK (count > 0),
            reason TEXT NOT NULL,
            since INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;

        """
}
