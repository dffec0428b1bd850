/// Lays the tokens of HTML out as lines, each with its quote depth and the part of the reply it belongs to.
struct HTMLLayout {
    /// One line of the text, without quote marks.
    struct Line {
        var start: Int
        var end: Int
        var kind: HTMLBlock.Kind
        var part: HTMLBlock.Part
        var quoteDepth: Int
        /// Empty lines before it.
        var gap: Int
        var isBold: Bool
        /// Whether a header block may begin here by the mark of an element.
        var mayBeginHeader = false
    }

    private(set) var text: [UInt8] = []
    var lines: [Line] = []

    private var stack = HTMLElementStack()
    /// Line ends owed before the next visible character: 1 ends the line, 2 leave an empty one.
    private var lineEnds = 0
    private var spaceOwed = false
    private var link: Link?
    /// Where the marker of a list entry ended; breaks right behind it would part it from its text.
    private var markerEnd: Int?
    private var candidateOwed = false
    /// The first line of which structure says that it and everything behind it is an earlier message.
    private var restStart: Int?

    private struct Link {
        var url: [UInt8]
        var line: Int
        var start: Int
        var hasText = false
    }

    init(_ html: ArraySlice<UInt8>) {
        text.reserveCapacity(html.count / 2)
        var tokens = HTMLTokenizer(html)
        while let token = tokens.next() {
            switch token {
            case .text(let piece): write(HTMLEntities.decoding(piece, in: .text))
            case .tag(let tag): if tag.isClosing { close(HTMLElement(named: tag.name)) } else { open(tag, &tokens) }
            }
        }
        finishLink()
        endLine()
        while let last = lines.last, last.start == last.end { lines.removeLast() }
        let empty = lines.prefix { $0.start == $0.end }.count
        lines.removeFirst(empty)
        HTMLReplyStructure.mark(&lines, text, restStart: restStart.map { max(0, $0 - empty) })
    }

    // MARK: Tags

    private mutating func open(_ tag: HTMLTokenizer.Tag, _ tokens: inout HTMLTokenizer) {
        let element = HTMLElement(named: tag.name)
        if element.isSkipped { return tokens.skipContent(of: tag.name) }
        let marks = HTMLMarks(tag, element)
        settle(stack.closeImplied(before: element))
        if element == .br {
            if text.count != markerEnd || lines.isEmpty, !stack.state.isUnseen { lineEnds += 1 }
            return
        }
        breakBefore(element, tag)
        if !element.isVoid { stack.open(element, marks, line: nextLine) }
        let state = stack.state
        if state.part == .own {
            if marks.mark == .restIsEarlier, restStart == nil { restStart = nextLine }
            if marks.mark == .maybeHeader { candidateOwed = true }
        }
        switch element {
        case .p: stack.setParagraphsAreLines(tag.attribute("class")?.hasPrefix(ignoringCase: "Mso") == true)
        case .hr:
            guard !state.isUnseen else { break }
            let owed = candidateOwed
            candidateOwed = false
            startVisible()
            if !lines.isEmpty { lines[lines.count - 1].kind = .rule }
            text += [UInt8](repeating: ASCII.underscore, count: 32)
            needLineEnds(1)
            candidateOwed = owed
        case .li: beginListEntry(tag)
        case .ol: if let number = tag.attribute("start").flatMap(Self.number) { stack.beginList(at: number) }
        case .a:
            finishLink()
            if let href = tag.attribute("href"), !state.isUnseen { beginLink(href) }
        case .img:
            // Quirk(Gmail): emoji are images whose alternative text is the character.
            if let alt = tag.attribute("alt"), alt.count <= 32 {
                let text = HTMLEntities.decoding(alt, in: .attribute)
                if !text.isASCII { write(text) }
            }
        default: break
        }
    }

    private mutating func close(_ element: HTMLElement) {
        if element == .br { return lineEnds += stack.state.isUnseen ? 0 : 1 }
        if element == .a { finishLink() }
        // Quirk(Outlook): its paragraphs are single lines; an empty line is a paragraph with a no-break space.
        let areLines = stack.state.paragraphsAreLines
        settle(stack.close(element))
        if element == .p { needLineEnds(areLines ? 1 : 2) } else { breakAfter(element) }
    }

    private mutating func breakBefore(_ element: HTMLElement, _ tag: HTMLTokenizer.Tag) {
        switch element {
        case .p: needLineEnds(tag.attribute("class")?.hasPrefix(ignoringCase: "Mso") == true ? 1 : 2)
        case .td, .th: spaceOwed = true
        case .li: markerEnd = nil
        case .hr: needLineEnds(1)
        default: breakAfter(element, isOpening: true)
        }
    }

