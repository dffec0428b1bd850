extension Migration {
    /// Imports that can be undone, people who were forgotten, and suppressions by pattern, by hash and for the whole installation.
    static let eighth = Migration(number: 8, sql: imports + erasure + suppressions)

    private static let imports = """
        CREATE TABLE contact_import (
            id INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 281474976710655),
            workspace_id INTEGER NOT NULL REFERENCES workspace (id),
            file TEXT NOT NULL,
            person TEXT NOT NULL,
            at INTEGER NOT NULL,
            finished_at INTEGER,
            undone_at INTEGER,
            rows INTEGER NOT NULL DEFAULT 0,
            created INTEGER NOT NULL DEFAULT 0,
            updated INTEGER NOT NULL DEFAULT 0,
            suppressed INTEGER NOT NULL DEFAULT 0,
            refused INTEGER NOT NULL DEFAULT 0
        ) STRICT;
        CREATE INDEX contact_import_workspace ON contact_import (workspace_id);
        CREATE TABLE contact_import_row (
            import_id INTEGER NOT NULL REFERENCES contact_import (id),
            contact_id INTEGER NOT NULL REFERENCES contact (id),
            line INTEGER NOT NULL CHECK (line > 0),
            -- What it replaced, as {"name": [before, after], ...}; NULL: it made the contact.
            changes TEXT CHECK (changes IS NULL OR json_valid(changes)),
            PRIMARY KEY (import_id, contact_id)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX contact_import_row_contact ON contact_import_row (contact_id);
        -- Without it the end of a contact would look through all mail that ever was.
        CREATE INDEX outbox_contact ON outbox (contact_id) WHERE contact_id IS NOT NULL;


        """

    private static let erasure = """
        -- Whoever asked to be forgotten: the row holds nothing of them any more and only keeps what happened countable.
        ALTER TABLE contact ADD COLUMN erased_at INTEGER;
        -- What is noted of a message that came in, whoever it is noted of, and of mail to nobody who is a contact.
        CREATE INDEX timeline_intake ON timeline (intake_id) WHERE intake_id IS NOT NULL;
        CREATE INDEX timeline_mail ON timeline (outbox_id) WHERE outbox_id IS NOT NULL AND contact_id IS NULL;


        """

    private static let suppressions = """
        CREATE TABLE suppression_new (
            id INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 281474976710655),
            -- 0: it holds in every workspace.
            workspace_id INTEGER NOT NULL CHECK (workspace_id >= 0),
            kind TEXT NOT NULL CHECK (kind IN ('address', 'domain', 'pattern', 'hash')),
            subject TEXT NOT NULL CHECK (subject <> '' AND subject = lower(subject)),
            reason TEXT NOT NULL CHECK (reason IN ('unsubscribed', 'invalid_recipient', 'complaint', 'refused', 'manual', 'erased')),
            source TEXT NOT NULL CHECK (source IN ('link', 'mailto', 'reply_text', 'bounce', 'complaint', 'manual', 'import')),
            note TEXT NOT NULL,
            at INTEGER NOT NULL,
            expires_at INTEGER,
            CHECK (CASE kind
                WHEN 'address' THEN instr(subject, '@') > 0
                WHEN 'domain' THEN instr(subject, '@') = 0
                WHEN 'pattern' THEN instr(subject, '@') > 0 AND instr(subject, '*') > 0 AND instr(subject, '[') = 0
                ELSE length(subject) = 64 AND subject NOT GLOB '*[^0-9a-f]*' END),
            CHECK (reason NOT IN ('unsubscribed', 'erased') OR expires_at IS NULL)
        ) STRICT;
        INSERT INTO suppression_new SELECT id, workspace_id, kind, subject, reason, source, note, at, expires_at FROM suppression;
        DROP TABLE suppression;
        ALTER TABLE suppression_new RENAME TO suppression;
        CREATE UNIQUE INDEX suppression_subject ON suppression (workspace_id, kind, subject);
        CREATE INDEX suppression_workspace ON suppression (workspace_id);

        """
}
