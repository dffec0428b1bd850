/// The grammar of a bare addr-spec (RFC 5322 §3.4.1 without obsolete forms, with the lengths of RFC 5321 §4.5.3.1).
enum AddressSyntax {
    static let longestLocalPart = 64
    /// With what relays put in front of a local part that they rewrite (SRS, BATV).
    static let longestRewrittenLocalPart = 128
    static let longestDomain = 255
    static let longestAddress = 254

    static func addrSpec(_ bytes: ArraySlice<UInt8>, longestLocalPart: Int = longestLocalPart) -> EmailAddress? {
        guard bytes.count <= 1024, let at = bytes.lastIndex(of: ASCII.at) else { return nil }
        let domain = Array(bytes[(at + 1)...])
        guard let local = localPart(bytes[..<at]), local.count <= longestLocalPart, isValid(domain: domain) else { return nil }
        let address = EmailAddress(lenientLocalPart: local, domain: domain)
        guard let address, address.wireBytes.count <= longestAddress else { return nil }
        return address
    }

    /// The meaning of a dot-atom or quoted-string local part, nil when it is neither.
    static func localPart(_ bytes: ArraySlice<UInt8>) -> [UInt8]? {
        guard let first = bytes.first else { return nil }
        if first != ASCII.quote { return isDotAtom(bytes) ? Array(bytes) : nil }
        guard bytes.count >= 3, bytes.last == ASCII.quote else { return nil }
        var local: [UInt8] = []
        var i = bytes.startIndex + 1
        let end = bytes.endIndex - 1
        while i < end {
            if bytes[i] == ASCII.backslash { i += 1 }
            guard i < end, !bytes[i].isControl, bytes[i] != ASCII.quote || bytes[i - 1] == ASCII.backslash else { return nil }
            local.append(bytes[i])
            i += 1
        }
        return local.isEmpty ? nil : local
    }

    static func isDotAtom(_ bytes: some Collection<UInt8>) -> Bool {
        var previous = ASCII.dot
        for byte in bytes {
            guard byte.isAtext || (byte == ASCII.dot && previous != ASCII.dot) else { return false }
            previous = byte
        }
        return previous != ASCII.dot
    }

    /// The local part as it is written: bare when it is a dot-atom, else as a quoted string.
    static func quotedIfNeeded(_ local: [UInt8]) -> [UInt8] {
        isDotAtom(local) ? local : quoted(local)
    }

    /// The bytes as a quoted string (RFC 5322 §3.2.4).
    static func quoted(_ bytes: some Collection<UInt8>) -> [UInt8] {
        var text: [UInt8] = [ASCII.quote]
        for byte in bytes {
            if byte == ASCII.quote || byte == ASCII.backslash { text.append(ASCII.backslash) }
            text.append(byte)
        }
        text.append(ASCII.quote)
        return text
    }

    /// Whether a domain can stand in an address line without being read as something else.
    static func isHarmless(domain: [UInt8]) -> Bool {
        if domain.first == ASCII.openBracket { return isLiteral(domain) }
        // "?=" could close an encoded word that the local part opens, which is then read across the "@".
        return domain.allSatisfy { $0.isAtext || $0 == ASCII.dot } && domain[...].index(of: [ASCII.question, ASCII.equals], from: 0) == nil
    }

    /// Whether a domain is one that mail can be sent to: labels of letters, digits, hyphens and underscores up to 63 octets, an
    /// IDNA2008 name, or an address literal.
    static func isValid(domain: [UInt8]) -> Bool {
        if domain.first == ASCII.openBracket { return isLiteral(domain) && isAddress(literal: Array(domain[1..<(domain.count - 1)])) }
        guard UTF8Check.isValid(domain[...]) else { return false }
        return DomainName.toASCII(domain.utf8Text) != nil
    }

    static func isLiteral(_ domain: [UInt8]) -> Bool {
        domain.count > 2 && domain.count <= longestDomain && domain.last == ASCII.closeBracket
            && domain[1..<(domain.count - 1)].allSatisfy {
                $0 > 0x20 && $0 < 0x7F && $0 != ASCII.openBracket && $0 != ASCII.closeBracket && $0 != ASCII.backslash
            }
    }

    /// Whether the inside of a literal is an IPv4 address, or an IPv6 address with its tag (RFC 5321 §4.1.3).
    static func isAddress(literal: [UInt8]) -> Bool {
        let inner = literal[...]
        if inner.hasPrefix(ignoringCase: "IPv6:") { return isIPv6(inner.dropFirst(5)) }
        return isIPv4(inner)
    }

    private static func isIPv4(_ bytes: ArraySlice<UInt8>) -> Bool {
        let numbers = bytes.split(separator: ASCII.dot, omittingEmptySubsequences: false)
        return numbers.count == 4
            && numbers.allSatisfy { part in
                (1...3).contains(part.count) && part.allSatisfy(\.isDigit) && part.reduce(0) { $0 * 10 + Int($1 - 0x30) } <= 255
            }
    }

    private static func isIPv6(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard bytes.count <= 45 else { return false }
        var groups = bytes.split(separator: ASCII.colon, omittingEmptySubsequences: false)
        var slots = 8
        if let last = groups.last, last.contains(ASCII.dot) {
            guard isIPv4(last) else { return false }
            groups.removeLast()
            slots = 6
        }
        // A double colon shows as empty groups; at either end of the address it shows as two of them.
        var empty = groups.filter(\.isEmpty).count
        if groups.first?.isEmpty == true {
            guard groups.count > 1, groups[1].isEmpty else { return false }
            empty -= 1
        }
        if slots == 8, groups.last?.isEmpty == true {
            guard groups.count > 1, groups[groups.count - 2].isEmpty else { return false }
            empty -= 1
        }
        let full = groups.count(where: { !$0.isEmpty })
        guard groups.allSatisfy({ $0.count <= 4 && $0.allSatisfy { $0.hexValue != nil } }) else { return false }
        return empty <= 0 ? full == slots : empty == 1 && full < slots
    }
}
