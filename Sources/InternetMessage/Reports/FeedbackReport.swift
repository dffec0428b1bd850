/// A feedback report in ARF (RFC 5965): a complaint, most of the time, or a failure of authentication (RFC 6591).
package struct FeedbackReport: Sendable, Hashable {
    /// Why authentication failed, for one message (RFC 6591 §3.1); what is absent is nil.
    package struct AuthenticationFailure: Sendable, Hashable {
        /// In lower case: `adsp`, `bodyhash`, `revoked`, `signature`, `spf`, `dmarc` and others.
        package var kind: String
        /// In lower case: `delivered`, `spam`, `policy`, `reject`, `other` and others.
        package var deliveryResult: String?
        package var dkimDomain: String?
        package var dkimIdentity: String?
        package var dkimSelector: String?
        /// The canonicalized header, its base64 undone.
        package var dkimCanonicalizedHeader: [UInt8]?
        /// The canonicalized body, its base64 undone.
        package var dkimCanonicalizedBody: [UInt8]?
        /// The SPF records that were used, as they stand in the fields.
        package var spfRecords: [String] = []
        /// The identifiers that were not aligned, in lower case (RFC 7489 §7.3.1).
        package var unalignedIdentities: [String] = []

        package init(kind: String) {
            self.kind = kind
        }
    }

    /// In lower case: `abuse`, `fraud`, `opt-out`, `not-spam`, `auth-failure` and others.
    package var type: String
    /// Version of the format; nil when absent.
    package var version: String?
    /// User-Agent; nil when absent.
    package var userAgent: String?
    /// Original-Rcpt-To without angle brackets, in order; many senders leave it out or make it unreadable.
    package var originalRecipients: [String] = []
    /// Original-Mail-From without angle brackets; nil when absent or the null reverse-path.
    package var originalMailFrom: String?
    /// The ENVID that was given at submission; nil when absent.
    package var originalEnvelopeID: String?
    /// The Message-ID of the message complained about; nil when it was not returned.
    package var originalMessageID: MessageID?
    /// When the message came in; nil when absent or unreadable.
    package var arrivalDate: MessageDate?
    /// The server that reports, without its type; nil when absent.
    package var reportingMTA: String?
    /// Source-IP; nil when absent.
    package var sourceIP: String?
    /// Source-Port (RFC 6692); nil when absent or no port.
    package var sourcePort: Int?
    /// How many messages are meant; nil when not said, which means one.
    package var incidents: Int?
    /// The domains reported about, in order.
    package var reportedDomains: [String] = []
    /// The links reported about, in order.
    package var reportedURIs: [String] = []
    /// Authentication-Results fields, in order.
    package var authenticationResults: [String] = []
    /// Why authentication failed; nil when the report is not about that.
    package var authenticationFailure: AuthenticationFailure?
    /// The returned header; nil when nothing was returned.
    package var returnedHeader: Header?

    /// A report of one type, the other facts unset.
    package init(type: String) {
        self.type = type
    }

    /// The first Reported-Domain; nil when absent.
    package var reportedDomain: String? { reportedDomains.first }

    /// Nil when the required Feedback-Type is missing.
    init?(_ fields: ReportFields, returned: Header?) {
        let all = fields.groups.flatMap { $0 }
        guard let type = all.first(where: { $0.name.matches("feedback-type") }) else { return nil }
        self.init(type: type.word ?? type.value[...].trimmed.asciiLowercased.utf8Text)
        returnedHeader = returned
        originalMessageID = returned?.messageID
        for field in all { read(field) }
        if self.type == "auth-failure" || all.contains(where: { $0.name.matches("auth-failure") }) {
            authenticationFailure = Self.failure(all)
        }
    }

    private mutating func read(_ field: ReportFields.Field) {
        switch field.name.utf8Text {
        case "version": version = version ?? field.text
        case "user-agent": userAgent = userAgent ?? field.text
        case "original-rcpt-to": if let address = field.address { originalRecipients.append(address) }
        case "original-mail-from": originalMailFrom = originalMailFrom ?? field.address
        case "original-envelope-id": originalEnvelopeID = originalEnvelopeID ?? field.text
        case "arrival-date", "received-date": arrivalDate = arrivalDate ?? field.date
        case "reporting-mta": reportingMTA = reportingMTA ?? field.untypedText
        case "source-ip": sourceIP = sourceIP ?? field.text
        case "source-port": sourcePort = sourcePort ?? ReportNumber.count(field.value[...]).flatMap { $0 <= 65535 ? $0 : nil }
        case "incidents": incidents = incidents ?? ReportNumber.count(field.value[...])
        case "reported-domain": reportedDomains.append(field.text)
        case "reported-uri": reportedURIs.append(field.text)
        case "authentication-results": authenticationResults.append(field.text)
        case "original-message-id", "message-id": originalMessageID = originalMessageID ?? MessageID.list(parsing: field.value[...]).first
        default: break
        }
    }

    private static func failure(_ fields: [ReportFields.Field]) -> AuthenticationFailure {
        var failure = AuthenticationFailure(kind: "")
        for field in fields {
            switch field.name.utf8Text {
            case "auth-failure": failure.kind = field.word ?? failure.kind
            case "delivery-result": failure.deliveryResult = failure.deliveryResult ?? field.word
            case "dkim-domain": failure.dkimDomain = failure.dkimDomain ?? field.text
            case "dkim-identity": failure.dkimIdentity = failure.dkimIdentity ?? field.text
            case "dkim-selector": failure.dkimSelector = failure.dkimSelector ?? field.text
            case "dkim-canonicalized-header": failure.dkimCanonicalizedHeader = Base64.decodeTolerantly(field.value[...]).bytes
            case "dkim-canonicalized-body": failure.dkimCanonicalizedBody = Base64.decodeTolerantly(field.value[...]).bytes
            case "spf-dns": failure.spfRecords.append(field.text)
            case "identity-alignment":
                failure.unalignedIdentities += field.value.split(separator: ASCII.comma).prefix(10).map {
                    $0.trimmed.asciiLowercased.utf8Text
                }
                .filter { !$0.utf8.isEmpty && $0.utf8.count < 50 }
            default: break
            }
        }
        return failure
    }
}
