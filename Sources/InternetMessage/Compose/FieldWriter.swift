/// Writes header fields: encoded where needed, folded once at 78 columns, never beyond 998 (RFC 5322 §2.1.1).
enum FieldWriter {
    static let preferredLine = 78
    static let longestLine = 998
    /// The longest line of a field with encoded words (RFC 2047 §2).
    static let encodedLine = 76
    /// The longest run without a place to fold that is written as it is.
    static let longestToken = 900

    /// A field whose value is free text. A word longer than `longestWord` becomes encoded words, which can be folded.
    static func unstructured(_ name: String, _ value: String, longestWord: Int = longestToken) throws(ComposeError) -> HeaderField {
        try check(name: name)
        try check(value, field: name)
        return folded(
            name, textTokens(Array(value.utf8)[...].trimmed, columnsUsed: name.utf8.count + 2, longestWord: longestWord))
    }

    /// A field with mailboxes (RFC 5322 §3.4). Display names with control characters are refused, and so are addresses that were read
    /// from somebody else's message and that no mail could be sent to.
    static func mailboxes(_ name: String, _ mailboxes: [Mailbox]) throws(ComposeError) -> HeaderField {
        var tokens: [[UInt8]] = []
        for (position, mailbox) in mailboxes.enumerated() {
            let comma: [UInt8] = position + 1 < mailboxes.count ? [ASCII.comma] : []
            let address = mailbox.address.wireBytes
            guard EmailAddress(parsing: address) != nil else {
                throw ComposeError(.syntax, field: name, "an address that cannot be mailed to (RFC 5321 §4.1.2)")
            }
            guard let displayName = mailbox.displayName else {
                tokens.append(address + comma)
                continue
            }
            try check(displayName, field: name)
            let phrase = phraseTokens(Array(displayName.utf8)[...].trimmed, columnsUsed: position == 0 ? name.utf8.count + 2 : 1)
            tokens += phrase
            tokens.append(phrase.isEmpty ? address + comma : [ASCII.less] + address + [ASCII.greater] + comma)
        }
        return folded(name, tokens)
    }

    /// A field from tokens that are legal as they are; between two tokens stands a space or a fold.
    static func folded(_ name: String, _ tokens: [[UInt8]]) -> HeaderField {
        let limit = tokens.contains { looksEncoded($0[...]) } ? encodedLine : preferredLine
        var line = Array(name.utf8) + [ASCII.colon]
        var column = line.count
        for (position, token) in tokens.enumerated() {
            if position > 0, column + 1 + token.count > limit {
                line += [ASCII.cr, ASCII.lf]
                column = 0
            }
            line.append(ASCII.space)
            line += token
            column += 1 + token.count
        }
        line += [ASCII.cr, ASCII.lf]
        return HeaderField(written: line, nameCount: name.utf8.count)
    }

    /// Free text cut at its spaces, or as encoded words where it is not plain ASCII, looks like an encoded word, has runs of
    /// spaces that a fold would lose, or has a word that is too long.
    private static func textTokens(_ text: ArraySlice<UInt8>, columnsUsed: Int, longestWord: Int) -> [[UInt8]] {
        let words = text.split(separator: ASCII.space, omittingEmptySubsequences: false)
        let isShort = columnsUsed + text.count <= preferredLine
        if text.isASCII, !looksEncoded(text), words.allSatisfy({ $0.count <= longestWord }), isShort || !words.contains(where: \.isEmpty) {
            return words.map(Array.init)
        }
        return EncodedWord.encode(text.utf8Text, columnsUsed: columnsUsed)
    }

    /// A display name: atoms, a quoted string that fits a line, or encoded words (RFC 5322 §3.2.5).
    private static func phraseTokens(_ name: ArraySlice<UInt8>, columnsUsed: Int) -> [[UInt8]] {
        guard !name.isEmpty else { return [] }
        let words = name.split(separator: ASCII.space, omittingEmptySubsequences: false)
        if name.isASCII, !looksEncoded(name) {
            if words.allSatisfy({ (1...70).contains($0.count) && $0.allSatisfy(\.isAtext) }) { return words.map(Array.init) }
            let quoted = AddressSyntax.quoted(name)
            if columnsUsed + quoted.count <= preferredLine { return [quoted] }
        }
        return EncodedWord.encode(name.utf8Text, columnsUsed: columnsUsed)
    }

    private static func looksEncoded(_ text: ArraySlice<UInt8>) -> Bool {
        text.index(of: [ASCII.equals, ASCII.question], from: text.startIndex) != nil
    }

    static func check(name: String) throws(ComposeError) {
        guard (1...76).contains(name.utf8.count), name.utf8.allSatisfy(\.isFieldNameByte) else {
            throw ComposeError(
                .fieldName, field: name.unicodeScalars.allSatisfy { $0.value >= 0x20 } ? name : "", "not a header field name",
                remedy: "use a name such as X-Campaign")
        }
    }

    /// Refuses what could end a line or hide in one: C0 and C1 controls, DEL, and the line and paragraph separators of Unicode.
    static func check(_ value: String, field: String) throws(ComposeError) {
        for scalar in value.unicodeScalars {
            switch scalar.value {
            case 0..<0x20, 0x7F...0x9F, 0x2028, 0x2029:
                throw ComposeError(.controlCharacter, field: field, "the value holds \(words(scalar))")
            default: break
            }
        }
    }

    /// A control character as people know it: `a line feed (U+000A)`.
    static func words(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        let number = "U+" + String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
        switch scalar.value {
        case 0x09: return "a tab (\(number))"
        case 0x0A: return "a line feed (\(number))"
        case 0x0D: return "a carriage return (\(number))"
        case 0x2028, 0x2029: return "a line separator (\(number))"
        default: return "the control character \(number)"
        }
    }

    /// Whether a field that came from elsewhere has the form in which fields are written here: ASCII, CRLF only at folds and at
    /// the end, no other control but tab, no line over the limit and none that is blank (RFC 5322 §3.2.2).
    static func isWritable(_ raw: ArraySlice<UInt8>) -> Bool {
        guard raw.isASCII, raw.suffix(2).elementsEqual([ASCII.cr, ASCII.lf]) else { return false }
        var column = 0
        var isBlank = false
        var i = raw.startIndex
        let end = raw.endIndex - 2
        while i < end {
            if raw[i] == ASCII.cr {
                guard i + 2 < end, raw[i + 1] == ASCII.lf, raw[i + 2].isBlank, !isBlank else { return false }
                column = 0
                isBlank = true
                i += 2
                continue
            }
            column += 1
            guard !raw[i].isControl || raw[i] == ASCII.tab, column <= longestLine else { return false }
            if !raw[i].isBlank { isBlank = false }
            i += 1
        }
        return !isBlank
    }
}
