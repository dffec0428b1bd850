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

    /// A key with all of its field that stays the same.
    private struct Stamp {
        let key: PrivateKey
        let opening: [UInt8]
    }

    private struct Name: Sendable {
        let written: [UInt8]
        let lowercased: [UInt8]
        /// Whether it is signed also where it is absent, so that none can be added.
        let isGuardedWhenAbsent: Bool

        init(_ name: String, whenAbsent: Bool) {
            written = Array(name.utf8)
            lowercased = written.lowercased
            isGuardedWhenAbsent = whenAbsent
        }
    }

    /// Each is signed once more than it appears. RFC 8058 §4 needs both List-Unsubscribe fields covered.
    private static let guarded: [Name] =
        [
            "From", "To", "Cc", "Subject", "Date", "Message-ID", "Reply-To", "In-Reply-To", "References", "MIME-Version", "Content-Type",
            "Content-Transfer-Encoding",
        ].map { Name($0, whenAbsent: true) }
        + ["List-Unsubscribe", "List-Unsubscribe-Post", "List-Id", "Sender", "Feedback-ID"].map { Name($0, whenAbsent: false) }

    private static let lineEnd: [UInt8] = [13, 10]

    private let stamps: [Stamp]
    private let validity: Duration
    private let names: [Name]

    /// - Parameters:
    ///   - domain: the signing domain as A-labels.
    ///   - keys: a signature for each, RSA first; receivers that do not know Ed25519 use the other.
    ///   - validity: how long a signature holds (`x=`).
    ///   - unsigned: header fields that every route rewrites and that stay out of `h=`.
    package init(domain: String, keys: [Key], validity: Duration = .seconds(7 * 86_400), unsigned: [String] = []) {
        stamps = keys.map { key in
            let algorithm = key.key.algorithm == .rsa ? DKIMSignature.Algorithm.rsa : .ed25519
            let text = "DKIM-Signature: v=1; a=\(algorithm.rawValue); c=relaxed/relaxed; d=\(domain);\r\n\ts=\(key.selector); t="
            return Stamp(key: key.key, opening: Array(text.utf8))
        }
        self.validity = validity
        names = Self.guarded.filter { name in !unsigned.contains { $0.utf8.equalsIgnoringCase(name.lowercased) } }
    }

    /// The message with its signatures in front.
    ///
    /// - Parameters:
    ///   - message: CRLF line ends, as the composer makes it.
    ///   - unsigned: header fields that this route rewrites and that stay out of `h=`; From cannot.
    /// - Throws: `KeyError` when a key cannot sign.
    package func sign(_ message: [UInt8], leavingOut unsigned: [String] = [], at now: Timestamp) throws(KeyError) -> [UInt8] {
        let parts = SignedParts(message)
        var body = OctetDigest()
        Canonicalization.relaxed.writeBody(parts.body, into: &body)
        let bodyHash = Base64.encode(body.digest)

        var list: [UInt8] = []
        list.reserveCapacity(512)
        var selection: [UInt8] = []
        selection.reserveCapacity(2_048)
        var column = 3
        for name in names {
            if !unsigned.isEmpty, !name.lowercased.isWord("from"), unsigned.contains(where: { $0.utf8.equalsIgnoringCase(name.lowercased) })
            {
                continue
            }
            var isPresent = false
            // RFC 6376 §5.4.2: fields of one name are chosen from the last one up.
            for field in parts.fields.reversed() where parts.isNamed(field, name.lowercased) {
                isPresent = true
                Canonicalization.relaxed.appendHeader(parts.raw(field), to: &selection)
                selection += Self.lineEnd
                Self.append(name.written, to: &list, column: &column)
            }
            if isPresent || name.isGuardedWhenAbsent { Self.append(name.written, to: &list, column: &column) }
        }

        var output: [UInt8] = []
        output.reserveCapacity(message.count + stamps.count * 1_400)
        let times = Array("\(now.seconds); x=\((now + validity).seconds);\r\n\th=".utf8)
        for stamp in stamps {
            let start = output.count
            output += stamp.opening
            output += times
            output += list
            output += Self.bodyHashTag
            output += bodyHash
            output += Self.signatureTag
            var input = selection
            Canonicalization.relaxed.appendHeader(output[start...], to: &input)
            let digest = Digest.sha256(input)
            let signature = Base64.encode(stamp.key.algorithm == .rsa ? try stamp.key.signDigest(digest) : try stamp.key.sign(digest))
            for start in stride(from: 0, to: signature.count, by: 72) {
                if start > 0 { output += Self.fold }
                output += signature[start..<min(start + 72, signature.count)]
            }
            output += Self.lineEnd
        }
        output += message
        return output
    }

    private static let bodyHashTag = Array(";\r\n\tbh=".utf8)
    private static let signatureTag = Array(";\r\n\tb=".utf8)
    private static let fold: [UInt8] = [13, 10, 9]
    private static let nameFold: [UInt8] = [13, 10, 9, 32]

    /// The next name of `h=`, folded once.
    private static func append(_ name: [UInt8], to list: inout [UInt8], column: inout Int) {
        let isFirst = list.isEmpty
        if column + name.count + (isFirst ? 0 : 1) > 74 {
            list += nameFold
            column = 2
        }
        if !isFirst { list.append(UInt8(ascii: ":")) }
        list += name
        column += name.count + (isFirst ? 0 : 1)
    }
}
