/// A part of a message that is not its text: a file, an inline image, a forwarded message, a report.
package struct Attachment: Sendable, Hashable {
    /// The name of the file, nil when none is given.
    package let filename: String?
    /// The media type in lower case, without parameters.
    package let type: String
    /// The content with its transfer encoding undone.
    package let bytes: [UInt8]
    /// The word of Content-Disposition in lower case, nil when there is no such field.
    package let disposition: String?
    /// The Content-ID without angle brackets, nil when there is none.
    package let contentID: String?

    init(_ part: BodyPart) {
        filename = part.filename
        type = part.mediaType.essence
        bytes = part.decodedBody().bytes
        disposition = part.disposition?.kind
        contentID = part.contentID
    }

    /// A file that stands in a text as uuencode.
    init(_ file: UUEncode.File) {
        filename = file.name
        type = "application/octet-stream"
        bytes = file.bytes
        disposition = nil
        contentID = nil
    }

    /// A file inside a TNEF stream.
    init(_ file: TNEF.File) {
        filename = file.name
        type = file.type.flatMap { MediaType(parsing: Array($0.utf8)[...])?.essence } ?? "application/octet-stream"
        bytes = file.bytes
        disposition = nil
        contentID = file.contentID
    }

    /// The rich text of a TNEF stream.
    init(rtf: [UInt8]) {
        filename = "body.rtf"
        type = "application/rtf"
        bytes = rtf
        disposition = nil
        contentID = nil
    }
}
