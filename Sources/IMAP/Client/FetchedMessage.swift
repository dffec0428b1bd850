/// One message as the server gave it, ready to be stored.
package struct FetchedMessage: Equatable, Sendable {
    /// The mailbox it was read from.
    package let mailbox: MailboxName
    package let uidValidity: UIDValidity
    /// Unique together with `mailbox` and `uidValidity`; once it is stored, it is also the mailbox's watermark, unless that is past it.
    package let uid: UID
    /// When the server took it in; nil when the server did not say or said it illegibly.
    package let internalDate: InternalDate?
    /// The flags as written, for example `\Seen`; in the server's order.
    package let flags: [[UInt8]]
    /// RFC822.SIZE in octets as the server claims it; nil when it made no legible claim. Servers are known to be off by some octets.
    package let size: UInt64?
    /// The message, or its beginning when `truncated`.
    package let bytes: [UInt8]
    /// Whether the message went beyond the size cap and `bytes` holds only the header and the beginning of the text.
    package let truncated: Bool
    /// Whether it is to be marked or moved once it is stored, as the configuration says and the mailbox allows.
    package var awaitsDisposal = false

    /// What it is stored under and committed by.
    package var key: MessageKey { MessageKey(mailbox, uidValidity, uid) }
}
