extension Migration {
    /// Further addresses of contacts.
    static let seventeenth = Migration(number: 17, sql: addresses)

    private static let addresses = """
        -- An address that somebody has beside the one in contact, to which alone mail goes.
        CREATE TABLE further_address (
            id INTEGER PRIMARY KEY,
            workspace_id INTEGER NOT NULL REFERENCES workspace (id),
            contact_id INTEGER NOT NULL REFERENCES contact (id) ON DELETE CASCADE,
            address TEXT NOT NULL CHECK (address <> ''),
            address_key TEXT NOT NULL CHECK (instr(address_key, '@') > 1),
            added_at INTEGER NOT NULL
        ) STRICT;
        CREATE UNIQUE INDEX further_address_key ON further_address (address_key, workspace_id);
        CREATE INDEX further_address_contact ON further_address (contact_id);
        CREATE TRIGGER further_address_is_free BEFORE INSERT ON further_address
            WHEN EXISTS (SELECT 1 FROM contact WHERE workspace_id = NEW.workspace_id AND address_key = NEW.address_key)
        BEGIN SELECT RAISE(ABORT, 'the address is that of a contact'); END;

        """
}
