/// Digests of octets held in memory.
package enum Digest {
    /// The SHA-256 of `bytes` (FIPS 180-4), 32 octets.
    package static func sha256(_ bytes: some Collection<UInt8>) -> [UInt8] { MessageDigest.sha256(bytes) }

    /// The SHA-512 of `bytes` (FIPS 180-4), 64 octets.
    package static func sha512(_ bytes: some Collection<UInt8>) -> [UInt8] { MessageDigest.sha512(bytes) }

    /// The SHA-1 of `bytes`, 20 octets; for comparing with what others wrote, never for a signature (RFC 8301 §3.1).
    package static func sha1(_ bytes: some Collection<UInt8>) -> [UInt8] { MessageDigest.sha1(bytes) }
}
