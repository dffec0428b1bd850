package import struct Foundation.TimeZone

/// The keys before the first section.
struct RootSettings: ConfSection {
    var configVersion = 1

    init(name: String) {}

    static let fields: [Field<RootSettings>] = [
        Field("config_version", \.configVersion, .integer(1...1), "The version of the meaning of these keys.")
    ]
}

/// `[main]`: this machine.
package struct MainSettings: ConfSection, Equatable {
    /// The EHLO name and the right side of Message-IDs.
    package var myhostname = ""
    package var stateDirectory = "/var/lib/postrider"
    package var runDirectory = "/run/postrider"
    package var timezone = Zones.utc
    package var messageSizeLimit = ByteCount.mebibytes(10)
    /// Nil: one and a half ``messageSizeLimit``; see ``effectiveQueueMinfree``.
    package var queueMinfree: ByteCount?
    /// Whose Authentication-Results fields are believed; nil: nobody's.
    package var authservID: String?
    /// Networks from where those fields are believed of mail that comes in by SMTP, beside this machine.
    package var authservFrom: [String] = []

    init(name: String) {}

    static let fields: [Field<MainSettings>] = [
        Field(
            "myhostname", \.myhostname, .hostName, required: true,
            "EHLO name and right side of Message-IDs; it needs forward and reverse DNS."),
        Field("state_directory", \.stateDirectory, .directory, "Where the database stands."),
        Field("run_directory", \.runDirectory, .directory, "Where sockets stand."),
        Field("timezone", \.timezone, .timeZone, "The time zone of whatever names no other."),
        Field(
            "message_size_limit", \.messageSizeLimit, .size(.kibibytes(16)...(.mebibytes(200))),
            "The largest message that is sent or taken in."),
        Field(
            "queue_minfree", \.queueMinfree, .size(ByteCount(bytes: 0)...(.mebibytes(1 << 20))),
            "With less room than this on the disk of the database the listeners put mail off. Unset: one and a half message_size_limit."),
        Field(
            "authserv_id", \.authservID, .line("a name, as it stands first in an Authentication-Results field"),
            "Whose Authentication-Results are believed of mail read from mailboxes or handed on by a server of ours."),
        Field(
            "authserv_from", \.authservFrom, .list(.network, count: 0...100),
            "Private networks whose servers write authserv_id and hand mail on by SMTP, beside this machine itself."),
    ]

    package var effectiveQueueMinfree: ByteCount { queueMinfree ?? ByteCount(bytes: messageSizeLimit.bytes / 2 * 3) }
}

/// `[dns]`: who is asked.
package struct DNSSettings: ConfSection, Equatable {
    /// Empty: the servers of /etc/resolv.conf.
    package var resolvers: [ResolverAddress] = []
    /// DS or DNSKEY records of the root, nil: those of the package dns-root-data.
    package var trustAnchorFile: String?

    init(name: String) {}

    static let fields: [Field<DNSSettings>] = [
        Field(
            "resolvers", \.resolvers, .list(.resolver, count: 0...8),
            "The DNS servers to ask; an empty list means those of /etc/resolv.conf."),
        Field(
            "trust_anchor_file", \.trustAnchorFile, .file,
            "The root's DNSSEC keys, for answers that must be proven. Unset: those of the package dns-root-data."),
    ]
}

/// `[log]`: what is said, and how.
package struct LogSettings: ConfSection, Equatable {
    package enum Level: String, Sendable, CaseIterable { case trace, debug, info, notice, warning, error, critical }
    package enum Format: String, Sendable, CaseIterable { case postfix, json }

    package var level = Level.info
    package var format = Format.postfix

    init(name: String) {}

    static let fields: [Field<LogSettings>] = [
        Field("level", \.level, .choice, "The least important kind of line that is written."),
        Field("format", \.format, .choice, "Lines as Postfix writes them, or one JSON object a line."),
    ]
}

/// `[http]`: the web listener, behind a reverse proxy.
package struct HTTPSettings: ConfSection, Equatable {
    package var listen = ListenAddress.ip("127.0.0.1", port: 8025)

    init(name: String) {}

    static let fields: [Field<HTTPSettings>] = [
        Field("listen", \.listen, .listen, "Where the web listener listens; it speaks plain HTTP, so put a reverse proxy before it.")
    ]
}

/// The zone that stands when none is named.
enum Zones {
    static let utc = TimeZone(identifier: "UTC") ?? TimeZone.current
}
