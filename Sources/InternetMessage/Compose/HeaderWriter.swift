/// Writes the fields of a draft that do not describe its body, in a fixed order, closed by MIME-Version.
struct HeaderWriter {
    private(set) var output: [UInt8] = []

    mutating func write(_ draft: MessageDraft) throws(ComposeError) {
        try writeOriginator(draft)
        try writeThread(draft)
        try writeList(draft)
        try writeExtraFields(draft)
        add("MIME-Version", "1.0")
    }

    private mutating func writeOriginator(_ draft: MessageDraft) throws(ComposeError) {
        guard !draft.to.isEmpty else { throw ComposeError(.missing, field: "To", "no recipient") }
        try add(mailboxes: "From", [draft.from])
        if let sender = draft.sender { try add(mailboxes: "Sender", [sender]) }
        if !draft.replyTo.isEmpty { try add(mailboxes: "Reply-To", draft.replyTo) }
        try add(mailboxes: "To", draft.to)
        if !draft.cc.isEmpty { try add(mailboxes: "Cc", draft.cc) }
        output += try FieldWriter.unstructured("Subject", draft.subject, longestWord: Self.longestSubjectWord).raw
        guard Self.isWritable(draft.date) else {
            throw ComposeError(.syntax, field: "Date", "a year outside 1900...9999 (RFC 5322 §3.3)")
        }
        add("Date", draft.date.formatted)
    }

    /// Whether the year has the four digits that dates in mail and calendars are made of.
    static func isWritable(_ date: MessageDate) -> Bool {
        (1900...9999).contains(CivilDate(date.timestamp, offsetMinutes: date.offsetMinutes).year)
    }

    private mutating func writeThread(_ draft: MessageDraft) throws(ComposeError) {
        guard MessageID(draft.messageID.text) != nil else {
            throw ComposeError(.syntax, field: "Message-ID", "not of the form word@domain in ASCII of at most 900 octets")
        }
        add("Message-ID", tokens: [draft.messageID.bracketed])
        // Foreign identifiers that cannot be written at all are left out: a thread with a gap is better than a broken header. Those
        // that are merely odd are repeated as they came, because threads are found by comparing them.
        let inReplyTo = draft.inReplyTo.filter(\.isWritable)
        if !inReplyTo.isEmpty { add("In-Reply-To", tokens: Self.shortened(inReplyTo).map(\.bracketed)) }
        let references = draft.references.filter(\.isWritable)
        if !references.isEmpty { add("References", tokens: Self.shortened(references).map(\.bracketed)) }
    }

    /// The first identifier and as many of the latest as the bounds allow; RFC 5322 §3.6.4 lets a long chain be cut, and those are
    /// what threads are found by.
    private static func shortened(_ chain: [MessageID]) -> [MessageID] {
        var octets = chain[0].bytes.count
        var latest: [MessageID] = []
        for id in chain.dropFirst().reversed() {
            octets += id.bytes.count + 3
            // The message answered to is kept in any case.
            guard latest.isEmpty || (latest.count + 1 < mostReferences && octets <= longestReferences) else { break }
            latest.append(id)
        }
        return [chain[0]] + latest.reversed()
    }

