/// The scanner behind `AddressList`: one pass over the bytes, no recursion, comment depth counted.
struct AddressListParser {
    private(set) var mailboxes: [Mailbox] = []
    private(set) var defects = DefectSet()

    private let bytes: ArraySlice<UInt8>
    private let limit: Int
    private let hint: String?
    private var i: Int

    /// What was read since the last comma: words and specials before, inside and after the angle brackets.
    private var phrase: [Word] = []
    private var angle: [Word]?
    private var tail: [Word] = []
    private var comment: [UInt8] = []
    private var insideAngle = false
    /// Names that ended in a comma without any address: "Doe, Jane <jane@example.com>" without its quotes.
    private var pendingName: [Word] = []
    /// Whether this reads text that stood inside an encoded word, a quoted string or a comment; such text is not opened again.
    private let isNested: Bool

    // A name with more commas than titles and degrees need is no name.
    private static let longestPendingName = 12

    // Once a quote or a comment was found unclosed, no later one can be worth a second scan to the end.
    private var quotesAreLiteral = false
    private var commentsAreLiteral = false

    private struct Word {
        enum Kind { case atom, quoted, special, literal }
        var kind: Kind
        var bytes: ArraySlice<UInt8>
        var spaceBefore: Bool

        func `is`(_ special: UInt8) -> Bool { kind == .special && bytes.first == special }
    }

