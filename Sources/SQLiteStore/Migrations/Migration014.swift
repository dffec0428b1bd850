extension Migration {
    /// How many enrollments are in each state is counted where they change, not from what the timeline tells.
    static let fourteenth = Migration(number: 14, sql: standings + tally)

    private static func add(_ number: String, of row: String) -> String {
        """
        INSERT INTO rollup_state (workspace_id, sequence_id, state, cause, enrollments)
            VALUES (\(row).workspace_id, \(row).sequence_id, \(row).state, COALESCE(\(row).cause, ''), \(number))
            ON CONFLICT (workspace_id, sequence_id, state, cause) DO UPDATE SET enrollments = enrollments + excluded.enrollments;
        """
    }

    private static let standings = """
        DELETE FROM rollup_state;
        INSERT INTO rollup_state (workspace_id, sequence_id, state, cause, enrollments)
            SELECT workspace_id, sequence_id, state, COALESCE(cause, ''), COUNT(*) FROM enrollment GROUP BY 1, 2, 3, 4;
        CREATE TRIGGER enrollment_begins_counting AFTER INSERT ON enrollment
        BEGIN
            \(add("1", of: "NEW"))
        END;
        CREATE TRIGGER enrollment_counts_otherwise AFTER UPDATE OF workspace_id, sequence_id, state, cause ON enrollment
            WHEN NEW.state <> OLD.state OR NEW.cause IS NOT OLD.cause OR NEW.sequence_id <> OLD.sequence_id
                OR NEW.workspace_id <> OLD.workspace_id
        BEGIN
            \(add("-1", of: "OLD"))
            \(add("1", of: "NEW"))
        END;
        CREATE TRIGGER enrollment_ends_counting AFTER DELETE ON enrollment
        BEGIN
            \(add("-1", of: "OLD"))
        END;


        """

    private static let tally = """
        -- As what an enrollment is counted beyond its state; without a row it was neither written to nor answered.
        DELETE FROM tally WHERE contacted_event IS NULL AND answers IS NULL;
        ALTER TABLE tally DROP COLUMN state;
        ALTER TABLE tally DROP COLUMN cause;

        """
}
