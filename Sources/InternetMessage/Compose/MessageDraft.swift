/// A message to be written: every value typed, so that what is composed is legal or not composed at all.
package struct MessageDraft: Sendable, Hashable {
    /// The author.
    package var from: Mailbox
    /// The recipients named in To.
    package var to: [Mailbox]
    /// Where answers go; nil leaves the field out.
    package var replyTo: Mailbox?
    /// Who sends on behalf of the author; nil leaves the field out.
    package var sender: Mailbox?
    /// The subject as text.
    package var subject: String
    /// The date and the offset it is written in.
    package var date: MessageDate
    /// The identifier of the message; the multipart boundary derives from it.
    package var messageID: MessageID
    /// The message answered to; empty leaves the field out.
    package var inReplyTo: [MessageID]
    /// The thread, eldest first; empty leaves the field out.
    package var references: [MessageID]
    /// URIs of List-Unsubscribe (RFC 2369), https or mailto; empty leaves the field out.
    package var listUnsubscribe: [String]
    /// Whether List-Unsubscribe-Post is written (RFC 8058); needs an https URI among `listUnsubscribe`.
    package var oneClick: Bool
    /// What stands between the angle brackets of List-Id (RFC 2919); nil leaves the field out.
    package var listID: String?
    /// The value of Feedback-ID; nil leaves the field out.
    package var feedbackID: String?
    /// The value of Auto-Submitted (RFC 3834), for example `auto-replied`; nil leaves the field out.
    package var autoSubmitted: String?
    /// More fields, written as they are after the others.
    package var extraFields: [HeaderField]
    /// The text with any line ends.
    package var text: String
    /// The same as HTML; nil sends text only.
    package var html: String?

    /// A draft with the fields every message needs; the others are set afterwards.
    package init(from: Mailbox, to: [Mailbox], subject: String, date: MessageDate, messageID: MessageID, text: String, html: String? = nil)
    {
        self.from = from
        self.to = to
        self.subject = subject
        self.date = date
        self.messageID = messageID
        self.text = text
        self.html = html
        inReplyTo = []
        references = []
        listUnsubscribe = []
        oneClick = false
        extraFields = []
    }

    /// Whether the message can only travel with SMTPUTF8 (RFC 6531), because an address in its header has a local part beyond ASCII.
    package var needsSMTPUTF8: Bool {
        ([from] + to + [sender, replyTo].compactMap { $0 }).contains { $0.address.needsSMTPUTF8 }
    }

    /// The message as bytes: CRLF line ends, header folded once and in ASCII unless `needsSMTPUTF8`, body in 7bit, quoted-printable or base64.
    ///
    /// Throws `ComposeError` naming the field that holds a line end, a NUL or anything else that cannot be written.
    package func compose() throws(ComposeError) -> [UInt8] {
        var writer = MessageWriter(self)
        return try writer.write()
    }
}
