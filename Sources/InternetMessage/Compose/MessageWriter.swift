/// Writes a draft: the fields in a fixed order, then the body.
struct MessageWriter {
    private let draft: MessageDraft
    private var output: [UInt8] = []

    init(_ draft: MessageDraft) {
        self.draft = draft
    }

    mutating func write() throws(ComposeError) -> [UInt8] {
        try writeOriginator()
        try writeThread()
        try writeList()
        try writeExtraFields()
        add("MIME-Version", "1.0")
        try writeBody()
        return output
    }

    private mutating func writeOriginator() throws(ComposeError) {
        guard !draft.to.isEmpty else { throw ComposeError(.missing, field: "To", "no recipient") }
        try add(mailboxes: "From", [draft.from])
        if let sender = draft.sender { try add(mailboxes: "Sender", [sender]) }
        if let replyTo = draft.replyTo { try add(mailboxes: "Reply-To", [replyTo]) }
        try add(mailboxes: "To", draft.to)
        output += try FieldWriter.unstructured("Subject", draft.subject).raw
        add("Date", draft.date.formatted)
    }

    private mutating func writeThread() throws(ComposeError) {
        guard draft.messageID.isWritable else { throw ComposeError(.syntax, field: "Message-ID", "not ASCII, or longer than 900 octets") }
        add("Message-ID", tokens: [Self.bracketed(draft.messageID)])
        // Foreign identifiers that cannot be written legally are left out: a thread with a gap is better than a broken header.
        let inReplyTo = draft.inReplyTo.filter(\.isWritable)
        if !inReplyTo.isEmpty { add("In-Reply-To", tokens: inReplyTo.map(Self.bracketed)) }
        var references = draft.references.filter(\.isWritable)
        if references.count > Self.mostReferences {
            // RFC 5322 §3.6.4 lets a long chain be cut; the first and the latest are what threads are found by.
            references = [references[0]] + references.suffix(Self.mostReferences - 1)
        }
        if !references.isEmpty { add("References", tokens: references.map(Self.bracketed)) }
    }

