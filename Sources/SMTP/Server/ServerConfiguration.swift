/// How a listener speaks, and what it bears.
package struct ServerConfiguration: Sendable, Hashable {
    package var dialect: Dialect
    /// The name in the greeting and in the reply to EHLO; octets that cannot stand there are left out.
    package var hostname: String
    /// STARTTLS is offered while the channel is in clear.
    package var offersTLS: Bool
    /// MAIL is refused with 530 while the channel is in clear.
    package var requiresTLS: Bool
    /// SMTPUTF8 is offered, RFC 6531.
    package var offersSMTPUTF8: Bool
    package var limits: ServerLimits

    package init(
        dialect: Dialect = .smtp, hostname: String, offersTLS: Bool = false, requiresTLS: Bool = false, offersSMTPUTF8: Bool = true,
        limits: ServerLimits = ServerLimits()
    ) {
        self.dialect = dialect
        self.hostname = hostname
        self.offersTLS = offersTLS
        self.requiresTLS = requiresTLS
        self.offersSMTPUTF8 = offersSMTPUTF8
        self.limits = limits
    }
}

/// The bounds of a server session.
package struct ServerLimits: Sendable, Hashable {
    /// Octets of a command line without CRLF. RFC 5321 §4.5.3.1.4 says 512; the extensions add to it.
    package var commandLine = 2048
    /// Octets of a message, RFC 1870; 0 sets no limit.
    package var messageSize: UInt64 = 10 * 1024 * 1024
    /// Recipients of one message that are accepted; the next one gets 452.
    package var recipients = 20
    /// Messages in one session; the next RSET or MAIL gets 421.
    package var messages = 50
    /// Errors after which each further error reply is held back for `errorPause`.
    package var softErrors = 3
    /// The error that closes the session with 421.
    package var hardErrors = 10
    package var errorPause: Duration = .seconds(1)
    /// Commands in a row that lead to no message (NOOP, RSET, VRFY, HELP, a greeting again, what is refused for now); one more closes the
    /// session with 421. A message that is stored begins the count anew.
    package var idleCommands = 100
    /// Received fields of a message; one with more goes in a circle (RFC 5321 §6.3).
    package var hops = 50
    /// Pause before the greeting, in which a client that talks is found out; zero for none.
    package var greetingPause: Duration = .zero
    /// Octets that may wait unread while the driver owes an answer.
    package var waitingInput = 64 * 1024
    /// Longest time for one command to arrive in full.
    package var command: Duration = .seconds(300)
    /// Longest time without a single octet.
    package var idle: Duration = .seconds(60)
    /// Longest time for the whole session.
    package var session: Duration = .seconds(600)
    /// Octets per second that content must reach on average, looked at from `dataRateGrace` on; 0 sets no rate.
    package var dataRate: UInt64 = 500
    package var dataRateGrace: Duration = .seconds(10)

    package init() {}
}
