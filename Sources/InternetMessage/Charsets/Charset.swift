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
    package static func decode(_ bytes: ArraySlice<UInt8>, label: String?) -> String {
        decoding(bytes, label: label).text
    }

    /// The text of `bytes` with the fact whether their label was right.
    ///
    /// A label that is missing, unknown, ASCII or western gives way to UTF-8 when the bytes are well-formed UTF-8; then
    /// windows-1252 is assumed. Text labelled UTF-8 with a few malformed bytes among good sequences keeps its label.
    package static func decoding(_ bytes: ArraySlice<UInt8>, label: String?) -> Decoded {
        let kind = label.map { CharsetName.kind($0.utf8) } ?? .ascii
        if case .iconv(let name) = kind, let text = CharsetConverter.utf8(bytes, from: name) {
            if text.malformed == 0 { return Decoded(text: text.bytes.utf8Text) }
            if UTF8Check.isValid(bytes), !bytes.isASCII { return Decoded(text: bytes.utf8Text, defect: .charsetMismatch) }
            return Decoded(text: text.bytes.utf8Text, defect: .charsetMismatch)
        }
        let unknown: Defect? = kind == nil ? .unknownCharset : nil
        if var text = try? UTF8Span(validating: bytes.span) {
            let isRight = kind == .utf8 || text.checkForASCII()
            return Decoded(text: String(copying: text), defect: unknown ?? (isRight ? nil : .charsetMismatch))
        }
        if kind == .utf8 {
            let check = UTF8Check(bytes)
            if check.multibyte >= check.malformed { return Decoded(text: bytes.utf8Text, defect: .charsetMismatch) }
        }
        return Decoded(text: Windows1252.decode(bytes), defect: unknown ?? (kind == .western ? nil : .charsetMismatch))
    }
}
