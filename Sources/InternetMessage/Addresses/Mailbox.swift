/// A name and an address, as they stand in From and To (RFC 5322 §3.4).
package struct Mailbox: Hashable, Sendable {
    /// The display name, decoded; nil when there is none.
    package let displayName: String?
    /// The address.
    package let address: EmailAddress

    /// A mailbox with or without a display name; an empty name counts as none.
    package init(displayName: String? = nil, address: EmailAddress) {
        self.displayName = displayName.flatMap { $0.utf8.isEmpty ? nil : $0 }
        self.address = address
    }

    // Canonical equivalence must not make two mailboxes the same, so the names are compared by bytes.
    package static func == (left: Mailbox, right: Mailbox) -> Bool {
        left.address == right.address && left.nameBytes == right.nameBytes
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(nameBytes)
        hasher.combine(address)
    }

    private var nameBytes: [UInt8]? { displayName.map { Array($0.utf8) } }
}
