package import struct NIOCore.ByteBuffer

/// The client's side of one IMAP connection (in the making: the inputs below answer nothing yet).
package struct ClientSession: Sendable {
    package init(configuration: Configuration, cursors: [MailboxName: MailboxCursor]) {}
    package mutating func connected() -> [Action] { [] }
    package mutating func tlsEstablished(verified: Bool) -> [Action] { [] }
    package mutating func received(_ bytes: ByteBuffer) -> [Action] { [] }
    package mutating func authenticate(mechanism: String, initialResponse: [UInt8]?) -> [Action] { [] }
    package mutating func saslResponse(_ response: [UInt8]) -> [Action] { [] }
    package mutating func abandonAuthentication() -> [Action] { [] }
    package mutating func messageCommitted(_ uid: UID) -> [Action] { [] }
    package mutating func timedOut(_ timer: Timer) -> [Action] { [] }
    package mutating func poll() -> [Action] { [] }
    package mutating func refreshIdle() -> [Action] { [] }
    package mutating func logout() -> [Action] { [] }
    package mutating func connectionClosed() -> [Action] { [] }
    package var inFlight: (mailbox: MailboxName, uidValidity: UIDValidity, uid: UID)? { nil }
}
