import COpenSSL

/// Octets nobody can guess, from the library's generator (seeded by the kernel).
package enum SecureRandom {
    /// `count` fresh octets. The process stops if the machine has no randomness: a guessable secret would be worse.
    package static func bytes(_ count: Int) -> [UInt8] {
        precondition(count >= 0 && count <= Int(Int32.max), "a random number of \(count) octets")
        guard count > 0 else { return [] }
        return [UInt8](unsafeUninitializedCapacity: count) { output, filled in
            precondition(RAND_bytes(output.baseAddress, Int32(count)) == 1, "the machine gives no random octets")
            filled = count
        }
    }
}
