/// `[route.NAME]`: a way out for mail.
package struct RouteSettings: ConfSection, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        /// A smarthost that takes mail for everybody, with or without a login.
        case submission
        /// The mail exchangers of the recipient's domain.
        case mx
        /// A local delivery agent (RFC 2033).
        case lmtp
        /// Nothing leaves: the message counts as accepted. For trying out sequences and limits.
        case sink
        /// A folder of files on this machine, one for each message (maildir). For tests.
        case maildir

        /// Whether it leads to no server.
        package var leadsNowhere: Bool { self == .sink || self == .maildir }
    }

    /// The NAME of the section.
    package let name: String
    package var type = Kind.submission
    /// Nil only for the types mx, sink and maildir.
    package var host: HostAddress?
    /// As written; see ``effectivePort``.
    package var port: Int?
    /// As written; see ``effectiveTLS``.
    package var tls: TLSMode?
    /// As written; see ``effectiveSecurityLevel``.
    package var tlsSecurityLevel: TLSSecurityLevel?
    /// Nil: the certificates that the system trusts.
    /// See ``TLSPolicySettings/match``.
    package var tlsMatch: [CertificateMatch] = []
    package var tlsFingerprints: [CertificateFingerprint] = []
    package var tlsCAFile: String?
    package var auth: AuthSettings?
    /// As written; see ``effectiveProcessLimit``.
    package var processLimit: Int?
    /// Connections at a time to one address.
    package var processLimitPerHost: Int?
    package var rate: [SendingRate] = []
    /// How long a connection is kept for the next message; zero: none is kept.
    package var connectionIdle = Duration.seconds(2)
    /// Messages on one connection.
    package var messagesPerConnection = 100
    /// The NAME of a source, nil: the system chooses the address and the EHLO name is myhostname.
    package var source: String?
    /// Header fields that the next host writes anew, so that signatures leave them out.
    package var dkimUnsigned: [String] = []
    /// As written; see ``effectivePreservesMessageID``.
    package var preservesMessageID: Bool?
    /// The NAME of the route that mail goes on by when this one fails; nil: it waits for this one.
    package var fallback: String?
    /// The folder of a route of type maildir; nil for the others.
    package var path: String?
    /// No conf says it: it stands in where there is no route at all.
    package private(set) var isImplied = false

    init(name: String) { self.name = name }

    /// Where the mail of an installation without any route goes: nowhere.
    static let implied: RouteSettings = {
        var route = RouteSettings(name: "sink")
        route.type = .sink
        route.isImplied = true
        return route
    }()

    static let fields: [Field<RouteSettings>] = [
        Field(
            "type", \.type, .choice, required: true,
            "A smarthost, direct to MX, a local delivery agent, a sink: nothing leaves, or a folder of files."),
        Field("host", \.host, .host, "The host to connect to, or unix:/path for lmtp; not for mx, sink and maildir."),
        Field("port", \.port, .integer(1...65_535), "Unset: 587, or 465 with tls implicit; 25 for mx, 24 for lmtp."),
        Field(
            "tls", \.tls, .choice, "How TLS starts. Unset: starttls for submission (implicit on port 465) and mx, none for lmtp."),
        Field(
            "tls_security_level", \.tlsSecurityLevel, .choice,
            "What TLS must give, where no [tls_policy] says otherwise. Unset: verify for submission, may for mx."),
        Field(
            "tls_match", \.tlsMatch, .list(.certificateMatch, count: 0...20),
            "The names that the certificate may be for, with level verify or secure. Empty: hostname for verify, nexthop and .nexthop for secure."
        ),
        Field(
            "tls_fingerprints", \.tlsFingerprints, .list(.fingerprint, count: 0...20),
            "The certificates or public keys to accept, with level fingerprint: SHA-256 digests."),
        Field("tls_ca_file", \.tlsCAFile, .file, "Certificates to trust in place of the system's."),
        Field(
            "auth", \.auth, .table(AuthSettings.form),
            "The login; needs a tls_security_level that proves the server."),
        Field("rate", \.rate, .rates, "What may leave by it, as a provider's limits for its submission service."),
        Field("process_limit", \.processLimit, .integer(1...100), "Connections at a time. Unset: 20 for mx, else 2."),
        Field(
            "process_limit_per_host", \.processLimitPerHost, .integer(1...100),
            "Connections at a time to one address. Unset: 10 for mx, else process_limit."),
        Field(
            "connection_idle", \.connectionIdle, .duration(.zero...(.seconds(600))),
            "How long a connection is kept for the next message; 0s: each message has a connection of its own."),
        Field("messages_per_connection", \.messagesPerConnection, .integer(1...10_000), "Messages on one connection."),
        Field("source", \.source, .name(of: "source"), "The local address and EHLO name to use."),
        Field(
            "dkim_unsigned", \.dkimUnsigned, .list(.word("the name of a header field"), count: 0...10),
            "Header fields that the next host writes anew (some smarthosts do so with Date and Message-ID); signatures leave them out."),
        Field(
            "preserves_message_id", \.preservesMessageID, .flag,
            "Whether the next host keeps our Message-ID; if not, its own is read from its last reply. Unset: true, but for Amazon SES."),
        Field(
            "fallback", \.fallback, .name(of: "route"),
            "The route that mail goes on by when this one cannot be reached, its TLS or login fails, or it is paused. Unset: mail waits."),
        Field("path", \.path, .directory, "The folder that a route of type maildir writes to."),
    ]

    /// 0 for a route that connects to nothing.
    package var effectivePort: Int {
        if let port { return port }
        return switch type {
        case .submission: effectiveTLS == .implicit ? 465 : 587
        case .mx: 25
        case .lmtp: 24
        case .sink, .maildir: 0
        }
    }

    /// The region of a host of Amazon SES; nil for other hosts.
    private var regionOfSES: String? {
        guard type == .submission, case .name(let name)? = host else { return nil }
        let labels = name.lowercased().utf8.split(separator: UInt8(ascii: ".")).map { String(decoding: Array($0), as: UTF8.self) }
        return labels.count == 4 && labels[0] == "email-smtp" && labels[2] == "amazonaws" && labels[3] == "com" ? labels[1] : nil
    }

    package var effectivePreservesMessageID: Bool { preservesMessageID ?? (regionOfSES == nil) }

    /// What the next host writes behind the `@` of its own Message-IDs; nil when it is not known.
    package var messageIDDomain: String? {
        regionOfSES.map { $0.utf8.elementsEqual("us-east-1".utf8) ? "email.amazonses.com" : "\($0).amazonses.com" }
    }

    /// Header fields that signatures leave out.
    package var effectiveUnsigned: [String] {
        let name = "Message-ID"
        let isNamed = dkimUnsigned.contains { $0.lowercased().utf8.elementsEqual(name.lowercased().utf8) }
        return effectivePreservesMessageID || isNamed ? dkimUnsigned : dkimUnsigned + [name]
    }

    package var effectiveProcessLimit: Int { processLimit ?? (type == .mx ? 20 : 2) }

    /// A route to one host has all its connections there.
    package var effectiveProcessLimitPerHost: Int { processLimitPerHost ?? (type == .mx ? 10 : effectiveProcessLimit) }

    package var effectiveTLS: TLSMode {
        if let tls { return tls }
        if tlsSecurityLevel == TLSSecurityLevel.none { return .none }
        return switch type {
        case .submission: port == 465 ? .implicit : .starttls
        case .mx: .starttls
        case .lmtp: tlsSecurityLevel == nil ? .none : .starttls
        case .sink, .maildir: .none
        }
    }

    package var effectiveSecurityLevel: TLSSecurityLevel {
        if let tlsSecurityLevel { return tlsSecurityLevel }
        if effectiveTLS == .none { return .none }
        return type == .mx ? .may : .verify
    }
}

/// `[source.NAME]`: a local address that mail leaves from.
package struct SourceSettings: ConfSection, Equatable {
    package let name: String
    /// An IP address of this machine.
    package var address = ""
    /// The EHLO name, nil: myhostname.
    package var helo: String?
    package var rate: [SendingRate] = []
    package var warmup: WarmUpSettings?

    init(name: String) { self.name = name }

    static let fields: [Field<SourceSettings>] = [
        Field("address", \.address, .ipAddress, required: true, "The local IP address to connect from."),
        Field("helo", \.helo, .hostName, "The EHLO name that belongs to the address. Unset: myhostname."),
        Field("rate", \.rate, .rates, "What may leave from it."),
        Field(
            "warmup", \.warmup, .table("a table such as { start = 20, increase = 10, ceiling = 500 }"),
            "A daily limit for all that leaves from it, which grows with each day on which something was sent. Unset: none."),
    ]
}
