package import InternetMessage

/// What a reader is to find in the message of a draft, told from the draft alone.
extension MessageDraft {
    /// A leaf of the tree: its type, its file, and its content, texts with LF line ends.
    package struct Leaf: Sendable, Hashable {
        package let type: String
        package let filename: String?
        package let contentID: String?
        /// Nil where the content is for the composer to choose: a text derived from HTML, a calendar.
        package let content: [UInt8]?
    }

    /// The content types as a tree, such as `multipart/alternative(text/plain,text/html)`.
    package var expectedTree: String {
        var alternatives = ["text/plain"]
        if html != nil {
            let images = inlineImages.map { ",\($0.mediaType)" }.joined()
            alternatives.append(images.isEmpty ? "text/html" : "multipart/related(text/html\(images))")
        }
        if invitation != nil { alternatives.append("text/calendar") }
        let body = alternatives.count == 1 ? alternatives[0] : "multipart/alternative(\(alternatives.joined(separator: ",")))"
        let files = attachments.map(\.mediaType) + (invitation == nil ? [] : ["application/ics"])
        return files.isEmpty ? body : "multipart/mixed(\(([body] + files).joined(separator: ",")))"
    }

    /// The leaves in the order of the tree.
    package var expectedLeaves: [Leaf] {
        let isDerived = text.utf8.allSatisfy { $0 <= 32 } && html != nil
        var leaves = [Leaf(type: "text/plain", filename: nil, contentID: nil, content: isDerived ? nil : Self.lines(text))]
        if let html { leaves.append(Leaf(type: "text/html", filename: nil, contentID: nil, content: Self.lines(html))) }
        leaves += inlineImages.map(Self.leaf)
        if invitation != nil { leaves.append(Leaf(type: "text/calendar", filename: nil, contentID: nil, content: nil)) }
        leaves += attachments.map(Self.leaf)
        if invitation != nil { leaves.append(Leaf(type: "application/ics", filename: "invite.ics", contentID: nil, content: nil)) }
        return leaves
    }

    private static func leaf(_ file: DraftAttachment) -> Leaf {
        guard case .bytes(let bytes) = file.content else {
            return Leaf(type: file.mediaType, filename: file.filename, contentID: file.contentID?.text, content: nil)
        }
        return Leaf(type: file.mediaType, filename: file.filename, contentID: file.contentID?.text, content: bytes)
    }

    /// The text with LF for every line end, closed by one.
    private static func lines(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        var previous: UInt8 = 0
        for byte in text.utf8 {
            if byte != 10 || previous != 13 { bytes.append(byte == 13 ? 10 : byte) }
            previous = byte
        }
        if let last = bytes.last, last != 10 { bytes.append(10) }
        return bytes
    }
}

extension String {
    /// Without spaces at its ends, where a header field has none.
    package var withoutOuterSpaces: String {
        let bytes = Array(utf8)
        guard let first = bytes.firstIndex(where: { $0 != 32 }), let last = bytes.lastIndex(where: { $0 != 32 }) else { return "" }
        return String(decoding: bytes[first...last], as: UTF8.self)
    }
}
