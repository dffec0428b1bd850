package import InternetMessage

/// Contacts of a workspace. One method, one transaction.
package protocol ContactStore: Sendable {
    /// Saves each contact, matching an existing one of the workspace by suppression key; all of them or none.
    ///
    /// Suppression wins: a suppressed address is not stored. Verdicts come in the order of the contacts.
    func save(_ contacts: [Contact]) async throws(StoreError) -> [ContactVerdict]

    /// The contact with that id; nil when there is none.
    func contact(id: Contact.ID) async throws(StoreError) -> Contact?

    /// The contact of that workspace whose address, or one of whose further addresses, has the same suppression key; nil when there is none.
    func contact(workspace: WorkspaceID, address: EmailAddress) async throws(StoreError) -> Contact?

    /// Gives fields of contacts other values, as a person wants it; false for each that changed nothing, the others stand in the timeline.
    func set(_ changes: [Consequence.FieldChange], at now: Timestamp) async throws(StoreError) -> [Bool]

    /// Writes what a person says of the consent of contacts, as `Consent.updated(by:)` has it; false for each that changed nothing, the others
    /// stand in the timeline.
    func setConsent(_ changes: [Consent.Change], at now: Timestamp) async throws(StoreError) -> [Bool]

    /// Makes an address known as another one of a contact: mail from there is theirs, and whoever suppresses it for a reason of the person
    /// suppresses them. Mail goes to the contact's own address as before.
    func add(_ address: EmailAddress, to contact: Contact.ID, at: Timestamp) async throws(StoreError) -> FurtherAddressVerdict

    /// Forgets a further address of a contact; false when it was none.
    func remove(_ address: EmailAddress, from contact: Contact.ID) async throws(StoreError) -> Bool

    /// The further addresses of each of those contacts that has one, in the order in which they came.
    func furtherAddresses(of contacts: [Contact.ID]) async throws(StoreError) -> [Contact.ID: [EmailAddress]]

    /// Contacts with ids above `after` (nil: from the start), in id order, at most `limit`.
    func contacts(workspace: WorkspaceID, after: Contact.ID?, limit: Int) async throws(StoreError) -> [Contact]
}
