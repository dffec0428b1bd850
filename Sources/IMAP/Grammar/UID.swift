/// A message's unique identifier within one mailbox and one ``UIDValidity``.
///
/// Never zero (RFC 9051 §2.3.1.1), so a value always names a message that can exist.
package struct UID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The number as the server wrote it, 1 through 4294967295.
    package let value: UInt32

    /// Takes the number, or gives nil for zero.
    package init?(_ value: UInt32) {
        guard value != 0 else { return nil }
        self.value = value
    }

    package static func < (a: UID, b: UID) -> Bool { a.value < b.value }

    package var description: String { "\(value)" }

    /// The next higher UID; nil when this one is the highest there is.
    var successor: UID? { value == .max ? nil : UID(value + 1) }

    /// The next lower UID; nil when this one is 1.
    var predecessor: UID? { UID(value - 1) }
}
