/// `[listener.smtp]` and `[listener.lmtp]`: where mail comes in.
///
/// There is no relay: mail for anything but ``acceptDomains`` is refused.
package protocol ListenerSettings: Sendable {
    var listen: [ListenAddress] { get set }
    var limits: ListenerLimits { get set }
    /// Domains that mail is taken for; never empty on an enabled listener.
    var acceptDomains: [String] { get set }
    /// Both nil: the listener offers no STARTTLS.
    var tlsCertFile: String? { get set }
    var tlsKeyFile: SecretFile? { get set }
    /// Local parts whose mail is stored as role mail, in every accepted domain.
    var roleAddresses: [String] { get set }
    /// Networks of proxies whose PROXY header names the client.
    var proxyProtocolFrom: [String] { get set }
    /// What is waited before the greeting, to find out clients that talk too early.
    var greetingPause: Duration { get set }
}

/// What one listener takes from its peers.
package struct ListenerLimits: Sendable, Equatable {
    package var maxConnections = 500
    package var maxConnectionsPerIP = 20
    package var maxMessagesPerSession = 50
    package var recipientLimit = 20
    package var softErrorLimit = 3
    package var hardErrorLimit = 10
    package var commandTimeout = Duration.seconds(300)
    package var idleTimeout = Duration.seconds(60)
    package var sessionLimit = Duration.seconds(600)
    /// Bytes in a second.
    package var minDataRate = ByteCount(bytes: 500)
}

/// `[listener.smtp]`.
package struct SMTPListenerSettings: ConfSection, ListenerSettings, Equatable {
    var enabled = true
    package var listen: [ListenAddress] = [.ip("0.0.0.0", port: 25), .ip("::", port: 25)]
    package var acceptDomains: [String] = []
    package var tlsCertFile: String?
    package var tlsKeyFile: SecretFile?
    package var roleAddresses = ["postmaster", "abuse", "fbl"]
    package var proxyProtocolFrom: [String] = []
    package var greetingPause = Duration.zero
    package var limits = ListenerLimits()

    init(name: String) {}

    static let fields: [Field<SMTPListenerSettings>] =
        [Field("enabled", \.enabled, .flag, "Whether it runs.")] + ListenerFields.shared()
}

/// `[listener.lmtp]`.
package struct LMTPListenerSettings: ConfSection, ListenerSettings, Equatable {
    var enabled = true
    package var listen: [ListenAddress] = [.unix(path: "/run/postrider/lmtp.sock")]
    /// The permission bits of UNIX sockets.
    package var socketMode = 0o660
    /// Nil: the group that the service runs as.
    package var socketGroup: String?
    package var acceptDomains: [String] = []
    package var tlsCertFile: String?
    package var tlsKeyFile: SecretFile?
    package var roleAddresses = ["postmaster", "abuse", "fbl"]
    package var proxyProtocolFrom: [String] = []
    package var greetingPause = Duration.zero
    package var limits = ListenerLimits()

    init(name: String) {}

    static let fields: [Field<LMTPListenerSettings>] =
        [
            Field("enabled", \.enabled, .flag, "Whether it runs."),
            Field("socket_mode", \.socketMode, .socketMode, "The permissions of a UNIX socket."),
            Field(
                "socket_group", \.socketGroup, .group,
                "The group of a UNIX socket, one that the service is in. Unset: that which the service runs as."),
        ] + ListenerFields.shared()
}

/// The keys that both listeners have.
enum ListenerFields {
    private static let wait = ConfType<Duration>.duration(.seconds(1)...(.seconds(3600)))

    static func shared<Listener: ConfSection & ListenerSettings>() -> [Field<Listener>] {
        [
            Field("listen", \.listen, .list(.listen, count: 1...16), "Where it listens."),
            Field(
                "accept_domains", \.acceptDomains, .list(.domain, count: 0...1000),
                "The domains it takes mail for; everything else is refused."),
            Field("tls_cert_file", \.tlsCertFile, .file, "The certificate with its chain (PEM); with the key it turns STARTTLS on."),
            Field("tls_key_file", \.tlsKeyFile, .secret(), "The private key of the certificate (PEM)."),
            Field(
                "role_addresses", \.roleAddresses, .list(.localPart, count: 0...50), "Local parts whose mail is stored for people to read."),
            Field(
                "proxy_protocol_from", \.proxyProtocolFrom, .list(.network, count: 0...100),
                "Networks of proxies; each of their connections begins with a PROXY header (v1 or v2) that names the client."),
            Field(
                "greeting_pause", \.greetingPause, .duration(.zero...(.seconds(30))),
                "What is waited before the greeting; a client that talks in this time is refused."),
            Field("max_connections", \.limits.maxConnections, .integer(1...100_000), "Connections at a time."),
            Field("max_connections_per_ip", \.limits.maxConnectionsPerIP, .integer(1...100_000), "Connections at a time from one address."),
            Field("max_messages_per_session", \.limits.maxMessagesPerSession, .integer(1...1_000_000), "Messages in one connection."),
            Field("recipient_limit", \.limits.recipientLimit, .integer(1...1000), "Recipients of one message."),
            Field("soft_error_limit", \.limits.softErrorLimit, .integer(1...1000), "Errors after which replies are slowed."),
            Field("hard_error_limit", \.limits.hardErrorLimit, .integer(1...1000), "Errors after which the connection is closed."),
            Field("command_timeout", \.limits.commandTimeout, wait, "For a command, or a block of a message, to arrive whole."),
            Field("idle_timeout", \.limits.idleTimeout, wait, "For a peer that sends nothing."),
            Field("session_limit", \.limits.sessionLimit, .duration(.seconds(10)...(.seconds(86_400))), "For a whole connection."),
            Field(
                "min_data_rate", \.limits.minDataRate, .dataRate(ByteCount(bytes: 0)...(.mebibytes(1))),
                "A message that arrives more slowly than this is given up."),
        ]
    }
}
