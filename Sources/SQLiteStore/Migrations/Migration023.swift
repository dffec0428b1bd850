extension Migration {
    /// Several workspaces: of whose sequence a pause, a finding or an override is.
    static let twentyThird = Migration(number: 23, sql: names + sequences)

    private static let names = """
        CREATE TRIGGER workspace_name_is_free BEFORE INSERT ON workspace WHEN NEW.name = 'instance'
        BEGIN SELECT RAISE(ABORT, 'the name stands for all workspaces'); END;
        CREATE TRIGGER workspace_stays BEFORE UPDATE ON workspace
        BEGIN SELECT RAISE(ABORT, 'a workspace keeps its name'); END;
        CREATE TRIGGER workspace_keeps BEFORE DELETE ON workspace
        BEGIN SELECT RAISE(ABORT, 'a workspace is kept'); END;


        """

    // 0: it is of no one workspace, as all but sequences are. Those of sequences from before there were several are of the first.
    private static let sequences = """
        ALTER TABLE guardrail_finding ADD COLUMN workspace_id INTEGER NOT NULL DEFAULT 0 CHECK (workspace_id = 0 OR kind = 'sequence');
        UPDATE guardrail_finding SET workspace_id = 1 WHERE kind = 'sequence';
        DROP INDEX guardrail_finding_subject;
        CREATE INDEX guardrail_finding_subject ON guardrail_finding (rule, kind, name, workspace_id, id);

        ALTER TABLE guardrail_override ADD COLUMN workspace_id INTEGER NOT NULL DEFAULT 0 CHECK (workspace_id = 0 OR kind = 'sequence');
        DROP TRIGGER guardrail_override_stays;
        UPDATE guardrail_override SET workspace_id = 1 WHERE kind = 'sequence';
        CREATE TRIGGER guardrail_override_stays BEFORE UPDATE ON guardrail_override
        BEGIN SELECT RAISE(ABORT, 'what a person said is kept'); END;

        ALTER TABLE sending_pause ADD COLUMN workspace_id INTEGER NOT NULL DEFAULT 0 CHECK (workspace_id = 0 OR kind = 'sequence');
        UPDATE sending_pause SET workspace_id = 1 WHERE kind = 'sequence';
        DROP INDEX sending_pause_open;
        CREATE UNIQUE INDEX sending_pause_open ON sending_pause (kind, name, workspace_id) WHERE ended_at IS NULL;

        """
}
