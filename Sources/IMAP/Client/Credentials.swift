/// A user name and password for the LOGIN command; neither ever shows in a description.
package struct Credentials: Equatable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    let username: [UInt8]
    let password: [UInt8]

    /// Takes the two as bytes, UTF-8 where not ASCII; nil when either holds a NUL, which no IMAP string can carry.
    package init?(username: [UInt8], password: [UInt8]) {
        guard !username.contains(0), !password.contains(0) else { return nil }
        self.username = username
        self.password = password
    }

    package var description: String { "Credentials(redacted)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}
