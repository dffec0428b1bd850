extension Migration {
    /// Claims that can be told apart, the moment of a release, and what is due by route.
    static let second = Migration(number: 2, sql: claims)

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
}
