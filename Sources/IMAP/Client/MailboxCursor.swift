/// What is remembered of one mailbox between connections; stored in the same transaction as each message.
package struct MailboxCursor: Equatable, Sendable {
    package var uidValidity: UIDValidity
    /// Every UID up to and including this one is done; nil when none is yet.
    package var lastUID: UID?
    /// How many connections ended while this UID was the next to be read (``ClientSession/inFlight``).
    ///
    /// From the second on the message is read only up to the truncation length, from the fourth on it is passed over
    /// with ``ClientSession/Action/skipped(_:_:_:_:)``, so that one message which breaks the connection cannot hold up the mailbox.
    package var setbacks: [UID: Int]

    package init(uidValidity: UIDValidity, lastUID: UID?, setbacks: [UID: Int] = [:]) {
        self.uidValidity = uidValidity
        self.lastUID = lastUID
        self.setbacks = setbacks
    }
}
