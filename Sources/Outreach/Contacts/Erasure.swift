package import InternetMessage

/// The right to be forgotten (GDPR article 17): what is known of an address goes, and only what keeps it from being written to again stays.
package struct Erasure: Sendable, Equatable {
    package let workspace: WorkspaceID
    package let address: EmailAddress
    /// Who did it, for the history.
    package let person: String
    package let at: Timestamp

    package init(workspace: WorkspaceID, address: EmailAddress, person: String, at: Timestamp) {
        self.workspace = workspace
        self.address = address
        self.person = person
        self.at = at
    }

    /// What was there and is gone. What happened when stays, without anything of the person in it.
    package struct Report: Sendable, Equatable {
        /// Whether there was a contact.
        package var contact = false
        package var enrollments = 0
        /// Messages to the address, whose text, subject and recipient are gone.
        package var messages = 0
        package var attempts = 0
        /// Messages from or about the address, whose text and headers are gone.
        package var replies = 0
        package var events = 0
        package var importRows = 0
        /// Calls to other systems, whose content is gone; what is handed over is not called back.
        package var calls = 0
        /// Tags and lists that the contact had.
        package var groups = 0
        /// Why the hash of the address stays suppressed.
        package var suppressedAs = Suppression.Reason.erased
        /// Messages of the address that are not sorted yet, and were left: erase again when they are.
        package var unsorted = 0
        /// Whether old pages of the database's log are overwritten too; false while another process reads them.
        package var isLogClean = true

        package init() {}
    }

    package enum Verdict: Sendable, Equatable {
        case erased(Report)
        /// A message to the address is in transmission just now: nothing was done.
        case onItsWay(OutboxMessage.ID)
    }
}

/// Forgetting people.
package protocol ErasureStore: Sendable {
    /// Stops what runs for the address, takes its mail back, and overwrites everything of the person in one transaction; the address stays
    /// suppressed by a hash, for the reason that it was suppressed for, else as `erased`.
    ///
    /// Other people's contacts of the same domain are not touched, nor backups.
    func erase(_ erasure: Erasure) async throws(StoreError) -> Erasure.Verdict

    /// Every contact that was erased, of every workspace, in id order.
    func erasedContacts() async throws(StoreError) -> [Contact.ID]
}
