import GRDB
package import InternetMessage
package import Outreach

/// Logins that mailboxes refused.
extension SQLiteStore {
    package func loginRefused(account: String, login: String, reason: String, at now: Timestamp) async throws(StoreError)
        -> LoginRefusals
    {
        try await write { ledger in
            try ledger.db.run(
                """
                INSERT INTO login_refusal (account, login, count, reason, since) VALUES (:account, :login, 1, :reason, :now)
                ON CONFLICT (account) DO UPDATE
                SET count = CASE WHEN login = excluded.login THEN count + 1 ELSE 1 END,
                    since = CASE WHEN login = excluded.login THEN since ELSE excluded.since END,
                    login = excluded.login, reason = excluded.reason
                """, ["account": account, "login": login.storable, "reason": reason.storable, "now": now.milliseconds])
            guard let refusals = try ledger.loginRefusals(account: account) else {
                throw StoreError(code: .constraint, message: "a refused login was counted and is not there")
            }
            return refusals
        }
    }

    package func loginAccepted(account: String) async throws(StoreError) {
        try await write { ledger in
            try ledger.db.run("DELETE FROM login_refusal WHERE account = :account", ["account": account])
            return
        }
    }

    package func loginRefusals(account: String) async throws(StoreError) -> LoginRefusals? {
        try await read { try $0.loginRefusals(account: account) }
    }
}

extension Ledger {
    fileprivate func loginRefusals(account: String) throws -> LoginRefusals? {
        try db.record("SELECT login, count, reason, since FROM login_refusal WHERE account = :account", ["account": account]).map { found in
            LoginRefusals(
                login: try found.text("login"), count: try found.count("count"), reason: try found.text("reason"),
                since: try found.moment("since"))
        }
    }
}
