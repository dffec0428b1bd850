/// What names one message of an account for good (RFC 9051 §2.3.1.1).
package struct MessageKey: Hashable, Sendable {
    package let mailbox: MailboxName
    package let uidValidity: UIDValidity
    package let uid: UID

    package init(_ mailbox: MailboxName, _ uidValidity: UIDValidity, _ uid: UID) {
        self.mailbox = mailbox
        self.uidValidity = uidValidity
        self.uid = uid
    }
}
