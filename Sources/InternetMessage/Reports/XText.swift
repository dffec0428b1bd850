/// The encodings of addresses and identifiers in reports: xtext (RFC 3461 §4) and `\x{…}` of utf-8 addresses (RFC 6533 §3).
enum XText {
    /// Undoes xtext where the text is surely that: each `+` begins two upper-case digits of an octet that had to be encoded, and nothing
    /// stands there that would have had to be.
    ///
    /// Reports should hold the decoded form, so text that only looks alike ("ann+20off") must stay: for addresses only `+2B` and `+3D`
    /// count, since nothing else that is ever encoded can stand in one.
    static func decodedIfCertain(_ text: ArraySlice<UInt8>, isAddress: Bool) -> ArraySlice<UInt8> {
        guard text.contains(ASCII.plus) else { return text }
        var output: [UInt8] = []
        var i = text.startIndex
        while i < text.endIndex {
            let byte = text[i]
            if byte == ASCII.plus {
                guard i + 2 < text.endIndex, let high = digit(text[i + 1]), let low = digit(text[i + 2]) else { return text }
                let octet = high << 4 | low
                let hadToBe = octet == ASCII.plus || octet == ASCII.equals || (!isAddress && (octet <= ASCII.space || octet > 0x7E))
                guard hadToBe else { return text }
                output.append(octet)
                i += 3
            } else {
                guard byte > ASCII.space, byte < ASCII.delete, byte != ASCII.equals else { return text }
                output.append(byte)
                i += 1
            }
        }
        return output.contains(where: \.isControl) ? text : output[...]
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        byte >= 0x61 ? nil : byte.hexValue
    }

    /// Undoes the `\x{E9}` of utf-8-addr-xtext and utf-8-addr-unitext; anything else stays as it is.
    static func decodingUnicode(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard text.contains(ASCII.backslash) else { return text }
        var output: [UInt8] = []
        var i = text.startIndex
        while i < text.endIndex {
            if text[i] == ASCII.backslash, text[i...].starts(with: [ASCII.backslash, 0x78, 0x7B]),
                let close = text[..<min(text.endIndex, i + 10)].index(of: 0x7D, from: i),
                let value = UInt32(text[(i + 3)..<close].utf8Text, radix: 16),
                value >= 0x20, value != 0x7F, let scalar = Unicode.Scalar(value)
            {
                output += Array(String(scalar).utf8)
                i = close + 1
            } else {
                output.append(text[i])
                i += 1
            }
        }
        return output[...]
    }
}
