/// Bytes in any charset of the mail world to Unicode text.
package enum Charset {
    /// Text and what had to be guessed to get it.
    package struct Decoded: Hashable, Sendable {
        /// The text; what could not be read is U+FFFD.
        package var text: String
        /// `unknownCharset`, `charsetMismatch`, or nil when the label was right.
        package var defect: Defect?
    }

    /// The text of `bytes`, by their label where it is right, else by what they look like. Never fails.
    package static func decode(_ bytes: ArraySlice<UInt8>, label: String?, hint: String? = nil) -> String {
        decoding(bytes, label: label, hint: hint).text
    }

    /// The text of `bytes` with the fact whether their label was right.
    ///
    /// Well-formed UTF-8 is read as UTF-8 whatever single-byte charset it is labelled with; text labelled UTF-8 with a few malformed
    /// bytes among good sequences keeps its label. Bytes without a label, or with one that cannot be right, are read by `hint` (the
    /// charset of the text around them) when that fits, then by what they look like (`CharsetGuess`), at last as windows-1252.
    package static func decoding(_ bytes: ArraySlice<UInt8>, label: String?, hint: String? = nil) -> Decoded {
        let kind = label.map { CharsetName.kind($0.utf8) } ?? .ascii
        switch kind {
        case .wide(let name):
            if let text = CharsetConverter.utf8(bytes, from: name) { return decoded(text, isRight: text.malformed == 0) }
        case .utf7: return decoded(UTF7.utf8(bytes))
        case .hz: return decoded(HZ.utf8(bytes))
        case .iso2022JP where bytes.isASCII: return decoded(ISO2022JP.utf8(bytes))
        default: break
        }
        let unknown: Defect? = kind == nil ? .unknownCharset : nil
        if var text = try? UTF8Span(validating: bytes.span) {
            if text.checkForASCII() {
                // Quirk(unlabelled Japanese): seven-bit ISO-2022-JP announces itself by its escape sequences.
                if ISO2022JP.isLikely(bytes), !isASCIIOnly(kind) {
                    return Decoded(text: ISO2022JP.utf8(bytes).bytes.utf8Text, defect: unknown ?? .charsetMismatch)
                }
                return Decoded(text: String(copying: text), defect: unknown)
            }
            if isPlausibleUTF8(bytes, for: kind) {
                return Decoded(text: String(copying: text), defect: unknown ?? (kind == .utf8 ? nil : .charsetMismatch))
            }
        }
        switch kind {
        case .utf8 where UTF8Check(bytes).isMostlyRight: return Decoded(text: bytes.utf8Text, defect: .charsetMismatch)
        case .western: return Decoded(text: Windows1252.decode(bytes))
        case .iconv(let name):
            if let text = CharsetConverter.utf8(bytes, from: name) {
                if text.malformed == 0 { return decoded(text) }
                // A few damaged characters do not make the label wrong.
                let check = UTF8Check(bytes)
                if text.malformed * 10 <= check.malformed + check.multibyte * 2 { return decoded(text, isRight: false) }
                return guessed(bytes, hint: hint).map { Decoded(text: $0, defect: .charsetMismatch) } ?? decoded(text, isRight: false)
            }
        default: break
        }
        let text = guessed(bytes, hint: hint) ?? Windows1252.decode(bytes)
        return Decoded(text: text, defect: unknown ?? .charsetMismatch)
    }

    private static func decoded(_ text: (bytes: [UInt8], malformed: Int), isRight: Bool? = nil) -> Decoded {
        Decoded(text: text.bytes.utf8Text, defect: isRight ?? (text.malformed == 0) ? nil : .charsetMismatch)
    }

    /// Labels that may well mean ASCII with escape characters in it.
    private static func isASCIIOnly(_ kind: CharsetName.Kind?) -> Bool {
        if case .iconv = kind { true } else { false }
    }

    /// Whether well-formed sequences are no chance: text in two-byte charsets can look like a little UTF-8.
    private static func isPlausibleUTF8(_ bytes: ArraySlice<UInt8>, for kind: CharsetName.Kind?) -> Bool {
        guard case .iconv(let name) = kind, CharsetName.isMultibyte(name) else { return true }
        return UTF8Check(bytes).multibyte >= 4
    }

    /// The text by the charset of its surroundings or by its looks, nil when neither fits.
    private static func guessed(_ bytes: ArraySlice<UInt8>, hint: String?) -> String? {
        if let hint, case .iconv(let name) = CharsetName.kind(hint.utf8), let text = CharsetConverter.utf8(bytes, from: name),
            text.malformed == 0
        {
            return text.bytes.utf8Text
        }
        guard let name = CharsetGuess.name(of: bytes) else { return nil }
        return CharsetConverter.utf8(bytes, from: name).map { $0.bytes.utf8Text }
    }
}
