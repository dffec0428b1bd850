extension Message {
    /// The text to read: the best plain parts, decoded, LF line ends, format=flowed undone; derived from HTML when there is no text
    /// part. Nil when the message has neither.
    package var text: String? { MessageContent(root).text }

    /// The HTML to show, decoded, LF line ends; nil when there is none. It is as hostile as its sender.
    package var html: String? { MessageContent(root).html }

    /// Everything that is not the text: files, inline images, forwarded messages, the machine-readable parts of reports.
    package var attachments: [Attachment] { MessageContent(root).attachments }

    /// The machine-readable report that this message carries, also inside a forwarded message; nil when it carries none.
    package var report: Report? { ReportFinder.find(in: root) }

    /// The answer to an invitation that this message carries: a calendar part with METHOD:REPLY, or Outlook's own form in TNEF. Nil when it
    /// carries none; messages attached to it do not count.
    package var calendarReply: CalendarReply? {
        var stack = [root]
        while let part = stack.popLast() {
            if part.mediaType.type == "multipart" {
                stack += part.children.reversed()
            } else if let reply = part.calendarReply {
                return reply
            } else if let tnef = part.tnef, let participation = tnef.participation {
                return CalendarReply(
                    participation: participation, attendee: from.first?.address, attendeeName: from.first?.displayName,
                    summary: tnef.subject ?? subject, comment: tnef.body)
            }
        }
        return nil
    }

    /// `defects` and what is wrong in contents and fields that are read only when asked for. Decodes the whole message.
    package func allDefects() -> [Defect] {
        var set = DefectSet()
        set.insert(contentsOf: defects)
        for name in ["From", "Sender", "To", "Cc", "Reply-To"] {
            for field in header.all(name) { set.insert(contentsOf: AddressList(parsing: field.rawValue).defects) }
        }
        if Self.onceOnly.contains(where: { header.all($0).count > 1 }) { set.insert(.duplicateField) }
        if header.raw.contains(ASCII.nul) { set.insert(.nulByte) }
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
                if part.tnef?.isComplete == false { set.insert(.tnefSyntax) }
            }
        }
        return set.list
    }

    /// The fields that RFC 5322 §3.6 allows once.
    private static let onceOnly = [
        "Date", "From", "Sender", "Reply-To", "To", "Cc", "Message-ID", "In-Reply-To", "References", "Subject", "MIME-Version",
        "Content-Type", "Content-Transfer-Encoding",
    ]
}
