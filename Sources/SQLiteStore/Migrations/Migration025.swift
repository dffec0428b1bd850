extension Migration {
    /// What every message costs in the writer: checks that need no table of their own, and indexes that stay as they are while a message only
    /// changes its state.
    static let twentyFifth = Migration(number: 25, sql: checks + indexes)

    /// For a list of more than two words SQLite makes a table at each row that it writes; alternatives are compared one by one.
    private static let checks = """
        PRAGMA writable_schema = ON;
        \(lists.map(\.sql).joined(separator: "\n"))
        PRAGMA writable_schema = RESET;
        DROP TRIGGER outbox_end_stays;
        CREATE TRIGGER outbox_end_stays BEFORE UPDATE OF state ON outbox
            WHEN NEW.state <> OLD.state
                AND (OLD.state = 'sent' OR OLD.state = 'bounced' OR OLD.state = 'expired' OR OLD.state = 'cancelled')
        BEGIN SELECT RAISE(ABORT, 'a final state never changes'); END;


        """

    private static let indexes = """
        -- Each route has its own; there are few.
        DROP INDEX outbox_due;
        DROP INDEX outbox_recipient;
        CREATE INDEX outbox_recipient ON outbox (recipient_key);
        DROP INDEX outbox_budget;
        CREATE INDEX outbox_budget ON outbox (identity, budget_day);
        DROP INDEX outbox_waiting_domain;
        CREATE INDEX outbox_waiting_domain ON outbox (recipient_domain) WHERE final_dot_at IS NULL;
        -- What was cancelled stays so, and no message changes its step: it is enough to look when one is queued.
        DROP INDEX outbox_live_step;
        CREATE TRIGGER outbox_step_is_free BEFORE INSERT ON outbox
            WHEN NEW.state <> 'cancelled' AND EXISTS (
                SELECT 1 FROM outbox WHERE enrollment_id = NEW.enrollment_id AND step = NEW.step AND state <> 'cancelled')
        BEGIN SELECT RAISE(ABORT, 'the step has a message that was not cancelled'); END;

        """

    private static let lists: [WordList] = [
        WordList("attempt", "outcome", "'accepted', 'deferred', 'rejected', 'ambiguous'"),
        WordList("enrollment", "state", "'active', 'sending', 'held', 'needs_data', 'paused', 'finished', 'stopped'"),
        WordList(
            "enrollment", "cause",
            """
            'replied', 'unsubscribed', 'bounced', 'complained', 'suppressed', 'undeliverable', 'out_of_office',
                    'missing_value', 'uncertain_delivery', 'person', 'completed', 'company'
            """),
        WordList("guardrail_finding", "kind", "'identity', 'sequence', 'instance'"),
        WordList("guardrail_finding", "metric", "'delivery', 'bounce', 'reply', 'positive', 'unsubscribe', 'complaint'"),
        WordList("guardrail_finding", "verdict", "'within', 'too_few', 'violated', 'overridden'"),
        WordList("guardrail_override", "kind", "'identity', 'sequence', 'instance'"),
        WordList("intake", "way", "'smtp', 'lmtp', 'imap', 'file'"),
        WordList("intake", "state", "'received', 'sorted', 'duplicate', 'quarantined'"),
        WordList("outbox", "state", "'incoming', 'active', 'deferred', 'hold', 'sent', 'bounced', 'expired', 'cancelled'"),
        WordList("outbox", "state", "'incoming', 'active', 'deferred'"),
        WordList("reply", "certainty", "'low', 'medium', 'high'"),
        WordList(
            "reply", "class",
            """
            'positive', 'question', 'negative', 'not_now', 'referral', 'unsubscribe', 'out_of_office',
                    'left_company', 'auto_acknowledgement', 'challenge', 'neutral', 'bounce', 'delay', 'complaint'
            """),
        WordList(
            "reply", "label",
            """
            'positive', 'question', 'negative', 'not_now', 'referral', 'unsubscribe', 'out_of_office',
                    'left_company', 'auto_acknowledgement', 'challenge', 'neutral', 'bounce', 'delay', 'complaint'
            """),
        WordList(
            "reply", "effective_class",
            """
            'positive', 'question', 'negative', 'not_now',
                'referral', 'unsubscribe', 'out_of_office', 'left_company', 'auto_acknowledgement', 'challenge', 'neutral', 'bounce', 'delay',
                'complaint'
            """),
        WordList("reply", "domain_proof", "'pass', 'fail', 'none', 'temperror', 'permerror'"),
        WordList("rollup_day", "dimension", "'all', 'step', 'variant', 'identity', 'provider'"),
        WordList("sending_pause", "kind", "'route', 'identity', 'sequence', 'instance'"),
        WordList("suppression", "kind", "'address', 'domain', 'pattern', 'hash'"),
        WordList("suppression", "reason", "'unsubscribed', 'invalid_recipient', 'complaint', 'refused', 'manual', 'erased'"),
        WordList("suppression", "source", "'link', 'mailto', 'reply_text', 'bounce', 'complaint', 'manual', 'import'"),
        WordList(
            "timeline", "kind",
            """
            'enrolled', 'transition', 'webhook', 'edited', 'queued', 'accepted', 'deferred', 'rejected', 'ambiguous', 'cancelled',
                    'received', 'correlated', 'classified', 'bounced', 'suppressed', 'unsubscribed', 'expired', 'quarantined', 'opened', 'clicked'
            """),
        WordList("webhook_call", "state", "'queued', 'delivered', 'failed', 'cancelled'"),
    ]
}

/// `column IN (words)` in a check of a table, word for word as earlier steps wrote it.
private struct WordList {
    let sql: String

    init(_ table: String, _ column: String, _ words: String) {
        let alternatives = words.split(separator: ",").map { word in
            "\(column) = \(word.drop { $0.isWhitespace })"
        }
        func quoted(_ text: String) -> String { "'\(text.replacing("'", with: "''"))'" }
        sql = """
            UPDATE sqlite_schema
            SET sql = replace(sql, \(quoted("(\(column) IN (\(words)))")), \(quoted("(" + alternatives.joined(separator: " OR ") + ")")))
            WHERE type = 'table' AND name = '\(table)';
            """
    }
}
