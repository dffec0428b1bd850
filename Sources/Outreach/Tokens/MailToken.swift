package import InternetMessage
import OpenSSL

/// What a reply, bounce or unsubscribe address carries: which message of ours it belongs to, and until when.
///
/// On the wire it is 36 characters of base 32 over 22 bytes: version 4 bits, kind 4, key id 8, message id 48, expiry day 16, and the first
/// 96 bits of HMAC-SHA-256 over all before it.
package struct MailToken: Sendable, Hashable {
    package enum Kind: UInt8, Sendable, CaseIterable {
        case reply = 1
        case bounce = 2
        case unsubscribe = 3

        /// What stands before the delimiter in the local part.
        package var prefix: String {
            switch self {
            case .reply: "reply"
            case .bounce: "bounce"
            case .unsubscribe: "unsub"
            }
        }
    }

    package let kind: Kind
    package let message: OutboxMessage.ID
    /// Last day (days since 1970-01-01, UTC) on which the token has an effect; nil: it never expires.
    package let lastDay: UInt16?

    package init(kind: Kind, message: OutboxMessage.ID, lastDay: UInt16?) {
        self.kind = kind
        self.message = message
        self.lastDay = lastDay
    }
}

/// Writes and reads tokens; the first key signs, all keys verify, so that keys can be rotated.
package struct TokenCodec: Sendable {
    /// A secret of at least 16 bytes; its id is derived from it, so a token names its key.
    package struct Key: Sendable {
        package let id: UInt8
        fileprivate let secret: [UInt8]

        /// nil when the secret is shorter than 16 bytes.
        package init?(secret: [UInt8]) {
            guard secret.count >= 16 else { return nil }
            self.secret = secret
            id = Digest.sha256(Array("postrider token key id".utf8) + secret)[0]
        }
    }

    /// What an address said.
    package enum Verdict: Sendable, Equatable {
        case valid(MailToken)
        /// Genuine, but its last day is over.
        case expired(MailToken)
        /// No token of ours.
        case unknown
    }

    private static let version: UInt8 = 1
    private static let never: UInt16 = 0xFFFF
    private static let characters = 36
    private static let signature = 12
    private let keys: [Key]

    /// nil when there is no key, or two keys share an id (make another one then).
    package init?(keys: [Key]) {
        guard !keys.isEmpty, Set(keys.map(\.id)).count == keys.count else { return nil }
        self.keys = keys
    }

    /// The 36 characters for a token.
    package func encode(_ token: MailToken) -> String {
        var bytes: [UInt8] = [Self.version << 4 | token.kind.rawValue, signingKey]
        let message = UInt64(bitPattern: token.message.rawValue)
        for shift in stride(from: UInt64(40), through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: message >> shift)) }
        let day = token.lastDay ?? Self.never
        bytes.append(UInt8(day >> 8))
        bytes.append(UInt8(day & 0xFF))
        return seal(bytes)
    }

    /// Id of the key that signs.
    var signingKey: UInt8 { keys[0].id }

    /// The text of a token whose second byte names the key that signs: what it says, and the first 96 bits of its HMAC.
    func seal(_ bytes: [UInt8]) -> String {
        String(decoding: Base32.encode(bytes + HMAC.sha256(key: keys[0].secret, message: bytes).prefix(Self.signature)), as: UTF8.self)
    }

    /// The bytes of what `seal` gave, its signature included, in any letter case; nil when no key of ours signed it. Compares in constant time.
    func open(_ text: some Collection<UInt8>, bytes count: Int) -> [UInt8]? {
        guard let bytes = Base32.decode(text), bytes.count == count, let key = keys.first(where: { $0.id == bytes[1] }) else { return nil }
        let said = count - Self.signature
        let signature = Array(HMAC.sha256(key: key.secret, message: Array(bytes[..<said])).prefix(Self.signature))
        return ConstantTime.equal(signature, Array(bytes[said...])) ? bytes : nil
    }

    /// Reads a token in any letter case; compares signatures in constant time.
    package func decode(_ text: some Collection<UInt8>, at now: Timestamp) -> Verdict {
        guard text.count == Self.characters, let bytes = open(text, bytes: 22), bytes[0] >> 4 == Self.version,
            let kind = MailToken.Kind(rawValue: bytes[0] & 15)
        else { return .unknown }
        let message = bytes[2..<8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let day = UInt16(bytes[8]) << 8 | UInt16(bytes[9])
        let token = MailToken(
            kind: kind, message: OutboxMessage.ID(rawValue: Int64(message)), lastDay: day == Self.never ? nil : day)
        if let last = token.lastDay, now.milliseconds / 86_400_000 > Int64(last) { return .expired(token) }
        return .valid(token)
    }
}
