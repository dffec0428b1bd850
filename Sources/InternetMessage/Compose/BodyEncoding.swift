/// A text body in the transfer encoding that suits it.
struct BodyEncoding {
    /// The value of Content-Transfer-Encoding: `7bit`, `8bit`, `quoted-printable` or `base64`.
    let name: String
    /// The encoded body: CRLF line ends, closed by one; ASCII unless `name` is `8bit`.
    let bytes: [UInt8]

    /// 7bit where the text is such that nothing on the way changes it, 8bit on the same terms where `allows8bit`, else the shorter of
    /// quoted-printable and base64. Throws when the text holds a NUL, which no mail may carry (RFC 5322 §4).
    init(_ text: String, field: String, allows8bit: Bool = false) throws(ComposeError) {
        let body = BodyEncoding.withCRLF(text)
        var controls = 0
        var eightBit = 0
        var longest = 0
        var column = 0
        for byte in body {
            // Columns are characters: continuation octets of UTF-8 take none.
            if byte == ASCII.lf { column = 0 } else if byte & 0xC0 != 0x80 { column += 1 }
            longest = max(longest, column)
            if byte == ASCII.nul { throw ComposeError(.controlCharacter, field: field, "the text holds the control character U+0000") }
            if byte >= 0x80 {
                eightBit += 1
            } else if byte == ASCII.delete || (byte < 0x20 && !byte.isWhitespace) {
                controls += 1
            }
        }
        // The column counts the CR, so 79 stands for a line of 78. Longer lines are legal up to 998 but rewrapped by some relays,
        // and a line that begins with "From " gets a ">" from mbox programs: both would break a DKIM signature.
        let isSteady = controls == 0 && longest <= FieldWriter.preferredLine + 1 && !BodyEncoding.hasFromLine(body)
        if isSteady, eightBit == 0 || allows8bit {
            (name, bytes) = (eightBit == 0 ? "7bit" : "8bit", body)
        } else if (controls + eightBit) * 6 <= body.count {
            (name, bytes) = ("quoted-printable", QuotedPrintable.encode(body[...]))
        } else {
            (name, bytes) = ("base64", Base64Lines.encode(body[...]))
        }
    }

    /// The text with CRLF for every CRLF, LF and CR, closed by one.
    private static func withCRLF(_ text: String) -> [UInt8] {
        let input = Array(text.utf8)
        var output: [UInt8] = []
        output.reserveCapacity(input.count + input.count / 20 + 2)
        var start = 0
        while start < input.count {
            let end = input[start...].firstIndex { $0 == ASCII.lf || $0 == ASCII.cr } ?? input.count
            output += input[start..<end]
            guard end < input.count else { break }
            output += [ASCII.cr, ASCII.lf]
            start = end + (input[end] == ASCII.cr && end + 1 < input.count && input[end + 1] == ASCII.lf ? 2 : 1)
        }
        if let last = output.last, last != ASCII.lf { output += [ASCII.cr, ASCII.lf] }
        return output
    }

    private static func hasFromLine(_ body: [UInt8]) -> Bool {
        let mark = Array("From ".utf8)
        return body.starts(with: mark) || body[...].index(of: [ASCII.lf] + mark, from: 0) != nil
    }
}

/// Base64 in lines of 76 (RFC 2045 §6.8).
enum Base64Lines {
    /// Octets that make one line. Content that is encoded in steps is cut at multiples of it.
    static let octetsPerLine = 57

    /// The lines for `bytes`, each with CRLF; nothing for nothing.
    static func encode(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(size(of: bytes.count))
        var i = bytes.startIndex
        while i < bytes.endIndex {
            let end = min(bytes.endIndex, i + octetsPerLine)
            output += Base64.encode(bytes[i..<end])
            output += [ASCII.cr, ASCII.lf]
            i = end
        }
        return output
    }

    /// The octets that `encode` makes of `count` octets, of which there are at most 2^40.
    static func size(of count: Int) -> Int {
        let rest = count % octetsPerLine
        return count / octetsPerLine * 78 + (rest == 0 ? 0 : (rest + 2) / 3 * 4 + 2)
    }
}
