/// The envelope of one transaction and what its content needs from the server.
package struct Envelope: Sendable, Hashable {
    /// One forward-path with its delivery status parameters, RFC 3461.
    package struct Recipient: Sendable, Hashable {
        /// The address without angle brackets.
        package var forwardPath: [UInt8]
        /// NOTIFY; nil leaves it to the server. Sent only when the server offers DSN.
        package var notify: Notify?
        /// The address for ORCPT with type rfc822, not yet in xtext; nil for none. Sent only when the server offers DSN.
        package var originalRecipient: [UInt8]?

        package init(_ forwardPath: [UInt8], notify: Notify? = nil, originalRecipient: [UInt8]? = nil) {
            self.forwardPath = forwardPath
            self.notify = notify
            self.originalRecipient = originalRecipient
        }
    }

    /// When the server should report, RFC 3461 §4.1; the empty set is `NEVER`.
    package struct Notify: OptionSet, Sendable, Hashable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }
        package static let success = Notify(rawValue: 1)
        package static let failure = Notify(rawValue: 2)
        package static let delay = Notify(rawValue: 4)
    }

    /// What a failure report should carry back, RFC 3461 §4.3.
    package enum ReturnContent: Sendable, Hashable {
        case full
        case headers
    }

    /// The reverse-path without angle brackets; empty is the null reverse-path.
    package var reversePath: [UInt8]
    /// The recipients, in the order in which outcomes are given.
    package var recipients: [Recipient]
    /// ENVID, not yet in xtext; nil for none. Sent only when the server offers DSN.
    package var envelopeID: [UInt8]?
    /// RET; nil leaves it to the server. Sent only when the server offers DSN.
    package var returnContent: ReturnContent?
    /// The header holds UTF-8. Addresses beyond ASCII need SMTPUTF8 whether or not this is set.
    package var needsSMTPUTF8: Bool
    /// The content holds octets above 127.
    package var isEightBit: Bool
    /// Octets of the content as RFC 1870 counts them, before dot-stuffing; nil when not known, then no limit is checked.
    package var size: UInt64?

    package init(
        reversePath: [UInt8], recipients: [Recipient], envelopeID: [UInt8]? = nil, returnContent: ReturnContent? = nil,
        needsSMTPUTF8: Bool = false,
        isEightBit: Bool = false, size: UInt64? = nil
    ) {
        self.reversePath = reversePath
        self.recipients = recipients
        self.envelopeID = envelopeID
        self.returnContent = returnContent
        self.needsSMTPUTF8 = needsSMTPUTF8
        self.isEightBit = isEightBit
        self.size = size
    }
}
