extension Migration {
    /// Tags and lists of contacts.
    static let fifteenth = Migration(number: 15, sql: groups)

    private static let groups = """
        CREATE TABLE contact_group (
            id INTEGER PRIMARY KEY,
            workspace_id INTEGER NOT NULL REFERENCES workspace (id),
            kind TEXT NOT NULL CHECK (kind IN ('tag', 'list')),
            -- As it was first written.
            name TEXT NOT NULL CHECK (name <> ''),
            name_key TEXT NOT NULL CHECK (name_key = lower(name)),
            description TEXT NOT NULL,
            created_at INTEGER NOT NULL
        ) STRICT;
        CREATE UNIQUE INDEX contact_group_name ON contact_group (workspace_id, kind, name_key);

        CREATE TABLE contact_group_member (
            group_id INTEGER NOT NULL REFERENCES contact_group (id) ON DELETE CASCADE,
            contact_id INTEGER NOT NULL REFERENCES contact (id) ON DELETE CASCADE,
            -- What brought it in and can take it back; NULL: a person or a sequence did.
            import_id INTEGER REFERENCES contact_import (id),
            PRIMARY KEY (group_id, contact_id)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX contact_group_member_contact ON contact_group_member (contact_id);

        """
}
