/// `auth = { ... }`: a login by password, access token or ticket.
package struct AuthSettings: ConfSection, Equatable {
    package enum Mechanism: String, Sendable, CaseIterable {
        /// The strongest that the peer offers and that what is given here can be used with.
        case auto
        case plain
        case login
        case cramMD5 = "cram-md5"
        case scramSHA1 = "scram-sha-1"
        case scramSHA256 = "scram-sha-256"
        case xoauth2
        case oauthBearer = "oauthbearer"
        case gssapi

        /// Whether it takes an access token.
        package var takesToken: Bool { self == .xoauth2 || self == .oauthBearer }
    }

    static let form = "a table such as { user = \"anna\", password_file = \"/path\" } or { user = \"anna@example.com\", oauth = \"NAME\" }"

    package var mechanism = Mechanism.auto
    /// As written; see ``Settings/user(of:)``.
    package var user: String?
    /// Nil with a token or a ticket.
    package var passwordFile: SecretFile?
    /// The NAME of an `[oauth.NAME]`; nil with a password or a ticket.
    package var oauth: String?

    init(name: String) {}

    static let fields: [Field<AuthSettings>] = [
        Field("mechanism", \.mechanism, .choice, "The SASL mechanism; auto takes the strongest that the peer offers."),
        Field("user", \.user, .line("a user name"), "The user name. Unset: that of the [oauth.NAME]."),
        Field("password_file", \.passwordFile, .secret(), "The file with the password, without more."),
        Field("oauth", \.oauth, .name(of: "oauth"), "Where the access token comes from, in place of a password."),
    ]
}

/// `[oauth.NAME]`: an authorization server, and who we are to it.
package struct OAuthSettings: ConfSection, Equatable {
    package enum Provider: String, Sendable, CaseIterable {
        /// Microsoft Entra, for Exchange Online.
        case microsoft
        /// Google, for Gmail and Workspace.
        case google
        /// Any other server that speaks RFC 6749.
        case generic
    }

    package enum Flow: String, Sendable, CaseIterable {
        /// The client's own secret; nobody logs in.
        case clientCredentials = "client_credentials"
        /// A refresh token had elsewhere, stored by `postrider oauth login NAME --refresh-token-file FILE`.
        case refreshToken = "refresh_token"
        /// A person's login by `postrider oauth login NAME`.
        case deviceCode = "device_code"
    }

    package let name: String
    package var provider = Provider.generic
    /// The directory of the organisation, for microsoft.
    package var tenant: String?
    package var clientID = ""
    package var clientSecretFile: SecretFile?
    /// As written; see ``effectiveTokenURL``.
    package var tokenURL: String?
    /// As written; see ``effectiveDeviceURL``.
    package var deviceURL: String?
    /// As written; see ``effectiveScope``.
    package var scope: String?
    package var flow = Flow.deviceCode
    /// Whom the login is for.
    package var user: String?
    /// Nil: the certificates that the system trusts.
    package var tlsCAFile: String?

    init(name: String) { self.name = name }

    static let fields: [Field<OAuthSettings>] = [
        Field("provider", \.provider, .choice, required: true, "Whose server it is; all but generic know their addresses and scopes."),
        Field("tenant", \.tenant, .line("a directory id or a domain"), "The organisation at microsoft. Unset: any (organizations)."),
        Field("client_id", \.clientID, .line("a client id"), required: true, "Who we are to the server, as it was registered there."),
        Field("client_secret_file", \.clientSecretFile, .secret(), "The file with the client's secret, where it has one."),
        Field("token_url", \.tokenURL, .tokenAddress, "Where tokens are had. Unset: that of the provider."),
        Field("device_url", \.deviceURL, .tokenAddress, "Where a device login begins. Unset: that of the provider."),
        Field(
            "scope", \.scope, .line("scopes separated by spaces"), "What the token is for. Unset: mail by SMTP and IMAP at the provider."),
        Field(
            "flow", \.flow, .choice, required: true,
            "How tokens are had: the client's secret alone, a refresh token from elsewhere, or a person's login with 'postrider oauth login NAME'."
        ),
        Field("user", \.user, .line("a user name"), "The mailbox that tokens are for, where an auth names no user."),
        Field("tls_ca_file", \.tlsCAFile, .file, "Certificates to trust in place of the system's."),
    ]

    /// Empty only for a generic server without one, which is a fault.
    package var effectiveTokenURL: String {
        if let tokenURL { return tokenURL }
        return switch provider {
        case .microsoft: "https://login.microsoftonline.com/\(tenant ?? "organizations")/oauth2/v2.0/token"
        case .google: "https://oauth2.googleapis.com/token"
        case .generic: ""
        }
    }

    /// Nil where there is none.
    package var effectiveDeviceURL: String? {
        if let deviceURL { return deviceURL }
        return switch provider {
        case .microsoft: "https://login.microsoftonline.com/\(tenant ?? "organizations")/oauth2/v2.0/devicecode"
        case .google: "https://oauth2.googleapis.com/device/code"
        case .generic: nil
        }
    }

    /// Empty: none is asked for.
    package var effectiveScope: String {
        if let scope { return scope }
        return switch (provider, flow) {
        case (.microsoft, .clientCredentials): "https://outlook.office365.com/.default"
        case (.microsoft, _):
            "https://outlook.office.com/SMTP.Send https://outlook.office.com/IMAP.AccessAsUser.All offline_access"
        // A refresh token keeps the scope it was given with.
        case (.google, .refreshToken), (.generic, _): ""
        case (.google, _): "https://mail.google.com/"
        }
    }
}

/// `[secrets]`: what the secrets in the database are sealed with.
package struct SecretsSettings: ConfSection, Equatable {
    package var keyFile: SecretFile?

    init(name: String) {}

    static let fields: [Field<SecretsSettings>] = [
        Field(
            "key_file", \.keyFile, .secret(minimumBytes: 32),
            "The key of the secrets that the database holds (logins made with 'postrider oauth login'); never part of a backup.")
    ]
}

extension Settings {
    /// The user name of a login; never nil for a login of these settings.
    package func user(of auth: AuthSettings) -> String? { auth.user ?? auth.oauth.flatMap(oauth(named:))?.user }
}
