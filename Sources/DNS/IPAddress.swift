internal import Glibc

/// An IPv4 or IPv6 address in network order.
package struct IPAddress: Sendable, Hashable, CustomStringConvertible {
    /// 4 or 16 bytes.
    package let bytes: [UInt8]

    /// Nil unless there are 4 or 16 bytes.
    package init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        self.bytes = Array(bytes)
    }

    /// Parses the usual text forms, without brackets or zone; nil for anything else.
    package init?(_ text: String) {
        guard !text.utf8.contains(0) else { return nil }
        var four = in_addr()
        var six = in6_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            bytes = withUnsafeBytes(of: &four) { Array($0) }
        } else if inet_pton(AF_INET6, text, &six) == 1 {
            bytes = withUnsafeBytes(of: &six) { Array($0) }
        } else {
            return nil
        }
    }

    package var isVersion6: Bool { bytes.count == 16 }

    package var description: String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { buffer in
            let text = bytes.withUnsafeBytes {
                inet_ntop(isVersion6 ? AF_INET6 : AF_INET, $0.baseAddress, buffer.baseAddress, socklen_t(INET6_ADDRSTRLEN))
            }
            return text.map { String(cString: $0) } ?? ""
        }
    }

    /// The IPv4 address that an IPv6 address stands for (mapped, or the well-known NAT64 prefix); nil for any other.
    package var embeddedVersion4: IPAddress? {
        guard isVersion6 else { return nil }
        let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
        let translated: [UInt8] = [0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0]
        guard bytes.starts(with: mapped) || bytes.starts(with: translated) else { return nil }
        return IPAddress(bytes: bytes[12...])
    }

    /// Whether mail to a stranger's domain may go there: not loopback, private, link-local, shared, multicast or reserved.
    package var isPublic: Bool {
        if let inner = embeddedVersion4 { return inner.isPublic }
        if isVersion6 {
            // Global unicast is 2000::/3 (RFC 4291 §2.4); 6to4 carries an IPv4 address of its own.
            guard bytes[0] & 0xE0 == 0x20 else { return false }
            if bytes[0] == 0x20, bytes[1] == 0x02 { return IPAddress(bytes: bytes[2..<6])?.isPublic ?? false }
            return true
        }
        return switch (bytes[0], bytes[1]) {
        case (0, _), (10, _), (127, _), (224..., _): false
        case (100, 64...127), (169, 254), (172, 16...31), (192, 168), (198, 18...19): false
        case (192, 0): bytes[2] != 0
        // Public by its number, and in each machine of one cloud its host and metadata.
        case (168, 63): bytes[2] != 129 || bytes[3] != 16
        default: true
        }
    }

    /// The name under which the PTR record of this address stands.
    package var reverseName: String {
        if isVersion6 {
            let nibbles = bytes.reversed().flatMap { [$0 & 0x0F, $0 >> 4] }
            return nibbles.map { String($0, radix: 16) }.joined(separator: ".") + ".ip6.arpa"
        }
        return bytes.reversed().map { String($0) }.joined(separator: ".") + ".in-addr.arpa"
    }
}
