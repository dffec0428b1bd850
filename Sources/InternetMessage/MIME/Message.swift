/// A message as it was received (RFC 5322, MIME): total, lazy, and with its exact bytes at hand.
///
/// Overview: parsing finds the header fields and the tree of parts; contents are decoded when they are asked for, and each ask decodes
/// anew. Nothing in a message can make parsing fail; what is wrong with it is listed in `defects`.
package struct Message: Sendable {
    /// The bytes of the message as given, without an mbox line in front.
    package let raw: ArraySlice<UInt8>
    /// The whole message as the root of its parts.
    package let root: BodyPart
    /// What was found wrong with structure and header, each kind once. Contents that decode badly are in `allDefects()`.
    package let defects: [Defect]

    /// Reads a message with line ends CRLF, LF or CR; a line "From " of an mbox, a byte order mark and empty lines before the header
    /// are passed over.
    package init(parsing bytes: [UInt8], limits: Limits = .default) {
        self.init(parsing: bytes[...], limits: limits)
    }

    /// Reads a message that is part of something larger, such as a message/rfc822 part.
    package init(parsing bytes: ArraySlice<UInt8>, limits: Limits = .default) {
        var defects = DefectSet()
        var slice = bytes
        if slice.count > limits.bytes {
            slice = slice.prefix(limits.bytes)
            defects.insert(.tooLong)
        }
        slice = Message.withoutPreface(slice, &defects)
        var parser = PartTreeParser(slice, limits: limits)
        var root = parser.parse()
        if !root.header.raw.isASCII { root.header.charsetHint = root.textCharset }
        self.root = root
        raw = slice
        defects.insert(contentsOf: parser.defects.list)
        self.defects = defects.list
    }

    /// The header of the message.
    package var header: Header { root.header }

    /// The exact bytes of the header fields, each with its line end, without the empty line: what DKIM reads.
    package var rawHeader: ArraySlice<UInt8> { root.header.raw }

    /// The exact bytes behind the empty line: what DKIM hashes.
    package var rawBody: ArraySlice<UInt8> { root.body }

    private static func withoutPreface(_ bytes: ArraySlice<UInt8>, _ defects: inout DefectSet) -> ArraySlice<UInt8> {
        var slice = bytes
        if slice.starts(with: [0xEF, 0xBB, 0xBF]) { slice = slice.dropFirst(3) }
        slice = slice.drop { $0 == ASCII.cr || $0 == ASCII.lf }
        let fromLine = Array("From ".utf8)
        let quotedFromLine = Array(">From ".utf8)
        while slice.starts(with: fromLine) || slice.starts(with: quotedFromLine) {
            defects.insert(.mboxFromLine)
            guard let end = slice.firstIndex(where: { $0 == ASCII.lf || $0 == ASCII.cr }) else { return slice[slice.endIndex...] }
            slice = slice[(end + 1)...].drop { $0 == ASCII.lf }
        }
        return slice
    }
}
