/// Lays the tokens of HTML out as text: keeps paragraphs, line breaks, lists, quotes and links, nothing else.
struct HTMLTextWriter {
    private var output: [UInt8] = []
    /// Line ends owed before the next visible character: 1 ends the line, 2 leave an empty one.
    private var lineEnds = 0
    private var spaceOwed = false
    private var quoteDepth = 0
    private var preformatted = 0
    private var lists: [List] = []
    private var link: Link?
    private var paragraphIsLine = false
    /// Where the marker of a list entry ended; breaks right behind it would part it from its text.
    private var markerEnd: Int?

    private struct List {
        var isOrdered: Bool
        var count = 0
    }

    private struct Link {
        var url: [UInt8]
        var textStart: Int
    }

    // What is shown of nesting; deeper levels are kept in the count only, so that the output stays linear in the input.
    private static let deepestQuote = 20
    private static let deepestList = 10

    mutating func convert(_ html: [UInt8]) -> String {
        var tokens = HTMLTokenizer(html[...])
        while let token = tokens.next() {
            switch token {
            case .text(let text): write(text)
            case .tag(let tag):
                if tag.isClosing { close(tag) } else { open(tag, &tokens) }
            }
        }
        finishLink()
        while let last = output.last, last.isWhitespace { output.removeLast() }
        return output.utf8Text
    }

    // MARK: Tags

    private mutating func open(_ tag: HTMLTokenizer.Tag, _ tokens: inout HTMLTokenizer) {
        switch tag.name.utf8Text {
        case "script", "style", "title", "noframes", "template", "select": tokens.skipContent(of: tag.name)
        case "br": if output.count != markerEnd { lineEnds += 1 }
        case "p":
            // Quirk(Outlook): its paragraphs are single lines; an empty line is a paragraph with a no-break space.
            paragraphIsLine = tag.attribute("class")?.hasPrefix(ignoringCase: "Mso") == true
            needLineEnds(paragraphIsLine ? 1 : 2)
        case "h1", "h2", "h3", "h4", "h5", "h6": needLineEnds(2)
        case "div", "tr", "section", "article", "header", "footer", "address", "dt", "dd", "form", "center", "table", "main", "nav",
            "aside",
            "figure", "fieldset", "legend", "option", "caption":
            needLineEnds(1)
        case "hr":
            needLineEnds(1)
            write([UInt8](repeating: ASCII.underscore, count: 32)[...])
            needLineEnds(1)
        case "td", "th": spaceOwed = true
        case "blockquote":
            needLineEnds(1)
            quoteDepth += 1
        case "pre", "textarea", "xmp", "listing":
            needLineEnds(1)
            preformatted += 1
        case "ul", "ol", "menu", "dir":
            needLineEnds(lists.isEmpty ? 2 : 1)
            lists.append(List(isOrdered: tag.name.matches("ol")))
        case "li": beginListEntry()
        case "a":
            finishLink()
            if let href = tag.attribute("href") { beginLink(href) }
        case "img":
            // Quirk(Gmail): emoji are images whose alternative text is the character.
            if let text = tag.attribute("alt"), text.count <= 32, !text.isASCII { write(text) }
        default: break
        }
    }

    private mutating func close(_ tag: HTMLTokenizer.Tag) {
        switch tag.name.utf8Text {
        case "p": needLineEnds(paragraphIsLine ? 1 : 2)
        case "h1", "h2", "h3", "h4", "h5", "h6": needLineEnds(2)
        case "div", "tr", "section", "article", "header", "footer", "address", "dt", "dd", "form", "center", "table", "li", "main", "nav",
            "aside", "figure", "fieldset", "legend", "option", "caption":
            needLineEnds(1)
        case "blockquote":
            needLineEnds(1)
            quoteDepth = max(0, quoteDepth - 1)
        case "pre", "textarea", "xmp", "listing":
            needLineEnds(1)
            preformatted = max(0, preformatted - 1)
        case "ul", "ol", "menu", "dir":
            _ = lists.popLast()
            needLineEnds(lists.isEmpty ? 2 : 1)
        case "a": finishLink()
        default: break
        }
    }

