import InternetMessage
import OpenSSL

/// Randomness that can be told again: derived from the installation's seed and what it is for.
///
/// The same seed, purpose and subjects give the same value, so that a rehearsal predicts the real calendar.
package struct Chance: Sendable {
    private let seed: [UInt8]

    package init(seed: [UInt8]) { self.seed = seed }

    /// 64 bits for a purpose; the subjects are kept apart, so ("a", "bc") differs from ("ab", "c").
    package func bits(_ purpose: String, _ subjects: [String]) -> UInt64 {
        var message: [UInt8] = []
        for part in [purpose] + subjects {
            message += withBigEndianCount(part.utf8.count)
            message += part.utf8
        }
        return HMAC.sha256(key: seed, message: message).prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// A value in 0 ..< 1.
    package func fraction(_ purpose: String, _ subjects: [String]) -> Double {
        Double(bits(purpose, subjects) >> 11) / Double(1 << 53 as UInt64)
    }

    private func withBigEndianCount(_ count: Int) -> [UInt8] {
        let value = UInt32(clamping: count)
        return [UInt8(value >> 24), UInt8(value >> 16 & 0xFF), UInt8(value >> 8 & 0xFF), UInt8(value & 0xFF)]
    }
}

extension Duration {
    /// A share of the duration, to the millisecond.
    func scaled(by share: Double) -> Duration { .milliseconds(Int64((Double(wholeMilliseconds) * share).rounded())) }
}
