package import InternetMessage
package import OpenSSL

/// Signs messages for one domain (RFC 6376, RFC 8463).
///
/// Relaxed canonicalization for header and body, no `l=`, oversigned header fields, `t=` and `x=` from the moment of the attempt.
package struct DKIMSigner: Sendable {
    /// One key under one selector.
    package struct Key: Sendable {
        package let selector: String
        package let key: PrivateKey

        package init(selector: String, key: PrivateKey) {
            self.selector = selector
            self.key = key
        }
    }

    /// Signed once more than they appear, also when they are absent, so that none can be added.
    private static let guarded = [
        "From", "To", "Cc", "Subject", "Date", "Message-ID", "Reply-To", "In-Reply-To", "References", "MIME-Version", "Content-Type",
        "Content-Transfer-Encoding",
    ]
    /// Signed once more than they appear when they are there. RFC 8058 §4 needs the first two covered.
    private static let guardedWhenPresent = ["List-Unsubscribe", "List-Unsubscribe-Post", "List-Id", "Sender", "Feedback-ID"]

    private let domain: String
    private let keys: [Key]
    private let validity: Duration
    private let unsigned: Set<[UInt8]>

    /// - Parameters:
    ///   - domain: the signing domain as A-labels.
    ///   - keys: a signature for each, RSA first; receivers that do not know Ed25519 use the other.
    ///   - validity: how long a signature holds (`x=`).
    ///   - unsigned: header fields that the route rewrites and that stay out of `h=`.
    package init(domain: String, keys: [Key], validity: Duration = .seconds(7 * 86_400), unsigned: [String] = []) {
        self.domain = domain
        self.keys = keys
        self.validity = validity
        self.unsigned = Set(unsigned.map { $0.utf8.map { $0 >= 65 && $0 <= 90 ? $0 | 0x20 : $0 } })
    }

    /// The message with its signatures in front.
    ///
    /// - Parameter message: CRLF line ends, as the composer makes it.
    /// - Throws: `KeyError` when a key cannot sign.
    package func sign(_ message: [UInt8], at now: Timestamp) throws(KeyError) -> [UInt8] {
        let parsed = SignedParts(message)
        let bodyHash = Base64.encode(Digest.sha256(Canonicalization.relaxed.body(parsed.body)))
        let names = signedNames(parsed)
        var selection: [UInt8] = []
        var chooser = FieldChooser(parsed.fields)
        for name in names {
            guard let field = chooser.next(named: name) else { continue }
            selection += Canonicalization.relaxed.header(field)
            selection += [13, 10]
        }
        var output: [UInt8] = []
        for key in keys {
            let unfinished = field(key, names: names, bodyHash: bodyHash, at: now)
            let digest = Digest.sha256(selection + Canonicalization.relaxed.header(unfinished[...]))
            let signature = Base64.encode(key.key.algorithm == .rsa ? try key.key.signDigest(digest) : try key.key.sign(digest))
            output += unfinished
            for start in stride(from: 0, to: signature.count, by: 72) {
                if start > 0 { output += [13, 10, 9] }
                output += signature[start..<min(start + 72, signature.count)]
            }
            output += [13, 10]
        }
        return output + message
    }

    private func signedNames(_ parsed: SignedParts) -> [String] {
        var names: [String] = []
        for (list, whenAbsent) in [(Self.guarded, 1), (Self.guardedWhenPresent, 0)] {
            for name in list where !unsigned.contains(name.utf8.map { $0 >= 65 && $0 <= 90 ? $0 | 0x20 : $0 }) {
                let count = parsed.count(of: name)
                names += Array(repeating: name, count: count == 0 ? whenAbsent : count + 1)
            }
        }
        return names
    }

    /// The signature field up to and including `b=`, folded once.
    private func field(_ key: Key, names: [String], bodyHash: [UInt8], at now: Timestamp) -> [UInt8] {
        let algorithm = key.key.algorithm == .rsa ? "rsa-sha256" : "ed25519-sha256"
        let expires = (now + validity).seconds
        var text =
            "DKIM-Signature: v=1; a=\(algorithm); c=relaxed/relaxed; d=\(domain);\r\n\ts=\(key.selector); t=\(now.seconds); x=\(expires);\r\n\th="
        var line = 3
        for (index, name) in names.enumerated() {
            let piece = index == 0 ? name : ":\(name)"
            if line + piece.utf8.count > 74 {
                text += "\r\n\t "
                line = 2
            }
            text += piece
            line += piece.utf8.count
        }
        text += ";\r\n\tbh=\(String(decoding: bodyHash, as: UTF8.self));\r\n\tb="
        return Array(text.utf8)
    }
}
