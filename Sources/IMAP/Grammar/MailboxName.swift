/// A mailbox by the bytes the server knows it by.
///
/// Two names are equal when their bytes are, but for `INBOX`, which is the same in any case (RFC 9051 §5.1).
package struct MailboxName: Hashable, Sendable, CustomStringConvertible {
    /// The bytes as they go over the wire: modified UTF-7, or whatever the server listed. Never holds a NUL.
    package let wire: [UInt8]

    /// The user's one mailbox that always exists.
    package static let inbox = MailboxName(known: ASCII.bytes("INBOX"))

    /// Encodes a name as people write it, its hierarchy separators included.
    package init(_ name: String) {
        self.init(known: ModifiedUTF7.encode(name))
    }

    /// Takes a name as a server wrote it; nil when it is empty or holds a NUL.
    package init?(wire: [UInt8]) {
        guard !wire.isEmpty, !wire.contains(0) else { return nil }
        self.init(known: wire)
    }

    private init(known: [UInt8]) {
        let inbox = ASCII.bytes("INBOX")
        wire = ASCII.equalFolded(known[...], inbox[...]) ? inbox : known
    }

    /// The name as people read it; bytes that are no modified UTF-7 are shown as UTF-8, repaired.
    package var description: String { ModifiedUTF7.decode(wire) ?? String(decoding: wire, as: UTF8.self) }
}
