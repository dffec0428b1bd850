/// Sorts the parts of a message into what is read as its text and what is attached to it.
struct MessageContent {
    /// A stretch of the text: its plain form, its HTML form, or both.
    private struct Stretch {
        var plain: [BodyPart] = []
        var html: [BodyPart] = []
    }

    private var attachmentParts: [BodyPart] = []
    private var stretches: [Stretch] = []

    init(_ root: BodyPart) {
        stretches = collect(root, isFirst: true)
    }

    /// The stretches in a part. The depth of the recursion is that of the tree, which `Limits.depth` bounds.
    /// `isFirst` says that no part stands before it that could be the text.
    private mutating func collect(_ part: BodyPart, isFirst: Bool) -> [Stretch] {
        guard part.mediaType.type == "multipart", part.isContainer else { return leaf(part, isFirst: isFirst) }
        switch part.mediaType.subtype {
        case "alternative":
            // The parts say the same thing: the first plain one and the last HTML one are taken, as the sender orders them.
            var merged = Stretch()
            for child in part.children {
                let found = collect(child, isFirst: isFirst)
                let html = found.flatMap(\.html)
                if merged.plain.isEmpty { merged.plain = found.flatMap(\.plain) }
                if !html.isEmpty { merged.html = html }
            }
            return merged.plain.isEmpty && merged.html.isEmpty ? [] : [merged]
        case "related":
            let start = part.mediaType.parameters.bytes("start").flatMap { MessageID.list(parsing: $0[...]).first?.text }
            let main = part.children.firstIndex { start != nil && $0.contentID == start } ?? 0
            return first(main, of: part, isFirst: isFirst)
        case "signed", "report", "appledouble":
            return first(0, of: part, isFirst: isFirst)
        default:
            return part.children.enumerated().flatMap { collect($1, isFirst: isFirst && $0 == 0) }
        }
    }

    /// One child as text, the others as attachments.
    private mutating func first(_ main: Int, of part: BodyPart, isFirst: Bool) -> [Stretch] {
        var found: [Stretch] = []
        for (i, child) in part.children.enumerated() {
            if i == main { found = collect(child, isFirst: isFirst) } else { attach(child) }
        }
        return found
    }

    private mutating func leaf(_ part: BodyPart, isFirst: Bool) -> [Stretch] {
        let disposition = part.disposition?.kind
        let isFile = disposition.map { $0 != "inline" } ?? false || (part.filename != nil && !isFirst)
        if !isFile {
            if part.mediaType.isType("text", "html") { return [Stretch(html: [part])] }
            // A multipart in which no boundary was found is shown as the text it is.
            if part.mediaType.isType("text", "plain") || (part.mediaType.type == "multipart" && part.children.isEmpty) {
                return [Stretch(plain: [part])]
            }
        }
        attachmentParts.append(part)
        return []
    }

    private mutating func attach(_ part: BodyPart) {
        var stack = [part]
        while let part = stack.popLast() {
            if part.mediaType.type == "multipart", part.isContainer {
                stack += part.children.reversed()
            } else {
                attachmentParts.append(part)
            }
        }
    }

    /// What is attached, in the order of the parts. Behind a `winmail.dat` follow the files inside it, and the files that stand in a text
    /// as uuencode come first.
    var attachments: [Attachment] {
        stretches.flatMap(\.plain).flatMap(\.embeddedFiles).map { Attachment($0) }
            + attachmentParts.flatMap { part -> [Attachment] in
                guard let tnef = part.tnef else { return [Attachment(part)] }
                return [Attachment(part)] + (tnef.rtf.map { [Attachment(rtf: $0)] } ?? []) + tnef.files.map { Attachment($0) }
            }
    }

    /// The stream of Outlook that holds the text of a message which has no text part of its own.
    private var tnefWithText: TNEF? {
        guard stretches.isEmpty else { return nil }
        for part in attachmentParts { if let tnef = part.tnef { return tnef } }
        return nil
    }

    /// The text of all stretches: plain where it says anything, else made from HTML. Nil when there is no stretch.
    var text: String? {
        guard !stretches.isEmpty else { return tnefWithText.flatMap { $0.body ?? $0.html.map { HTMLText.plainText($0) } } }
        return joined(
            stretches.map { stretch in
                let plain = joined(stretch.plain.map(Self.plainText))
                if stretch.html.isEmpty || plain.utf8.contains(where: { !$0.isWhitespace }) { return plain }
                return HTMLText.plainText(joined(stretch.html.map { $0.decodedText().text }))
            })
    }

    /// The HTML of all stretches that have it; nil when none has.
    var html: String? {
        let parts = stretches.flatMap(\.html)
        return parts.isEmpty ? tnefWithText?.html : joined(parts.map { $0.decodedText().text })
    }

    private static func plainText(_ part: BodyPart) -> String {
        let text = part.decodedText().text
        let parameters = part.mediaType.parameters
        guard parameters.bytes("format")?.matches("flowed") == true else { return text }
        return FlowedText.unflow(text, delSp: parameters.bytes("delsp")?.matches("yes") == true)
    }

    private func joined(_ texts: [String]) -> String {
        if texts.count == 1 { return texts[0] }
        var whole: [UInt8] = []
        for text in texts {
            if let last = whole.last, last != ASCII.lf { whole.append(ASCII.lf) }
            whole += text.utf8
        }
        return whole.utf8Text
    }
}
