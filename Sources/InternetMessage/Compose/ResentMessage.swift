/// A message of somebody else that is handed on as it is, with the fields of its new journey before it (RFC 5322 §3.6.6): author, content and
/// identifier stay its own.
///
/// Reply-To and Auto-Submitted are written anew, what earlier journeys left there (Return-Path, Resent- fields, fields named as one of
/// `extraFields`) is left out. A signature that covers one of them does not hold any more.
package struct ResentMessage: Sendable {
    /// Who hands it on.
    package var from: Mailbox
    /// To whom.
    package var to: [Mailbox]
    /// When.
    package var date: MessageDate
    /// The identifier of this journey.
    package var messageID: MessageID
    /// Where answers go; empty leaves the field out.
    package var replyTo: [Mailbox]
    /// More fields, written as they are before the others.
    package var extraFields: [HeaderField] = []

    package init(from: Mailbox, to: [Mailbox], date: MessageDate, messageID: MessageID, replyTo: [Mailbox]) {
        self.from = from
        self.to = to
        self.date = date
        self.messageID = messageID
        self.replyTo = replyTo
    }

    /// The message as octets.
    ///
    /// Throws `ComposeError` when a field cannot be written, or when the original cannot travel as it is (`WholeMessage`).
    package func compose(original: [UInt8]) throws(ComposeError) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(original.count + 1000)
        for field in extraFields { output += field.raw }
        output += try FieldWriter.mailboxes("Resent-From", [from]).raw
        output += try FieldWriter.mailboxes("Resent-To", to).raw
        output += FieldWriter.folded("Resent-Date", [Array(date.formatted.utf8)]).raw
        output += FieldWriter.folded("Resent-Message-ID", [messageID.bracketed]).raw
        output += FieldWriter.folded("Auto-Submitted", [Array(MessageDraft.AutoSubmitted.generated.rawValue.utf8)]).raw
        if !replyTo.isEmpty { output += try FieldWriter.mailboxes("Reply-To", replyTo).raw }
        let left = ["Return-Path", "Reply-To", "Auto-Submitted", "Bcc"] + extraFields.map(\.name)
        let message = Message(parsing: original)
        for field in message.header.fields {
            if field.nameBytes.hasPrefix(ignoringCase: "Resent-") || left.contains(where: field.isNamed) { continue }
            output += field.raw
            if field.raw.last != ASCII.lf { output += [ASCII.cr, ASCII.lf] }
        }
        output += [ASCII.cr, ASCII.lf]
        output += message.rawBody
        _ = try WholeMessage.encoding(of: output, field: "the message")
        return output
    }
}
