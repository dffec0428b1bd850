package import InternetMessage

/// A message as it was taken in, before anything was made of it.
package struct IncomingMessage: Sendable, Equatable {
    package typealias ID = RecordID<IncomingMessage>

    /// The way it came in.
    package enum Way: String, Sendable, CaseIterable {
        case smtp
        case lmtp
        case imap
        /// Put in by a person from a file.
        case file
    }

    package enum State: String, Sendable, CaseIterable {
        /// Waits to be sorted.
        case received
        case sorted
        /// The same message as an earlier one; see `ReplyRecord.duplicateOf`.
        case duplicate
        /// Sorting failed too often; the bytes are kept for a person and a newer version.
        case quarantined
    }

    /// Who spoke to our listener.
    package struct Client: Sendable, Equatable {
        /// As text; `unix` for a local socket.
        package let address: String
        /// With HELO, EHLO or LHLO.
        package let name: String

        package init(address: String, name: String) {
            self.address = address
            self.name = name
        }
    }

    package let id: ID
    package let way: Way
    package let receivedAt: Timestamp
    /// Envelope of SMTP and LMTP; nil for other ways.
    package let reversePath: ReversePath?
    /// Forward-paths of SMTP and LMTP as given, empty for other ways.
    package let forwardPaths: [String]
    /// Address of the client that handed it over and the name it gave, for SPF; nil for other ways than SMTP and LMTP.
    package let client: Client?
    /// Name of the mailbox section in conf that it was read from; nil for other ways. Known once it is stored.
    package let account: String?
    /// Peer address and EHLO name, or mailbox with UIDVALIDITY and UID: where it came from, for a person.
    package let origin: String
    package let bytes: [UInt8]
    package var state: State
    /// How often sorting it was begun and not brought to an end.
    package var attempts: Int
    /// Why it is quarantined, or what its last attempt failed on; nil when nothing went wrong.
    package var reason: String?
    /// SHA-256 over `bytes`; by it mail of a mailbox is known again under another UIDVALIDITY. nil when nobody needs it.
    package let digest: [UInt8]?

    package init(
        id: ID, way: Way, receivedAt: Timestamp, reversePath: ReversePath?, forwardPaths: [String], origin: String, bytes: [UInt8],
        client: Client? = nil, account: String? = nil, state: State = .received, attempts: Int = 0, reason: String? = nil,
        digest: [UInt8]? = nil
    ) {
        self.id = id
        self.way = way
        self.receivedAt = receivedAt
        self.reversePath = reversePath
        self.forwardPaths = forwardPaths
        self.client = client
        self.account = account
        self.origin = origin
        self.bytes = bytes
        self.state = state
        self.attempts = attempts
        self.reason = reason
        self.digest = digest
    }
}

/// A message of a mailbox with the watermark that goes with it.
package struct MailboxArrival: Sendable {
    package let message: IncomingMessage
    package let watermark: MailboxWatermark
    /// Whether it is to be marked or moved in its folder; kept until that is done.
    package let awaitsDisposal: Bool

    package init(_ message: IncomingMessage, movingTo watermark: MailboxWatermark, awaitsDisposal: Bool = false) {
        self.message = message
        self.watermark = watermark
        self.awaitsDisposal = awaitsDisposal
    }
}

/// Up to where a mailbox has been taken in.
package struct MailboxWatermark: Sendable, Hashable {
    /// Name of the mailbox section in conf.
    package let account: String
    /// Folder name as the server spells it.
    package let folder: String
    package let uidValidity: UInt32
    /// Highest UID that is stored or proven absent; 0 at first.
    package let lastUID: UInt32

    package init(account: String, folder: String, uidValidity: UInt32, lastUID: UInt32) {
        self.account = account
        self.folder = folder
        self.uidValidity = uidValidity
        self.lastUID = lastUID
    }
}
