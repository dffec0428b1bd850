/// How much of a foreign message is read; reaching a limit is a defect, and the rest still parses.
package struct Limits: Hashable, Sendable {
    /// Octets of a message that are looked at.
    package var bytes = 64 << 20
    /// Octets of one header; Postfix keeps 100 KiB, real ones reach 200 KiB.
    package var headerBytes = 512 << 10
    /// Fields of one header.
    package var headerFields = 2000
    /// Nested multiparts and messages; Postfix allows 100.
    package var depth = 50
    /// Body parts of the whole message.
    package var parts = 2000
    /// Octets that one body part may decode to.
    package var decodedBytes = 64 << 20
    /// Mailboxes of one address field.
    package var addresses = 5000
    /// Identifiers of one References field.
    package var references = 1000
    /// Parameters of one Content-Type or Content-Disposition, continuations counted each.
    package var parameters = 200

    /// The limits with their defaults.
    package init() {}

    /// The limits used where none are given.
    package static let `default` = Limits()
}
