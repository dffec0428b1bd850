/// Damages messages at random, the same way for the same seed.
struct Mutator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    /// SplitMix64.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(1, bound))) }

    /// One to eight edits: bytes replaced, removed, put in, stretches doubled, cut out or taken from `other`.
    mutating func mutate(_ bytes: inout [UInt8], with other: [UInt8]) {
        for _ in 0...below(8) {
            guard !bytes.isEmpty else { return bytes = [Self.telling[below(Self.telling.count)]] }
            let at = below(bytes.count)
            switch below(8) {
            case 0: bytes[at] = UInt8(truncatingIfNeeded: next())
            case 1: bytes[at] = Self.telling[below(Self.telling.count)]
            case 2: bytes.remove(at: at)
            case 3: bytes.insert(Self.telling[below(Self.telling.count)], at: at)
            case 4: bytes.insert(contentsOf: Array(bytes[at..<min(bytes.count, at + below(200))]), at: below(bytes.count))
            case 5: bytes.removeSubrange(at..<min(bytes.count, at + below(400)))
            case 6: bytes.insert(contentsOf: Self.words[below(Self.words.count)].utf8, at: at)
            default:
                let from = below(other.count)
                bytes.insert(contentsOf: other[min(from, other.count)..<min(other.count, from + below(400))], at: at)
            }
        }
    }

    /// Bytes that a grammar of mail gives a meaning to.
    private static let telling: [UInt8] = [
        0, 9, 10, 13, 27, 32, 34, 37, 39, 40, 41, 42, 43, 44, 45, 46, 47, 58, 59, 60, 61, 62, 63, 64, 91, 92, 93, 95, 96, 0x80, 0xC3, 0xFF,
    ]
    private static let words = [
        "\n\n", "\r\n\r\n", "--", "Content-Type: multipart/mixed; boundary=x\n", "Content-Type: message/rfc822\n\n", "=?utf-8?B?", "?=",
        "Content-Transfer-Encoding: base64\n", "Content-Transfer-Encoding: quoted-printable\n", "begin 644 x\n", "filename*0*=utf-8''%41; ",
        "From ", "\n ", "charset=iso-2022-jp", "charset=utf-7", "<blockquote><div><table>", "&#x10FFFF;", "\u{1B}$B", "<a@b>", "(((((",
        ";;;;",
    ]
}