    private mutating func writeList(_ draft: MessageDraft) throws(ComposeError) {
        if !draft.listUnsubscribe.isEmpty {
            var tokens: [[UInt8]] = []
            for (position, uri) in draft.listUnsubscribe.enumerated() {
                let comma: [UInt8] = position + 1 < draft.listUnsubscribe.count ? [ASCII.comma] : []
                tokens.append([ASCII.less] + (try Self.checked(uri: uri)) + [ASCII.greater] + comma)
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
            guard listID.utf8.count <= 255, listID.utf8.isASCII, listID.utf8.contains(ASCII.dot), AddressSyntax.isDotAtom(listID.utf8)
            else { throw ComposeError(.syntax, field: "List-Id", "not a label and a domain of at most 255 characters (RFC 2919)") }
            add("List-Id", "<\(listID)>")
        }
        if let feedbackID = draft.feedbackID {
            guard Self.isFeedbackID(feedbackID.utf8) else {
                throw ComposeError(
                    .syntax, field: "Feedback-ID", "not one to four words between colons, the last of 5 to 15 characters",
                    remedy: "use letters, digits, dots, hyphens and underscores, such as spring:anna:sequence:example-com")
            }
            add("Feedback-ID", feedbackID)
        }
        if let autoSubmitted = draft.autoSubmitted { add("Auto-Submitted", autoSubmitted.rawValue) }
    }

    private static func isFeedbackID(_ text: String.UTF8View) -> Bool {
        let words = text.split(separator: ASCII.colon, omittingEmptySubsequences: false)
        return text.count <= 200 && words.count <= 4 && (5...15).contains(words.last?.count ?? 0)
            && words.allSatisfy { word in
                !word.isEmpty
                    && word.allSatisfy {
                        $0.isLetter || $0.isDigit || $0 == ASCII.dot || $0 == ASCII.hyphen || $0 == ASCII.underscore
                    }
            }
    }

    private static func checked(uri: String) throws(ComposeError) -> [UInt8] {
        let bytes = Array(uri.utf8)
        guard bytes.count <= FieldWriter.longestToken, isURI(bytes),
            ["https://", "http://", "mailto:"].contains(where: { bytes.hasPrefix(ignoringCase: $0) && bytes.count > $0.utf8.count })
        else { throw ComposeError(.syntax, field: "List-Unsubscribe", "not an https, http or mailto URI in ASCII (RFC 3986)") }
        return bytes
    }

    /// Only characters that RFC 3986 §2 lets stand in a URI, percent signs followed by two hexadecimal digits.
    private static func isURI(_ bytes: [UInt8]) -> Bool {
        for (position, byte) in bytes.enumerated() {
            switch byte {
            case ASCII.percent:
                guard position + 2 < bytes.count, bytes[position + 1].hexValue != nil, bytes[position + 2].hexValue != nil else {
                    return false
                }
            case 0x21, 0x23...0x3B, ASCII.equals, 0x3F...0x5B, ASCII.closeBracket, ASCII.underscore, 0x61...0x7A, 0x7E: continue
            default: return false
            }
        }
        return true
    }

    private mutating func writeExtraFields(_ draft: MessageDraft) throws(ComposeError) {
        for field in draft.extraFields {
            if Self.ownFields.contains(where: { field.isNamed($0) })
                || Self.ownPrefixes.contains(where: { field.nameBytes.hasPrefix(ignoringCase: $0) })
            {
                throw ComposeError(.fieldName, field: field.name, "a field that the composer or a mail server writes itself")
            }
            try FieldWriter.check(name: field.name)
            guard FieldWriter.isWritable(field.raw), field.raw[field.nameBytes.endIndex] == ASCII.colon else {
                throw ComposeError(.controlCharacter, field: field.name, "not ASCII with CRLF at folds and lines up to 998 only")
            }
            output += field.raw
        }
    }

    // MARK: Single fields

    private mutating func add(_ name: String, _ value: String) { add(name, tokens: [Array(value.utf8)]) }

    private mutating func add(_ name: String, tokens: [[UInt8]]) { output += FieldWriter.folded(name, tokens).raw }

    private mutating func add(mailboxes name: String, _ mailboxes: [Mailbox]) throws(ComposeError) {
        output += try FieldWriter.mailboxes(name, mailboxes).raw
    }

    /// Identifiers in References. Some servers refuse headers of more than some ten thousand octets.
    private static let mostReferences = 50
    private static let longestReferences = 8000
    /// What fits a line behind "Subject: ".
    private static let longestSubjectWord = 66

    /// Fields with a grammar of their own or that vouch for the message: an extra field of the name could be illegal or a second one.
    private static let ownFields = [
        "From", "Sender", "Reply-To", "To", "Cc", "Bcc", "Subject", "Date", "Message-ID", "In-Reply-To", "References",
        "List-Unsubscribe", "List-Unsubscribe-Post", "List-Id", "Feedback-ID", "Auto-Submitted", "MIME-Version", "Return-Path", "Received",
        "DKIM-Signature", "DomainKey-Signature", "Authentication-Results", "Received-SPF", "Delivered-To",
    ]
    private static let ownPrefixes = ["Content-", "Resent-", "ARC-"]
}
