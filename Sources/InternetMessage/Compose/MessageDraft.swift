/// A message to be written: every value typed, so that what is composed is legal or not composed at all.
///
/// The body takes the shape that its content asks for: `text/plain`; `multipart/alternative` with `text/html` and `text/calendar`;
/// `multipart/related` around the HTML when there are inline images; `multipart/mixed` around everything when there are attachments.
package struct MessageDraft: Sendable, Hashable {
    /// What a message says of its own origin (RFC 3834 §5, RFC 5436 §2.7).
    package enum AutoSubmitted: String, Sendable, Hashable, CaseIterable {
        /// Made by a program of its own accord; responders stay silent.
        case generated = "auto-generated"
        /// The automatic answer to a message.
        case replied = "auto-replied"
        /// A notification about another message.
        case notified = "auto-notified"
        /// Written by a person.
        case no
    }

    /// The author.
    package var from: Mailbox
    /// The recipients named in To.
    package var to: [Mailbox]
    /// The recipients named in Cc; empty leaves the field out.
    package var cc: [Mailbox] = []
    /// Where answers go; empty leaves the field out.
    package var replyTo: [Mailbox] = []
    /// Who sends on behalf of the author; nil leaves the field out.
    package var sender: Mailbox?
    /// The subject as text.
    package var subject: String
    /// The date and the offset it is written in.
    package var date: MessageDate
    /// The identifier of the message.
    package var messageID: MessageID
    /// The message answered to; empty leaves the field out.
    package var inReplyTo: [MessageID] = []
    /// The thread, eldest first; empty leaves the field out. Of a long chain the first and the latest are written.
    package var references: [MessageID] = []
    /// URIs of List-Unsubscribe (RFC 2369), https or mailto; empty leaves the field out.
    package var listUnsubscribe: [String] = []
    /// Whether List-Unsubscribe-Post is written (RFC 8058); needs an https URI among `listUnsubscribe`.
    package var oneClick = false
    /// What stands between the angle brackets of List-Id: a label and a domain, such as `spring.example.com` (RFC 2919); nil leaves the
    /// field out.
    package var listID: String?
    /// The value of Feedback-ID, nil leaves the field out: up to four words between colons, of which the last names the sender with 5
    /// to 15 characters.
    package var feedbackID: String?
    /// The value of Auto-Submitted; nil leaves the field out.
    package var autoSubmitted: AutoSubmitted?
    /// More fields, written as they are after the others.
    package var extraFields: [HeaderField] = []
    /// The text with any line ends; derived from the HTML when it is blank.
    package var text: String
    /// The same as HTML; nil sends text only.
    package var html: String?
    /// Images that the HTML shows by their Content-ID; need `html`.
    package var inlineImages: [DraftAttachment] = []
    /// Files sent along, in order.
    package var attachments: [DraftAttachment] = []
    /// A message sent along whole, as `message/rfc822`; nil for none. It must be one that can travel as it is, and one with octets beyond
    /// ASCII needs 8BITMIME whatever `allows8bit` says.
    package var attachedMessage: [UInt8]?
    /// A meeting to be accepted or declined: a part of the alternative, and once more as the file `invite.ics`; nil for none.
    package var invitation: CalendarInvitation?
    /// Whether texts may be written in 8bit, because every next hop is known to offer 8BITMIME (RFC 6152).
    package var allows8bit = false
    /// The randomness that multipart boundaries derive from; empty takes the Message-ID. The same draft always gives the same octets.
    package var boundarySeed: [UInt8] = []

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
    }

    /// Whether the message can only travel with SMTPUTF8 (RFC 6531), because an address in its header has a local part beyond ASCII.
    package var needsSMTPUTF8: Bool {
        ([from] + to + cc + replyTo + [sender].compactMap { $0 }).contains { $0.address.needsSMTPUTF8 }
    }

    /// The message checked and laid out, to be written in chunks: CRLF line ends, header folded once and in ASCII unless
    /// `needsSMTPUTF8`, no line beyond 998 octets, every part in the transfer encoding that suits it.
    ///
    /// Throws `ComposeError` naming the field that holds a line end, a NUL or anything else that cannot be written.
    package func composed() throws(ComposeError) -> ComposedMessage {
        var header = HeaderWriter()
        try header.write(self)
        let body = try BodyPlan(self).pieces()
        return ComposedMessage(
            pieces: [.ready(header.output)] + body.pieces, needsSMTPUTF8: needsSMTPUTF8, needs8BITMIME: body.has8bit)
    }

    /// The message as octets, for a draft whose attachments are all in memory.
    ///
    /// Throws as `composed()` does, and for an attachment that is a file.
    package func compose() throws(ComposeError) -> [UInt8] { try compose(files: NoFiles()) }

    /// The message as octets, attached files read from `files`; throws as `composed()` and `MessageChunks.next(files:)` do.
    package func compose(files: some AttachmentFiles) throws(ComposeError) -> [UInt8] {
        let message = try composed()
        var output: [UInt8] = []
        output.reserveCapacity(message.size)
        var chunks = message.chunks()
        while let chunk = try chunks.next(files: files) { output += chunk }
        return output
    }
}
