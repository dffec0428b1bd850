/// A message disposition notification (RFC 8098): a read receipt, most of the time.
package struct DispositionReport: Sendable, Hashable {
    /// The Disposition field on one line, for example `manual-action/MDN-sent-manually; displayed`.
    package var disposition: String
    /// Final-Recipient without its type; nil when absent.
    package var finalRecipient: String?
    /// Original-Recipient without its type; nil when absent.
    package var originalRecipient: String?
    /// Original-Message-ID; nil when absent.
    package var originalMessageID: MessageID?

    /// A report with its disposition, the other facts unset.
    package init(disposition: String) {
        self.disposition = disposition
    }

    /// What became of the message, in lower case: `displayed`, `deleted`, `dispatched`, `processed`, or another word; nil when the
    /// field does not say.
    package var dispositionType: String? {
        let bytes = Array(disposition.utf8)[...]
        guard let semicolon = bytes.firstIndex(of: ASCII.semicolon) else { return nil }
        let word = bytes[(semicolon + 1)...].trimmed.prefix { $0 != ASCII.slash && !$0.isWhitespace && $0 != ASCII.comma }
        return word.isEmpty ? nil : word.asciiLowercased.utf8Text
    }

    /// Nil when the required Disposition is missing.
    init?(_ fields: ReportFields) {
        let all = fields.groups.flatMap { $0 }
        guard let disposition = all.first(where: { $0.name.matches("disposition") }) else { return nil }
        self.init(disposition: disposition.text)
        for field in all {
            switch field.name.utf8Text {
            case "final-recipient": finalRecipient = finalRecipient ?? field.address
            case "original-recipient": originalRecipient = originalRecipient ?? field.address
            case "original-message-id": originalMessageID = originalMessageID ?? MessageID.list(parsing: field.value[...]).first
            default: break
            }
        }
    }
}
