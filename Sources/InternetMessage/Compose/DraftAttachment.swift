/// A file to be sent along: attached, or shown in the HTML as an inline image.
package struct DraftAttachment: Sendable, Hashable {
    /// Where the octets are.
    package enum Content: Sendable, Hashable {
        /// In memory.
        case bytes([UInt8])
        /// In a file that is read while the message is written. `size` is its length in octets when the draft was made; a file that is
        /// longer or shorter by then ends the writing with `ComposeError.Code.fileChanged`.
        case file(path: String, size: Int)

        /// The length in octets.
        package var size: Int {
            switch self {
            case .bytes(let bytes): bytes.count
            case .file(_, let size): size
            }
        }
    }

    /// The name that the recipient sees, without a path; nil leaves it out. Not ASCII, it is written by RFC 2231.
    package var filename: String?
    /// Type and subtype, for example `application/pdf`; messages and multiparts cannot be attached (RFC 2045 §6.4).
    package var mediaType: String
    /// The charset of a text type, nil when it is not known.
    package var charset: String?
    /// What is sent; always in base64.
    package var content: Content
    /// By what the HTML names it (`<img src="cid:...">`, RFC 2392). Inline images need one, other attachments do without.
    package var contentID: MessageID?

    /// A file with its name and type.
    package init(filename: String?, mediaType: String, charset: String? = nil, content: Content, contentID: MessageID? = nil) {
        self.filename = filename
        self.mediaType = mediaType
        self.charset = charset
        self.content = content
        self.contentID = contentID
    }

    /// The fields of its body part. `place` names it in an error.
    func fields(isInline: Bool, place: String) throws(ComposeError) -> [HeaderField] {
        var typeParameters: [(name: String, value: String)] = []
        var dispositionParameters: [(name: String, value: String)] = []
        try checkMediaType(place)
        if let charset {
            guard (1...40).contains(charset.utf8.count), charset.utf8.allSatisfy(\.isMIMETokenByte) else {
                throw ComposeError(.syntax, field: place, "the charset is not a name such as utf-8")
            }
            typeParameters.append(("charset", charset))
        }
        if let filename {
            try FieldWriter.check(filename, field: place)
            guard (1...500).contains(filename.utf8.count), !filename.utf8.contains(where: { $0 == ASCII.slash || $0 == ASCII.backslash })
            else { throw ComposeError(.syntax, field: place, "the filename is empty, longer than 500 octets, or holds a path") }
            dispositionParameters.append(("filename", filename))
        }
        guard (0...Self.largest).contains(content.size) else {
            throw ComposeError(.tooLong, field: place, "a size that is negative or above 2^40 octets", remedy: "attach a smaller file")
        }
        var fields = [
            ParameterWriter.field("Content-Type", mediaType, typeParameters),
            ParameterWriter.field("Content-Transfer-Encoding", "base64"),
            ParameterWriter.field("Content-Disposition", isInline ? "inline" : "attachment", dispositionParameters),
        ]
        if let contentID {
            guard MessageID(contentID.text) != nil else {
                throw ComposeError(.syntax, field: place, "the Content-ID is not of the form word@domain (RFC 2045 §7)")
            }
            fields.append(FieldWriter.folded("Content-ID", [contentID.bracketed]))
        }
        return fields
    }

    private func checkMediaType(_ place: String) throws(ComposeError) {
        let words = mediaType.utf8.split(separator: ASCII.slash, omittingEmptySubsequences: false)
        guard words.count == 2, words.allSatisfy({ (1...127).contains($0.count) && $0.allSatisfy(\.isMIMETokenByte) }) else {
            throw ComposeError(.syntax, field: place, "the media type is not of the form application/pdf")
        }
        guard !["multipart", "message"].contains(where: { words[0].matches($0) }) else {
            throw ComposeError(
                .syntax, field: place, "a message or multipart cannot be sent in base64 (RFC 2045 §6.4)",
                remedy: "attach it as application/octet-stream")
        }
    }

    private static let largest = 1 << 40
}

extension MessageID {
    /// The identifier in its angle brackets.
    var bracketed: [UInt8] { [ASCII.less] + bytes + [ASCII.greater] }
}
