import InternetMessage
import OpenSSL

/// Where a tracked link leads, stored when the message that shows it is queued: whoever follows the link goes there and nowhere else.
///
/// Its id is derived from it, so that a message can name it before it is stored and a campaign stores it once, however many messages show it.
package struct LinkTarget: Sendable, Hashable {
    /// 1 ... 2^63 - 1.
    package struct ID: Sendable, Hashable {
        package let rawValue: Int64

        package init(rawValue: Int64) { self.rawValue = rawValue }
    }

    package let id: ID
    /// An absolute URL of http or https in ASCII, as it stands in a `Location`.
    package let url: String
    /// Whose it is alone, because it was written with values of theirs; nil: it is the same for everybody.
    package let contact: Contact.ID?

    package static let longest = 2_000

    /// nil for whatever must not be redirected to: other schemes, a user in the URL, control characters, blanks, quotes, backslashes, what is
    /// not ASCII, hosts that are none, and what is longer than `longest`.
    package init?(_ bytes: some Collection<UInt8>, contact: Contact.ID? = nil) {
        guard bytes.count <= Self.longest, bytes.allSatisfy(Self.isPlain) else { return nil }
        let bytes = Array(bytes)
        let folded = bytes.prefix(8).map { $0 >= 65 && $0 <= 90 ? $0 | 0x20 : $0 }
        guard let scheme = ["https://", "http://"].first(where: { folded.starts(with: $0.utf8) }) else { return nil }
        let authority = bytes.dropFirst(scheme.utf8.count).prefix { !"/?#".utf8.contains($0) }
        guard Self.isHost(Array(authority)) else { return nil }
        url = String(decoding: bytes, as: UTF8.self)
        self.contact = contact
        let digest = Digest.sha256(Array("postrider link \(contact?.rawValue ?? 0) ".utf8) + bytes)
        id = ID(rawValue: max(1, Int64(digest.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) } >> 1)))
    }

    private static func isPlain(_ byte: UInt8) -> Bool { byte > 0x20 && byte < 0x7F && !"\\\"'<>^`{|}".utf8.contains(byte) }

    /// A name, an IPv4 address or an IPv6 address in brackets, and a port where there is one; no user.
    private static func isHost(_ authority: [UInt8]) -> Bool {
        var host = authority[...]
        if host.first == UInt8(ascii: "[") {
            guard let close = host.firstIndex(of: UInt8(ascii: "]")), close > 1 else { return false }
            let inside = host[1..<close]
            guard inside.contains(UInt8(ascii: ":")), inside.allSatisfy({ isHex($0) || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".") })
            else { return false }
            return isPort(host[(close + 1)...])
        }
        if let colon = host.firstIndex(of: UInt8(ascii: ":")) {
            guard isPort(host[colon...]) else { return false }
            host = host[..<colon]
        }
        let isName = host.allSatisfy { byte in
            isDigit(byte) || (byte | 0x20 >= 97 && byte | 0x20 <= 122) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
                || byte == UInt8(ascii: "_")
        }
        guard isName, host.count <= 253, let first = host.first, isDigit(first) || first | 0x20 >= 97 else { return false }
        return zip(host, host.dropFirst()).allSatisfy { $0 != UInt8(ascii: ".") || $1 != UInt8(ascii: ".") }
    }

    private static func isPort(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard let colon = bytes.first else { return true }
        let digits = bytes.dropFirst()
        guard colon == UInt8(ascii: ":"), digits.count <= 5, digits.allSatisfy(isDigit) else { return false }
        return digits.reduce(0) { $0 * 10 + Int($1 - 48) } <= 65_535
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 48 && byte <= 57 }
    private static func isHex(_ byte: UInt8) -> Bool { isDigit(byte) || (byte | 0x20 >= 97 && byte | 0x20 <= 102) }
}
