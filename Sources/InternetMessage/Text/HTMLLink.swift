/// A link of an HTML page, by where it stands in the bytes of the page.
package struct HTMLLink: Sendable, Equatable {
    /// What it leads to: references decoded, and without the white space that browsers drop.
    package let target: [UInt8]
    /// Where the value of its `href` stands, without its quotes.
    package let value: Range<Int>
    /// Where its attribute `data-track` stands, from the white space before it on; nil: it has none.
    package let mark: Range<Int>?
    /// Whether that attribute says `off`, `no` or `false`.
    package let isLeftAlone: Bool

    /// The links of a page in their order: the `href` of each `a` and `area`, but for what stands in comments, scripts and the like.
    package static func links(of page: [UInt8]) -> [HTMLLink] {
        var tokens = HTMLTokenizer(page[...])
        var links: [HTMLLink] = []
        while let token = tokens.next() {
            guard case .tag(let tag) = token, !tag.isClosing else { continue }
            if opaque.contains(tag.name) {
                tokens.skipContent(of: tag.name)
                continue
            }
            guard tag.name == anchor || tag.name == area, let link = HTMLLink(tag, in: page) else { continue }
            links.append(link)
        }
        return links
    }

    private static let anchor = Array("a".utf8)
    private static let area = Array("area".utf8)
    private static let opaque = Set(
        ["script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes"].map { Array($0.utf8) })
    private static let refusals = ["off", "no", "false"].map { Array($0.utf8) }

    /// nil when the tag leads nowhere.
    private init?(_ tag: HTMLTokenizer.Tag, in page: [UInt8]) {
        let mark = tag.place(of: "data-track")
        guard let href = tag.place(of: "href") else { return nil }
        let decoded = HTMLEntities.decoding(href.value, in: .attribute)
        // Browsers take line ends and tabs out wherever they stand, blanks at the ends only.
        let plain = decoded.filter { ![0x09, 0x0A, 0x0D].contains($0) }
        let start = plain.firstIndex { $0 > 0x20 } ?? plain.endIndex
        let end = plain.lastIndex { $0 > 0x20 }.map { $0 + 1 } ?? start
        target = Array(plain[start..<max(start, end)])
        value = href.value.startIndex..<href.value.endIndex
        self.mark = mark.map { found in
            var first = found.whole.lowerBound
            while first > tag.attributes.startIndex, page[first - 1].isHTMLSpace { first -= 1 }
            // What stands right behind it must not come to stand right behind what is before it.
            let behind = found.whole.upperBound
            let isApart = behind >= tag.attributes.endIndex || page[behind].isHTMLSpace || page[behind] == UInt8(ascii: "/")
            if !isApart, first < found.whole.lowerBound { first += 1 }
            return first..<behind
        }
        let word = mark.map { Array($0.value.asciiLowercased) }
        isLeftAlone = word.map { word in Self.refusals.contains(word) } ?? false
    }
}
