import InternetMessage

/// Puts what is counted into the HTML of a letter: a picture that tells of an open, and links that lead by way of us.
///
/// A letter of text alone is never touched. What is no plain web address, what the sender marked with `data-track="off"`, the way off the
/// list and our own tracking addresses stay as they are.
package struct LetterTracker: Sendable {
    /// The two texts of a letter, with where its tracked links lead.
    package struct Letter: Sendable, Equatable {
        package let text: String
        package let html: String?
        package var links: [LinkTarget] = []

        package init(text: String, html: String?) {
            self.text = text
            self.html = html
        }

        fileprivate init(text: String, html: String, links: [LinkTarget]) {
            self.text = text
            self.html = html
            self.links = links
        }

        /// The letter without the sender's marks, which are for us alone.
        package var unmarked: Letter {
            let page = Array((html ?? "").utf8)
            guard page.containsMark else { return self }
            let marks = HTMLLink.links(of: page).compactMap(\.mark)
            guard !marks.isEmpty else { return self }
            return Letter(text: text, html: String(decoding: replacing(marks.map { ($0, []) }, in: page), as: UTF8.self), links: [])
        }
    }

    /// Whom a letter goes to and what of it is counted.
    package struct Order: Sendable {
        package let message: OutboxMessage.ID
        package let contact: Contact.ID
        package let opens: Bool
        package let clicks: Bool
        /// What the letter was made from before any value was put in: an address that stands there is the same for everybody.
        package let sources: [String]

        package init(message: OutboxMessage.ID, contact: Contact.ID, opens: Bool, clicks: Bool, sources: [String]) {
            self.message = message
            self.contact = contact
            self.opens = opens
            self.clicks = clicks
            self.sources = sources
        }
    }

    private let base: String
    private let codec: TokenCodec
    private let ownAddresses: [[UInt8]]
    private let wayOut: [UInt8]?
    /// Octets of the token behind the way off the list.
    private static let tokenLength = 36

    /// - Parameters:
    ///   - base: what tracking addresses begin with, ending in `/`.
    ///   - wayOut: what the links off the list begin with; nil: there are none.
    package init(base: String, codec: TokenCodec, wayOut: String?) {
        self.base = base
        self.codec = codec
        // The rest of the same host is the sender's own site.
        ownAddresses = ["\(base)o/", "\(base)c/"].map { Array($0.utf8) }
        self.wayOut = wayOut.map { Array($0.utf8) }
    }

    package func track(_ letter: Letter, _ order: Order) -> Letter {
        guard let html = letter.html, order.opens || order.clicks else { return letter.unmarked }
        var book = LinkBook(order)
        let page = rewrite(Array(html.utf8), &book, order)
        let text = order.clicks ? rewriteText(Array(letter.text.utf8), &book) : Array(letter.text.utf8)
        return Letter(
            text: String(decoding: text, as: UTF8.self),
            html: String(decoding: order.opens ? adding(picture(order.message), to: page) : page, as: UTF8.self), links: book.links)
    }

    /// The targets that a letter showed so far.
    private struct LinkBook {
        let message: OutboxMessage.ID
        let contact: Contact.ID
        let sources: [[UInt8]]
        /// What its HTML leaves alone is left alone in its text too.
        var leftAlone: Set<[UInt8]> = []
        private(set) var links: [LinkTarget] = []

        init(_ order: Order) {
            message = order.message
            contact = order.contact
            sources = order.sources.map { Array($0.utf8) }
        }

        /// - Parameter written: how it stands in the letter.
        mutating func target(_ bytes: [UInt8], written: ArraySlice<UInt8>) -> LinkTarget? {
            let text = String(decoding: written, as: UTF8.self)
            let isShared = sources.contains { TemplateScanner.find(text, in: $0, from: 0) != nil }
            // Where it leads is the sender's to say; a contact's values say at most what stands behind the host.
            guard isShared || isOfSender(bytes) else { return nil }
            guard let target = LinkTarget(bytes, contact: isShared ? nil : contact) else { return nil }
            if let known = links.first(where: { $0.url.utf8.elementsEqual(target.url.utf8) }) { return known }
            links.append(target)
            return target
        }

        /// Whether scheme and host of an address stand in what the letter was made from.
        private func isOfSender(_ address: [UInt8]) -> Bool {
            guard let slash = address.firstIndex(of: UInt8(ascii: "/")), slash + 1 < address.count else { return false }
            let place = address[..<(slash + 2)] + address[(slash + 2)...].prefix { !"/?#".utf8.contains($0) }
            let text = String(decoding: place, as: UTF8.self)
            return sources.contains { source in
                guard let start = TemplateScanner.find(text, in: source, from: 0) else { return false }
                // The host ends there too.
                let end = start + place.count
                return end == source.count || !Self.isHostPart(source[end])
            }
        }

        private static func isHostPart(_ byte: UInt8) -> Bool {
            (byte >= 48 && byte <= 57) || (byte | 0x20 >= 97 && byte | 0x20 <= 122) || "-._:@{[".utf8.contains(byte)
        }
    }

    // MARK: HTML

    private func rewrite(_ page: [UInt8], _ book: inout LinkBook, _ order: Order) -> [UInt8] {
        var edits: [(place: Range<Int>, text: [UInt8])] = []
        for link in HTMLLink.links(of: page) {
            if let mark = link.mark { edits.append((mark, [])) }
            if link.isLeftAlone { book.leftAlone.insert(link.target) }
            guard order.clicks, !link.isLeftAlone, !isOwn(link.target),
                let target = book.target(link.target, written: page[link.value])
            else { continue }
            edits.append((link.value, address(of: target, in: order.message)))
        }
        return replacing(edits, in: page)
    }

    private func isOwn(_ target: [UInt8]) -> Bool {
        if ownAddresses.contains(where: { target.starts(with: $0) }) { return true }
        guard let wayOut, target.starts(with: wayOut) else { return false }
        return target.count >= wayOut.count + Self.tokenLength && target[wayOut.count...].prefix(Self.tokenLength).allSatisfy(Self.isTokenPart)
    }

    private static func isTokenPart(_ byte: UInt8) -> Bool {
        (byte >= 48 && byte <= 57) || (byte | 0x20 >= 97 && byte | 0x20 <= 122)
    }

    private func address(of target: LinkTarget, in message: OutboxMessage.ID) -> [UInt8] {
        Array("\(base)c/\(TrackingToken(message: message, link: target.id).text(signedBy: codec))".utf8)
    }

    private func picture(_ message: OutboxMessage.ID) -> [UInt8] {
        let token = TrackingToken(message: message, link: nil).text(signedBy: codec)
        return Array("<img src=\"\(base)o/\(token).gif\" width=\"1\" height=\"1\" alt=\"\" border=\"0\">\n".utf8)
    }

    /// Before its last `</body>`, or behind everything.
    private func adding(_ part: [UInt8], to page: [UInt8]) -> [UInt8] {
        let mark = Array("</body".utf8)
        let place = page.indices.last { index in
            page.count - index >= mark.count
                && page[index..<(index + mark.count)].elementsEqual(mark) { ($0 >= 65 && $0 <= 90 ? $0 | 0x20 : $0) == $1 }
        }
        let end = place ?? page.endIndex
        return Array(page[..<end]) + part + Array(page[end...])
    }

    // MARK: Text

    private func rewriteText(_ text: [UInt8], _ book: inout LinkBook) -> [UInt8] {
        var output: [UInt8] = []
        var at = 0
        while at < text.count {
            guard let end = Self.webAddress(in: text, from: at) else {
                output.append(text[at])
                at += 1
                continue
            }
            let found = Array(text[at..<end])
            if !isOwn(found), !book.leftAlone.contains(found), let target = book.target(found, written: text[at..<end]) {
                output += address(of: target, in: book.message)
            } else {
                output += found
            }
            at = end
        }
        return output
    }

    /// Where the web address ends that begins at `start`; nil when none does.
    private static func webAddress(in text: [UInt8], from start: Int) -> Int? {
        guard text[start] | 0x20 == UInt8(ascii: "h"), start == 0 || !isWordPart(text[start - 1]) else { return nil }
        let scheme = text[start...].prefix(8).map { $0 >= 65 && $0 <= 90 ? $0 | 0x20 : $0 }
        guard scheme.starts(with: "https://".utf8) || scheme.starts(with: "http://".utf8) else { return nil }
        var end = start
        var open = 0
        while end < text.count, text[end] > 0x20, text[end] < 0x7F, !"<>\"".utf8.contains(text[end]) {
            if text[end] == UInt8(ascii: "(") { open += 1 }
            if text[end] == UInt8(ascii: ")") { open -= 1 }
            end += 1
        }
        // What goes on with letters of another script was not meant to end here.
        if end < text.count, text[end] >= 0x80 { return nil }
        // Marks behind an address belong to the sentence; a bracket does unless it was opened in it.
        while end > start {
            let last = text[end - 1]
            if last == UInt8(ascii: ")"), open < 0 {
                open += 1
            } else if !".,;:!?'*]".utf8.contains(last) {
                break
            }
            end -= 1
        }
        return end
    }

    private static func isWordPart(_ byte: UInt8) -> Bool {
        (byte >= 48 && byte <= 57) || (byte | 0x20 >= 97 && byte | 0x20 <= 122) || byte >= 0x80 || byte == UInt8(ascii: "/")
    }
}

extension [UInt8] {
    /// Whether `data-track` stands anywhere in it: most pages have none, and need not be read.
    fileprivate var containsMark: Bool {
        let mark = Array("data-track".utf8)
        var at = startIndex
        while let place = self[at...].firstIndex(where: { $0 | 0x20 == UInt8(ascii: "d") }) {
            if self[place...].prefix(mark.count).elementsEqual(mark, by: { $0 == $1 || ($0 >= 65 && $0 <= 90 && $0 | 0x20 == $1) }) { return true }
            at = place + 1
        }
        return false
    }
}

/// The bytes with other ones in some places, which do not overlap.
private func replacing(_ edits: [(place: Range<Int>, text: [UInt8])], in page: [UInt8]) -> [UInt8] {
    var output: [UInt8] = []
    output.reserveCapacity(page.count + edits.count * 64)
    var at = 0
    for edit in edits.sorted(by: { $0.place.lowerBound < $1.place.lowerBound }) where edit.place.lowerBound >= at {
        output += page[at..<edit.place.lowerBound]
        output += edit.text
        at = edit.place.upperBound
    }
    return output + page[at...]
}
