extension Migration {
    /// By which version of its sequence a message was written, so that the counts of steps and variants are told apart by that.
    static let twentyFourth = Migration(number: 24, sql: versions + counts)

    private static let versions = """
        -- The version of the sequence that it was written by; NULL: of no sequence, or from before that was noted.
        ALTER TABLE outbox ADD COLUMN version_id INTEGER REFERENCES sequence_version (id);
        DROP TRIGGER outbox_facts_stay;
        CREATE TRIGGER outbox_facts_stay BEFORE UPDATE OF workspace_id, enrollment_id, contact_id, step, occurrence, identity,
            reverse_path, recipient, recipient_key, recipient_domain, message_id, subject, created_at, budget_day, variant, version_id
            ON outbox
        BEGIN SELECT RAISE(ABORT, 'what a queued message is never changes'); END;


        """

    // 'VERSION/STEP' and 'VERSION/STEP/VARIANT', with version 0 for messages of which it was not noted; variants of those have no step.
    private static let counts = """
        UPDATE rollup_day SET value = '0/' || value WHERE dimension = 'step';
        UPDATE rollup_day SET value = '0//' || value WHERE dimension = 'variant';

        """
}