    private mutating func breakAfter(_ element: HTMLElement, isOpening: Bool = false) {
        if element.isHeading {
            needLineEnds(2)
        } else if element.isLine || element.isPreformatted || element == .blockquote || element == .li {
            needLineEnds(1)
        } else if element.isList {
            needLineEnds(stack.state.listDepth == 0 ? 2 : 1)
        }
    }

    /// A quote container closed without a quote: what it held was not an introduction but the earlier message itself.
    private mutating func settle(_ firstLine: Int?) {
        guard let firstLine, firstLine < lines.count else { return }
        for i in firstLine..<lines.count where lines[i].part == .attribution { lines[i].part = .earlier }
    }

    private mutating func beginListEntry(_ tag: HTMLTokenizer.Tag) {
        needLineEnds(1)
        let state = stack.state
        var marker = [ASCII.hyphen, ASCII.space]
        if let number = stack.nextNumber(value: tag.attribute("value").flatMap(Self.number)) { marker = Array("\(number). ".utf8) }
        guard !state.isUnseen else { return }
        startVisible()
        let depth = max(0, min(state.listDepth, HTMLLimits.listDepth) - 1)
        text += [UInt8](repeating: ASCII.space, count: depth * 2) + marker
        markerEnd = text.count
    }

    /// The value of `start` or `value`; nil when it is no number of at most six digits.
    private static func number(_ value: ArraySlice<UInt8>) -> Int? {
        let digits = value.trimmed
        guard (1...6).contains(digits.count), digits.allSatisfy(\.isDigit) else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

    // MARK: Links

    private mutating func beginLink(_ href: ArraySlice<UInt8>) {
        var url = Array(HTMLEntities.decoding(href.trimmed, in: .attribute))
        guard url.hasPrefix(ignoringCase: "http://") || url.hasPrefix(ignoringCase: "https://") || url.hasPrefix(ignoringCase: "mailto:"),
            url.count <= HTMLLimits.link,
            url.allSatisfy({ $0 > ASCII.space && $0 != ASCII.delete && $0 != ASCII.less && $0 != ASCII.greater })
        else { return }
        if url.hasPrefix(ignoringCase: "mailto:") { url = Array(url[7...].prefix { $0 != ASCII.question }) }
        link = Link(url: url, line: lines.count - 1, start: text.count)
    }

    private mutating func finishLink() {
        guard let link else { return }
        self.link = nil
        // A link around an image or nothing has no text that a target could belong to.
        guard link.hasText else { return }
        let isOneLine = link.line == lines.count - 1
        if isOneLine, Self.comparable(text[min(link.start, text.count)...].trimmed) == Self.comparable(link.url[...]) { return }
        text += [ASCII.space, ASCII.less] + link.url + [ASCII.greater]
    }

    /// A URL without scheme, "www." and final slash, in lower case.
    private static func comparable(_ url: ArraySlice<UInt8>) -> [UInt8] {
        var bytes = url.asciiLowercased[...]
        for prefix in ["http://", "https://", "mailto:", "www."] where bytes.hasPrefix(ignoringCase: prefix) {
            bytes = bytes.dropFirst(prefix.utf8.count)
        }
        if bytes.last == ASCII.slash { bytes = bytes.dropLast() }
        return Array(bytes)
    }

    // MARK: Text

    private var nextLine: Int { lines.count }

    private mutating func needLineEnds(_ count: Int) {
        guard text.count != markerEnd || lines.isEmpty else { return }
        lineEnds = max(lineEnds, count)
        spaceOwed = false
    }

    private mutating func write(_ piece: ArraySlice<UInt8>) {
        let state = stack.state
        guard !state.isUnseen else { return }
        var i = piece.startIndex
        while i < piece.endIndex {
            let byte = piece[i]
            if byte.isHTMLSpace {
                if state.isPreformatted { writePreformatted(byte) } else { spaceOwed = true }
                i += 1
            } else if byte.isControl {
                i += 1
            } else if let count = Self.invisible(piece, at: i) {
                // Joiners mean something between letters of some scripts, and nothing in the padding of previews.
                let isJoiner = piece[i + count - 1] == 0x8C || piece[i + count - 1] == 0x8D
                if isJoiner, !spaceOwed, lineEnds == 0, let last = text.last, last >= 0x80 { text += piece[i..<(i + count)] }
                i += count
            } else if byte == 0xC2, i + 1 < piece.endIndex, piece[i + 1] == 0xA0 {
                // A no-break space is a character of its own: it makes an empty paragraph a line.
                startVisible()
                text.append(ASCII.space)
                i += 2
            } else {
                startVisible()
                let start = i
                i += 1
                while i < piece.endIndex, !Self.isSpecial(piece[i]) { i += 1 }
                text += piece[start..<i]
                link?.hasText = true
            }
        }
    }

    /// Whether a byte is white space, a control character, or may begin a character that is not shown.
    private static func isSpecial(_ byte: UInt8) -> Bool {
        byte <= ASCII.space || byte == ASCII.delete || byte == 0xC2 || byte == 0xCD || byte == 0xE2 || byte == 0xEF
    }

    /// The length of a character that is never seen: soft hyphen, grapheme joiner, zero-width space and joiners, word joiner, byte order mark.
    private static func invisible(_ piece: ArraySlice<UInt8>, at i: Int) -> Int? {
        switch piece[i] {
        case 0xC2 where piece[i...].starts(with: [0xC2, 0xAD]), 0xCD where piece[i...].starts(with: [0xCD, 0x8F]): 2
        case 0xE2 where i + 2 < piece.endIndex && piece[i + 1] == 0x80 && (0x8B...0x8D).contains(piece[i + 2]): 3
        case 0xE2 where piece[i...].starts(with: [0xE2, 0x81, 0xA0]), 0xEF where piece[i...].starts(with: [0xEF, 0xBB, 0xBF]): 3
        default: nil
        }
    }

    private mutating func writePreformatted(_ byte: UInt8) {
        if byte == ASCII.lf {
            lineEnds += 1
        } else if byte != ASCII.cr {
            startVisible()
            text.append(byte)
        }
    }

    /// Begins the line, or writes the space, that is owed before a visible character.
    private mutating func startVisible() {
        let state = stack.state
        if lines.isEmpty || lineEnds > 0 {
            let gap = lines.isEmpty ? 0 : min(lineEnds, state.isPreformatted ? HTMLLimits.emptyLines : 2) - 1
            endLine()
            let kind: HTMLBlock.Kind =
                state.isPreformatted ? .preformatted : state.isHeading ? .heading : state.isListEntry ? .listEntry : .paragraph
            lines.append(
                Line(
                    start: text.count, end: text.count, kind: kind, part: state.part, quoteDepth: state.quoteDepth, gap: gap,
                    isBold: state.isBold, mayBeginHeader: candidateOwed))
            candidateOwed = false
            lineEnds = 0
            spaceOwed = false
            if let open = link, !open.hasText {
                link?.line = lines.count - 1
                link?.start = text.count
            }
        } else if spaceOwed {
            if let last = text.last, !last.isWhitespace, text.count > (lines.last?.start ?? 0) { text.append(ASCII.space) }
            spaceOwed = false
        }
    }

    private mutating func endLine() {
        guard let last = lines.indices.last else { return }
        while text.count > lines[last].start, text.last == ASCII.space { text.removeLast() }
        lines[last].end = text.count
    }

    // MARK: Results

    /// The lines with "> " before quoted ones.
    var plainText: String {
        var output: [UInt8] = []
        output.reserveCapacity(text.count + lines.count * 2)
        for (number, line) in lines.enumerated() {
            let marks = [UInt8](repeating: ASCII.greater, count: min(line.quoteDepth, HTMLLimits.quoteDepth))
            if number > 0 { output.append(ASCII.lf) }
            for _ in 0..<(number > 0 ? line.gap : 0) { output += marks + [ASCII.lf] }
            output += marks
            if !marks.isEmpty, line.end > line.start { output.append(ASCII.space) }
            output += text[line.start..<line.end]
        }
        return output.utf8Text
    }

    /// The lines put together as blocks.
    var blocks: [HTMLBlock] {
        var blocks: [HTMLBlock] = []
        var gathered: [UInt8] = []
        var previous: Line?
        func finish() {
            guard let last = previous, !gathered.isEmpty else { return }
            blocks.append(HTMLBlock(kind: last.kind, part: last.part, quoteDepth: last.quoteDepth, text: gathered.utf8Text))
            gathered = []
        }
        for line in lines {
            guard line.end > line.start else {
                finish()
                previous = nil
                continue
            }
            if let last = previous, line.gap == 0, line.kind == last.kind, line.kind != .listEntry, line.part == last.part,
                line.quoteDepth == last.quoteDepth
            {
                gathered.append(ASCII.lf)
            } else {
                finish()
            }
            gathered += text[line.start..<line.end]
            previous = line
        }
        finish()
        return blocks
    }
}
