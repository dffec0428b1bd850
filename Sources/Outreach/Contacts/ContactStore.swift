package import InternetMessage

/// Contacts of a workspace. One method, one transaction.
package protocol ContactStore: Sendable {
    /// Saves each contact, matching an existing one of the workspace by suppression key; all of them or none.
    ///
    /// Suppression wins: a suppressed address is not stored. Verdicts come in the order of the contacts.
    func save(_ contacts: [Contact]) async throws(StoreError) -> [ContactVerdict]

    /// The contact with that id; nil when there is none.
    func contact(id: Contact.ID) async throws(StoreError) -> Contact?

    /// The contact of that workspace whose address has the same suppression key; nil when there is none.
    func contact(workspace: WorkspaceID, address: EmailAddress) async throws(StoreError) -> Contact?

    /// Contacts with ids above `after` (nil: from the start), in id order, at most `limit`.
    func contacts(workspace: WorkspaceID, after: Contact.ID?, limit: Int) async throws(StoreError) -> [Contact]
}
