extension Message {
    /// The authors; empty when there is none to be read.
    package var from: [Mailbox] { mailboxes("From") }

    /// Who sent on behalf of the authors, nil when nothing is said.
    package var sender: Mailbox? { mailboxes("Sender").first }

    /// The main recipients, groups opened.
    package var to: [Mailbox] { mailboxes("To") }

    /// The other recipients, groups opened.
    package var cc: [Mailbox] { mailboxes("Cc") }

    /// Where answers are to go; empty when nothing is said.
    package var replyTo: [Mailbox] { mailboxes("Reply-To") }

    /// The subject, decoded, on one line; nil when there is no such field.
    package var subject: String? { header.first("Subject")?.text }

    /// The identifier of this message, nil when it has none that can be read.
    package var messageID: MessageID? { header.messageID }

    /// The identifiers in In-Reply-To.
    package var inReplyTo: [MessageID] { identifiers("In-Reply-To") }

    /// The identifiers in References, eldest first.
    package var references: [MessageID] { identifiers("References") }

    /// When the message says it was written, nil when that cannot be read.
    package var date: MessageDate? { header.first("Date").flatMap { MessageDate(parsing: $0.rawValue) } }

    private func mailboxes(_ name: String) -> [Mailbox] {
        header.all(name).flatMap { AddressList(parsing: $0.rawValue, hint: header.charsetHint).mailboxes }
    }

    private func identifiers(_ name: String) -> [MessageID] {
        header.all(name).flatMap { MessageID.list(parsing: $0.rawValue) }
    }
}
