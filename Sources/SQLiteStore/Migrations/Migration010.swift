extension Migration {
    /// Plans that branch: which text a message had, and since when an enrollment waits behind a step that is done.
    static let tenth = Migration(number: 10, sql: variants + waiting)

    private static let variants = """
        -- Which of several texts of its step it has; NULL where the step has one.
        ALTER TABLE outbox ADD COLUMN variant TEXT CHECK (variant <> '');
        DROP TRIGGER outbox_facts_stay;
        CREATE TRIGGER outbox_facts_stay BEFORE UPDATE OF workspace_id, enrollment_id, contact_id, step, occurrence, identity,
            reverse_path, recipient, recipient_key, recipient_domain, message_id, subject, created_at, budget_day, variant ON outbox
        BEGIN SELECT RAISE(ABORT, 'what a queued message is never changes'); END;


        """

    private static let waiting = """
        -- When the step at next_step was done, behind which the enrollment waits for what comes back; NULL: it is not done yet.
        ALTER TABLE enrollment ADD COLUMN done_at INTEGER;
        ALTER TABLE transition_log ADD COLUMN done_at INTEGER;

        """
}
