extension Migration {
    /// Who handed a message over, and whether its From domain is borne out.
    static let third = Migration(
        number: 3,
        sql: """
            ALTER TABLE intake ADD COLUMN client_address TEXT CHECK (client_address <> '');
            ALTER TABLE intake ADD COLUMN client_name TEXT CHECK ((client_name IS NULL) = (client_address IS NULL));
            ALTER TABLE reply ADD COLUMN domain_proof TEXT
                CHECK (domain_proof IN ('pass', 'fail', 'none', 'temperror', 'permerror'));
            """)
}
