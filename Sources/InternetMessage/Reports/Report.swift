/// What a machine reports about a message in a machine-readable part (RFC 6522).
package enum Report: Sendable, Hashable {
    /// A delivery status notification (RFC 3464).
    case deliveryStatus(DeliveryStatusReport)
    /// A feedback report, a complaint for example (RFC 5965).
    case feedback(FeedbackReport)
    /// A disposition notification, a read receipt for example (RFC 8098).
    case disposition(DispositionReport)
}

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
        /// The text of the Diagnostic-Code without its type, unfolded; nil when absent.
        package var diagnosticCode: String?
        /// The name of the server that refused, without its type; nil when absent.
        package var remoteMTA: String?

        package init(
            originalRecipient: String? = nil, finalRecipient: String? = nil, action: String? = nil, status: EnhancedStatusCode? = nil,
            diagnosticCode: String? = nil, remoteMTA: String? = nil
        ) {
            self.originalRecipient = originalRecipient
            self.finalRecipient = finalRecipient
            self.action = action
            self.status = status
            self.diagnosticCode = diagnosticCode
            self.remoteMTA = remoteMTA
        }
    }

    /// The server that reports, without the `dns;` in front; nil when absent.
    package var reportingMTA: String?
    /// The ENVID that was given at submission, xtext decoded by nobody; nil when absent.
    package var originalEnvelopeID: String?
    /// One entry for each group of recipient fields.
    package var recipients: [Recipient]
    /// The Message-ID of the message reported about, from the returned content; nil when nothing was returned.
    package var returnedMessageID: MessageID?
    /// The returned header; nil when nothing was returned.
    package var returnedHeader: Header?

    package static func == (left: DeliveryStatusReport, right: DeliveryStatusReport) -> Bool {
        left.reportingMTA == right.reportingMTA && left.originalEnvelopeID == right.originalEnvelopeID
            && left.recipients == right.recipients && left.returnedMessageID == right.returnedMessageID
            && left.returnedHeader?.raw == right.returnedHeader?.raw
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(reportingMTA)
        hasher.combine(originalEnvelopeID)
        hasher.combine(recipients)
        hasher.combine(returnedMessageID)
        hasher.combine(returnedHeader?.raw)
    }
}

/// A feedback report in ARF (RFC 5965).
package struct FeedbackReport: Sendable, Hashable {
    /// In lower case: `abuse`, `fraud`, `opt-out`, `not-spam`, `auth-failure` and others.
    package var type: String
    /// Original-Rcpt-To without angle brackets, in order.
    package var originalRecipients: [String]
    /// Original-Mail-From without angle brackets; nil when absent.
    package var originalMailFrom: String?
    /// The Message-ID of the message complained about; nil when it was not returned.
    package var originalMessageID: MessageID?
    /// Source-IP; nil when absent.
    package var sourceIP: String?
    /// The first Reported-Domain; nil when absent.
    package var reportedDomain: String?
    /// User-Agent; nil when absent.
    package var userAgent: String?
    /// The bytes of the returned header; nil when nothing was returned.
    package var returnedHeaderBytes: [UInt8]?
}

/// A message disposition notification (RFC 8098).
package struct DispositionReport: Sendable, Hashable {
    /// The Disposition field, unfolded, for example `manual-action/MDN-sent-manually; displayed`.
    package var disposition: String
    /// Final-Recipient without its type; nil when absent.
    package var finalRecipient: String?
    /// Original-Recipient without its type; nil when absent.
    package var originalRecipient: String?
    /// Original-Message-ID; nil when absent.
    package var originalMessageID: MessageID?
}
