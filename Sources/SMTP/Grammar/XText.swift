/// xtext, RFC 3461 §4: octets outside visible US-ASCII, `+` and `=` are written as `+` and two upper-case hexadecimal digits.
enum XText {
    static func encode(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        var encoded: [UInt8] = []
        for byte in bytes {
            if ASCII.isVisible(byte), byte != ASCII.plus, byte != ASCII.equals {
                encoded.append(byte)
            } else {
                encoded += [ASCII.plus, digit(byte >> 4), digit(byte & 0x0F)]
            }
        }
        return encoded
    }

    /// The octets that `text` stands for; nil when it is not xtext.
    static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        var decoded: [UInt8] = []
        var rest = Array(text)[...]
        while let byte = rest.popFirst() {
            if byte == ASCII.plus {
                guard let high = rest.popFirst().flatMap(value), let low = rest.popFirst().flatMap(value) else { return nil }
                decoded.append(high << 4 | low)
            } else {
                guard ASCII.isVisible(byte), byte != ASCII.equals else { return nil }
                decoded.append(byte)
            }
        }
        return decoded
    }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x41 + value - 10 }

    private static func value(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        default: nil
        }
    }
}
