/// Reads ISO-2022-JP (RFC 1468) with what Japanese mail puts into it: the extensions of RFC 1554, half-width kana, and the characters
/// of NEC and IBM in rows 13 and 89 to 92, which iconv's own ISO-2022-JP does not have.
enum ISO2022JP {
    private enum Plane: Equatable {
        /// ASCII and JIS X 0201 Roman.
        case roman
        case kana
        /// JIS X 0208, read through its place in CP932.
        case kanji
        /// Another two-byte set, read in the charset of this name with `lead` before each pair.
        case other(String, lead: UInt8?)
    }

    /// Whether there is an escape sequence of this charset that opens a two-byte set.
    static func isLikely(_ bytes: ArraySlice<UInt8>) -> Bool {
        var i = bytes.startIndex
        while let escape = bytes.index(of: escape, from: i) {
            if escape + 2 < bytes.endIndex, bytes[escape + 1] == 0x24, bytes[escape + 2] == 0x42 || bytes[escape + 2] == 0x40 {
                return true
            }
            i = escape + 1
        }
        return false
    }

    /// The bytes as UTF-8; what is no character is U+FFFD and counted.
    static func utf8(_ bytes: ArraySlice<UInt8>) -> (bytes: [UInt8], malformed: Int) {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count * 3 / 2)
        var malformed = 0
        var plane = Plane.roman
        // Stretches of CP932 are converted together.
        var pending: [UInt8] = []
        func flush(_ charset: String = "CP932") {
            guard !pending.isEmpty else { return }
            if let text = CharsetConverter.utf8(pending[...], from: charset) {
                output += text.bytes
                malformed += text.malformed
            } else {
                output += [0xEF, 0xBF, 0xBD]
                malformed += 1
            }
            pending.removeAll(keepingCapacity: true)
        }
        var i = bytes.startIndex
        while i < bytes.endIndex {
            let byte = bytes[i]
            if byte == escape, let (next, length) = designation(bytes, i) {
                if case .other(let charset, _) = plane { flush(charset) } else if case .other = next { flush() }
                plane = next
                i += length
                continue
            }
            if byte == ASCII.lf || byte == ASCII.cr {
                if case .other(let charset, _) = plane { flush(charset) }
                plane = .roman
            }
            let isGraphic = byte > 0x20 && byte < 0x7F
            let isPair = isGraphic && i + 1 < bytes.endIndex && bytes[i + 1] > 0x20 && bytes[i + 1] < 0x7F
            switch plane {
            case .kana where isGraphic && byte < 0x60:
                pending.append(byte | 0x80)
                i += 1
            case .kanji where isPair:
                appendShifted(byte, bytes[i + 1], &pending)
                i += 2
            case .other(_, let lead) where isPair:
                if let lead { pending.append(lead) }
                pending += [byte | 0x80, bytes[i + 1] | 0x80]
                i += 2
            default:
                pending.append(byte)
                i += 1
            }
        }
        if case .other(let charset, _) = plane { flush(charset) } else { flush() }
        return (output, malformed)
    }

    /// What the escape sequence at `start` switches to, and its length.
    private static func designation(_ bytes: ArraySlice<UInt8>, _ start: Int) -> (Plane, Int)? {
        guard start + 2 < bytes.endIndex else { return nil }
        switch (bytes[start + 1], bytes[start + 2]) {
        case (0x28, 0x42), (0x28, 0x4A), (0x28, 0x48): return (.roman, 3)
        case (0x28, 0x49): return (.kana, 3)
        case (0x24, 0x40), (0x24, 0x42): return (.kanji, 3)
        case (0x24, 0x41): return (.other("GB18030", lead: nil), 3)
        case (0x26, 0x40): return (.kanji, 3)
        case (0x24, 0x28):
            guard start + 3 < bytes.endIndex else { return nil }
            switch bytes[start + 3] {
            case 0x40, 0x42: return (.kanji, 4)
            case 0x43: return (.other("CP949", lead: nil), 4)
            case 0x44: return (.other("EUC-JP-MS", lead: 0x8F), 4)
            case 0x4F, 0x51: return (.other("EUC-JISX0213", lead: nil), 4)
            default: return nil
            }
        default: return nil
        }
    }

    /// The Shift_JIS form of a JIS X 0208 pair.
    private static func appendShifted(_ first: UInt8, _ second: UInt8, _ output: inout [UInt8]) {
        let row = first - 0x21
        let lead = row / 2 + (row < 62 ? 0x81 : 0xC1)
        let trail = row % 2 == 1 ? second + 0x7E : second + (second < 0x60 ? 0x1F : 0x20)
        output += [lead, trail]
    }

    private static let escape: UInt8 = 0x1B
}
