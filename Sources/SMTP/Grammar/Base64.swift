/// Base64 as the AUTH exchange uses it, RFC 4648 §4: no line breaks, padding mandatory, nothing else tolerated.
enum Base64 {
    private static let alphabet: [UInt8] = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encode(_ bytes: [UInt8]) -> [UInt8] {
        var encoded: [UInt8] = []
        encoded.reserveCapacity((bytes.count + 2) / 3 * 4)
        var index = 0
        while index < bytes.count {
            let rest = bytes.count - index
            let first = bytes[index]
            let second = rest > 1 ? bytes[index + 1] : 0
            let third = rest > 2 ? bytes[index + 2] : 0
            encoded.append(alphabet[Int(first >> 2)])
            encoded.append(alphabet[Int((first & 0x03) << 4 | second >> 4)])
            encoded.append(rest > 1 ? alphabet[Int((second & 0x0F) << 2 | third >> 6)] : ASCII.equals)
            encoded.append(rest > 2 ? alphabet[Int(third & 0x3F)] : ASCII.equals)
            index += 3
        }
        return encoded
    }

    /// The octets that `text` encodes; nil when it is not canonical base64.
    static func decode(_ text: [UInt8]) -> [UInt8]? {
        guard text.count % 4 == 0 else { return nil }
        var decoded: [UInt8] = []
        decoded.reserveCapacity(text.count / 4 * 3)
        var index = 0
        while index < text.count {
            let isLast = index + 4 == text.count
            let padding = isLast ? (text[index + 3] != ASCII.equals ? 0 : text[index + 2] != ASCII.equals ? 1 : 2) : 0
            var group: UInt32 = 0
            for offset in 0..<4 {
                group <<= 6
                guard offset < 4 - padding else { continue }
                guard let value = value(of: text[index + offset]) else { return nil }
                group |= UInt32(value)
            }
            let octets = [UInt8(truncatingIfNeeded: group >> 16), UInt8(truncatingIfNeeded: group >> 8), UInt8(truncatingIfNeeded: group)]
            // The bits that the padding cuts off must be zero, or two texts would mean the same octets.
            guard octets.suffix(padding).allSatisfy({ $0 == 0 }) else { return nil }
            decoded.append(contentsOf: octets.prefix(3 - padding))
            index += 4
        }
        return decoded
    }

    private static func value(of byte: UInt8) -> UInt8? {
        switch byte {
        case 0x41...0x5A: byte - 0x41
        case 0x61...0x7A: byte - 0x61 + 26
        case 0x30...0x39: byte - 0x30 + 52
        case ASCII.plus: 62
        case 0x2F: 63
        default: nil
        }
    }
}
