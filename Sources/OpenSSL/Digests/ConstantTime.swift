import COpenSSL

/// Comparison of secrets.
package enum ConstantTime {
    /// Whether both hold the same octets; takes the same time wherever they differ. The lengths are not hidden.
    package static func equal(_ left: some Collection<UInt8>, _ right: some Collection<UInt8>) -> Bool {
        Bytes.lend(left) { left in
            Bytes.lend(right) { right in
                guard left.count == right.count else { return false }
                guard let one = left.baseAddress, let other = right.baseAddress, left.count > 0 else { return true }
                return CRYPTO_memcmp(one, other, left.count) == 0
            }
        }
    }
}
