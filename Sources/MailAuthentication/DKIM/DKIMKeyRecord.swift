import InternetMessage
package import OpenSSL

/// The key record that a selector publishes in DNS (RFC 6376 §3.6.1, RFC 8463 §4).
package struct DKIMKeyRecord: Sendable {
    package enum Fault: Error, Sendable, Equatable {
        case notAKeyRecord
        /// An empty `p=`: the key was taken back.
        case revoked
        case unknownKeyType(String)
        case unreadableKey
    }

    package let key: PublicKey
    /// Hash algorithms that the owner allows; nil: all.
    let hashes: [String]?
    /// Whether `i=` must be exactly `d=` (flag `s`).
    let isStrict: Bool
    /// Whether the domain is only testing (flag `y`).
    let isTesting: Bool

    /// Reads the strings of one TXT record, joined.
    package init(parsing bytes: [UInt8]) throws(Fault) {
        guard let tags = TagList(bytes[...]) else { throw .notAKeyRecord }
        if let version = tags.text("v"), !version.utf8.elementsEqual("DKIM1".utf8) { throw .notAKeyRecord }
        guard let encoded = tags.compact("p") else { throw .notAKeyRecord }
        guard !encoded.isEmpty else { throw .revoked }
        guard let material = Base64.decode(encoded) else { throw .unreadableKey }
        let type = tags.text("k") ?? "rsa"
        let isRSA = type.utf8.elementsEqual("rsa".utf8)
        guard isRSA || type.utf8.elementsEqual("ed25519".utf8) else { throw .unknownKeyType(type) }
        do throws(KeyError) {
            key = isRSA ? try Self.rsa(material) : try PublicKey(ed25519: material)
        } catch {
            throw .unreadableKey
        }
        hashes = tags.compact("h").map { $0.split(separator: UInt8(ascii: ":")).map { String(decoding: $0, as: UTF8.self) } }
        let flags = (tags.compact("t") ?? []).split(separator: UInt8(ascii: ":")).map(Array.init)
        isStrict = flags.contains([UInt8(ascii: "s")])
        isTesting = flags.contains([UInt8(ascii: "y")])
    }

    /// The text to publish for a key: `v=DKIM1; k=...; p=...`.
    package static func text(for key: PrivateKey) -> String {
        let material = key.rawEd25519PublicKey ?? key.publicKeyDER
        let type = key.algorithm == .rsa ? "rsa" : "ed25519"
        return "v=DKIM1; k=\(type); p=\(String(decoding: Base64.encode(material), as: UTF8.self))"
    }

    /// The text cut into the strings of one TXT record, each at most 255 octets.
    package static func strings(for key: PrivateKey) -> [String] {
        let bytes = Array(text(for: key).utf8)
        return stride(from: 0, to: bytes.count, by: 255).map { String(decoding: bytes[$0..<min($0 + 255, bytes.count)], as: UTF8.self) }
    }

    /// RFC 6376 means SubjectPublicKeyInfo; some publish the bare RSAPublicKey.
    private static func rsa(_ der: [UInt8]) throws(KeyError) -> PublicKey {
        do throws(KeyError) {
            return try PublicKey(subjectPublicKeyInfo: der)
        } catch {
            return try PublicKey(rsaPublicKey: der)
        }
    }
}
