/// One response of the server, as far as this house understands it.
enum Response: Equatable, Sendable {
    /// `+`, with the text behind it.
    case continuation([UInt8])
    case tagged([UInt8], StatusResponse)
    /// An untagged status response: also greetings and `BYE`.
    case status(StatusResponse)
    case capability(Capabilities)
    case enabled(Capabilities)
    case exists(UInt32)
    case recent(UInt32)
    case expunge(UInt32)
    case fetch(FetchResponse)
    case flags([[UInt8]])
    case list(ListedMailbox)
    case search([UID])
    case mailboxStatus(MailboxStatus)
    /// Its structure is not read.
    case namespace
    /// Its structure is not read.
    case id
    /// Makes no sense, or none to us. Never a reason to end the session.
    case unrecognized(Frame)
}

/// One line of `LIST` (RFC 9051 §7.3.1).
struct ListedMailbox: Equatable, Sendable {
    /// In upper case: `\NOSELECT`, `\JUNK`.
    var attributes: [[UInt8]]
    /// nil where the mailbox names are flat.
    var delimiter: UInt8?
    var name: MailboxName
}

/// What `STATUS` says (RFC 9051 §7.3.4); nil for what it does not say.
struct MailboxStatus: Equatable, Sendable {
    var name: MailboxName
    var messages: UInt32?
    var uidNext: UID?
    var uidValidity: UIDValidity?
    /// RFC 7162 §3.1.2.1; 0 for a mailbox that keeps none.
    var highestModSeq: UInt64?
}
