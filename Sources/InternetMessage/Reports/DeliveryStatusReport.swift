/// A delivery status notification (RFC 3464): what became of a message, recipient by recipient.
package struct DeliveryStatusReport: Sendable, Hashable {
    /// What became of one recipient (RFC 3464 §2.3).
    package struct Recipient: Sendable, Hashable {
        /// The address as the sender gave it; nil when absent.
        package var originalRecipient: String?
        /// The address as it was last known; nil when absent.
        package var finalRecipient: String?
        /// In lower case: `failed`, `delayed`, `delivered`, `relayed`, `expanded`, or another word; nil when absent.
        package var action: String?
        /// The enhanced status code; nil when absent or unreadable.
        package var status: EnhancedStatusCode?
        /// The text of the Diagnostic-Code without its type, on one line; nil when absent.
        package var diagnosticCode: String?
        /// The name of the server that refused, without its type; nil when absent.
        package var remoteMTA: String?

        /// When delivery was last tried; nil when absent or unreadable.
        package var lastAttempt: MessageDate?
        /// Until when a delayed message will be tried again; nil when absent or unreadable.
        package var willRetryUntil: MessageDate?
        /// The name under which the server logged this delivery; nil when absent.
        package var finalLogID: String?
        /// The diagnosis in the recipient's language (RFC 6533); nil when absent.
        package var localizedDiagnostic: String?

        package init(
            originalRecipient: String? = nil, finalRecipient: String? = nil, action: String? = nil, status: EnhancedStatusCode? = nil,
            diagnosticCode: String? = nil, remoteMTA: String? = nil, lastAttempt: MessageDate? = nil, willRetryUntil: MessageDate? = nil,
            finalLogID: String? = nil, localizedDiagnostic: String? = nil
        ) {
            self.originalRecipient = originalRecipient
            self.finalRecipient = finalRecipient
            self.action = action
            self.status = status
            self.diagnosticCode = diagnosticCode
            self.remoteMTA = remoteMTA
            self.lastAttempt = lastAttempt
            self.willRetryUntil = willRetryUntil
            self.finalLogID = finalLogID
            self.localizedDiagnostic = localizedDiagnostic
        }
    }

    /// The server that reports, without the `dns;` in front; nil when absent.
    package var reportingMTA: String?
    /// The gateway that made the report from a foreign one, without its type; nil when absent.
    package var gateway: String?
    /// The server the message came from, without its type; nil when absent.
    package var receivedFromMTA: String?
    /// When the message came in there; nil when absent or unreadable.
    package var arrivalDate: MessageDate?
    /// The ENVID that was given at submission, xtext undone where it surely is that; nil when absent.
    package var originalEnvelopeID: String?
    /// One entry for each group of recipient fields.
    package var recipients: [Recipient]
    /// The Message-ID of the message reported about, from the returned content; nil when it was not returned.
    package var returnedMessageID: MessageID?
    /// The returned header; nil when nothing was returned.
    package var returnedHeader: Header?

    package init(
        reportingMTA: String? = nil, originalEnvelopeID: String? = nil, recipients: [Recipient], returnedMessageID: MessageID? = nil,
        returnedHeader: Header? = nil
    ) {
        self.reportingMTA = reportingMTA
        self.originalEnvelopeID = originalEnvelopeID
        self.recipients = recipients
        self.returnedMessageID = returnedMessageID
        self.returnedHeader = returnedHeader
    }

    /// Fields are taken by name and not by position, because servers leave out the empty line between the groups, or put one
    /// where none belongs. A new recipient begins where a recipient field repeats, or behind an empty line.
    init(_ fields: ReportFields, returned: Header?) {
        self.init(recipients: [], returnedMessageID: returned?.messageID, returnedHeader: returned)
        for group in fields.groups {
            var recipient = Recipient()
            var began = false
            func finish() {
                if began { recipients.append(recipient) }
                recipient = Recipient()
                began = false
            }
            for field in group {
                switch field.name.utf8Text {
                case "reporting-mta": reportingMTA = reportingMTA ?? field.untypedText
                case "original-envelope-id":
                    originalEnvelopeID =
                        originalEnvelopeID ?? EncodedWord.decode(XText.decodedIfCertain(field.value[...].trimmed, isAddress: false))
                case "dsn-gateway": gateway = gateway ?? field.untypedText
                case "received-from-mta": receivedFromMTA = receivedFromMTA ?? field.untypedText
                case "arrival-date": arrivalDate = arrivalDate ?? field.date
                case "original-recipient":
                    if recipient.originalRecipient != nil { finish() }
                    recipient.originalRecipient = field.address
                    began = true
                case "final-recipient":
                    if recipient.finalRecipient != nil { finish() }
                    recipient.finalRecipient = field.address
                    began = true
                case "action":
                    recipient.action = recipient.action ?? field.word
                    began = true
                case "status":
                    recipient.status = recipient.status ?? EnhancedStatusCode(parsing: field.value[...])
                    began = true
                case "diagnostic-code":
                    // Quirk(repeated field): the first diagnosis is the remote server's.
                    recipient.diagnosticCode = recipient.diagnosticCode ?? field.untypedText
                case "remote-mta": recipient.remoteMTA = recipient.remoteMTA ?? field.untypedText
                case "last-attempt-date": recipient.lastAttempt = recipient.lastAttempt ?? field.date
                case "will-retry-until": recipient.willRetryUntil = recipient.willRetryUntil ?? field.date
                case "final-log-id": recipient.finalLogID = recipient.finalLogID ?? field.text
                case "localized-diagnostic": recipient.localizedDiagnostic = recipient.localizedDiagnostic ?? field.untypedText
                default: break
                }
            }
            finish()
        }
    }
}
