/// What is remembered of one mailbox between connections; stored in the same transaction as each message.
package struct MailboxCursor: Equatable, Sendable {
    package var uidValidity: UIDValidity
    /// Every UID up to and including this one is done; nil when none is yet.
    package var lastUID: UID?
    /// The sessions that ended over each UID (``ClientSession/Action/setback(_:_:_:_:)``).
    ///
    /// A message that the server does not give in the third session in which it gives others, or that broke four such sessions, is passed over
    /// with ``ClientSession/Action/skipped(_:_:_:_:)``, so that it cannot hold up the mailbox. While nothing else is given either, only a day
    /// does that.
    package var setbacks: [UID: Setbacks]

    package init(uidValidity: UIDValidity, lastUID: UID?, setbacks: [UID: Setbacks] = [:]) {
        self.uidValidity = uidValidity
        self.lastUID = lastUID
        self.setbacks = setbacks
    }
}
