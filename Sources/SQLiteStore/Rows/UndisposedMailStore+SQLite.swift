package import Outreach

extension SQLiteStore: UndisposedMailStore {
    package func undisposed(account: String) async throws(StoreError) -> [MailboxPlace] {
        try await read { ledger in
            try ledger.db.records(
                "SELECT * FROM undisposed_mail WHERE account = :account ORDER BY folder, uid_validity, uid", ["account": account]
            ).map { try MailboxPlace($0) }
        }
    }

    package func disposed(_ places: [MailboxPlace]) async throws(StoreError) {
        try await write { ledger in
            for (arguments, uids) in places.byFolder {
                try ledger.db.run(
                    """
                    DELETE FROM undisposed_mail
                    WHERE account = :account AND folder = :folder AND uid_validity = :validity
                        AND uid IN (SELECT value FROM json_each(:uids))
                    """, arguments + ["uids": jsonText(uids)])
            }
        }
    }

    package func forgetUndisposed(besides accounts: [String]) async throws(StoreError) {
        try await write { ledger in
            try ledger.db.run(
                "DELETE FROM undisposed_mail WHERE account NOT IN (SELECT value FROM json_each(:accounts))",
                ["accounts": jsonText(accounts)])
            return
        }
    }
}

extension Ledger {
    /// Keeps in mind which of them are to be marked or moved: one statement for each folder.
    func keepUndisposed(of arrivals: [MailboxArrival]) throws {
        for (arguments, uids) in arrivals.filter(\.awaitsDisposal).map({ MailboxPlace($0.watermark) }).byFolder {
            try db.run(
                """
                INSERT INTO undisposed_mail (account, folder, uid_validity, uid)
                SELECT :account, :folder, :validity, value FROM json_each(:uids) WHERE true
                ON CONFLICT DO NOTHING
                """, arguments + ["uids": jsonText(uids)])
        }
    }
}

extension [MailboxPlace] {
    /// The UIDs of each folder and UIDVALIDITY, with what names that in a statement.
    fileprivate var byFolder: [(arguments: Arguments, uids: [Int64])] {
        Dictionary(grouping: self) { MailboxPlace(account: $0.account, folder: $0.folder, uidValidity: $0.uidValidity, uid: 0) }
            .map { folder, places in
                (
                    ["account": folder.account, "folder": folder.folder, "validity": Int64(folder.uidValidity)],
                    places.map { Int64($0.uid) }
                )
            }
    }
}
