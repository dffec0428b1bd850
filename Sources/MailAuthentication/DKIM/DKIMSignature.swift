import InternetMessage

/// One DKIM-Signature field as it was read (RFC 6376 §3.5).
struct DKIMSignature: Sendable {
    enum Algorithm: String, Sendable {
        case rsa = "rsa-sha256"
        case ed25519 = "ed25519-sha256"
    }

    enum Reading {
        case signature(DKIMSignature)
        case fault(DKIMResult.Fault)
    }

    let algorithm: Algorithm
    let headerCanonicalization: Canonicalization
    let bodyCanonicalization: Canonicalization
    /// Lower-case A-labels.
    let domain: String
    let identityDomain: String
    let selector: String
    let signedNames: [String]
    let bodyHash: [UInt8]
    let signature: [UInt8]
    /// `x=` in seconds since the epoch.
    let expires: Int64?
    /// `l=`.
    let bodyLength: Int64?

    private static let mostNames = 200

    static func read(_ field: HeaderField) -> Reading {
        guard let tags = TagList(field.rawValue) else { return .fault(.malformed) }
        guard let version = tags.text("v"), version.utf8.elementsEqual("1".utf8) else { return .fault(.unknownVersion) }
        guard let name = tags.text("a"), let algorithm = Algorithm(rawValue: name) else { return .fault(.unknownAlgorithm) }
        guard let canonical = canonicalizations(tags.text("c")) else { return .fault(.malformed) }
        guard let domain = tags.text("d").flatMap(DomainName.toASCII), let selector = tags.text("s"), isSelector(selector),
            let bodyHash = tags.compact("bh").flatMap({ Base64.decode($0) }),
            let signature = tags.compact("b").flatMap({ Base64.decode($0) }),
            let names = tags.compact("h").map({ $0.split(separator: UInt8(ascii: ":")).map { String(decoding: $0, as: UTF8.self) } }),
            !names.isEmpty, names.count <= mostNames
        else { return .fault(.malformed) }
        for number in ["x", "t", "l"] where tags[number] != nil && tags.number(number) == nil { return .fault(.malformed) }
        guard names.contains(where: { $0.utf8.map { $0 | 0x20 }.elementsEqual("from".utf8) }) else { return .fault(.fromNotSigned) }
        var identity = domain
        if let written = tags.text("i") {
            guard let at = written.utf8.lastIndex(of: UInt8(ascii: "@")),
                let host = DomainName.toASCII(String(written[written.index(after: at)...])),
                host.utf8.elementsEqual(domain.utf8) || Array(host.utf8).suffix(domain.utf8.count + 1).elementsEqual(".\(domain)".utf8)
            else { return .fault(.identityOutsideDomain) }
            identity = host
        }
        return .signature(
            DKIMSignature(
                algorithm: algorithm, headerCanonicalization: canonical.header, bodyCanonicalization: canonical.body, domain: domain,
                identityDomain: identity, selector: selector, signedNames: names, bodyHash: bodyHash, signature: signature,
                expires: tags.number("x"), bodyLength: tags.number("l")))
    }

    private static func canonicalizations(_ text: String?) -> (header: Canonicalization, body: Canonicalization)? {
        guard let text else { return (.simple, .simple) }
        let parts = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        guard parts.count <= 2, let header = Canonicalization(rawValue: parts[0]) else { return nil }
        guard parts.count == 2 else { return (header, .simple) }
        return Canonicalization(rawValue: parts[1]).map { (header, $0) }
    }

    private static func isSelector(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return !bytes.isEmpty && bytes.count <= 253
            && bytes.allSatisfy { ($0 | 0x20 >= 97 && $0 | 0x20 <= 122) || ($0 >= 48 && $0 <= 57) || [45, 46, 95].contains($0) }
    }

    /// The field with the value of `b=` taken out, everything else untouched.
    static func withoutSignature(_ field: ArraySlice<UInt8>) -> [UInt8] {
        guard let colon = field.firstIndex(of: UInt8(ascii: ":")) else { return Array(field) }
        var output = Array(field[...colon])
        let tags = field[(colon + 1)...].split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false)
        for (index, tag) in tags.enumerated() {
            if index > 0 { output.append(UInt8(ascii: ";")) }
            let isSpace: (UInt8) -> Bool = { $0 == 32 || $0 == 9 || $0 == 13 || $0 == 10 }
            if let equals = tag.firstIndex(of: UInt8(ascii: "=")), tag[..<equals].filter({ !isSpace($0) }) == [UInt8(ascii: "b")] {
                output += tag[...equals]
            } else {
                output += tag
            }
        }
        return output
    }
}
