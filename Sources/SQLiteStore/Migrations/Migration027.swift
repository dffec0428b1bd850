extension Migration {
    /// Messages of mailboxes that are stored and not yet marked or moved in their folders.
    static let twentySeventh = Migration(number: 27, sql: undisposed)

    private static let undisposed = """
        CREATE TABLE undisposed_mail (
            account TEXT NOT NULL CHECK (account <> ''),
            folder TEXT NOT NULL CHECK (folder <> ''),
            uid_validity INTEGER NOT NULL CHECK (uid_validity BETWEEN 1 AND 4294967295),
            uid INTEGER NOT NULL CHECK (uid BETWEEN 1 AND 4294967295),
            PRIMARY KEY (account, folder, uid_validity, uid)
        ) STRICT, WITHOUT ROWID;

        """
}
