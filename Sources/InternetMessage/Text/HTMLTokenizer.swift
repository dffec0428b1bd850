/// Cuts HTML into text and tags; never fails, one pass, no tree.
///
/// Each search for a closing character that runs to the end in vain switches its kind of search off, so hostile input stays linear.
struct HTMLTokenizer {
    enum Token {
        /// Text with its references still in place.
        case text(ArraySlice<UInt8>)
        case tag(Tag)
    }

    struct Tag {
        /// In lower case.
        var name: [UInt8]
        var isClosing: Bool
        var attributes: ArraySlice<UInt8>

        /// The value of an attribute, references not decoded, empty when it has none; nil when the attribute is absent.
        func attribute(_ wanted: String) -> ArraySlice<UInt8>? { place(of: wanted)?.value }

        /// An attribute by where it stands, from its name to behind its value, and its value, references not decoded.
        func place(of wanted: String) -> (whole: Range<Int>, value: ArraySlice<UInt8>)? {
            var i = attributes.startIndex
            let end = attributes.endIndex
            while i < end {
                while i < end, attributes[i].isHTMLSpace || attributes[i] == ASCII.slash { i += 1 }
                let nameStart = i
                while i < end, !attributes[i].isHTMLSpace, attributes[i] != ASCII.equals, attributes[i] != ASCII.slash || i == nameStart {
                    i += 1
                }
                let name = attributes[nameStart..<i]
                while i < end, attributes[i].isHTMLSpace { i += 1 }
                guard i < end, attributes[i] == ASCII.equals else {
                    if name.isEmpty { i += 1 } else if name.matches(wanted) { return (nameStart..<name.endIndex, name.prefix(0)) }
                    continue
                }
                i += 1
                while i < end, attributes[i].isHTMLSpace { i += 1 }
                let valueStart = i
                if i < end, attributes[i] == ASCII.quote || attributes[i] == ASCII.apostrophe {
                    let close = attributes.index(of: attributes[i], from: i + 1) ?? end
                    if name.matches(wanted) { return (nameStart..<min(end, close + 1), attributes[(i + 1)..<close]) }
                    i = min(end, close + 1)
                } else {
                    while i < end, !attributes[i].isHTMLSpace { i += 1 }
                    if name.matches(wanted) { return (nameStart..<i, attributes[valueStart..<i]) }
                }
            }
            return nil
        }
    }

    private let html: ArraySlice<UInt8>
    private var i: Int
    private var honoursQuotes = true
    private var tagsAreText = false
    private var commentsClose = true
    private var neverClosed: Set<[UInt8]> = []

    init(_ html: ArraySlice<UInt8>) {
        self.html = html
        i = html.startIndex
    }

    mutating func next() -> Token? {
        while i < html.endIndex {
            let start = i
            if html[i] == ASCII.less, !tagsAreText {
                if let tag = readMarkup() { return .tag(tag) }
                if i > start { continue }
            }
            i += 1
            while i < html.endIndex, html[i] != ASCII.less || tagsAreText { i += 1 }
            return .text(html[start..<i])
        }
        return nil
    }

    /// Skips what stands up to the closing tag of a script, a style or the like; nothing when it is never closed.
    mutating func skipContent(of name: [UInt8]) {
        guard !neverClosed.contains(name) else { return }
        var j = i
        while let open = html.index(of: ASCII.less, from: j) {
            let rest = html[(open + 1)...]
            if rest.first == ASCII.slash, rest.dropFirst().prefix(name.count).elementsEqual(name, by: { $0.lowercased == $1 }) {
                i = open
                return
            }
            j = open + 1
        }
        neverClosed.insert(name)
    }

    /// The tag at the cursor; nil when markup without meaning was skipped, or, with the cursor unmoved, when it is text.
    private mutating func readMarkup() -> Tag? {
        let next = i + 1
        guard next < html.endIndex else { return nil }
        switch html[next] {
        case 0x21:
            if html[next...].starts(with: [0x21, ASCII.hyphen, ASCII.hyphen]), commentsClose {
                if let close = html.index(of: [ASCII.hyphen, ASCII.hyphen, ASCII.greater], from: next + 1) {
                    i = close + 3
                    return nil
                }
                commentsClose = false
            }
            skipDeclaration()
            return nil
        case ASCII.question:
            skipDeclaration()
            return nil
        case ASCII.slash where next + 1 < html.endIndex && html[next + 1].isLetter:
            return readTag(nameStart: next + 1, isClosing: true)
        case let byte where byte.isLetter:
            return readTag(nameStart: next, isClosing: false)
        default:
            return nil
        }
    }

    private mutating func skipDeclaration() {
        guard let close = html.index(of: ASCII.greater, from: i) else {
            tagsAreText = true
            return
        }
        i = close + 1
    }

    private mutating func readTag(nameStart: Int, isClosing: Bool) -> Tag? {
        var nameEnd = nameStart
        while nameEnd < html.endIndex, !html[nameEnd].isHTMLSpace, html[nameEnd] != ASCII.greater, html[nameEnd] != ASCII.slash {
            nameEnd += 1
        }
        guard let close = tagEnd(from: nameEnd) else { return nil }
        i = close + 1
        return Tag(
            name: html[nameStart..<nameEnd].prefix(20).asciiLowercased, isClosing: isClosing,
            attributes: html[nameEnd..<max(nameEnd, close)])
    }

    private mutating func tagEnd(from start: Int) -> Int? {
        if honoursQuotes {
            var j = start
            while j < html.endIndex {
                let byte = html[j]
                if byte == ASCII.greater { return j }
                if byte == ASCII.quote || byte == ASCII.apostrophe, html[j - 1] == ASCII.equals || html[j - 1].isHTMLSpace {
                    guard let close = html.index(of: byte, from: j + 1) else { break }
                    j = close
                }
                j += 1
            }
            honoursQuotes = false
        }
        if let close = html.index(of: ASCII.greater, from: start) { return close }
        tagsAreText = true
        return nil
    }
}

extension UInt8 {
    /// White space as HTML counts it: also form feed.
    var isHTMLSpace: Bool { isWhitespace || self == 0x0C }
}
