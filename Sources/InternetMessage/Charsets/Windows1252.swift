/// The charset that unlabelled western mail is in; its five holes are read as the C1 controls of the same number.
package enum Windows1252 {
    /// The text of any bytes.
    package static func decode(_ bytes: ArraySlice<UInt8>) -> String {
        let high = bytes.reduce(0) { $0 &+ Int($1 >> 7) }
        let output = [UInt8](capacity: bytes.count + high * 2) { output in
            let bytes = bytes.span
            let sequences = sequences.span
            for i in bytes.indices {
                let byte = bytes[i]
                if byte < 0x80 {
                    output.append(byte)
                } else if byte < 0xA0 {
                    let (count, first, second, third) = sequences[Int(byte & 0x1F)]
                    output.append(first)
                    output.append(second)
                    if count == 3 { output.append(third) }
                } else {
                    output.append(0xC0 | byte >> 6)
                    output.append(0x80 | byte & 0x3F)
                }
            }
        }
        return output.utf8Text
    }

    /// The UTF-8 of 0x80...0x9F: two or three octets each.
    private static let sequences: [(Int, UInt8, UInt8, UInt8)] = upper.map { scalar in
        let bytes = Array(String(scalar).utf8)
        return (bytes.count, bytes[0], bytes[1], bytes.count == 3 ? bytes[2] : 0)
    }

    private static let upper: [Unicode.Scalar] = [
        "\u{20AC}", "\u{81}", "\u{201A}", "\u{0192}", "\u{201E}", "\u{2026}", "\u{2020}", "\u{2021}", "\u{02C6}", "\u{2030}", "\u{0160}",
        "\u{2039}", "\u{0152}", "\u{8D}", "\u{017D}", "\u{8F}", "\u{90}", "\u{2018}", "\u{2019}", "\u{201C}", "\u{201D}", "\u{2022}",
        "\u{2013}", "\u{2014}", "\u{02DC}", "\u{2122}", "\u{0161}", "\u{203A}", "\u{0153}", "\u{9D}", "\u{017E}", "\u{0178}",
    ]
}