    private mutating func beginListEntry() {
        markerEnd = nil
        needLineEnds(1)
        let depth = max(0, min(lists.count, Self.deepestList) - 1)
        var marker = [ASCII.hyphen, ASCII.space]
        if let last = lists.indices.last, lists[last].isOrdered {
            lists[last].count += 1
            marker = Array("\(lists[last].count). ".utf8)
        }
        startVisible()
        output += [UInt8](repeating: ASCII.space, count: depth * 2) + marker
        markerEnd = output.count
    }

    // MARK: Links

    private mutating func beginLink(_ href: ArraySlice<UInt8>) {
        var url = Array(Self.decodingReferences(href.trimmed))
        guard url.hasPrefix(ignoringCase: "http://") || url.hasPrefix(ignoringCase: "https://") || url.hasPrefix(ignoringCase: "mailto:"),
            url.count <= 2000, url.allSatisfy({ $0 > ASCII.space && $0 != ASCII.delete && $0 != ASCII.less && $0 != ASCII.greater })
        else { return }
        if url.hasPrefix(ignoringCase: "mailto:") { url = Array(url[7...].prefix { $0 != ASCII.question }) }
        link = Link(url: url, textStart: output.count)
    }

    private mutating func finishLink() {
        guard let link else { return }
        self.link = nil
        let text = output[min(link.textStart, output.count)...].trimmed
        // A link around an image or nothing has no text that a target could belong to.
        guard !text.isEmpty, Self.comparable(text) != Self.comparable(link.url[...]) else { return }
        output += [ASCII.space, ASCII.less] + link.url + [ASCII.greater]
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

    private mutating func needLineEnds(_ count: Int) {
        guard output.count != markerEnd else { return }
        lineEnds = max(lineEnds, count)
        spaceOwed = false
    }

    private mutating func write(_ text: ArraySlice<UInt8>) {
        let piece = Self.decodingReferences(text)
        var i = piece.startIndex
        while i < piece.endIndex {
            let byte = piece[i]
            if byte.isHTMLSpace {
                if preformatted > 0 { writePreformatted(byte) } else { spaceOwed = true }
                i += 1
            } else if byte == 0xC2, i + 1 < piece.endIndex, piece[i + 1] == 0xA0 {
                // A no-break space is a character of its own: it makes an empty paragraph a line.
                startVisible()
                output.append(ASCII.space)
                i += 2
            } else if byte.isControl {
                i += 1
            } else {
                startVisible()
                output.append(byte)
                i += 1
                while i < piece.endIndex, piece[i] > ASCII.space, piece[i] != 0xC2, piece[i] != ASCII.delete {
                    output.append(piece[i])
                    i += 1
                }
            }
        }
    }

    private mutating func writePreformatted(_ byte: UInt8) {
        if byte == ASCII.lf {
            lineEnds += 1
        } else if byte != ASCII.cr {
            startVisible()
            output.append(byte)
        }
    }

    /// Writes the line ends, quote marks and the space that are owed before a visible character.
    private mutating func startVisible() {
        let depth = min(quoteDepth, Self.deepestQuote)
        if output.isEmpty {
            lineEnds = 0
            spaceOwed = false
            quote(depth, isEmptyLine: false)
        } else if lineEnds > 0 {
            while output.last == ASCII.space { output.removeLast() }
            output.append(ASCII.lf)
            for _ in 1..<max(1, min(lineEnds, preformatted > 0 ? 50 : 2)) {
                quote(depth, isEmptyLine: true)
                output.append(ASCII.lf)
            }
            quote(depth, isEmptyLine: false)
            lineEnds = 0
            spaceOwed = false
        } else if spaceOwed {
            if let last = output.last, !last.isWhitespace { output.append(ASCII.space) }
            spaceOwed = false
        }
    }

    private mutating func quote(_ depth: Int, isEmptyLine: Bool) {
        guard depth > 0 else { return }
        output += [UInt8](repeating: ASCII.greater, count: depth)
        if !isEmptyLine { output.append(ASCII.space) }
    }

    /// The text with its character references decoded.
    private static func decodingReferences(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard text.contains(0x26) else { return text }
        var output: [UInt8] = []
        output.reserveCapacity(text.count)
        var i = text.startIndex
        while i < text.endIndex {
            if text[i] == 0x26, let (scalar, end) = HTMLEntities.decode(text, at: i) {
                output += UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter
                i = end
            } else {
                output.append(text[i])
                i += 1
            }
        }
        return output[...]
    }
}
