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
}
