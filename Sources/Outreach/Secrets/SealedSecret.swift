package import InternetMessage

/// A secret as the database keeps it: sealed, so that neither the file nor a backup of it gives it away.
package struct SealedSecret: Sendable, Equatable {
    package typealias ID = RecordID<SealedSecret>

    /// What a secret is for.
    package enum Kind: String, Sendable, CaseIterable {
        /// Of an `[oauth.NAME]`; the name is NAME.
        case refreshToken = "refresh_token"
    }

    package let id: ID
    package let kind: Kind
    package let name: String
    /// As a `SealingKey` made it for `purpose(of:)`.
    package let sealed: [UInt8]
    package let changedAt: Timestamp

    package init(id: ID, kind: Kind, name: String, sealed: [UInt8], changedAt: Timestamp) {
        self.id = id
        self.kind = kind
        self.name = name
        self.sealed = sealed
        self.changedAt = changedAt
    }

    /// What the secret of a row is sealed for: its id, so that the octets of one row open in no other.
    package static func purpose(of id: ID) -> [UInt8] { Array("secret \(id.rawValue)".utf8) }
}
