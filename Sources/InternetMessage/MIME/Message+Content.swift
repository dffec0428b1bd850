extension Message {
    /// The text to read: the best plain parts, decoded, LF line ends, format=flowed undone; derived from HTML when there is no text
    /// part. Nil when the message has neither.
    package var text: String? { MessageContent(root).text }

    /// The HTML to show, decoded, LF line ends; nil when there is none. It is as hostile as its sender.
    package var html: String? { MessageContent(root).html }

    /// Everything that is not the text: files, inline images, forwarded messages, the machine-readable parts of reports.
    package var attachments: [Attachment] { MessageContent(root).attachmentParts.map(Attachment.init) }

    /// The machine-readable report that this message carries, also inside a forwarded message; nil when it carries none.
    package var report: Report? { ReportFinder.find(in: root) }

    /// `defects` and what is wrong in contents and fields that are read only when asked for. Decodes the whole message.
    package func allDefects() -> [Defect] {
        var set = DefectSet()
        set.insert(contentsOf: defects)
        for name in ["From", "Sender", "To", "Cc", "Reply-To"] {
            for field in header.all(name) { set.insert(contentsOf: AddressList(parsing: field.rawValue).defects) }
        }
        if header.first("Date") != nil, date == nil { set.insert(.dateSyntax) }
        if header.first("Message-ID") != nil, messageID == nil { set.insert(.messageIDSyntax) }
        var stack = [root]
        while let part = stack.popLast() {
            if part.isContainer {
                stack += part.children.reversed()
            } else if part.mediaType.type == "text" {
                set.insert(contentsOf: part.decodedText().defects)
            } else {
                set.insert(contentsOf: part.decodedBody().defects)
            }
        }
        return set.list
    }
}

/// Sorts the leaves of a message into what is read as its text and what is attached to it.
struct MessageContent {
    private(set) var textParts: [BodyPart] = []
    private(set) var htmlParts: [BodyPart] = []
    private(set) var attachmentParts: [BodyPart] = []

    init(_ root: BodyPart) {
        // Depth first with a stack; the flag tells whether the parent is a container of one text in several forms.
        var stack = [root]
        while let part = stack.popLast() {
            if part.mediaType.type == "multipart", part.isContainer {
                stack += part.children.reversed()
            } else {
                sort(part)
            }
        }
    }

    private mutating func sort(_ part: BodyPart) {
        let isAttached = part.disposition.map { $0.kind != "inline" } ?? false
        if !isAttached, part.mediaType.isType("text", "plain"), part.filename == nil {
            textParts.append(part)
        } else if !isAttached, part.mediaType.isType("text", "html"), part.filename == nil {
            htmlParts.append(part)
        } else {
            attachmentParts.append(part)
        }
    }

    var text: String? {
        if textParts.isEmpty { return html.map { HTMLText.plainText($0) } }
        return textParts.map { part in
            let text = part.decodedText().text
            guard part.mediaType.parameters["format"].map({ $0.utf8.matches("flowed") }) == true else { return text }
            return FlowedText.unflow(text, delSp: part.mediaType.parameters["delsp"].map { $0.utf8.matches("yes") } == true)
        }.joined(separator: "\n")
    }

    var html: String? {
        htmlParts.isEmpty ? nil : htmlParts.map { $0.decodedText().text }.joined(separator: "\n")
    }
}
