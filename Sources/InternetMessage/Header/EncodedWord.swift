/// Encoded words of RFC 2047: read tolerantly, written strictly.
package enum EncodedWord {
    /// The text of a field value: unfolded, encoded words decoded, raw 8-bit bytes read as UTF-8 or else by their looks.
    ///
    /// White space between two encoded words disappears, characters split between words of one charset are joined, and control
    /// characters (an encoded CR or LF above all) become spaces, so the text is one line.
    /// `hint` is the charset that raw 8-bit bytes are probably in; nil when nothing is known.
    package static func decode(_ value: ArraySlice<UInt8>, hint: String? = nil) -> String {
        var decoder = EncodedWordDecoder(hint: hint)
        return decoder.decode(value)
    }

    /// The text of a field value from a whole array.
    package static func decode(_ value: [UInt8]) -> String { decode(value[...]) }

    /// Where the encoded word that begins at `start` ends, nil when none of at most 1000 octets begins there.
    static func end(in bytes: ArraySlice<UInt8>, at start: Int) -> Int? {
        var terminators = TerminatorFinder()
        return end(in: bytes[..<min(bytes.endIndex, start + 1000)], at: start, &terminators)
    }

    /// The same for a scan that goes on from place to place: all searches of one finder together are linear.
    static func end(in bytes: ArraySlice<UInt8>, at start: Int, _ terminators: inout TerminatorFinder) -> Int? {
        guard let end = EncodedWordDecoder.word(in: bytes, at: start, &terminators)?.end, end - start <= 1000 else { return nil }
        return end
    }

    /// `text` as encoded words in UTF-8, base64 or Q, whichever is shorter: none longer than 75 characters, none splitting a
    /// character, the first short enough for a line on which `columnsUsed` columns are taken (RFC 2047 §2).
    static func encode(_ text: String, columnsUsed: Int) -> [[UInt8]] {
        let quotedCost = text.utf8.reduce(0) { $0 + (isPlainInQ($1) ? 1 : 3) }
        let useBase64 = quotedCost > (text.utf8.count + 2) / 3 * 4
        var room = Self.room(columns: 76 - columnsUsed, base64: useBase64)
        var words: [[UInt8]] = []
        var chunk: [UInt8] = []
        var used = 0
        for scalar in text.unicodeScalars {
            let bytes = UTF8.encode(scalar).map(Array.init) ?? []
            let cost = useBase64 ? bytes.count : bytes.reduce(0) { $0 + (isPlainInQ($1) ? 1 : 3) }
            if used + cost > room {
                words.append(word(chunk, base64: useBase64))
                room = Self.room(columns: 75, base64: useBase64)
                chunk = []
                used = 0
            }
            chunk += bytes
            used += cost
        }
        if !chunk.isEmpty { words.append(word(chunk, base64: useBase64)) }
        return words
    }

    /// What fits between "=?utf-8?Q?" and "?=": characters in Q, bytes in base64; at least one character of any kind.
    private static func room(columns: Int, base64: Bool) -> Int {
        let characters = max(12, min(75, columns) - 12)
        return base64 ? characters / 4 * 3 : characters
    }

    private static func word(_ bytes: [UInt8], base64: Bool) -> [UInt8] {
        if base64 { return Array("=?utf-8?B?".utf8) + Base64.encode(bytes) + Array("?=".utf8) }
        var text = Array("=?utf-8?Q?".utf8)
        for byte in bytes {
            if byte == ASCII.space {
                text.append(ASCII.underscore)
            } else if isPlainInQ(byte) {
                text.append(byte)
            } else {
                text.append(ASCII.equals)
                text += QuotedPrintable.hex(byte)
            }
        }
        return text + Array("?=".utf8)
    }

    // The narrowest of the three sets in RFC 2047 §5, the one that is safe inside a phrase.
    private static func isPlainInQ(_ byte: UInt8) -> Bool {
        byte.isLetter || byte.isDigit || byte == ASCII.space || byte == 0x21 || byte == ASCII.asterisk || byte == ASCII.plus
            || byte == ASCII.hyphen || byte == ASCII.slash
    }
}
