/// One node of the tree of a message: a leaf with content, a multipart with its parts, or a message with the message inside.
package struct BodyPart: Sendable {
    /// The fields of this part; for the root the header of the message.
    package internal(set) var header: Header
    /// The type, `text/plain` where it is missing or unreadable (`message/rfc822` inside a digest).
    package let mediaType: MediaType
    /// How the body is encoded.
    package let transferEncoding: TransferEncoding
    /// The exact bytes of the body, still encoded, without the line end that belongs to a following boundary.
    package let body: ArraySlice<UInt8>
    /// The parts of a multipart; the one inner part of a message/rfc822 or message/global; empty for a leaf.
    package internal(set) var children: [BodyPart]

    /// How the part is to be shown; nil when nothing is said.
    package var disposition: ContentDisposition? {
        header.first("Content-Disposition").flatMap { ContentDisposition(parsing: $0.rawValue) }
    }

    /// The Content-ID without angle brackets, nil when there is none.
    package var contentID: String? {
        guard let value = header.first("Content-ID")?.rawValue else { return nil }
        return MessageID.list(parsing: value).first?.text ?? MessageID(lenient: value.trimmed)?.text
    }

    /// The name of the file: the filename of the disposition, or else the name of the type; nil when there is neither.
    package var filename: String? {
        let name = disposition?.parameters["filename"] ?? mediaType.parameters["name"]
        return name.flatMap { $0.utf8.isEmpty ? nil : $0 }
    }

    /// Whether this part has parts inside.
    package var isContainer: Bool { !children.isEmpty }

    /// The body with its transfer encoding undone, and what was broken in it. Never longer than `limit` octets.
    package func decodedBody(limit: Int = Limits.default.decodedBytes) -> (bytes: [UInt8], defects: [Defect]) {
        // No encoding grows when it is decoded, so bounding what goes in bounds what comes out.
        let isCut = body.count > limit && transferEncoding == .identity
        let (bytes, isClean, defect): ([UInt8], Bool, Defect)
        switch transferEncoding {
        case .identity: (bytes, isClean, defect) = (Array(body.prefix(limit)), true, .tooLong)
        case .unknown: (bytes, isClean, defect) = (Array(body.prefix(limit)), false, .unknownTransferEncoding)
        case .base64:
            (bytes, isClean) = Base64.decodeTolerantly(body)
            defect = .base64Syntax
        case .quotedPrintable:
            (bytes, isClean) = QuotedPrintable.decodeTolerantly(body)
            defect = .quotedPrintableSyntax
        case .uuencode:
            (bytes, isClean) = UUEncode.decodeTolerantly(body)
            defect = .uuencodeSyntax
        }
        var defects: [Defect] = isClean ? [] : [defect]
        if isCut || bytes.count > limit { defects.append(.decodedTooLong) }
        return (bytes.count > limit ? Array(bytes.prefix(limit)) : bytes, defects)
    }

    /// The charset that the first text part in this tree names, nil when none does.
    var textCharset: String? {
        var stack = [self]
        while let part = stack.popLast() {
            if part.mediaType.type == "text", let charset = part.mediaType.charset { return charset }
            stack += part.children.reversed()
        }
        return nil
    }

    /// What Outlook wrapped into this part, nil when it is no TNEF stream.
    package var tnef: TNEF? {
        guard !isContainer, mediaType.type == "application" else { return nil }
        let isNamed = mediaType.subtype == "ms-tnef" || mediaType.subtype == "vnd.ms-tnef"
        guard isNamed || (filename.map { Array($0.utf8).matches("winmail.dat") } ?? false) else { return nil }
        return TNEF(parsing: decodedBody().bytes[...])
    }

    /// The answer to an invitation in this part, nil when it is none.
    var calendarReply: CalendarReply? {
        guard mediaType.isType("text", "calendar") || mediaType.isType("application", "ics") else { return nil }
        return CalendarReply(parsing: Array(decodedText().text.utf8)[...], method: mediaType.parameters["method"])
    }

    /// The files that stand in the text as uuencode; empty for a part that is encoded in the way of MIME.
    var embeddedFiles: [UUEncode.File] {
        transferEncoding == .identity || transferEncoding == .unknown ? UUEncode.files(in: body) : []
    }

    /// The body as text with LF line ends, by its charset, and what was broken in it; format=flowed is left as it is.
    package func decodedText() -> (text: String, defects: [Defect]) {
        var files = embeddedFiles
        if transferEncoding == .identity, files.isEmpty, body.count <= Limits.default.decodedBytes,
            body.index(of: ASCII.cr, from: body.startIndex) == nil
        {
            // Nothing to undo, so no copy of a long text.
            let decoded = Charset.decoding(body, label: mediaType.charset ?? declaredCharset(body))
            return (decoded.text, decoded.defect.map { [$0] } ?? [])
        }
        var (bytes, defects) = decodedBody()
        files.removeAll { $0.range.upperBound - body.startIndex > bytes.count }
        if !files.isEmpty {
            // In one go, because there may be as many files as lines.
            var rest: [UInt8] = []
            var start = body.startIndex
            for file in files {
                rest += body[start..<file.range.lowerBound]
                start = file.range.upperBound
            }
            rest += body[start..<(body.startIndex + bytes.count)]
            bytes = rest
            if files.contains(where: { !$0.isComplete }) { defects.append(.uuencodeSyntax) }
        }
        LineEnds.normalize(&bytes)
        let decoded = Charset.decoding(bytes[...], label: mediaType.charset ?? declaredCharset(bytes[...]))
        if let defect = decoded.defect { defects.append(defect) }
        return (decoded.text, defects)
    }

    /// What an HTML document says of itself, which is believed only where the bytes do not say better: gateways recode and leave it.
    private func declaredCharset(_ bytes: ArraySlice<UInt8>) -> String? {
        guard mediaType.isType("text", "html"), bytes.isASCII || !UTF8Check.isValid(bytes[...]) else { return nil }
        return HTMLText.declaredCharset(in: bytes)
    }
}
