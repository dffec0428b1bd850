/// Paths of MAIL and RCPT as a server reads them, RFC 5321 §4.1.2 and RFC 6531 §3.3.
enum MailPath {
    enum Fault: Error, Sendable, Hashable {
        case malformed
        /// The address is well-formed but for octets above 127, which were not agreed on.
        case needsSMTPUTF8
    }

    /// RFC 5321 §4.5.3.1.
    private static let longestPath = 256
    /// RFC 5321 says 64. Relays that rewrite (SRS, BATV) put their own in front of what they were given, and a server that refuses the result
    /// loses the mail.
    private static let longestLocalPart = 128
    private static let longestDomain = 255

    /// Splits `<path>` from the parameters behind it; nil when it is not closed, or when something but a space follows.
    ///
    /// A quoted local-part may hold `>` and spaces, so brackets are not simply searched for.
    static func split(_ argument: ArraySlice<UInt8>) -> (path: ArraySlice<UInt8>, parameters: ArraySlice<UInt8>)? {
        guard argument.first == ASCII.lessThan else { return nil }
        var isQuoted = false
        var isEscaped = false
        for index in argument.indices.dropFirst() {
            let byte = argument[index]
            if isEscaped {
                isEscaped = false
            } else if isQuoted, byte == ASCII.backslash {
                isEscaped = true
            } else if byte == ASCII.quote {
                isQuoted.toggle()
            } else if byte == ASCII.greaterThan, !isQuoted {
                let rest = argument[(index + 1)...]
                guard rest.isEmpty || rest.first == ASCII.space else { return nil }
                return (argument[(argument.startIndex + 1)..<index], rest)
            }
        }
        return nil
    }

    /// The address in a path, without its source route; `path` is what stood between the brackets, not empty.
    static func mailbox(_ path: ArraySlice<UInt8>, allowingUTF8: Bool, allowingPostmaster: Bool) throws(Fault) -> [UInt8] {
        guard path.count + 2 <= longestPath else { throw .malformed }
        let address = try withoutRoute(path)
        guard address.allSatisfy({ !ASCII.isControl($0) }), String(validating: address, as: UTF8.self) != nil else { throw .malformed }
        if allowingPostmaster, ASCII.matches(address, "POSTMASTER") { return Array(address) }
        guard let at = address.lastIndex(of: ASCII.at) else { throw .malformed }
        let localPart = address[..<at]
        let domain = address[(at + 1)...]
        guard (1...longestLocalPart).contains(localPart.count), (1...longestDomain).contains(domain.count) else { throw .malformed }
        guard isLocalPart(localPart), isDomain(domain) || isAddressLiteral(domain) else { throw .malformed }
        guard allowingUTF8 || address.allSatisfy({ $0 < 0x80 }) else { throw .needsSMTPUTF8 }
        return Array(address)
    }

    /// A name as HELO and EHLO give it. Quirk(Windows hosts): an underscore is let through. Test: "greeting names".
    static func isHelloName(_ name: ArraySlice<UInt8>) -> Bool {
        (1...longestDomain).contains(name.count) && (isAddressLiteral(name) || isDomain(name) && name.allSatisfy { $0 < 0x80 })
    }

    /// RFC 5321 §4.1.1.3: a source route is recognised and ignored.
    private static func withoutRoute(_ path: ArraySlice<UInt8>) throws(Fault) -> ArraySlice<UInt8> {
        guard path.first == ASCII.at else { return path }
        guard let colon = path.firstIndex(of: ASCII.colon) else { throw .malformed }
        for hop in path[..<colon].split(separator: ASCII.comma, omittingEmptySubsequences: false) {
            guard hop.first == ASCII.at, isDomain(hop.dropFirst()) else { throw .malformed }
        }
        return path[(colon + 1)...]
    }

    private static func isLocalPart(_ localPart: ArraySlice<UInt8>) -> Bool {
        localPart.first == ASCII.quote ? isQuotedString(localPart) : isDotString(localPart)
    }

    private static func isQuotedString(_ text: ArraySlice<UInt8>) -> Bool {
        guard text.count >= 2, text.last == ASCII.quote else { return false }
        var isEscaped = false
        for byte in text.dropFirst().dropLast() {
            if isEscaped {
                guard byte < 0x80 else { return false }
                isEscaped = false
            } else if byte == ASCII.backslash {
                isEscaped = true
            } else if byte == ASCII.quote {
                return false
            }
        }
        return !isEscaped
    }

    private static func isDotString(_ text: ArraySlice<UInt8>) -> Bool {
        text.split(separator: ASCII.dot, omittingEmptySubsequences: false).allSatisfy { !$0.isEmpty && $0.allSatisfy(isAtomText) }
    }

    /// atext of RFC 5322 §3.2.3, and UTF-8.
    private static func isAtomText(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2F, 0x3D, 0x3F, 0x5E...0x60, 0x7B...0x7E: true
        case 0x80...: true
        default: ASCII.isLetterOrDigit(byte)
        }
    }

    private static func isDomain(_ domain: ArraySlice<UInt8>) -> Bool {
        domain.split(separator: ASCII.dot, omittingEmptySubsequences: false).allSatisfy { label in
            (1...63).contains(label.count) && label.first != ASCII.hyphen && label.last != ASCII.hyphen
                && label.allSatisfy { ASCII.isLetterOrDigit($0) || $0 == ASCII.hyphen || $0 == 0x5F || $0 >= 0x80 }
        }
    }

    private static func isAddressLiteral(_ domain: ArraySlice<UInt8>) -> Bool {
        guard domain.count >= 3, domain.first == ASCII.openBracket, domain.last == ASCII.closeBracket else { return false }
        return domain.dropFirst().dropLast().allSatisfy {
            ASCII.isLetterOrDigit($0) || [ASCII.dot, ASCII.colon, ASCII.hyphen].contains($0)
        }
    }
}
