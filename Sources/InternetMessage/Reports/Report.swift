/// What a machine reports about messages, in a machine-readable part (RFC 6522) or in an attachment.
package enum Report: Sendable, Hashable {
    /// A delivery status notification (RFC 3464).
    case deliveryStatus(DeliveryStatusReport)
    /// A feedback report, a complaint for example (RFC 5965).
    case feedback(FeedbackReport)
    /// A disposition notification, a read receipt for example (RFC 8098).
    case disposition(DispositionReport)
    /// A DMARC aggregate report (RFC 9990).
    case aggregate(AggregateReport)
    /// A report on TLS between mail servers (RFC 8460).
    case transportSecurity(TLSReport)
}
