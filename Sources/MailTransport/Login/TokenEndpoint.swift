package import HTTPFetch

/// The calls to one authorization server.
package struct TokenEndpoint: Sendable {
    /// What a token is asked for with.
    enum Grant {
        case clientCredentials
        case refreshToken([UInt8])
        case deviceCode(String)
    }

    package let account: OAuthAccount
    private let fetcher: HTTPFetcher
    private let limits: HTTPFetcher.Limits

    package init(account: OAuthAccount, fetcher: HTTPFetcher, limits: HTTPFetcher.Limits = HTTPFetcher.Limits()) {
        self.account = account
        self.fetcher = fetcher
        self.limits = limits
    }

    func token(_ grant: Grant) async throws(OAuthTrouble) -> AccessToken {
        var form: [(name: String, value: String)] = [("client_id", account.clientID)]
        if let secret = account.clientSecret { form.append(("client_secret", secret)) }
        switch grant {
        case .clientCredentials:
            form.append(("grant_type", "client_credentials"))
            if !account.scope.utf8.isEmpty { form.append(("scope", account.scope)) }
        case .refreshToken(let token):
            form.append(("grant_type", "refresh_token"))
            form.append(("refresh_token", String(decoding: token, as: UTF8.self)))
            if !account.scope.utf8.isEmpty { form.append(("scope", account.scope)) }
        case .deviceCode(let code):
            form.append(("grant_type", "urn:ietf:params:oauth:grant-type:device_code"))
            form.append(("device_code", code))
        }
        let response = try await post(account.tokenURL, form)
        if let token = OAuthAnswer.token(response) { return token }
        throw OAuthTrouble(response, error: OAuthAnswer.failure(response), account: account.name, what: "token endpoint")
    }

    /// Begins a device login.
    func device() async throws(OAuthTrouble) -> OAuthAnswer.Device {
        guard let url = account.deviceURL else {
            throw OAuthTrouble(.badRequest, "[oauth.\(account.name)] has no device_url; a device login is not possible with it")
        }
        var form: [(name: String, value: String)] = [("client_id", account.clientID)]
        if !account.scope.utf8.isEmpty { form.append(("scope", account.scope)) }
        let response = try await post(url, form)
        if let device = OAuthAnswer.device(response) { return device }
        throw OAuthTrouble(response, error: OAuthAnswer.failure(response), account: account.name, what: "device endpoint")
    }

    private func post(_ url: String, _ form: [(name: String, value: String)]) async throws(OAuthTrouble) -> HTTPResponse {
        do {
            return try await fetcher.post(
                url, form: form, headers: [("Accept", "application/json")], limits: limits, trust: account.trust)
        } catch {
            throw OAuthTrouble(error, account: account.name)
        }
    }
}
