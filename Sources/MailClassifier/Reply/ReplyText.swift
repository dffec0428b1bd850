/// The text of a message taken apart: the writer's own words, the signature, and whether something was quoted.
///
/// Structure decides first (quote marks, header blocks, separators, a line with date, address and closing colon), in any language;
/// phrases help only where structure says nothing.
struct ReplyText: Sendable {
    /// The own words with line ends, without quote, attribution and signature.
    let own: String
    let signature: String?
    let hasQuote: Bool

    /// Lines read; what comes behind is taken for quoted.
    static let lineLimit = 4000

    /// - Parameter ours: the names that we were answered under: a line that names one of them and closes with a colon opens a quote of ours.
    /// - Parameter sent: what it answers, where that is known; nothing of that is the writer's.
    init(_ text: String, senderName: String?, ours: [String] = [], sent: [String] = [], book: PhraseBook) {
        let bytes = Array(text.utf8)
        let lines = bytes.split(separator: 0x0A, maxSplits: Self.lineLimit, omittingEmptySubsequences: false)
            .prefix(Self.lineLimit).map { LineShape.trimmed($0) }
        let below = (try? BannerWords.builtin.get()).map { GatewayBanner($0).below(Array(lines)) } ?? Array(lines)
        var (kept, hasQuote) = Self.withoutQuotes(below, Self.names(ours), Self.words(senderName), book)
        if !sent.isEmpty {
            let others = SentText(sent).removed(from: kept)
            (kept, hasQuote) = (others.own, hasQuote || others.found)
        }
        let cut = SignatureFinder(lines: kept, senderName: senderName, book: book).start
        self.hasQuote = hasQuote
        own = Self.join(kept[..<cut])
        let tail = Self.join(kept[cut...])
        signature = tail.utf8.isEmpty ? nil : tail
    }

    private static func join(_ lines: ArraySlice<ArraySlice<UInt8>>) -> String {
        var lines = lines
        while lines.first?.isEmpty == true { lines.removeFirst() }
        while let last = lines.last, LineShape.isOrnament(last) { lines.removeLast() }
        return String(decoding: Array(lines.joined(separator: [0x0A])), as: UTF8.self)
    }

    /// The words of each name that has two or more: one alone is in too many sentences.
    private static func names(_ ours: [String]) -> [[[UInt8]]] {
        ours.map { Folding.phrase($0).split(separator: 0x20).map { Array($0) } }.filter { $0.count > 1 }
    }

    /// The words of the writer's name.
    private static func words(_ name: String?) -> Set<[UInt8]> {
        guard let name, !name.utf8.contains(0x40) else { return [] }
        return Set(Folding.phrase(name).split(separator: 0x20).map { Array($0) }.filter { $0.count > 1 })
    }

    private static func withoutQuotes(_ lines: [ArraySlice<UInt8>], _ ours: [[[UInt8]]], _ writer: Set<[UInt8]>, _ book: PhraseBook) -> (
        own: [ArraySlice<UInt8>], hasQuote: Bool
    ) {
        var own: [ArraySlice<UInt8>] = []
        var hasQuote = false
        var i = 0
        while i < lines.count {
            let line = lines[i]
            if line.isEmpty {
                own.append(line)
                i += 1
            } else if LineShape.isQuoted(line) {
                hasQuote = true
                if QuoteHead.isBetweenArrows(line), let next = nextLine(lines, from: i + 1), !LineShape.isQuoted(lines[next]) {
                    return (own, true)
                }
                if QuoteHead.isMarkedHeader(lines, at: i) { return (own, true) }
                i += 1
            } else if isWrappedQuote(lines, at: i) {
                i += 1
            } else if isSeparator(lines, at: i) || QuoteHead.begins(lines, at: i) {
                return (own, true)
            } else if own.contains(where: { !$0.isEmpty }),
                announcesUs(lines, at: i, ours) || datesUs(lines, at: i, ours, book)
                    || QuoteHead.echoesUs(lines, at: i, writer: writer, ours: ours)
            {
                return (own, true)
            } else if let count = attribution(lines, at: i, book) {
                hasQuote = true
                i += count
                // Without quote marks nothing tells where the quote ends: it is the rest.
                if let next = nextLine(lines, from: i), !LineShape.isQuoted(lines[next]) { return (own, true) }
            } else {
                own.append(line)
                i += 1
            }
        }
        return (own, hasQuote)
    }