    init(_ bytes: ArraySlice<UInt8>, limit: Int, hint: String? = nil, isNested: Bool = false) {
        self.hint = hint
        self.bytes = bytes
        self.limit = limit
        self.isNested = isNested
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
                if insideAngle { append(.special, [byte], space) } else { finish(byComma: true) }
            case ASCII.semicolon:
                i += 1
                finish()
                pendingName = []
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

    private mutating func append(_ kind: Word.Kind, _ text: ArraySlice<UInt8>, _ space: Bool) {
        let word = Word(kind: kind, bytes: text, spaceBefore: space)
        if insideAngle { angle?.append(word) } else if angle == nil { phrase.append(word) } else { tail.append(word) }
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
        append(.atom, bytes[start..<i], space)
    }

    /// False when the quote is never closed; it is then dropped.
    private mutating func readQuoted(_ space: Bool) -> Bool {
        var text: [UInt8] = []
        var j = i + 1
        while !quotesAreLiteral, j < bytes.endIndex {
            switch bytes[j] {
            case ASCII.quote:
                i = j + 1
                append(.quoted, text[...], space)
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
            append(.literal, bytes[i...close].filter { !$0.isWhitespace }[...], space)
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
            let name = tail
            tail = []
            finish()
            phrase = name
        }
        angle = []
        insideAngle = true
    }

    private mutating func openGroup() {
        if let last = phrase.last, last.kind == .atom, last.bytes.matches("mailto") || last.bytes.matches("smtp") {
            // Quirk(mailto links): "Ann [mailto:ann@example.com]" is no group.
            phrase.removeLast()
            if phrase.last?.bytes == [ASCII.openBracket] { phrase.removeLast() }
            return
        }
        // An address before a colon was one.
        if phrase.contains(where: { $0.is(ASCII.at) }) || angle != nil { finish() }
        phrase = []
        pendingName = []
        angle = nil
        comment = []
    }

    private func isRoute(_ words: [Word]) -> Bool {
        words.first?.is(ASCII.at) == true && !words.contains { $0.is(ASCII.colon) }
    }

    /// Makes a mailbox of what was collected and starts anew.
    private mutating func finish(byComma: Bool = false) {
        defer {
            phrase = []
            angle = nil
            tail = []
            comment = []
            insideAngle = false
        }
        guard !phrase.isEmpty || angle != nil || !comment.isEmpty else { return }
        guard mailboxes.count < limit else { return defects.insert(.tooManyAddresses) }
        var found: [Mailbox] = []
        if let words = angle {
            found = bracketed(words)
        } else if let addresses = spaceSeparated(phrase) {
            defects.insert(.addressSyntax)
            found = addresses
        } else if let (split, address) = trailingAddress(phrase) {
            let name = Array(phrase[..<split])
            if !name.isEmpty { defects.insert(.addressSyntax) }
            found = [Mailbox(displayName: displayName(name) ?? displayName(comment), address: address)]
        } else {
            found = nestedMailboxes()
            if byComma, found.isEmpty, !isNested, !phrase.isEmpty, pendingName.count + phrase.count < Self.longestPendingName {
                pendingName += phrase + [Word(kind: .special, bytes: [ASCII.comma], spaceBefore: false)]
                defects.insert(.addressSyntax)
                return
            }
        }
        pendingName = []
        // A comment alone is no attempt at an address.
        if found.isEmpty, !phrase.isEmpty || angle != nil { defects.insert(.addressSyntax) }
        mailboxes += found.prefix(limit - mailboxes.count)
        if mailboxes.count >= limit, found.count > 1 { defects.insert(.tooManyAddresses) }
    }

    /// The mailbox with angle brackets, and those behind it whose commas are missing.
    private mutating func bracketed(_ words: [Word]) -> [Mailbox] {
        var words = words
        var name = pendingName + phrase
        if words.first?.is(ASCII.at) == true, let colon = words.lastIndex(where: { $0.is(ASCII.colon) }) {
            words.removeSubrange(...colon)
        }
        var address = addrSpec(words)
        if address == nil, let (split, found) = trailingAddress(phrase) {
            // Quirk(name and address swapped or repeated): "ann@example.com" <Ann Example> and the like.
            address = found
            name = Array(phrase[..<split])
            if name.isEmpty { name = words }
            defects.insert(.addressSyntax)
        }
        guard let address else { return nestedMailboxes() }
        var further: [Mailbox] = []
        if tail.contains(where: { $0.is(ASCII.at) }) {
            // Quirk(missing comma): "<ann@example.com> bob@example.com".
            further = spaceSeparated(tail) ?? trailingAddress(tail).map { [Mailbox(address: $0.1)] } ?? []
            defects.insert(.addressSyntax)
        } else if name.isEmpty {
            // Quirk(name behind): "<ann@example.com> Ann Example".
            name = tail
        }
        return [Mailbox(displayName: displayName(name) ?? displayName(comment), address: address)] + further
    }

    /// What stands inside a single quoted string, encoded word or comment where no address stands outside.
    private mutating func nestedMailboxes() -> [Mailbox] {
        guard !isNested else { return [] }
        var candidates: [(text: [UInt8], name: [Word])] = []
        for (words, others) in [(angle ?? [], pendingName + phrase), (phrase, angle ?? [])] where words.count == 1 {
            let isQuoted = words[0].kind == .quoted
            candidates.append((isQuoted ? Array(words[0].bytes) : Array(EncodedWord.decode(words[0].bytes, hint: hint).utf8), others))
        }
        candidates.append((comment, phrase))
        for (text, name) in candidates where text.contains(ASCII.at) {
            var parser = AddressListParser(text[...], limit: 1, hint: hint, isNested: true)
            parser.parse()
            guard let mailbox = parser.mailboxes.first else { continue }
            defects.insert(.addressSyntax)
            return [Mailbox(displayName: mailbox.displayName ?? displayName(name), address: mailbox.address)]
        }
        return []
    }

    /// Quirk(missing commas): addresses with only white space between them, two at least, nothing else among them.
    private func spaceSeparated(_ words: [Word]) -> [Mailbox]? {
        guard words.count(where: { $0.is(ASCII.at) }) > 1 else { return nil }
        var runs: [[Word]] = []
        for word in words {
            if word.spaceBefore || runs.isEmpty { runs.append([]) }
            runs[runs.count - 1].append(word)
        }
        guard runs.count > 1, runs.allSatisfy({ run in run.count(where: { $0.is(ASCII.at) }) == 1 }) else { return nil }
        let addresses = runs.compactMap(addrSpec)
        return addresses.count == runs.count ? addresses.map { Mailbox(address: $0) } : nil
    }

    /// The address at the end of a run of words, and where its words begin.
    private func trailingAddress(_ words: [Word]) -> (Int, EmailAddress)? {
        guard let at = words.lastIndex(where: { $0.is(ASCII.at) }), at > 0 else { return nil }
        var start = at - 1
        // Obsolete syntax has white space around dots; a local part with several "@" is one as long as nothing separates it.
        while start > 0 {
            let isJoined = words[start].is(ASCII.dot) || words[start - 1].is(ASCII.dot)
            let isMany = !words[start].spaceBefore && (words[start].is(ASCII.at) || words[start - 1].is(ASCII.at))
            guard isJoined || isMany else { break }
            start -= 1
        }
        while start < at, words[start].is(ASCII.at) { start += 1 }
        return start < at ? addrSpec(Array(words[start...])).map { (start, $0) } : nil
    }

    private func addrSpec(_ words: [Word]) -> EmailAddress? {
        var words = words
        var isLink = false
        if words.count > 2, words[0].kind == .atom, words[0].bytes.matches("mailto"), words[1].is(ASCII.colon) {
            words.removeFirst(2)
            isLink = true
        }
        guard let at = words.lastIndex(where: { $0.is(ASCII.at) }) else {
            if words.count == 1, words[0].kind == .quoted { return EmailAddress(parsing: words[0].bytes) }
            return nil
        }
        // A colon outside quotes is what is left of a group or a route, never part of a local part.
        guard !words[..<at].contains(where: { $0.is(ASCII.colon) }) else { return nil }
        var local: [UInt8] = []
        // Encoded words in a local part stay as they are: decoding them would let an address hide another one.
        for word in words[..<at] { local += word.bytes }
        // Quirk(doubled @): "ann@@example.com".
        while local.last == ASCII.at { local.removeLast() }
        var domain: [UInt8] = []
        for word in words[(at + 1)...] {
            if word.spaceBefore, let last = domain.last, last != ASCII.dot, !word.is(ASCII.dot) { break }
            domain += word.bytes
        }
        if isLink { domain = Array(domain.prefix { $0 != ASCII.question }) }
        trimBrackets(&local, &domain, isQuoted: at == 1 && words[0].kind == .quoted)
        // Quirk(8-bit addresses): bytes that are not UTF-8 are read as windows-1252 so that the address is shown at all.
        if !UTF8Check.isValid(local[...]) { local = Array(Charset.decode(local[...], label: nil).utf8) }
        if !UTF8Check.isValid(domain[...]) { domain = Array(Charset.decode(domain[...], label: nil).utf8) }
        return EmailAddress(lenientLocalPart: local, domain: domain)
    }

    /// Quirk(quotes and brackets of running text): "'ann@example.com'", "[ann@example.com]", "ann@example.com.".
    ///
    /// What the writer put into quotes is meant as it stands, so that an address is read as we write it.
    private func trimBrackets(_ local: inout [UInt8], _ domain: inout [UInt8], isQuoted: Bool) {
        while let last = domain.last, domain.first != ASCII.openBracket {
            if last == ASCII.apostrophe {
                if !isQuoted, local.first == ASCII.apostrophe, local.count > 1 { local.removeFirst() }
            } else if last != ASCII.dot, last != ASCII.closeBracket, last != ASCII.closeParen {
                break
            }
            domain.removeLast()
        }
        while !isQuoted, local.first == ASCII.openBracket, local.count > 1 { local.removeFirst() }
    }

    private func displayName(_ words: [Word]) -> String? {
        var words = words[...]
        // What brackets and quotes left behind around a name.
        while let last = words.last, last.kind != .quoted, [[ASCII.openBracket], [ASCII.comma], [ASCII.openParen]].contains(last.bytes) {
            words.removeLast()
        }
        var text: [UInt8] = []
        for word in words {
            if word.spaceBefore, !text.isEmpty { text.append(ASCII.space) }
            text += word.bytes
        }
        return displayName(text)
    }

    private func displayName(_ text: [UInt8]) -> String? {
        let name = EncodedWord.decode(text[...].trimmed, hint: hint)
        return name.utf8.isEmpty ? nil : name
    }
}
