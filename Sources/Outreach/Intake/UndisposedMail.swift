/// Messages of mailboxes that are stored and not yet marked or moved in their folders, where conf asks for that. One method, one transaction.
package protocol UndisposedMailStore: Sendable {
    /// Those of the account.
    func undisposed(account: String) async throws(StoreError) -> [MailboxPlace]

    /// They are marked or moved now, or are not to be any more.
    func disposed(_ places: [MailboxPlace]) async throws(StoreError)

    /// Forgets those of all accounts but these.
    func forgetUndisposed(besides accounts: [String]) async throws(StoreError)
}
