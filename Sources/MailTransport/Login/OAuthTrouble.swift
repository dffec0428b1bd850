import HTTPFetch

/// Why an authorization server gave no token.
package struct OAuthTrouble: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of fault it is.
    package enum Code: Sendable, Equatable {
        /// The login is over, withdrawn or was never made: a person must log in.
        case loginNeeded
        /// The server does not take the client's id or secret, or does not let it do this.
        case clientRefused
        /// The conf asks for what the server does not give: scope, flow, address.
        case badRequest
        /// The server is out of order, busy or out of reach.
        case temporary
        /// A device login was not confirmed yet.
        case pending
        /// As before, and we ask too often.
        case slowDown
        /// A device login was not confirmed in time.
        case expired
        /// The person said no.
        case denied
    }

    package let code: Code
    /// What is wrong and what to do; holds no secret.
    package let message: String
    /// How long the server asks to be left alone; nil when it does not.
    package let retryAfter: Duration?

    init(_ code: Code, _ message: String, retryAfter: Duration? = nil) {
        self.code = code
        self.message = message
        self.retryAfter = retryAfter
    }

    package var description: String { message }

    /// As those who want to log in see it.
    var loginTrouble: LoginTrouble { LoginTrouble(code == .temporary ? .time : .person, message) }

    static func loginNeeded(_ account: String, because reason: String) -> OAuthTrouble {
        OAuthTrouble(.loginNeeded, "[oauth.\(account)]: \(reason); run: postrider oauth login \(account)")
    }

    /// The server could not be asked.
    init(_ error: HTTPFetchError, account: String) {
        if error.code == .tls {
            // Certificates are renewed too late and proxies stand in the way: that may pass, and nothing in the conf need be wrong.
            self.init(
                .temporary,
                "[oauth.\(account)]: \(error.message); it is tried again; when the server has a private authority, name that in tls_ca_file"
            )
            return
        }
        self.init(
            error.isTemporary ? .temporary : .badRequest,
            "[oauth.\(account)]: \(error.message)" + (error.isTemporary ? "" : "; correct it, or the URL in the conf"))
    }

    /// The server answered with something else than a token (RFC 6749 §5.2, RFC 8628 §3.5, OpenID Connect Core §3.1.2.6).
    init(_ response: HTTPResponse, error: OAuthAnswer.Failure?, account: String, what: String) {
        let place = "[oauth.\(account)]"
        let words = error.map { error in error.words.isEmpty ? "" : " (\(error.words))" } ?? ""
        let later = response.status == 429 || response.status == 408 || response.status >= 500
        guard let error else {
            self =
                switch response.status {
                case _ where later:
                    OAuthTrouble(
                        .temporary, "\(place): the \(what) is out of order, status \(response.status)", retryAfter: response.retryAfter)
                case 200..<300: OAuthTrouble(.temporary, "\(place): the \(what) answers with something that is no token")
                case 300..<400: OAuthTrouble(.badRequest, "\(place): the \(what) answers with a redirect; correct its URL in the conf")
                default: OAuthTrouble(.badRequest, "\(place): the \(what) refuses, status \(response.status); correct its URL in the conf")
                }
            return
        }
        switch error.code {
        case "invalid_grant", "interaction_required", "consent_required", "login_required", "account_selection_required",
            "bad_refresh_token":
            self = .loginNeeded(account, because: "the login is no longer valid\(words)")
        case "invalid_client", "unauthorized_client":
            self.init(.clientRefused, "\(place): the server does not take the client\(words); correct client_id and client_secret_file")
        case "temporarily_unavailable", "server_error":
            self.init(.temporary, "\(place): the \(what) is out of order\(words)", retryAfter: response.retryAfter)
        case "authorization_pending": self.init(.pending, "the login is not confirmed yet")
        case "slow_down": self.init(.slowDown, "the login is not confirmed yet, and we ask too often", retryAfter: response.retryAfter)
        case "expired_token", "code_expired": self.init(.expired, "\(place): the login was not confirmed in time; begin again")
        case "access_denied", "authorization_declined": self.init(.denied, "\(place): the login was declined\(words)")
        case _ where later:
            self.init(.temporary, "\(place): the \(what) is out of order\(words)", retryAfter: response.retryAfter)
        default:
            self.init(.badRequest, "\(place): the \(what) refuses: \(error.code)\(words); correct the section in the conf")
        }
    }
}
