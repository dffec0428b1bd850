import InternetMessage

/// Host names, domains and addresses, checked on bytes.
///
/// Bytes above 0x7F are let through: a domain may be written in Unicode, and becomes an A-label where it is used.
enum Names {
    /// Whether a template tag is begun in the text.
    static func hasOpenTag(_ text: String) -> Bool {
        zip(text.utf8, text.utf8.dropFirst()).contains { $0 == UInt8(ascii: "{") && $1 == UInt8(ascii: "{") }
    }

    /// Whether two ASCII words are the same in any letter case.
    static func equalFolded(_ a: some StringProtocol, _ b: some StringProtocol) -> Bool {
        a.utf8.lazy.map(lowercased).elementsEqual(b.utf8.lazy.map(lowercased))
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }

    static func isWord(_ text: String) -> Bool {
        !text.utf8.isEmpty && text.utf8.count <= 64 && text.utf8.allSatisfy { isLetterOrDigit($0) || [0x2D, 0x5F, 0x2E].contains($0) }
    }

    /// Labels of letters, digits and inner hyphens, 63 bytes each, 253 in all (RFC 1123 §2.1, RFC 1035 §2.3.4), which IDNA2008 allows; no
    /// trailing dot.
    static func isHostName(_ text: String) -> Bool {
        isDomainName(text, allowUnderscore: false) && DomainName.toASCII(text) != nil
    }

    static func isDomainName(_ text: String, allowUnderscore: Bool) -> Bool {
        let bytes = Array(text.utf8)
        guard !bytes.isEmpty, bytes.count <= 253 else { return false }
        return bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { label in
            !label.isEmpty && label.count <= 63 && label.first != 0x2D && label.last != 0x2D
                && label.allSatisfy { isLetterOrDigit($0) || $0 == 0x2D || $0 >= 0x80 || allowUnderscore && $0 == 0x5F }
        }
    }

    /// A dot-atom of at most 64 bytes (RFC 5321 §4.5.3.1.1, RFC 6531 §3.3).
    static func isLocalPart(_ bytes: some Collection<UInt8>) -> Bool {
        guard !bytes.isEmpty, bytes.count <= 64 else { return false }
        return bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { atom in
            !atom.isEmpty && atom.allSatisfy { isLetterOrDigit($0) || $0 >= 0x80 || "!#$%&'*+-/=?^_`{|}~".utf8.contains($0) }
        }
    }

    /// `Name <local@domain>` or `local@domain`.
    static func sender(_ text: String) -> SenderAddress? {
        let bytes = Array(text.utf8)
        var name: ArraySlice<UInt8> = []
        var address = bytes[...]
        if bytes.last == UInt8(ascii: ">") {
            guard let open = bytes.lastIndex(of: UInt8(ascii: "<")) else { return nil }
            name = bytes[..<open]
            address = bytes[(open + 1)..<(bytes.count - 1)]
            while name.first == 0x20 { name.removeFirst() }
            while name.last == 0x20 { name.removeLast() }
            if name.count >= 2, name.first == 0x22, name.last == 0x22 { name = name.dropFirst().dropLast() }
            guard !name.contains(where: { "<>\"".utf8.contains($0) }) else { return nil }
        }
        guard let at = address.lastIndex(of: UInt8(ascii: "@")) else { return nil }
        let domain = String(decoding: address[(at + 1)...], as: UTF8.self)
        guard isLocalPart(address[..<at]), isHostName(domain) else { return nil }
        return SenderAddress(
            text: text, displayName: String(decoding: name, as: UTF8.self), localPart: String(decoding: address[..<at], as: UTF8.self),
            domain: domain)
    }

    static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: false
        }
    }
}
