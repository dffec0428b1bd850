/// The scanner behind `AddressList`: one pass over the bytes, no recursion, comment depth counted.
struct AddressListParser {
    private(set) var mailboxes: [Mailbox] = []
    private(set) var defects = DefectSet()

    private let bytes: ArraySlice<UInt8>
    private let limit: Int
    private var i: Int

    /// What was read since the last comma: words and specials before, inside and after the angle brackets.
    private var phrase: [Word] = []
    private var angle: [Word]?
    private var comment: [UInt8] = []
    private var insideAngle = false

    // Once a quote or a comment was found unclosed, no later one can be worth a second scan to the end.
    private var quotesAreLiteral = false
    private var commentsAreLiteral = false

    private struct Word {
        enum Kind { case atom, quoted, special, literal }
        var kind: Kind
        var bytes: [UInt8]
        var spaceBefore: Bool

        func `is`(_ special: UInt8) -> Bool { kind == .special && bytes == [special] }
    }

    init(_ bytes: ArraySlice<UInt8>, limit: Int) {
        self.bytes = bytes
        self.limit = limit
        i = bytes.startIndex
    }

    mutating func parse() {
        var space = false
        while i < bytes.endIndex {
            let byte = bytes[i]
            switch byte {
            case ASCII.space, ASCII.tab, ASCII.cr, ASCII.lf, ASCII.nul:
                space = true
                i += 1
                continue
            case ASCII.quote:
                // The space before a quote that is dropped belongs to what follows it.
                if !readQuoted(space) { continue }
            case ASCII.openParen: readComment(space)
            case ASCII.openBracket: readLiteral(space)
            case ASCII.less:
                i += 1
                openAngle()
            case ASCII.greater:
                i += 1
                insideAngle = false
            case ASCII.comma:
                i += 1
                if insideAngle, let angle, !isRoute(angle) { insideAngle = false }
                if insideAngle { append(.special, [byte], space) } else { finish() }
            case ASCII.semicolon:
                i += 1
                finish()
            case ASCII.colon:
                i += 1
                if insideAngle { append(.special, [byte], space) } else { openGroup() }
            case ASCII.at, ASCII.dot:
                i += 1
                append(.special, [byte], space)
            default: readAtom(space)
            }
            space = false
        }
        finish()
    }

    private mutating func append(_ kind: Word.Kind, _ text: [UInt8], _ space: Bool) {
        let word = Word(kind: kind, bytes: text, spaceBefore: space)
        if insideAngle { angle?.append(word) } else if angle == nil { phrase.append(word) }
    }

    private mutating func readAtom(_ space: Bool) {
        let start = i
        if bytes[i] == ASCII.equals, let end = EncodedWord.end(in: bytes, at: i) {
            // A comma or a quote inside an encoded word does not separate anything.
            i = end
        } else {
            i += 1
            scan: while i < bytes.endIndex {
                switch bytes[i] {
                case ASCII.space, ASCII.tab, ASCII.cr, ASCII.lf, ASCII.nul, ASCII.less, ASCII.greater, ASCII.comma, ASCII.semicolon,
                    ASCII.colon, ASCII.at, ASCII.dot, ASCII.quote, ASCII.openParen, ASCII.openBracket:
                    break scan
                default: i += 1
                }
            }
        }
        append(.atom, Array(bytes[start..<i]), space)
    }

    /// False when the quote is never closed; it is then dropped.
    private mutating func readQuoted(_ space: Bool) -> Bool {
        var text: [UInt8] = []
        var j = i + 1
        while !quotesAreLiteral, j < bytes.endIndex {
            switch bytes[j] {
            case ASCII.quote:
                i = j + 1
                append(.quoted, text, space)
                return true
            case ASCII.backslash where j + 1 < bytes.endIndex:
                text.append(bytes[j + 1])
                j += 2
            case ASCII.cr, ASCII.lf: j += 1
            default:
                text.append(bytes[j])
                j += 1
            }
        }
        quotesAreLiteral = true
        defects.insert(.unclosedQuote)
        i += 1
        return false
    }

    private mutating func readComment(_ space: Bool) {
        var text: [UInt8] = []
        var depth = 0
        var j = i
        while !commentsAreLiteral, j < bytes.endIndex {
            switch bytes[j] {
            case ASCII.openParen:
                depth += 1
                if depth > 1 { text.append(bytes[j]) }
            case ASCII.closeParen:
                depth -= 1
                if depth == 0 {
                    i = j + 1
                    if comment.isEmpty { comment = text }
                    return
                }
                text.append(bytes[j])
            case ASCII.backslash where j + 1 < bytes.endIndex:
                j += 1
                text.append(bytes[j])
            default: text.append(bytes[j])
            }
            j += 1
        }
        commentsAreLiteral = true
        defects.insert(.unclosedComment)
        append(.atom, [bytes[i]], space)
        i += 1
    }

