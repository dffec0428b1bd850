/// One header field: a name and a value, with the exact bytes it has in the message (RFC 5322 §2.2).
///
/// A field made by `init(name:value:)` cannot hold a line end or another control character.
package struct HeaderField: Sendable, Hashable {
    /// The field as it stands in the message: name, colon, value, folding, and the line end behind it.
    package let raw: ArraySlice<UInt8>
    private let nameEnd: Int
    private let valueStart: Int
    private let charsetHint: String?

    init(raw: ArraySlice<UInt8>, nameEnd: Int, valueStart: Int, charsetHint: String? = nil) {
        self.charsetHint = charsetHint
        self.raw = raw
        self.nameEnd = nameEnd
        self.valueStart = valueStart
    }

    /// A field to be written. The value is plain text: what is not ASCII becomes encoded words, long values are folded once.
    ///
    /// Throws `ComposeError` naming the field when the name is no field name, or when the value holds CR, LF, NUL or any other
    /// control or line-separating character.
    package init(name: String, value: String) throws(ComposeError) {
        self = try FieldWriter.unstructured(name, value)
    }

    /// A field written by this module, whose bytes are known to be `Name: value CRLF`.
    init(written raw: [UInt8], nameCount: Int) {
        self.raw = raw[...]
        nameEnd = nameCount
        valueStart = nameCount + 1
        charsetHint = nil
    }

    /// The name as written.
    package var name: String { raw[raw.startIndex..<nameEnd].utf8Text }

    /// The bytes of the name, without white space before the colon.
    package var nameBytes: ArraySlice<UInt8> { raw[raw.startIndex..<nameEnd] }

    /// The bytes between the colon and the line end that closes the field, folding kept.
    package var rawValue: ArraySlice<UInt8> {
        var value = raw[valueStart...]
        if value.last == ASCII.lf { value.removeLast() }
        if value.last == ASCII.cr { value.removeLast() }
        return value
    }

    /// The value unfolded, without white space at either end.
    package var value: [UInt8] {
        let value = rawValue.trimmed
        return value.filter { $0 != ASCII.cr && $0 != ASCII.lf }
    }

    /// The value as text: unfolded, encoded words decoded, one line.
    package var text: String { EncodedWord.decode(rawValue.trimmed, hint: charsetHint) }

    /// Whether the field has this name, case ignored.
    package func isNamed(_ other: String) -> Bool { nameBytes.matches(other) }

    package static func == (left: HeaderField, right: HeaderField) -> Bool { left.raw == right.raw }

    package func hash(into hasher: inout Hasher) { hasher.combine(raw) }
}