    private mutating func writeList() throws(ComposeError) {
        if !draft.listUnsubscribe.isEmpty {
            var tokens: [[UInt8]] = []
            for (position, uri) in draft.listUnsubscribe.enumerated() {
                let comma: [UInt8] = position + 1 < draft.listUnsubscribe.count ? [ASCII.comma] : []
                tokens.append([ASCII.less] + (try checked(uri: uri)) + [ASCII.greater] + comma)
            }
            add("List-Unsubscribe", tokens: tokens)
        }
        if draft.oneClick {
            guard draft.listUnsubscribe.contains(where: { $0.utf8.hasPrefix(ignoringCase: "https://") }) else {
                throw ComposeError(.missing, field: "List-Unsubscribe", "one-click needs an https URI (RFC 8058)")
            }
            add("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
        }
        if let listID = draft.listID {
            guard listID.utf8.count <= 255, listID.utf8.isASCII, AddressSyntax.isDotAtom(listID.utf8) else {
                throw ComposeError(.syntax, field: "List-Id", "not a dotted name of at most 255 characters (RFC 2919)")
            }
            add("List-Id", "<\(listID)>")
        }
        if let feedbackID = draft.feedbackID { output += try FieldWriter.unstructured("Feedback-ID", feedbackID).raw }
        if let autoSubmitted = draft.autoSubmitted {
            guard (1...60).contains(autoSubmitted.utf8.count), autoSubmitted.utf8.allSatisfy(\.isMIMETokenByte) else {
                throw ComposeError(.syntax, field: "Auto-Submitted", "not a keyword such as auto-replied (RFC 3834)")
            }
            add("Auto-Submitted", autoSubmitted)
        }
    }

    private mutating func writeExtraFields() throws(ComposeError) {
        for field in draft.extraFields {
            let name = field.name
            if Self.ownFields.contains(where: { field.isNamed($0) }) {
                throw ComposeError(.fieldName, field: name, "a field the composer writes itself")
            }
            guard FieldWriter.isWritable(field.raw) else {
                throw ComposeError(.controlCharacter, field: name, "not ASCII with CRLF at folds and lines up to 998 only")
            }
            output += field.raw
        }
    }

    private mutating func writeBody() throws(ComposeError) {
        guard let html = draft.html else {
            try writePart("plain", draft.text, field: "text")
            return
        }
        let text = draft.text.utf8.allSatisfy(\.isWhitespace) ? HTMLText.plainText(html) : draft.text
        var parts = MessageWriter(draft)
        try parts.writePart("plain", text, field: "text")
        let plain = parts.output
        parts.output = []
        try parts.writePart("html", html, field: "html")
        let boundary = Boundary.derived(from: draft.messageID, absentIn: [plain, parts.output])
        add("Content-Type", tokens: [Array("multipart/alternative;".utf8), Array("boundary=\"".utf8) + boundary + [ASCII.quote]])
        output += [ASCII.cr, ASCII.lf]
        // The line end before a boundary line belongs to the boundary, so each part is followed by one more.
        for part in [plain, parts.output] {
            output += [ASCII.hyphen, ASCII.hyphen] + boundary + [ASCII.cr, ASCII.lf] + part + [ASCII.cr, ASCII.lf]
        }
        output += [ASCII.hyphen, ASCII.hyphen] + boundary + [ASCII.hyphen, ASCII.hyphen, ASCII.cr, ASCII.lf]
    }

    private mutating func writePart(_ subtype: String, _ text: String, field: String) throws(ComposeError) {
        let body = try BodyEncoding(text, field: field)
        add("Content-Type", "text/\(subtype); charset=utf-8")
        add("Content-Transfer-Encoding", body.name)
        output += [ASCII.cr, ASCII.lf]
        output += body.bytes
    }

    // MARK: Single fields

    private mutating func add(_ name: String, _ value: String) { add(name, tokens: [Array(value.utf8)]) }

    private mutating func add(_ name: String, tokens: [[UInt8]]) { output += FieldWriter.folded(name, tokens).raw }

    private mutating func add(mailboxes name: String, _ mailboxes: [Mailbox]) throws(ComposeError) {
        output += try FieldWriter.mailboxes(name, mailboxes).raw
    }

    private func checked(uri: String) throws(ComposeError) -> [UInt8] {
        let bytes = Array(uri.utf8)
        guard bytes.count <= FieldWriter.longestToken,
            bytes.allSatisfy({ $0 > ASCII.space && $0 < ASCII.delete && $0 != ASCII.less && $0 != ASCII.greater && $0 != ASCII.quote }),
            ["https://", "http://", "mailto:"].contains(where: { bytes.hasPrefix(ignoringCase: $0) && bytes.count > $0.utf8.count })
        else { throw ComposeError(.syntax, field: "List-Unsubscribe", "not an https, http or mailto URI in ASCII") }
        return bytes
    }

    private static func bracketed(_ id: MessageID) -> [UInt8] { [ASCII.less] + id.bytes + [ASCII.greater] }

    private static let mostReferences = 100

    private static let ownFields = [
        "From", "Sender", "Reply-To", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "List-Unsubscribe",
        "List-Unsubscribe-Post", "List-Id", "Feedback-ID", "Auto-Submitted", "MIME-Version", "Content-Type", "Content-Transfer-Encoding",
        "Bcc",
        "Return-Path", "Received", "DKIM-Signature", "Authentication-Results",
    ]
}

/// The line between the parts of a multipart.
enum Boundary {
    /// The same for the same Message-ID, so that composing twice gives the same bytes; and in none of `parts`.
    static func derived(from id: MessageID, absentIn parts: [[UInt8]]) -> [UInt8] {
        var round: UInt64 = 0
        while true {
            // "=_" cannot occur in quoted-printable or base64 (RFC 2045 §6.7).
            let boundary = Array("=_".utf8) + hex(hash(id.bytes, seed: round)) + hex(hash(id.bytes.reversed(), seed: round))
            if !parts.contains(where: { $0[...].index(of: boundary, from: 0) != nil }) { return boundary }
            round &+= 1
        }
    }

    /// FNV-1a with 64 bits.
    private static func hash(_ bytes: some Sequence<UInt8>, seed: UInt64) -> UInt64 {
        bytes.reduce(0xCBF2_9CE4_8422_2325 ^ seed) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }

    private static func hex(_ value: UInt64) -> [UInt8] {
        let digits = String(value, radix: 16)
        return [UInt8](repeating: ASCII.zero, count: 16 - digits.utf8.count) + digits.utf8
    }
}
