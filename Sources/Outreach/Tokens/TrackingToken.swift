/// What a tracking address carries: which message of ours it stands in, and which link of it it is.
///
/// On the wire it is 45 characters of base 32 over 28 bytes: version 4 bits, kind 4, key id 8, message id 48, link id 64, and the first 96
/// bits of HMAC-SHA-256 over all before it. It never expires: what was sent keeps leading where it led.
package struct TrackingToken: Sendable, Hashable {
    package let message: OutboxMessage.ID
    /// nil: the picture that tells of an open.
    package let link: LinkTarget.ID?

    package init(message: OutboxMessage.ID, link: LinkTarget.ID?) {
        self.message = message
        self.link = link
    }

    /// How long it is as text.
    package static let characters = 45
    private static let version: UInt8 = 2
    private static let bytes = 28

    /// Its text.
    package func text(signedBy codec: TokenCodec) -> String {
        var bytes: [UInt8] = [Self.version << 4 | (link == nil ? 0 : 1), codec.signingKey]
        let message = UInt64(bitPattern: self.message.rawValue)
        for shift in stride(from: UInt64(40), through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: message >> shift)) }
        let link = UInt64(bitPattern: self.link?.rawValue ?? 0)
        for shift in stride(from: UInt64(56), through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: link >> shift)) }
        return codec.seal(bytes)
    }

    /// Reads what `text` gives, in any letter case; nil for anything that no key of ours signed.
    package init?(_ text: some Collection<UInt8>, signedBy codec: TokenCodec) {
        guard text.count == Self.characters, let bytes = codec.open(text, bytes: Self.bytes), bytes[0] >> 4 == Self.version,
            bytes[0] & 15 <= 1
        else { return nil }
        let link = bytes[8..<16].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard (bytes[0] & 15 == 0) == (link == 0), link >> 63 == 0 else { return nil }
        self.init(
            message: OutboxMessage.ID(rawValue: Int64(bytes[2..<8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) })),
            link: link == 0 ? nil : LinkTarget.ID(rawValue: Int64(link)))
    }
}
