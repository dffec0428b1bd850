/// The mailboxes of an address field, read from anything that programs put there (RFC 5322 §3.4 with §4.4, RFC 6532).
///
/// Groups are opened (their names dropped), comments and source routes skipped, encoded words decoded. Text that holds no address is
/// dropped with a defect. Reading never fails.
package struct AddressList: Hashable, Sendable {
    /// The mailboxes in order.
    package let mailboxes: [Mailbox]
    /// What was wrong, each kind once.
    package let defects: [Defect]

    /// Reads the value of an address field, folded or not; at most `limit` mailboxes are kept. `hint` is the charset that raw 8-bit
    /// bytes in names are probably in; nil when nothing is known.
    package init(parsing bytes: ArraySlice<UInt8>, limit: Int = Limits.default.addresses, hint: String? = nil) {
        var parser = AddressListParser(bytes, limit: limit, hint: hint)
        parser.parse()
        mailboxes = parser.mailboxes
        defects = parser.defects.list
    }

    /// Reads an address field from text.
    package init(parsing text: String) {
        self.init(parsing: ArraySlice(text.utf8))
    }

    /// Reads the value of an address field from a whole array.
    package init(parsing bytes: [UInt8]) {
        self.init(parsing: bytes[...])
    }
}
