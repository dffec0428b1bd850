/// What is remembered of one mailbox between connections; stored in the same transaction as each message.
package struct MailboxCursor: Equatable, Sendable {
    package var uidValidity: UIDValidity
    /// Every UID up to and including this one is done; nil when none is yet.
    package var lastUID: UID?
    /// How many sessions ended over this UID (``ClientSession/Action/setback(_:_:_:)``).
    ///
    /// From the second on the message is read only up to the truncation length; one that the server does not give in the third session, or that
    /// broke four, is passed over with ``ClientSession/Action/skipped(_:_:_:_:)``, so that it cannot hold up the mailbox.
    package var setbacks: [UID: Int]

    package init(uidValidity: UIDValidity, lastUID: UID?, setbacks: [UID: Int] = [:]) {
        self.uidValidity = uidValidity
        self.lastUID = lastUID
        self.setbacks = setbacks
    }
}
