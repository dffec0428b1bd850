/// Decodes one field value; holds the bytes of adjacent words until their charset ends.
struct EncodedWordDecoder {
    struct Word {
        var charset: ArraySlice<UInt8>
        var isBase64: Bool
        var text: ArraySlice<UInt8>
        var end: Int
    }

    private var output: [UInt8] = []
    private var pending: [UInt8] = []
    private var pendingCharset: [UInt8]?
    private var terminators = TerminatorFinder()
    private let hint: String?

    /// `hint` is the charset that raw 8-bit bytes are probably in; nil when nothing is known.
    init(hint: String?) {
        self.hint = hint
    }

    mutating func decode(_ value: ArraySlice<UInt8>) -> String {
        var i = value.startIndex
        var plainStart = i
        while i < value.endIndex {
            guard value[i] == ASCII.equals, let word = Self.word(in: value, at: i, &terminators) else {
                i += 1
                continue
            }
            flushPlain(value[plainStart..<i], beforeWord: true)
            take(word)
            i = word.end
            plainStart = i
        }
        flushPlain(value[plainStart..<value.endIndex], beforeWord: false)
        flushPending()
        return Self.oneLine(output)
    }

    private mutating func take(_ word: Word) {
        let charset = word.charset.asciiLowercased
        if let current = pendingCharset, current != charset { flushPending() }
        pendingCharset = charset
        if word.isBase64 {
            pending += Base64.decodeTolerantly(word.text).bytes
        } else {
            Self.decodeQ(word.text, into: &pending)
        }
    }

    private mutating func flushPlain(_ plain: ArraySlice<UInt8>, beforeWord: Bool) {
        // White space between two encoded words only separates them (RFC 2047 §6.2).
        if beforeWord, pendingCharset != nil, plain.allSatisfy(\.isWhitespace) { return }
        guard !plain.isEmpty else { return }
        flushPending()
        if plain.isASCII {
            Self.unfold(plain, into: &output)
        } else {
            var text: [UInt8] = []
            Self.unfold(plain, into: &text)
            output += Charset.decode(text[...], label: nil, hint: hint).utf8
        }
    }

    private mutating func flushPending() {
        guard let charset = pendingCharset else { return }
        output += Charset.decode(pending[...], label: charset.utf8Text).utf8
        pending = []
        pendingCharset = nil
    }

    /// Copies without line ends (RFC 5322 §2.2.3).
    private static func unfold(_ bytes: ArraySlice<UInt8>, into output: inout [UInt8]) {
        for byte in bytes where byte != ASCII.cr && byte != ASCII.lf { output.append(byte) }
    }

    private static func oneLine(_ bytes: [UInt8]) -> String {
        guard bytes.contains(where: \.isControl) else { return bytes.utf8Text }
        return bytes.map { $0.isControl ? ASCII.space : $0 }.utf8Text
    }

    /// The encoded word at `start`; tolerates spaces in its text and lengths beyond 75.
    static func word(in bytes: ArraySlice<UInt8>, at start: Int, _ terminators: inout TerminatorFinder) -> Word? {
        let end = bytes.endIndex
        guard start + 8 <= end, bytes[start] == ASCII.equals, bytes[start + 1] == ASCII.question else { return nil }
        var i = start + 2
        let charsetStart = i
        var charsetEnd: Int?
        while i < end, bytes[i] != ASCII.question {
            guard bytes[i].isMIMETokenByte, i - charsetStart < 60 else { return nil }
            // A language tag may follow the charset (RFC 2231 §5).
            if bytes[i] == ASCII.asterisk, charsetEnd == nil { charsetEnd = i }
            i += 1
        }
        guard i > charsetStart, i + 2 < end, bytes[i + 2] == ASCII.question else { return nil }
        let encoding = bytes[i + 1] | 0x20
        guard encoding == 0x62 || encoding == 0x71 else { return nil }
        let textStart = i + 3
        guard textStart <= end, let textEnd = terminators.next(in: bytes, from: textStart) else { return nil }
        return Word(
            charset: bytes[charsetStart..<(charsetEnd ?? i)], isBase64: encoding == 0x62, text: bytes[textStart..<textEnd], end: textEnd + 2
        )
    }

    private static func decodeQ(_ text: ArraySlice<UInt8>, into output: inout [UInt8]) {
        var i = text.startIndex
        while i < text.endIndex {
            let byte = text[i]
            if byte == ASCII.underscore {
                output.append(ASCII.space)
            } else if byte == ASCII.equals, i + 2 < text.endIndex, let high = text[i + 1].hexValue, let low = text[i + 2].hexValue {
                output.append(high << 4 | low)
                i += 2
            } else if byte != ASCII.cr, byte != ASCII.lf {
                output.append(byte)
            }
            i += 1
        }
    }
}
