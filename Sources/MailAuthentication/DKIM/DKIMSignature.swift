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
    /// In lower case.
    let signedNames: [[UInt8]]
    let bodyHash: [UInt8]
    let signature: [UInt8]
    /// `t=` in seconds since the epoch.
    let signed: Int64?
    /// `x=` in seconds since the epoch.
    let expires: Int64?
    /// `l=`.
    let bodyLength: Int?

    private static let mostNames = 200

    static func read(_ value: ArraySlice<UInt8>) -> Reading {
        guard let tags = TagList(value) else { return .fault(.malformed) }
        guard let version = tags["v"] else { return .fault(.malformed) }
        guard version.elementsEqual("1".utf8) else { return .fault(.unknownVersion) }
        guard let name = tags.text("a") else { return .fault(.malformed) }
        guard !name.utf8.elementsEqual("rsa-sha1".utf8) else { return .fault(.obsoleteAlgorithm) }
        guard let algorithm = Algorithm(rawValue: name) else { return .fault(.unknownAlgorithm) }
        guard let canonical = canonicalizations(tags["c"]) else { return .fault(.unknownCanonicalization) }
        if let methods = tags.list("q"), !methods.contains(where: { $0.isWord("dns/txt") }) { return .fault(.unknownQueryMethod) }
        guard let domain = tags.text("d").flatMap(DomainName.toASCII), Domain.isMailDomain(domain.utf8), let selector = tags["s"],
            isSelector(selector), let bodyHash = tags.compact("bh").flatMap({ Base64.decode($0) }),
            let signature = tags.compact("b").flatMap({ Base64.decode($0) }), let names = tags.list("h"), names.count <= mostNames
        else { return .fault(.malformed) }
        for number in ["x", "t"] where tags[number] != nil && tags.number(number) == nil { return .fault(.malformed) }
        guard let length = bodyLength(tags["l"]) else { return .fault(.malformed) }
        if let signed = tags.number("t"), let expires = tags.number("x"), expires < signed { return .fault(.malformed) }
        guard names.contains(where: { $0.isWord("from") }) else { return .fault(.fromNotSigned) }
        var identity = domain
        if let written = tags["i"] {
            guard let at = written.lastIndex(of: UInt8(ascii: "@")),
                let host = DomainName.toASCII(String(decoding: written[(at + 1)...], as: UTF8.self)), Domain.isWithin(host, domain)
            else { return .fault(.identityOutsideDomain) }
            identity = host
        }
        return .signature(
            DKIMSignature(
                algorithm: algorithm, headerCanonicalization: canonical.header, bodyCanonicalization: canonical.body, domain: domain,
                identityDomain: identity, selector: selector.text, signedNames: names.map(\.lowercased), bodyHash: bodyHash,
                signature: signature, signed: tags.number("t"), expires: tags.number("x"), bodyLength: length < 0 ? nil : length))
    }

    /// -1 when there is no `l=`; nil when it is no number. It may have 76 digits (RFC 6376 §3.5); none but the last 18 matter to us.
    private static func bodyLength(_ digits: ArraySlice<UInt8>?) -> Int? {
        guard let digits else { return -1 }
        guard !digits.isEmpty, digits.count <= 76, digits.allSatisfy(\.isDigit) else { return nil }
        let significant = digits.drop { $0 == UInt8(ascii: "0") }
        guard significant.count <= 18 else { return .max }
        return significant.reduce(0) { $0 * 10 + Int($1 &- 48) }
    }

    private static func canonicalizations(_ text: ArraySlice<UInt8>?) -> (header: Canonicalization, body: Canonicalization)? {
        guard let text else { return (.simple, .simple) }
        let parts = text.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map(\.text)
        guard parts.count <= 2, let header = Canonicalization(rawValue: parts[0]) else { return nil }
        guard parts.count == 2 else { return (header, .simple) }
        return Canonicalization(rawValue: parts[1]).map { (header, $0) }
    }

    private static func isSelector(_ text: ArraySlice<UInt8>) -> Bool {
        Domain.labels(text)?.allSatisfy { $0.allSatisfy { $0.isLetterOrDigit || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") } }
            ?? false
    }

    /// The field with the value of `b=` taken out, everything else untouched.
    static func withoutSignature(_ field: ArraySlice<UInt8>) -> [UInt8] {
        guard let colon = field.firstIndex(of: UInt8(ascii: ":")) else { return Array(field) }
        var output = Array(field[...colon])
        let tags = field[(colon + 1)...].split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false)
        for (index, tag) in tags.enumerated() {
            if index > 0 { output.append(UInt8(ascii: ";")) }
            if let equals = tag.firstIndex(of: UInt8(ascii: "=")),
                tag[..<equals].filter({ !$0.isFoldingSpace }) == [UInt8(ascii: "b")]
            {
                output += tag[...equals]
            } else {
                output += tag
            }
        }
        return output
    }
}
