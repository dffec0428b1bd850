import CIDN2
import Glibc

/// Internationalised domain names by IDNA2008 (RFC 5891), through libidn2.
package enum DomainName {
    /// The domain in lower case with A-labels (`xn--`), nil when a label is not allowed by IDNA2008 or too long for the DNS.
    ///
    /// A domain that is ASCII already is only brought to lower case. An address literal (`[192.0.2.1]`) is returned as it is.
    package static func toASCII(_ domain: String) -> String? {
        let bytes = Array(domain.utf8)
        guard !bytes.isEmpty, bytes.count <= longestInput, !bytes.contains(ASCII.nul) else { return nil }
        if bytes.isASCII { return bytes.count <= 255 ? bytes.asciiLowercased.utf8Text : nil }
        var output: UnsafeMutablePointer<UInt8>?
        let flags = CInt(IDN2_NFC_INPUT.rawValue | IDN2_NONTRANSITIONAL.rawValue)
        guard idn2_lookup_u8(bytes + [0], &output, flags) == CInt(IDN2_OK.rawValue), let output else { return nil }
        defer { idn2_free(output) }
        let ascii = [UInt8](UnsafeBufferPointer(start: output, count: strlen(output)))
        return ascii.isASCII && ascii.count <= 255 ? ascii.asciiLowercased.utf8Text : nil
    }

    /// The domain with its A-labels written in Unicode; a domain without A-labels, or with broken ones, is returned as it is.
    package static func toUnicode(_ domain: String) -> String {
        let bytes = Array(domain.utf8)
        guard bytes.count <= longestInput, !bytes.contains(ASCII.nul), ArraySlice(bytes.asciiLowercased).index(of: prefix, from: 0) != nil
        else { return domain }
        var output: UnsafeMutablePointer<UInt8>?
        guard unicodeBytes(bytes, &output) == CInt(IDN2_OK.rawValue), let output else { return domain }
        defer { idn2_free(output) }
        let unicode = [UInt8](UnsafeBufferPointer(start: output, count: strlen(output)))
        return unicode.contains(where: \.isControl) ? domain : unicode.utf8Text
    }

    /// Four UTF-8 bytes for each of the 255 octets that the DNS allows.
    private static let longestInput = 1020
    private static let prefix = Array("xn--".utf8)

    private static func unicodeBytes(_ bytes: [UInt8], _ output: inout UnsafeMutablePointer<UInt8>?) -> CInt {
        var text: UnsafeMutablePointer<CChar>?
        let status = idn2_to_unicode_8z8z(bytes.map { CChar(bitPattern: $0) } + [0], &text, 0)
        output = text.map { UnsafeMutableRawPointer($0).assumingMemoryBound(to: UInt8.self) }
        return status
    }
}