    /// "Bo Sender schrieb:" in any language: a paragraph of one line that begins with our name, closes with a colon a few words behind it, and
    /// has unmarked text below. A comma speaks to us, and a list below is the writer's own.
    private static func announcesUs(_ lines: [ArraySlice<UInt8>], at i: Int, _ ours: [[[UInt8]]]) -> Bool {
        let line = lines[i]
        guard !ours.isEmpty, i > 0, lines[i - 1].isEmpty, line.count < 120, LineShape.endsWithColon(line), !line.contains(0x2C),
            let next = nextLine(lines, from: i + 1), !LineShape.isQuoted(lines[next]), let first = lines[next].first,
            !first.isDigit, first != 0x2D, first != 0x2A, first != 0xE2
        else { return false }
        let words = Folding.phrase(String(decoding: line, as: UTF8.self)).split(separator: 0x20)
        return ours.contains { name in
            (name.count...(name.count + 3)).contains(words.count) && zip(name, words).allSatisfy { $0.elementsEqual($1) }
        }
    }

    /// "在 2026-03-04 09:45，Bo Sender 写道：": a paragraph of one line with our name, a date and a clock, that has the colon of an attribution at
    /// one of its ends, or its verb.
    private static func datesUs(_ lines: [ArraySlice<UInt8>], at i: Int, _ ours: [[[UInt8]]], _ book: PhraseBook) -> Bool {
        let line = lines[i]
        guard !ours.isEmpty, i > 0, lines[i - 1].isEmpty, line.count < 160, LineShape.hasClock(line), LineShape.hasDate(line),
            nextLine(lines, from: i + 1) != nil
        else { return false }
        let folded = Folding.phrase(String(decoding: line, as: UTF8.self))
        guard ours.contains(where: { folded.firstRange(of: [0x20] + Array($0.joined(separator: [0x20])) + [0x20]) != nil }) else {
            return false
        }
        return LineShape.endsWithColon(line) || line.first == 0x3A || book.hits(in: folded).contains { $0.meaning == .attribution }
    }

    /// The end of a quoted line that a program broke without marking it again: it goes on in the middle of a sentence, with a word that
    /// had no room above. Anything else between two quoted lines is an answer.
    private static func isWrappedQuote(_ lines: [ArraySlice<UInt8>], at i: Int) -> Bool {
        guard i > 0, i + 1 < lines.count, LineShape.isQuoted(lines[i - 1]), LineShape.isQuoted(lines[i + 1]), lines[i].count < 60 else {
            return false
        }
        let (above, line) = (lines[i - 1], lines[i])
        guard let first = line.first, first >= 0x80 || first.isLetter && first & 0x20 != 0 else { return false }
        guard let last = above.last, !".?!:;".utf8.contains(last) else { return false }
        return above.count >= 68 && above.count + 1 + line.prefix { $0 != 0x20 }.count > 72
    }

    private static func nextLine(_ lines: [ArraySlice<UInt8>], from start: Int) -> Int? {
        var i = start
        while i < lines.count, lines[i].isEmpty { i += 1 }
        return i < lines.count ? i : nil
    }

    /// Whether everything from line `i` on is an earlier message.
    private static func isSeparator(_ lines: [ArraySlice<UInt8>], at i: Int) -> Bool {
        let line = lines[i]
        if LineShape.isTitledSeparator(line) {
            // A drawn title inside own text is no separator; a header or a quote follows a real one, or the message was cut there.
            guard let next = nextLine(lines, from: i + 1) else { return true }
            if LineShape.isQuoted(lines[next]) || LineShape.label(lines[next]) != nil { return true }
            return LineShape.hasDate(lines[next]) || LineShape.hasAddress(lines[next])
                || line.drop { $0 == 0x2A }.prefix(5).allSatisfy { $0 == 0x2D }
        }
        if LineShape.isRule(line), let next = nextLine(lines, from: i + 1), isHeaderBlock(lines, at: next) { return true }
        if LineShape.endsWithColon(line), let next = nextLine(lines, from: i + 1), next > i, isHeaderBlock(lines, at: next) {
            return true  // "Begin forwarded message:"
        }
        return isHeaderBlock(lines, at: i)
    }

