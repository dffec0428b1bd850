import InternetMessage
package import OpenSSL

/// The key record that a selector publishes in DNS (RFC 6376 §3.6.1, RFC 8463 §4).
package struct DKIMKeyRecord: Sendable {
    package enum Fault: Error, Sendable, Equatable {
        /// Not a tag list, a tag twice, or no `p=`.
        case malformed
        /// `v=` is there and not `DKIM1`.
        case wrongVersion
        /// An empty `p=`: the key was taken back.
        case revoked
        case unknownKeyType(String)
        /// `p=` is not base 64, or no key of its type.
        case unreadableKey
        /// `s=` names neither `*` nor `email`.
        case notForMail
    }

    package let key: PublicKey
    /// Hash algorithms that the owner allows, in lower case; nil: all.
    let hashes: [[UInt8]]?
    /// Whether `i=` must be exactly `d=` (flag `s`).
    let isStrict: Bool
    /// Whether the domain is only testing (flag `y`).
    let isTesting: Bool

    /// Reads the strings of one TXT record, joined.
    package init(parsing bytes: [UInt8]) throws(Fault) {
        guard let tags = TagList(bytes[...]) else { throw .malformed }
        if let version = tags["v"], !version.elementsEqual("DKIM1".utf8) { throw .wrongVersion }
        guard let encoded = tags.compact("p") else { throw .malformed }
        guard !encoded.isEmpty else { throw .revoked }
        if let services = tags.list("s"), !services.contains(where: { $0 == [UInt8(ascii: "*")] || $0.isWord("email") }) {
            throw .notForMail
        }
        let type = tags.compact("k") ?? Array("rsa".utf8)
        let isRSA = type.isWord("rsa")
        guard isRSA || type.isWord("ed25519") else { throw .unknownKeyType(type.text) }
        guard let material = Base64.decode(encoded) else { throw .unreadableKey }
        do throws(KeyError) {
            key = isRSA ? try Self.rsa(material) : try PublicKey(ed25519: material)
        } catch {
            throw .unreadableKey
        }
        hashes = tags.list("h")?.map(\.lowercased)
        let flags = tags.list("t") ?? []
        isStrict = flags.contains([UInt8(ascii: "s")])
        isTesting = flags.contains([UInt8(ascii: "y")])
    }

    /// Whether signatures with SHA-256, the only ones made today, may be made with the key (`h=`).
    package var allowsSHA256: Bool { hashes?.contains { $0.isWord("sha256") } ?? true }

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
        let key: PublicKey
        do throws(KeyError) {
            key = try PublicKey(subjectPublicKeyInfo: der)
        } catch {
            key = try PublicKey(rsaPublicKey: der)
        }
        // An Ed25519 key in this form under k=rsa is no RSA key.
        guard key.algorithm == .rsa else { return try PublicKey(rsaPublicKey: der) }
        return key
    }
}
