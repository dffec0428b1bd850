/// What a login needs, and the servers that give tokens for it.
extension Relations {
    mutating func check(_ auth: AuthSettings, at path: [String]) {
        let written = auth.mechanism.rawValue
        switch (auth.passwordFile, auth.oauth) {
        case (.some, .some): find(path, "auth", "a login has a password or an access token, not both", "remove 'password_file' or 'oauth'")
        case (nil, .some) where auth.mechanism != .auto && !auth.mechanism.takesToken:
            find(
                path, "auth", "the mechanism \(written) takes no access token", "use \"xoauth2\" or \"oauthbearer\", or remove 'mechanism'")
        case (.some, nil) where auth.mechanism.takesToken:
            find(path, "auth", "the mechanism \(written) takes an access token", "write oauth = \"NAME\" in place of 'password_file'")
        case (.some, nil) where auth.mechanism == .gssapi:
            find(path, "auth", "the mechanism gssapi takes a Kerberos ticket of the process", "remove 'password_file'")
        case (nil, nil) where auth.mechanism.takesToken:
            find(path, "auth", "'oauth' is missing here", "add an [oauth.NAME], and oauth = \"NAME\"")
        case (nil, nil) where auth.mechanism != .gssapi:
            find(path, "auth", "'password_file' is missing here", "write \(AuthSettings.form)")
        default: break
        }
        if let name = auth.oauth, settings.oauth(named: name) == nil {
            let names = settings.oauths.map(\.name)
            let nearest = Suggestion.nearest(to: name, among: names)
            find(path, "auth", "there is no [oauth.\(name)]", nearest.map { "did you mean '\($0)'?" } ?? "add a section [oauth.\(name)]")
        } else if settings.user(of: auth) == nil {
            find(path, "auth", "'user' is missing here", "write \(AuthSettings.form)")
        }
    }

    mutating func check(_ oauth: OAuthSettings) {
        let path = ["oauth", oauth.name]
        if oauth.effectiveTokenURL.utf8.isEmpty {
            find(path, nil, "[oauth.\(oauth.name)] names no server", "add token_url = \"https://...\"")
        }
        if oauth.tenant != nil, oauth.provider != .microsoft { find(path, "tenant", "only microsoft has tenants", "remove it") }
        switch (oauth.provider, oauth.flow) {
        case (.google, .clientCredentials):
            find(path, "flow", "google gives mail to no client without a person's consent", "use \"refresh_token\"")
        case (.google, .deviceCode) where oauth.scope == nil:
            find(
                path, "flow", "google gives no mail scope to a device login",
                "use \"refresh_token\" with a token from its OAuth playground or a web login")
        case (_, .clientCredentials) where oauth.clientSecretFile == nil:
            find(path, "flow", "client_credentials needs the client's secret", "add client_secret_file = \"/path\"")
        case (.microsoft, .clientCredentials) where oauth.tenant == nil && oauth.tokenURL == nil:
            find(path, "flow", "client_credentials needs the organisation", "add tenant = \"...\"")
        case (_, .deviceCode) where oauth.effectiveDeviceURL == nil:
            find(path, "flow", "device_code needs the address where a login begins", "add device_url = \"https://...\"")
        default: break
        }
        if oauth.deviceURL != nil, oauth.flow != .deviceCode {
            find(path, "device_url", "it counts with flow \"device_code\" only", "remove it, or change the flow")
        }
        if oauth.tenant != nil, oauth.provider == .microsoft, oauth.tokenURL != nil, oauth.flow != .deviceCode || oauth.deviceURL != nil {
            find(path, "tenant", "the URLs that are written here stand in place of it", "remove it, or the URLs")
        }
        if oauth.flow != .clientCredentials, settings.secrets.keyFile == nil, isWhole(["secrets"]) {
            find(
                path, "flow", "a login that is stored needs a key to seal it with",
                "add [secrets] with key_file, made with: openssl rand -hex 32")
        }
    }
}
