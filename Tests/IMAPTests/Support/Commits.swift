@testable import IMAP

extension ClientSession {
    /// The commit of a message of the mailbox that is being read.
    mutating func messageCommitted(_ uid: UID) -> [Action] {
        guard let scan else { return [] }
        return messageCommitted(MessageKey(scan.mailbox, scan.uidValidity, uid))
    }
}