    private mutating func readLiteral(_ space: Bool) {
        // A domain literal stands behind "@"; elsewhere a bracket is a stray character of a name.
        let isBehindAt = (insideAngle ? angle?.last : phrase.last)?.is(ASCII.at) == true
        if isBehindAt, let close = bytes[..<min(bytes.endIndex, i + 256)].index(of: ASCII.closeBracket, from: i) {
            append(.literal, bytes[i...close].filter { !$0.isWhitespace }, space)
            i = close + 1
        } else {
            append(.atom, [bytes[i]], space)
            i += 1
        }
    }

    private mutating func openAngle() {
        if angle != nil {
            // Quirk(doubled brackets): "<<a@example.com>>", or a second address without a comma between.
            if insideAngle || angle?.isEmpty == true { return }
            defects.insert(.addressSyntax)
            finish()
        }
        angle = []
        insideAngle = true
    }

    private mutating func openGroup() {
        if phrase.contains(where: { $0.is(ASCII.at) }) || angle != nil {
            // Quirk(mailto links): "mailto:" in front is no group, but an address before a colon was one.
            finish()
        }
        phrase = []
        angle = nil
        comment = []
    }

    private func isRoute(_ words: [Word]) -> Bool {
        words.first?.is(ASCII.at) == true && !words.contains { $0.is(ASCII.colon) }
    }

    /// Makes a mailbox of what was collected and starts anew.
    private mutating func finish() {
        defer {
            phrase = []
            angle = nil
            comment = []
            insideAngle = false
        }
        guard !phrase.isEmpty || angle != nil else { return }
        guard mailboxes.count < limit else { return defects.insert(.tooManyAddresses) }
        var name = phrase
        var address: EmailAddress?
        if var words = angle {
            if words.first?.is(ASCII.at) == true, let colon = words.lastIndex(where: { $0.is(ASCII.colon) }) {
                words.removeSubrange(...colon)
            }
            address = addrSpec(words)
            // Quirk(name and address swapped or repeated): "ann@example.com" <> and the like.
            if address == nil, let (split, found) = trailingAddress(name) {
                address = found
                name = Array(name[..<split])
                defects.insert(.addressSyntax)
            }
        } else if let (split, found) = trailingAddress(name) {
            address = found
            name = Array(name[..<split])
            if !name.isEmpty { defects.insert(.addressSyntax) }
        }
        guard let address else { return defects.insert(.addressSyntax) }
        let shown = displayName(name) ?? displayName(comment)
        mailboxes.append(Mailbox(displayName: shown, address: address))
    }

    /// The address at the end of a run of words, and where its words begin.
    private func trailingAddress(_ words: [Word]) -> (Int, EmailAddress)? {
        guard let at = words.lastIndex(where: { $0.is(ASCII.at) }), at > 0 else {
            // Quirk(quoted whole): "ann@example.com" in quotes, with nothing else.
            if words.count == 1, words[0].kind == .quoted, let address = EmailAddress(parsing: words[0].bytes) { return (0, address) }
            return nil
        }
        var start = at - 1
        while start > 0, words[start].is(ASCII.dot) || words[start - 1].is(ASCII.dot) { start -= 1 }
        return addrSpec(Array(words[start...])).map { (start, $0) }
    }

    private func addrSpec(_ words: [Word]) -> EmailAddress? {
        guard let at = words.lastIndex(where: { $0.is(ASCII.at) }) else {
            if words.count == 1, words[0].kind == .quoted { return EmailAddress(parsing: words[0].bytes) }
            return nil
        }
        // A colon outside quotes is what is left of a group or a route, never part of a local part.
        guard !words[..<at].contains(where: { $0.is(ASCII.colon) }) else { return nil }
        var local: [UInt8] = []
        for word in words[..<at] { local += word.bytes }
        var domain: [UInt8] = []
        for word in words[(at + 1)...] {
            if word.spaceBefore, let last = domain.last, last != ASCII.dot, !word.is(ASCII.dot) { break }
            domain += word.bytes
        }
        while domain.last == ASCII.dot { domain.removeLast() }
        // Quirk(8-bit addresses): bytes that are not UTF-8 are read as windows-1252 so that the address is shown at all.
        if !UTF8Check.isValid(local[...]) { local = Array(Charset.decode(local[...], label: nil).utf8) }
        if !UTF8Check.isValid(domain[...]) { domain = Array(Charset.decode(domain[...], label: nil).utf8) }
        return EmailAddress(lenientLocalPart: local, domain: domain)
    }

    private func displayName(_ words: [Word]) -> String? {
        var text: [UInt8] = []
        for word in words {
            if word.spaceBefore, !text.isEmpty { text.append(ASCII.space) }
            text += word.bytes
        }
        return displayName(text)
    }

    private func displayName(_ text: [UInt8]) -> String? {
        let name = EncodedWord.decode(text[...].trimmed)
        return name.utf8.isEmpty ? nil : name
    }
}
