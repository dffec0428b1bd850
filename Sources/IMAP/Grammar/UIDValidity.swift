/// The number that says for how long the UIDs of a mailbox keep their meaning.
///
/// Never zero (RFC 9051 §2.3.1.1). When it differs from the one remembered, every remembered UID is worthless.
package struct UIDValidity: Hashable, Sendable, CustomStringConvertible {
    /// The number as the server wrote it, 1 through 4294967295.
    package let value: UInt32

    /// Takes the number, or gives nil for zero.
    package init?(_ value: UInt32) {
        guard value != 0 else { return nil }
        self.value = value
    }

    package var description: String { "\(value)" }

    /// Stands in for a value the server does not give (see ``Quirks/missingUIDValidity``).
    static let placeholder = UIDValidity(one: ())

    private init(one: Void) { value = 1 }
}
