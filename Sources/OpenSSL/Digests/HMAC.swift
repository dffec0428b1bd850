import COpenSSL

/// Keyed digests (RFC 2104).
package enum HMAC {
    /// The HMAC-SHA-256 of `message` under `key`, 32 octets (RFC 4231 holds its vectors); a key of any length, also none, is legal.
    package static func sha256(key: some Collection<UInt8>, message: some Collection<UInt8>) -> [UInt8] {
        Bytes.lend(key) { key in
            Bytes.lend(message) { message in
                [UInt8](unsafeUninitializedCapacity: MessageDigest.sha256.length) { output, count in
                    precondition(key.count <= Int(Int32.max), "an HMAC key of more than 2 GiB")
                    // The library takes a null key for "the key of last time", so an empty key needs an address too.
                    var none: UInt8 = 0
                    var length: UInt32 = 0
                    let done = withUnsafePointer(to: &none) { none in
                        COpenSSL.HMAC(
                            MessageDigest.sha256.pointer, key.baseAddress ?? none, Int32(key.count),
                            message.baseAddress ?? none, message.count, output.baseAddress, &length)
                    }
                    precondition(done != nil && Int(length) == MessageDigest.sha256.length, "libcrypto failed to compute an HMAC")
                    count = MessageDigest.sha256.length
                }
            }
        }
    }
}
