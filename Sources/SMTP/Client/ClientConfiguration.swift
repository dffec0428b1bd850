/// How a client session speaks to one server.
package struct ClientConfiguration: Sendable, Hashable {
    /// What is asked of TLS.
    package enum TLSPolicy: Sendable, Hashable {
        /// STARTTLS is not used even when offered.
        case none
        /// STARTTLS is used when offered; when the command is refused the session goes on in clear.
        case opportunistic
        /// Without TLS nothing but EHLO and STARTTLS is sent.
        case required
        /// The channel is TLS before the first octet (RFC 8314 §3.3); STARTTLS is not used.
        case implicit
    }

    package var dialect: Dialect
    /// The name given with EHLO, LHLO or HELO: a host name or an address literal in brackets.
    package var helloName: String
    package var tls: TLSPolicy
    /// A handshake without a verified certificate ends the session.
    package var requiresVerifiedTLS: Bool
    /// Authentication is made before the first transaction; a server that does not offer it is deferred, never used without.
    package var requiresAuthentication: Bool
    /// Credentials are not sent unless the channel is TLS with a verified certificate.
    package var credentialsRequireVerifiedTLS: Bool
    /// PIPELINING is used when offered.
    package var usesPipelining: Bool
    /// Transactions in one session, after which it says QUIT; nil: as many as the server takes. A server's own LIMITS MAILMAX (RFC 9422)
    /// holds beside it.
    package var transactionLimit: Int?

    package init(
        dialect: Dialect = .smtp, helloName: String, tls: TLSPolicy = .opportunistic, requiresVerifiedTLS: Bool = false,
        requiresAuthentication: Bool = false, credentialsRequireVerifiedTLS: Bool = true, usesPipelining: Bool = true,
        transactionLimit: Int? = nil
    ) {
        self.dialect = dialect
        self.helloName = helloName
        self.tls = tls
        self.requiresVerifiedTLS = requiresVerifiedTLS
        self.requiresAuthentication = requiresAuthentication
        self.credentialsRequireVerifiedTLS = credentialsRequireVerifiedTLS
        self.usesPipelining = usesPipelining
        self.transactionLimit = transactionLimit
    }
}

/// What the channel under a session is.
package enum ChannelSecurity: Sendable, Hashable {
    case plaintext
    /// TLS; `verified` tells whether the certificate was verified for the intended name.
    case tls(verified: Bool)
}
