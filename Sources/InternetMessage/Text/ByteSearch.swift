/// Searches that take eight bytes at a time.
extension Span<UInt8> {
    /// The index of the first `byte` at or after `start`, `count` when there is none.
    func firstIndex(of byte: UInt8, from start: Int) -> Int {
        let pattern = UInt64(byte) &* 0x0101_0101_0101_0101
        var i = start
        while i &+ 8 <= count {
            // A byte of `different` is zero exactly where `byte` stands; the lowest zero byte is marked right.
            let different = word(at: i) ^ pattern
            let zeros = (different &- 0x0101_0101_0101_0101) & ~different & 0x8080_8080_8080_8080
            if zeros != 0 { return i &+ zeros.trailingZeroBitCount / 8 }
            i &+= 8
        }
        while i < count {
            if self[i] == byte { return i }
            i &+= 1
        }
        return count
    }

    /// The index of the first byte from 0x80 at or after `start`, `count` when there is none.
    func firstIndexBeyondASCII(from start: Int) -> Int {
        var i = start
        while i &+ 8 <= count {
            let high = word(at: i) & 0x8080_8080_8080_8080
            if high != 0 { return i &+ high.trailingZeroBitCount / 8 }
            i &+= 8
        }
        while i < count {
            if self[i] >= 0x80 { return i }
            i &+= 1
        }
        return count
    }

    /// How often `byte` stands before `end`.
    func count(of byte: UInt8, upTo end: Int) -> Int {
        let end = Swift.min(end, count)
        let pattern = UInt64(byte) &* 0x0101_0101_0101_0101
        var found = 0
        var i = 0
        while i &+ 8 <= end {
            // The high bit of each byte that differs, no carry reaching the next one.
            let different = word(at: i) ^ pattern
            let marked = ((different & 0x7F7F_7F7F_7F7F_7F7F) &+ 0x7F7F_7F7F_7F7F_7F7F | different) & 0x8080_8080_8080_8080
            found &+= 8 &- marked.nonzeroBitCount
            i &+= 8
        }
        while i < end {
            if self[i] == byte { found &+= 1 }
            i &+= 1
        }
        return found
    }

    /// The eight bytes at `i`, the first in the lowest bits. The load checks its bounds; any eight bytes are a UInt64.
    private func word(at i: Int) -> UInt64 {
        UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: i, as: UInt64.self))
    }
}
