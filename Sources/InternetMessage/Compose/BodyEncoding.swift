/// A text body in the transfer encoding that suits it.
struct BodyEncoding {
    /// The value of Content-Transfer-Encoding.
    let name: String
    /// The encoded body: ASCII, CRLF line ends, closed by one.
    let bytes: [UInt8]

    /// Throws when the text holds a NUL, which no mail may carry (RFC 5322 §4).
    init(_ text: String, field: String) throws(ComposeError) {
        let body = BodyEncoding.withCRLF(text)
        var toEncode = 0
        var longest = 0
        var column = 0
        for byte in body {
            column = byte == ASCII.lf ? 0 : column + 1
            longest = max(longest, column)
            if byte == ASCII.nul { throw ComposeError(.controlCharacter, field: field, "the text holds the control character U+0000") }
            if byte >= 0x7F || (byte < 0x20 && !byte.isWhitespace) { toEncode += 1 }
        }
        // The column counts the CR, so 79 stands for a line of 78. Longer lines are legal up to 998 but rewrapped by some relays,
        // and a line that begins with "From " gets a ">" from mbox programs: both would break a DKIM signature.
        if toEncode == 0, longest <= FieldWriter.preferredLine + 1, !BodyEncoding.hasFromLine(body) {
            (name, bytes) = ("7bit", body)
        } else if toEncode * 6 <= body.count {
            (name, bytes) = ("quoted-printable", QuotedPrintable.encode(body[...]))
        } else {
            (name, bytes) = ("base64", BodyEncoding.base64Lines(body))
        }
    }

    /// The text with CRLF for every CRLF, LF and CR, closed by one.
    private static func withCRLF(_ text: String) -> [UInt8] {
        var output: [UInt8] = []
        let input = text.utf8
        output.reserveCapacity(input.count + input.count / 20 + 2)
        var previous: UInt8 = 0
        for byte in input {
            if byte == ASCII.cr || (byte == ASCII.lf && previous != ASCII.cr) {
                output += [ASCII.cr, ASCII.lf]
            } else if byte != ASCII.lf {
                output.append(byte)
            }
            previous = byte
        }
        if let last = output.last, last != ASCII.lf { output += [ASCII.cr, ASCII.lf] }
        return output
    }

    private static func hasFromLine(_ body: [UInt8]) -> Bool {
        let mark = Array("From ".utf8)
        return body.starts(with: mark) || body[...].index(of: [ASCII.lf] + mark, from: 0) != nil
    }

    private static func base64Lines(_ body: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        var i = 0
        while i < body.count {
            output += Base64.encode(body[i..<min(body.count, i + 57)])
            output += [ASCII.cr, ASCII.lf]
            i += 57
        }
        return output
    }
}
