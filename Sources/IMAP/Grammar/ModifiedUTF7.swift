/// The encoding of mailbox names (RFC 3501 §5.1.3): printable ASCII as is, `&` as `&-`, the rest UTF-16 in Base64.
enum ModifiedUTF7 {
    private static let alphabet = ASCII.bytes("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,")

    private static let values: [UInt8: UInt32] = Dictionary(
        uniqueKeysWithValues: alphabet.enumerated().map { ($1, UInt32($0)) })

    /// The name as it is sent. Control characters are encoded too, so the result never holds CR, LF or NUL.
    static func encode(_ name: String) -> [UInt8] {
        var text: [UInt8] = []
        var units: [UInt16] = []
        func flush() {
            guard !units.isEmpty else { return }
            text.append(UInt8(ascii: "&"))
            var bits: UInt32 = 0
            var count = 0
            for unit in units {
                bits = bits << 16 | UInt32(unit)
                count += 16
                while count >= 6 {
                    count -= 6
                    text.append(alphabet[Int(bits >> UInt32(count) & 63)])
                }
                bits &= (1 << UInt32(count)) - 1
            }
            if count > 0 { text.append(alphabet[Int(bits << UInt32(6 - count) & 63)]) }
            text.append(UInt8(ascii: "-"))
            units = []
        }
        for scalar in name.unicodeScalars {
            if scalar.value >= 0x20, scalar.value < 0x7F {
                flush()
                text.append(UInt8(scalar.value))
                if scalar == "&" { text.append(UInt8(ascii: "-")) }
            } else {
                units += Array(String(scalar).utf16)
            }
        }
        flush()
        return text
    }

    /// The name as people read it; nil when the bytes are not modified UTF-7 (8-bit names, broken Base64, half a surrogate pair).
    static func decode(_ bytes: [UInt8]) -> String? {
        var name = String.UnicodeScalarView()
        var position = 0
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            guard byte >= 0x20, byte < 0x7F else { return nil }
            guard byte == UInt8(ascii: "&") else {
                name.append(Unicode.Scalar(byte))
                continue
            }
            guard let end = bytes[position...].firstIndex(of: UInt8(ascii: "-")) else { return nil }
            if end == position {
                name.append("&")
            } else {
                guard let scalars = decodeShifted(bytes[position..<end]) else { return nil }
                name.append(contentsOf: scalars)
            }
            position = end + 1
        }
        return String(name)
    }

    private static func decodeShifted(_ text: ArraySlice<UInt8>) -> [Unicode.Scalar]? {
        var units: [UInt16] = []
        var bits: UInt32 = 0
        var count = 0
        for byte in text {
            guard let value = values[byte] else { return nil }
            bits = bits << 6 | value
            count += 6
            if count >= 16 {
                count -= 16
                units.append(UInt16(truncatingIfNeeded: bits >> UInt32(count)))
                bits &= (1 << UInt32(count)) - 1
            }
        }
        guard count < 6, bits == 0 else { return nil }
        var scalars: [Unicode.Scalar] = []
        var decoder = UTF16()
        var iterator = units.makeIterator()
        while true {
            switch decoder.decode(&iterator) {
            case .scalarValue(let scalar): scalars.append(scalar)
            case .emptyInput: return scalars
            case .error: return nil
            }
        }
    }
}
