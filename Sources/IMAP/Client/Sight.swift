/// What a mailbox said of itself when it was opened, to tell later by STATUS whether it has changed since.
struct Sight: Equatable, Sendable {
    private let uidValidity: UIDValidity
    private let uidNext: UID
    private let messages: UInt32?
    /// nil where the server did not say it: then it says nothing of changes.
    let highestModSeq: UInt64?
    /// How many looks in a row were saved since.
    var saved = 0

    /// nil when the mailbox did not say which UID comes next: then only a search tells what is new.
    init?(_ selection: Command.Selection, _ uidValidity: UIDValidity) {
        guard let uidNext = selection.uidNext else { return nil }
        self.uidValidity = uidValidity
        self.uidNext = uidNext
        messages = selection.exists
        highestModSeq = selection.highestModSeq
    }

    /// Whether every number is still the same. One that is missing now is a change.
    func isSame(as status: MailboxStatus) -> Bool {
        status.uidValidity == uidValidity && status.uidNext == uidNext && (messages == nil || status.messages == messages)
            && (highestModSeq == nil || status.highestModSeq == highestModSeq)
    }
}