    /// Three or more `Label: value` lines, one of them with a date: From, Sent, To, Subject of any language.
    static func isHeaderBlock(_ lines: [ArraySlice<UInt8>], at start: Int) -> Bool {
        guard LineShape.label(lines[start]) != nil else { return false }
        var labels = 0
        var hasDate = false
        var hasPerson = false
        var others = 0
        var i = start
        while i < lines.count, i < start + 10 {
            if lines[i].isEmpty {
                // Derived from HTML, a block may have an empty line between its lines.
                guard i + 1 < lines.count, LineShape.label(lines[i + 1]) != nil else { break }
                i += 1
                continue
            }
            if let (_, value) = LineShape.label(lines[i]) {
                labels += 1
                if LineShape.hasDate(value) { hasDate = true }
                if LineShape.hasAddress(value) || i == start { hasPerson = hasPerson || !value.isEmpty }
                others = 0
            } else {
                others += 1
                if others > 1 { break }
                if LineShape.hasDate(lines[i]), labels > 0 { hasDate = true }
                // "From:" and its value on lines of their own.
                if LineShape.hasAddress(lines[i]), labels > 0 { hasPerson = true }
            }
            i += 1
        }
        return labels >= 3 && hasDate && hasPerson
    }

    /// The number of lines of the attribution that begins at line `i`, nil when none does.
    private static func attribution(_ lines: [ArraySlice<UInt8>], at i: Int, _ book: PhraseBook) -> Int? {
        for count in 1...4 {
            guard i + count <= lines.count, !lines[i + count - 1].isEmpty, !LineShape.isQuoted(lines[i + count - 1]) else { return nil }
            guard isAttribution(lines, i, count, book) else { continue }
            // The shortest group of lines that says it all, date included; what stands before it are own words.
            let hasAddress = lines[i..<(i + count)].contains { LineShape.hasAddress($0) }
            if count > 1,
                (1..<count).contains(where: { start in
                    isAttribution(lines, i + start, count - start, book) && Self.hasDate(lines, i + start, count - start)
                        && (!hasAddress || lines[(i + start)..<(i + count)].contains { LineShape.hasAddress($0) })
                })
            {
                return nil
            }
            // Without a date it must be a paragraph of its own, not the end of a longer attribution or of own words.
            if !hasDate(lines, i, count), i > 0, !lines[i - 1].isEmpty { return nil }
            return count
        }
        return nil
    }

    private static func hasDate(_ lines: [ArraySlice<UInt8>], _ start: Int, _ count: Int) -> Bool {
        lines[start..<(start + count)].contains { LineShape.hasDate($0) }
    }

    private static func isAttribution(_ lines: [ArraySlice<UInt8>], _ start: Int, _ count: Int, _ book: PhraseBook) -> Bool {
        let last = lines[start + count - 1]
        let closes = LineShape.endsWithColon(last)
        let next = nextLine(lines, from: start + count)
        let quoteFollows = next.map { LineShape.isQuoted(lines[$0]) } ?? false
        let isParagraph = start == 0 || lines[start - 1].isEmpty
        let standsApart = isParagraph && (start + count == lines.count || lines[start + count].isEmpty)
        guard closes || quoteFollows || standsApart else { return false }
        var joined: [UInt8] = []
        for line in lines[start..<(start + count)] {
            if !joined.isEmpty { joined.append(0x20) }
            joined += line
        }
        guard joined.count < 400 else { return false }
        let hasDate = LineShape.hasDate(joined[...])
        let hasAddress = LineShape.hasAddress(joined[...])
        if closes, hasDate, hasAddress { return true }
        if quoteFollows, hasDate && hasAddress { return true }
        // "On Monday, 4 March 2026 at 9:45 Ann <ann@example.com> wrote", without the colon.
        if hasDate, hasAddress, standsApart, joined.count < 200 {
            return book.hits(in: Folding.phrase(String(decoding: joined, as: UTF8.self))).contains { $0.meaning == .attribution }
        }
        guard closes || quoteFollows else { return false }
        let directly = next == start + count && quoteFollows
        if directly, isParagraph, hasDate, joined.last != 0x3F, joined.count < 160 { return true }
        // "Ann Example:" in any language, right above a quote.
        if closes, directly, isParagraph, joined.count < 100, joined.count(where: { $0 == 0x20 }) <= 7,
            LineShape.hasName(joined[...])
        {
            return true
        }
        // Below words of one's own, a name with an address, or with a clock on one line alone, needs no quote marks. What opens the mail
        // may be a greeting with a list behind it.
        if closes, isParagraph, start > 0, joined.count < 200, LineShape.hasName(joined[...]),
            hasAddress || count == 1 && LineShape.hasClock(joined[...])
        {
            return true
        }
        guard hasDate || hasAddress || quoteFollows else { return false }
        if closes, quoteFollows, hasDate || hasAddress { return true }
        // A name and a verb only: the phrase must be there.
        guard closes else { return false }
        return book.hits(in: Folding.phrase(String(decoding: joined, as: UTF8.self))).contains { $0.meaning == .attribution }
    }
}
