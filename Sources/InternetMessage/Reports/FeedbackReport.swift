/// A feedback report in ARF (RFC 5965): a complaint, most of the time.
package struct FeedbackReport: Sendable, Hashable {
    /// In lower case: `abuse`, `fraud`, `opt-out`, `not-spam`, `auth-failure` and others.
    package var type: String
    /// Original-Rcpt-To without angle brackets, in order; many senders leave it out or make it unreadable.
    package var originalRecipients: [String] = []
    /// Original-Mail-From without angle brackets; nil when absent, empty for the null reverse-path.
    package var originalMailFrom: String?
    /// The Message-ID of the message complained about; nil when it was not returned.
    package var originalMessageID: MessageID?
    /// Source-IP; nil when absent.
    package var sourceIP: String?
    /// The first Reported-Domain; nil when absent.
    package var reportedDomain: String?
    /// User-Agent; nil when absent.
    package var userAgent: String?
    /// The returned header; nil when nothing was returned.
    package var returnedHeader: Header?

    /// A report of one type, the other facts unset.
    package init(type: String) {
        self.type = type
    }

    /// Nil when the required Feedback-Type is missing.
    init?(_ fields: ReportFields, returned: Header?) {
        let all = fields.groups.flatMap { $0 }
        guard let type = all.first(where: { $0.name.matches("feedback-type") }) else { return nil }
        self.init(type: type.value[...].trimmed.asciiLowercased.utf8Text)
        returnedHeader = returned
        originalMessageID = returned?.messageID
        for field in all {
            switch field.name.utf8Text {
            case "original-rcpt-to": if let address = field.address { originalRecipients.append(address) }
            case "original-mail-from": originalMailFrom = originalMailFrom ?? field.address
            case "source-ip": sourceIP = sourceIP ?? field.text
            case "reported-domain": reportedDomain = reportedDomain ?? field.text
            case "user-agent": userAgent = userAgent ?? field.text
            case "original-message-id", "message-id":
                originalMessageID = originalMessageID ?? MessageID.list(parsing: field.value[...]).first
            default: break
            }
        }
    }
}
