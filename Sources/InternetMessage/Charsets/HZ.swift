/// Reads HZ-GB-2312 (RFC 1843): GB 2312 in seven bits between `~{` and `~}`.
enum HZ {
    /// The bytes as UTF-8; what is no HZ is U+FFFD and counted.
    static func utf8(_ bytes: ArraySlice<UInt8>) -> (bytes: [UInt8], malformed: Int) {
        var eightBit: [UInt8] = []
        eightBit.reserveCapacity(bytes.count)
        var isChinese = false
        var i = bytes.startIndex
        while i < bytes.endIndex {
            let byte = bytes[i]
            let next = i + 1 < bytes.endIndex ? bytes[i + 1] : 0
            if byte == tilde, next == tilde, !isChinese {
                eightBit.append(tilde)
                i += 2
            } else if byte == tilde, next == 0x7B || next == 0x7D {
                isChinese = next == 0x7B
                i += 2
            } else if byte == ASCII.lf || byte == ASCII.cr {
                // A line begins in ASCII whatever the one before it ended in.
                isChinese = false
                eightBit.append(byte)
                i += 1
            } else if isChinese, byte > 0x20, byte < 0x7F, next > 0x20, next < 0x7F {
                eightBit += [byte | 0x80, next | 0x80]
                i += 2
            } else {
                eightBit.append(byte)
                i += 1
            }
        }
        return CharsetConverter.utf8(eightBit[...], from: "GB18030") ?? (eightBit, eightBit.count)
    }

    private static let tilde: UInt8 = 0x7E
}
