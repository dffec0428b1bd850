extension Migration {
    /// Claims that can be told apart, the moment of a release, and what is due by route; digests of what came in, by which a mailbox that is
    /// read anew is known again, and the class of a reply that counts.
    static let second = Migration(number: 2, sql: claims + incoming)

    private static let claims = """
        -- Goes up with each claim: what an earlier claim still has to say is refused.
        ALTER TABLE outbox ADD COLUMN claim INTEGER NOT NULL DEFAULT 0;
        -- A message's lifetime counts from here once a person has released it.
        ALTER TABLE outbox ADD COLUMN released_at INTEGER;
        CREATE TRIGGER outbox_claim_rises BEFORE UPDATE OF claim ON outbox WHEN NEW.claim < OLD.claim
        BEGIN SELECT RAISE(ABORT, 'the number of a claim never goes down'); END;
        CREATE INDEX outbox_route_due ON outbox (route, next_attempt_at) WHERE state IN ('incoming', 'deferred');
        DROP INDEX outbox_waiting_age;
        CREATE INDEX outbox_waiting_age ON outbox (COALESCE(released_at, created_at))
            WHERE state IN ('incoming', 'deferred') AND final_dot_at IS NULL;


        """

    private static let incoming = """
        ALTER TABLE intake ADD COLUMN digest BLOB CHECK (digest IS NULL OR length(digest) = 32);
        CREATE INDEX intake_digest ON intake (account, digest) WHERE digest IS NOT NULL;

        ALTER TABLE reply ADD COLUMN effective_class TEXT CHECK (effective_class IN ('positive', 'question', 'negative', 'not_now',
            'referral', 'unsubscribe', 'out_of_office', 'left_company', 'auto_acknowledgement', 'challenge', 'neutral', 'bounce', 'delay',
            'complaint'));
        UPDATE reply SET effective_class = class;


        """
}
