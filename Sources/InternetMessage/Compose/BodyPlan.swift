/// The body of a draft as a tree of parts, and how it is written.
struct BodyPlan {
    /// A part: a leaf with its fields and content, or a multipart.
    private indirect enum Part {
        case text(fields: [HeaderField], bytes: [UInt8], encoding: String)
        case file(fields: [HeaderField], content: DraftAttachment.Content, place: String)
        case multipart(subtype: String, parameters: [(name: String, value: String)], [Part])
    }

    private let root: Part
    private let seed: [UInt8]

    /// Encodes the texts and checks everything else; throws `ComposeError` naming what cannot be sent.
    init(_ draft: MessageDraft) throws(ComposeError) {
        seed = draft.boundarySeed.isEmpty ? draft.messageID.bytes : draft.boundarySeed
        var alternatives: [Part] = []
        let isBlank = draft.text.utf8.allSatisfy(\.isWhitespace)
        let plain = isBlank ? draft.html.map(HTMLText.plainText) ?? draft.text : draft.text
        alternatives.append(try Self.text("text/plain", [], plain, field: "text", draft))
        if let html = draft.html {
            let page = try Self.text("text/html", [], html, field: "html", draft)
            alternatives.append(try Self.related(page, draft.inlineImages))
        } else if !draft.inlineImages.isEmpty {
            throw ComposeError(.missing, field: "html", "inline images without HTML to show them", remedy: "add HTML, or attach the images")
        }
        var files: [Part] = []
        for (position, attachment) in draft.attachments.enumerated() {
            let place = "attachment \(position + 1)"
            let fields = try attachment.fields(isInline: false, place: place)
            files.append(.file(fields: fields, content: attachment.content, place: place))
        }
        if let message = draft.attachedMessage { files.append(try Self.whole(message)) }
        if let invitation = draft.invitation {
            let calendar = try CalendarWriter.write(invitation)
            let method = (name: "method", value: invitation.method.rawValue)
            alternatives.append(try Self.text("text/calendar", [method], calendar.utf8Text, field: "invitation", draft))
            // Some clients offer a meeting from the alternative, others only from a file.
            let file = DraftAttachment(filename: "invite.ics", mediaType: "application/ics", content: .bytes(calendar))
            files.append(.file(fields: try file.fields(isInline: false, place: "invitation"), content: file.content, place: "invitation"))
        }
        let body = alternatives.count == 1 ? alternatives[0] : Part.multipart(subtype: "alternative", parameters: [], alternatives)
        root = files.isEmpty ? body : .multipart(subtype: "mixed", parameters: [], [body] + files)
    }

    private static func text(
        _ type: String, _ parameters: [(name: String, value: String)], _ text: String, field: String, _ draft: MessageDraft
    ) throws(ComposeError) -> Part {
        let body = try BodyEncoding(text, field: field, allows8bit: draft.allows8bit)
        let fields = [
            ParameterWriter.field("Content-Type", type, [("charset", "utf-8")] + parameters),
            ParameterWriter.field("Content-Transfer-Encoding", body.name),
        ]
        return .text(fields: fields, bytes: body.bytes, encoding: body.name)
    }

    private static func whole(_ message: [UInt8]) throws(ComposeError) -> Part {
        let encoding = try WholeMessage.encoding(of: message, field: "attached message")
        let fields = [
            ParameterWriter.field("Content-Type", "message/rfc822"),
            ParameterWriter.field("Content-Transfer-Encoding", encoding),
            ParameterWriter.field("Content-Disposition", "attachment", [("filename", "message.eml")]),
        ]
        return .text(fields: fields, bytes: message, encoding: encoding)
    }

    /// The page with its images around it (RFC 2387); the page alone when there are none.
    private static func related(_ page: Part, _ images: [DraftAttachment]) throws(ComposeError) -> Part {
        guard !images.isEmpty else { return page }
        var parts = [page]
        var identifiers: Set<MessageID> = []
        for (position, image) in images.enumerated() {
            let place = "inline image \(position + 1)"
            guard let id = image.contentID else {
                throw ComposeError(.missing, field: place, "no Content-ID by which the HTML could name it")
            }
            guard identifiers.insert(id).inserted else { throw ComposeError(.syntax, field: place, "the Content-ID of an earlier image") }
            parts.append(.file(fields: try image.fields(isInline: true, place: place), content: image.content, place: place))
        }
        return .multipart(subtype: "related", parameters: [("type", "text/html")], parts)
    }

    // MARK: Writing

    /// The fields that describe the body, an empty line, and the body; and whether any of it is 8bit.
    func pieces() -> (pieces: [ComposedMessage.Piece], has8bit: Bool) {
        var writer = Writer(stem: Boundary.stem(seed: seed, absentIn: Self.unencoded(root)))
        writer.write(root)
        writer.flush()
        return (writer.pieces, Self.has8bit(root))
    }

    /// The depth of these recursions is that of the shapes above: mixed, alternative, related, leaf.
    private struct Writer {
        let stem: [UInt8]
        var pieces: [ComposedMessage.Piece] = []
        private var ready: [UInt8] = []
        private var multiparts: UInt8 = 0

        init(stem: [UInt8]) { self.stem = stem }

        mutating func write(_ part: Part) {
            switch part {
            case .text(let fields, let bytes, _):
                begin(fields)
                ready += bytes
            case .file(let fields, let content, let place):
                begin(fields)
                flush()
                pieces.append(.base64(content, place: place))
            case .multipart(let subtype, let parameters, let parts):
                let boundary = stem + [UInt8(ascii: "a") + multiparts]
                multiparts += 1
                var fields = [
                    ParameterWriter.field("Content-Type", "multipart/\(subtype)", parameters + [("boundary", boundary.utf8Text)])
                ]
                // An encoding of the whole is only named where it is not 7bit (RFC 2045 §6.4).
                if BodyPlan.has8bit(part) { fields.append(ParameterWriter.field("Content-Transfer-Encoding", "8bit")) }
                begin(fields)
                for part in parts {
                    ready += [ASCII.hyphen, ASCII.hyphen] + boundary + [ASCII.cr, ASCII.lf]
                    write(part)
                    // The line end before a boundary line belongs to the boundary.
                    ready += [ASCII.cr, ASCII.lf]
                }
                ready += [ASCII.hyphen, ASCII.hyphen] + boundary + [ASCII.hyphen, ASCII.hyphen, ASCII.cr, ASCII.lf]
            }
        }

        mutating func flush() {
            if !ready.isEmpty { pieces.append(.ready(ready)) }
            ready = []
        }

        private mutating func begin(_ fields: [HeaderField]) {
            for field in fields { ready += field.raw }
            ready += [ASCII.cr, ASCII.lf]
        }
    }

    private static func has8bit(_ part: Part) -> Bool {
        switch part {
        case .text(_, _, let encoding): encoding == "8bit"
        case .file: false
        case .multipart(_, _, let parts): parts.contains(where: has8bit)
        }
    }

    private static func unencoded(_ part: Part) -> [[UInt8]] {
        switch part {
        case .text(_, let bytes, let encoding): encoding == "7bit" || encoding == "8bit" ? [bytes] : []
        case .file: []
        case .multipart(_, _, let parts): parts.flatMap(unencoded)
        }
    }
}
