/// Reads UTF-7 (RFC 2152), which is honoured only where a label says so.
enum UTF7 {
    /// The bytes as UTF-8; what is no UTF-7 is U+FFFD and counted.
    static func utf8(_ bytes: ArraySlice<UInt8>) -> (bytes: [UInt8], malformed: Int) {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        var malformed = 0
        var i = bytes.startIndex
        while i < bytes.endIndex {
            let byte = bytes[i]
            i += 1
            if byte >= 0x80 {
                output += replacement
                malformed += 1
            } else if byte != ASCII.plus {
                output.append(byte)
            } else if i < bytes.endIndex, bytes[i] == ASCII.hyphen {
                output.append(ASCII.plus)
                i += 1
            } else {
                let start = i
                while i < bytes.endIndex, Base64.isAlphabet(bytes[i]) { i += 1 }
                let units = Base64.decodeTolerantly(bytes[start..<i]).bytes
                malformed += appendUTF16(units, to: &output)
                if start == i { malformed += 1 }
                if i < bytes.endIndex, bytes[i] == ASCII.hyphen { i += 1 }
            }
        }
        return (output, malformed)
    }

    /// Appends big-endian UTF-16; the number of unpaired surrogates.
    private static func appendUTF16(_ bytes: [UInt8], to output: inout [UInt8]) -> Int {
        var malformed = 0
        var high: UInt32?
        var i = 0
        while i + 1 < bytes.count {
            let unit = UInt32(bytes[i]) << 8 | UInt32(bytes[i + 1])
            i += 2
            if let lead = high {
                high = nil
                if (0xDC00...0xDFFF).contains(unit) {
                    append(0x10000 + (lead - 0xD800) << 10 + (unit - 0xDC00), &output, &malformed)
                    continue
                }
                append(lead, &output, &malformed)
            }
            if (0xD800...0xDBFF).contains(unit) { high = unit } else { append(unit, &output, &malformed) }
        }
        if let high { append(high, &output, &malformed) }
        return malformed
    }

    private static func append(_ value: UInt32, _ output: inout [UInt8], _ malformed: inout Int) {
        if let scalar = Unicode.Scalar(value), let encoded = UTF8.encode(scalar) {
            output += encoded
        } else {
            output += replacement
            malformed += 1
        }
    }

    private static let replacement: [UInt8] = [0xEF, 0xBF, 0xBD]
}
