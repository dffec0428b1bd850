extension Migration {
    /// Messages of mailboxes that could not be read: what sessions ended over, and what was passed over and can be fetched anew.
    static let twentySixth = Migration(number: 26, sql: unread)

    private static let unread = """
        CREATE TABLE unread_mail (
            account TEXT NOT NULL CHECK (account <> ''),
            folder TEXT NOT NULL CHECK (folder <> ''),
            uid_validity INTEGER NOT NULL CHECK (uid_validity BETWEEN 1 AND 4294967295),
            uid INTEGER NOT NULL CHECK (uid BETWEEN 1 AND 4294967295),
            -- Sessions that ended over it.
            own INTEGER NOT NULL DEFAULT 0 CHECK (own >= 0),
            broken INTEGER NOT NULL DEFAULT 0 CHECK (broken >= 0),
            shared INTEGER NOT NULL DEFAULT 0 CHECK (shared >= 0),
            -- When the first session began that knew of it; NULL before.
            since INTEGER,
            -- Its record, once it was passed over.
            intake_id INTEGER UNIQUE REFERENCES intake (id),
            -- From when on it is to be fetched anew; NULL: nobody asked for it.
            wanted_from INTEGER CHECK (wanted_from IS NULL OR intake_id IS NOT NULL),
            -- How often that was in vain.
            tries INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0),
            PRIMARY KEY (account, folder, uid_validity, uid)
        ) STRICT, WITHOUT ROWID;
        INSERT INTO unread_mail (account, folder, uid_validity, uid, intake_id)
        SELECT account, folder, uid_validity, uid, id FROM intake
        WHERE state = 'quarantined' AND account IS NOT NULL AND origin LIKE '%, not read'
            AND EXISTS (SELECT 1 FROM intake_body WHERE intake_id = intake.id AND length(bytes) = 0);

        """
}
