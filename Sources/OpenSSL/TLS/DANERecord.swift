/// One TLSA record (RFC 6698 §2.1), as TLS needs it.
package struct DANERecord: Sendable, Hashable {
    package let usage: UInt8
    package let selector: UInt8
    package let matchingType: UInt8
    package let data: [UInt8]

    package init(usage: UInt8, selector: UInt8, matchingType: UInt8, data: [UInt8]) {
        self.usage = usage
        self.selector = selector
        self.matchingType = matchingType
        self.data = data
    }

    /// Whether SMTP can use it: DANE-TA(2) or DANE-EE(3), with a selector and a matching type that exist and a digest of the right
    /// length. PKIX-TA(0) and PKIX-EE(1) are none for SMTP (RFC 7672 §3.1.3).
    package var isUsable: Bool {
        guard usage == 2 || usage == 3, selector <= 1 else { return false }
        return switch matchingType {
        case 0: !data.isEmpty
        case 1: data.count == 32
        case 2: data.count == 64
        default: false
        }
    }
}
