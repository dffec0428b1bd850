/// Keeps what a person's login gave, over restarts.
package protocol RefreshTokenKeeper: Sendable {
    /// The refresh token of an `[oauth.NAME]`; nil when nobody has logged in.
    func refreshToken(of account: String) async throws(LoginTrouble) -> KeptRefreshToken?

    /// Keeps a new one in place of `replacing`; false when another one stands there by now. Nil: of whatever there is.
    func keep(_ token: [UInt8], of account: String, replacing: KeptRefreshToken?) async throws(LoginTrouble) -> Bool
}

/// A refresh token and the place where it is kept.
package struct KeptRefreshToken: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    package let token: [UInt8]
    /// Another one for each token that is kept.
    package let version: Int64

    package init(token: [UInt8], version: Int64) {
        self.token = token
        self.version = version
    }

    package var description: String { "KeptRefreshToken(redacted)" }
    package var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}
