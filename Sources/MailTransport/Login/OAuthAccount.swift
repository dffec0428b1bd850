package import HTTPFetch

/// An authorization server and who we are to it, as an `[oauth.NAME]` says (RFC 6749).
package struct OAuthAccount: Sendable, Equatable {
    /// How a token is had.
    package enum Flow: Sendable, Equatable {
        /// With the client's own secret; nobody logs in (RFC 6749 §4.4).
        case clientCredentials
        /// With a refresh token that a person's login gave (RFC 6749 §6).
        case refreshToken
    }

    package let name: String
    package let tokenURL: String
    /// Where a device login begins (RFC 8628); nil: there is none.
    package let deviceURL: String?
    package let clientID: String
    /// Nil for a client without one.
    package let clientSecret: String?
    /// Names separated by spaces; empty: what the server gives.
    package let scope: String
    package let flow: Flow
    package let trust: HTTPFetcher.Trust

    package init(
        name: String, tokenURL: String, deviceURL: String? = nil, clientID: String, clientSecret: String? = nil, scope: String = "",
        flow: Flow,
        trust: HTTPFetcher.Trust = .system
    ) {
        self.name = name
        self.tokenURL = tokenURL
        self.deviceURL = deviceURL
        self.clientID = clientID
        self.clientSecret = clientSecret
        self.scope = scope
        self.flow = flow
        self.trust = trust
    }
}

extension OAuthAccount: CustomReflectable {
    package var customMirror: Mirror { Mirror(self, children: ["name": name, "tokenURL": tokenURL, "clientID": clientID]) }
}
