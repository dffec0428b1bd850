/// A message that travels as it is, within another one or on its own: nothing may encode it (RFC 2046 §5.2.1).
enum WholeMessage {
    /// The transfer encoding that its octets need, `7bit` or `8bit`.
    ///
    /// Throws when they cannot travel at all: a line end other than CRLF, a line of more than 998 octets, or NUL.
    static func encoding(of bytes: some Collection<UInt8>, field: String) throws(ComposeError) -> String {
        var column = 0
        var has8bit = false
        var previous = ASCII.lf
        for byte in bytes {
            if (byte == ASCII.lf) != (previous == ASCII.cr), byte == ASCII.lf || previous == ASCII.cr {
                throw ComposeError(.controlCharacter, field: field, "a line end other than CRLF")
            }
            if byte == ASCII.nul { throw ComposeError(.controlCharacter, field: field, "a NUL") }
            column = byte == ASCII.lf || byte == ASCII.cr ? 0 : column + 1
            if column > FieldWriter.longestLine { throw ComposeError(.tooLong, field: field, "a line of more than 998 octets") }
            if byte >= 0x80 { has8bit = true }
            previous = byte
        }
        if previous == ASCII.cr { throw ComposeError(.controlCharacter, field: field, "a line end other than CRLF") }
        return has8bit ? "8bit" : "7bit"
    }
}
