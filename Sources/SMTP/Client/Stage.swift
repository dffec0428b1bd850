/// A step of a client session: what a timer guards, and where a delivery failed.
package enum Stage: Sendable, Hashable, CaseIterable {
    /// The connection is being made; belongs to the driver.
    case connect
    case greeting
    /// EHLO, LHLO or HELO.
    case hello
    /// The STARTTLS command.
    case startTLS
    /// The TLS handshake.
    case tls
    case authentication
    /// MAIL FROM.
    case mail
    /// RCPT TO.
    case recipient
    /// The DATA command, until its 354.
    case data
    /// Content is being written; the timer guards one block.
    case content
    /// The final dot may have been written and its reply is awaited.
    case finalDot
    case reset
    case quit
}
