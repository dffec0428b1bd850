/// Writes the parameters of Content-Type and Content-Disposition (RFC 2045 §5.1, RFC 2231).
enum ParameterWriter {
    /// A field with a first word and parameters, folded between them. Names are ours; values hold no control characters.
    static func field(_ name: String, _ value: String, _ parameters: [(name: String, value: String)] = []) -> HeaderField {
        var tokens = [Array(value.utf8)]
        for parameter in parameters { tokens += segments(parameter.name, Array(parameter.value.utf8)) }
        for position in tokens.indices.dropLast() { tokens[position].append(ASCII.semicolon) }
        return FieldWriter.folded(name, tokens)
    }

    /// One parameter: as a token or a quoted string where it is plain and fits a line, else percent-encoded UTF-8 in as many
    /// numbered segments as it needs, none splitting a character.
    ///
    /// No encoded word stands beside it: RFC 2047 §5 forbids them in parameters, and every client of today reads RFC 2231.
    private static func segments(_ name: String, _ value: [UInt8]) -> [[UInt8]] {
        let room = FieldWriter.preferredLine - 2
        if isPlain(value) {
            let isToken = !value.isEmpty && value.allSatisfy(\.isMIMETokenByte)
            let whole = Array("\(name)=".utf8) + (isToken ? value : AddressSyntax.quoted(value))
            if whole.count <= room { return [whole] }
        }
        let characters = value.utf8Text.unicodeScalars.map { scalar in (UTF8.encode(scalar).map(Array.init) ?? []).flatMap(encoded) }
        let whole = Array("\(name)*=utf-8''".utf8) + characters.joined()
        if whole.count <= room { return [whole] }
        var segments: [[UInt8]] = []
        var segment = Array("\(name)*0*=utf-8''".utf8)
        for character in characters {
            if segment.count + character.count > room {
                segments.append(segment)
                segment = Array("\(name)*\(segments.count)*=".utf8)
            }
            segment += character
        }
        return segments + [segment]
    }

    /// Printable ASCII that no reader takes for an escape or an encoded word.
    private static func isPlain(_ value: [UInt8]) -> Bool {
        value.allSatisfy { $0 >= ASCII.space && $0 < ASCII.delete && $0 != ASCII.quote && $0 != ASCII.backslash }
            && value[...].index(of: [ASCII.equals, ASCII.question], from: 0) == nil
    }

    private static func encoded(_ byte: UInt8) -> [UInt8] {
        let isAttributeByte =
            byte.isMIMETokenByte && byte != ASCII.asterisk && byte != ASCII.apostrophe && byte != ASCII.percent
        return isAttributeByte ? [byte] : [ASCII.percent] + QuotedPrintable.hex(byte)
    }
}
