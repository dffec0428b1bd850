/// The line between the parts of a multipart.
enum Boundary {
    /// The same for the same seed, so that composing twice gives the same bytes; and in none of `bodies`.
    ///
    /// Only bodies that travel unencoded need to be looked at: "=_" cannot occur in quoted-printable or base64 (RFC 2045 §6.7).
    /// The boundaries of one message are this stem with one more character, so none is the beginning of another.
    static func stem(seed: [UInt8], absentIn bodies: [[UInt8]]) -> [UInt8] {
        var round: UInt64 = 0
        while true {
            let stem = Array("=_".utf8) + hex(hash(seed, round)) + hex(hash(seed.reversed(), round))
            if !bodies.contains(where: { $0[...].index(of: stem, from: 0) != nil }) { return stem }
            round &+= 1
        }
    }

    /// FNV-1a with 64 bits.
    private static func hash(_ bytes: some Sequence<UInt8>, _ round: UInt64) -> UInt64 {
        bytes.reduce(0xCBF2_9CE4_8422_2325 ^ round) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }

    private static func hex(_ value: UInt64) -> [UInt8] {
        let digits = String(value, radix: 16)
        return [UInt8](repeating: ASCII.zero, count: 16 - digits.utf8.count) + digits.utf8
    }
}
