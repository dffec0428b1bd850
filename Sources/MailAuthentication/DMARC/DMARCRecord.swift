/// What a domain wants done with mail that fails (RFC 9989 §4.7).
package enum DMARCPolicy: String, Sendable, CaseIterable {
    case none
    case quarantine
    case reject
}

/// A DMARC policy record (RFC 9989 §4.7). Tags that RFC 9989 took out, and unknown ones, have no effect.
struct DMARCRecord: Sendable, Equatable {
    /// For the domain of the record.
    let policy: DMARCPolicy
    /// For domains below it that exist; nil: the same.
    let subdomainPolicy: DMARCPolicy?
    /// For domains below it that do not exist; nil: as for those that do.
    let absentPolicy: DMARCPolicy?
    /// Whether the policy is only tried out (`t=y`).
    let isTesting: Bool
    /// Whether the domain is a public suffix (`psd=y`) or certainly none (`psd=n`); nil: it does not say.
    let isPublicSuffix: Bool?
    let isStrictForDKIM: Bool
    let isStrictForSPF: Bool
    /// Whether the record may be applied: its policies are valid, or it asks for reports and so counts as `none`.
    let isApplicable: Bool

    private static let largest = 16_384

    /// nil for what is not a DMARC record of this version.
    init?(parsing text: [UInt8]) {
        guard text.count <= Self.largest else { return nil }
        var tags: [[UInt8]: ArraySlice<UInt8>] = [:]
        for (index, part) in text.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false).enumerated() {
            guard let equals = part.firstIndex(of: UInt8(ascii: "=")) else {
                if index == 0 { return nil }
                continue
            }
            let name = Self.trimmed(part[..<equals]).lowercased
            let value = Self.trimmed(part[(equals + 1)...])
            if index == 0 { guard name.isWord("v"), value.elementsEqual("DMARC1".utf8) else { return nil } }
            // The first of a tag counts, as with RFC 6376 readers that tolerate a second.
            if tags[name] == nil { tags[name] = value }
        }
        func value(_ name: String) -> ArraySlice<UInt8>? { tags[Array(name.utf8)] }
        func policy(_ name: String) -> (policy: DMARCPolicy?, isValid: Bool) {
            guard let text = value(name) else { return (nil, true) }
            let policy = DMARCPolicy.allCases.first { text.isWord($0.rawValue) }
            return (policy, policy != nil)
        }
        let own = policy("p")
        let below = policy("sp")
        let absent = policy("np")
        let isValid = own.isValid && below.isValid && absent.isValid
        self.policy = isValid ? own.policy ?? .none : .none
        subdomainPolicy = isValid ? below.policy : nil
        absentPolicy = isValid ? absent.policy : nil
        isApplicable = isValid || Self.asksForReports(value("rua"))
        isTesting = value("t")?.isWord("y") ?? false
        isPublicSuffix = value("psd").flatMap { $0.isWord("y") ? true : $0.isWord("n") ? false : nil }
        isStrictForDKIM = value("adkim")?.isWord("s") ?? false
        isStrictForSPF = value("aspf")?.isWord("s") ?? false
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard let start = bytes.firstIndex(where: { !$0.isFoldingSpace }), let end = bytes.lastIndex(where: { !$0.isFoldingSpace }) else {
            return []
        }
        return bytes[start...end]
    }

    /// Whether one of the addresses for reports is a URI.
    private static func asksForReports(_ value: ArraySlice<UInt8>?) -> Bool {
        (value ?? []).split(separator: UInt8(ascii: ",")).contains { written in
            let uri = trimmed(written)
            guard let colon = uri.firstIndex(of: UInt8(ascii: ":")), colon > uri.startIndex, colon + 1 < uri.endIndex else { return false }
            return uri[uri.startIndex].isLetter && uri[..<colon].allSatisfy { $0.isLetterOrDigit || "+-.".utf8.contains($0) }
        }
    }
}
