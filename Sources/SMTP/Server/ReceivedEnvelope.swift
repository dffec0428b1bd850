/// The envelope of a message that a server session takes in.
package struct ReceivedEnvelope: Sendable, Hashable {
    /// What the client said of the content with BODY, RFC 6152.
    package enum Body: Sendable, Hashable {
        case sevenBit
        case eightBitMIME
    }

    /// The name given with HELO, EHLO or LHLO, unverified.
    package internal(set) var helloName: [UInt8]
    /// EHLO or LHLO was used.
    package internal(set) var isExtended: Bool
    package internal(set) var dialect: Dialect
    /// The channel was TLS.
    package internal(set) var isEncrypted: Bool
    /// The reverse-path without brackets and source route; empty is the null reverse-path.
    package internal(set) var reversePath: [UInt8]
    /// The recipients accepted so far, without brackets and source route, in the order of RCPT. A recipient given twice is here twice.
    package internal(set) var recipients: [[UInt8]] = []
    /// What SIZE= announced; nil when not given.
    package internal(set) var announcedSize: UInt64?
    package internal(set) var body: Body?
    package internal(set) var isSMTPUTF8: Bool
    /// ENVID, decoded from xtext; nil when not given.
    package internal(set) var envelopeID: [UInt8]?

    /// The keyword for the `with` clause of a Received field, RFC 3848 and RFC 6531 §4.3.
    package var transmissionType: String {
        guard isExtended else { return "SMTP" }
        let base =
            switch (dialect, isSMTPUTF8) {
            case (.smtp, false): "ESMTP"
            case (.smtp, true): "UTF8SMTP"
            case (.lmtp, false): "LMTP"
            case (.lmtp, true): "UTF8LMTP"
            }
        return isEncrypted ? base + "S" : base
    }
}
