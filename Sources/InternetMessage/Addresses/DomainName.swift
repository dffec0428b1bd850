import CIDN2
import Glibc

/// Internationalised domain names by IDNA2008 (RFC 5891), through libidn2.
package enum DomainName {
    /// The domain in lower case with A-labels (`xn--`); nil when it is no host name: a label that is empty, over 63 octets, with a
    /// hyphen at either end, with anything but letters, digits, hyphens and underscores, or not allowed by IDNA2008.
    ///
    /// Underscores pass because internal hosts and DNS selectors have them. An address literal (`[192.0.2.1]`) is returned in lower
    /// case. A final dot is refused.
    package static func toASCII(_ domain: String) -> String? {
        let bytes = Array(domain.utf8)
        guard !bytes.isEmpty, bytes.count <= longestInput else { return nil }
        if bytes.first == ASCII.openBracket { return AddressSyntax.isLiteral(bytes) ? bytes.asciiLowercased.utf8Text : nil }
        if bytes.isASCII {
            let lower = bytes.asciiLowercased
            guard isHostName(lower), !hasALabel(lower) || hasRealALabels(lower) else { return nil }
            return lower.utf8Text
        }
        guard !bytes.contains(where: \.isControl), let ascii = lookup(bytes)?.asciiLowercased else { return nil }
        // libidn2 passes on what it finds between dots, spaces and empty labels included.
        return isHostName(ascii) ? ascii.utf8Text : nil
    }

    /// The domain with its A-labels written in Unicode; a domain without A-labels, or with broken ones, is returned as it is.
    package static func toUnicode(_ domain: String) -> String {
        let bytes = Array(domain.utf8)
        guard bytes.count <= longestInput, !bytes.contains(ASCII.nul), hasALabel(bytes.asciiLowercased) else { return domain }
        var output: UnsafeMutablePointer<UInt8>?
        guard unicodeBytes(bytes, &output) == CInt(IDN2_OK.rawValue), let output else { return domain }
        defer { idn2_free(output) }
        let unicode = [UInt8](UnsafeBufferPointer(start: output, count: strlen(output)))
        return unicode.contains(where: \.isControl) ? domain : unicode.utf8Text
    }

    /// Whether ASCII bytes are labels that a mail host can have, up to 255 octets together.
    static func isHostName(_ domain: [UInt8]) -> Bool {
        guard domain.count <= AddressSyntax.longestDomain else { return false }
        var length = 0
        var previous = ASCII.dot
        for byte in domain {
            if byte == ASCII.dot {
                guard length > 0, previous != ASCII.hyphen else { return false }
                length = 0
            } else {
                guard byte.isLetter || byte.isDigit || byte == ASCII.underscore || (byte == ASCII.hyphen && length > 0), length < 63 else {
                    return false
                }
                length += 1
            }
            previous = byte
        }
        return length > 0 && previous != ASCII.hyphen
    }

    /// Four UTF-8 bytes for each of the 255 octets that the DNS allows.
    private static let longestInput = 1020
    private static let prefix = Array("xn--".utf8)

    private static func hasALabel(_ lower: [UInt8]) -> Bool {
        lower.starts(with: prefix) || lower[...].index(of: [ASCII.dot] + prefix, from: 0) != nil
    }

    /// Whether each A-label decodes and encodes back to itself. Characters that IDNA2008 has since disallowed are let pass, because
    /// names of the first IDNA (`xn--i-7iq.ws`) are in the DNS and take mail.
    private static func hasRealALabels(_ lower: [UInt8]) -> Bool {
        var output: UnsafeMutablePointer<UInt8>?
        let status = idn2_lookup_u8(lower + [0], &output, CInt(IDN2_NFC_INPUT.rawValue | IDN2_NONTRANSITIONAL.rawValue))
        if let output { idn2_free(output) }
        return status == CInt(IDN2_OK.rawValue) || status == CInt(IDN2_DISALLOWED.rawValue)
    }

    private static func lookup(_ bytes: [UInt8]) -> [UInt8]? {
        var output: UnsafeMutablePointer<UInt8>?
        let flags = CInt(IDN2_NFC_INPUT.rawValue | IDN2_NONTRANSITIONAL.rawValue)
        guard idn2_lookup_u8(bytes + [0], &output, flags) == CInt(IDN2_OK.rawValue), let output else { return nil }
        defer { idn2_free(output) }
        return [UInt8](UnsafeBufferPointer(start: output, count: strlen(output)))
    }

    private static func unicodeBytes(_ bytes: [UInt8], _ output: inout UnsafeMutablePointer<UInt8>?) -> CInt {
        var text: UnsafeMutablePointer<CChar>?
        let status = idn2_to_unicode_8z8z(bytes.map { CChar(bitPattern: $0) } + [0], &text, 0)
        output = text.map { UnsafeMutableRawPointer($0).assumingMemoryBound(to: UInt8.self) }
        return status
    }
}
