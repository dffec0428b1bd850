/// Which of the two protocols a session speaks.
package enum Dialect: Sendable, Hashable {
    /// SMTP, RFC 5321.
    case smtp
    /// LMTP, RFC 2033: LHLO in place of EHLO, and one reply for each accepted recipient after the final dot.
    case lmtp
}
