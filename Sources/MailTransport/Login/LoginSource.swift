package import SASL

/// Where the credentials of a route or a mailbox come from at the moment of a login.
package protocol LoginSource: Sendable {
    /// The credentials for a login that begins now.
    ///
    /// - Throws: when there are none: nothing is sent then, and the login counts as failed.
    func login() async throws(LoginTrouble) -> Login

    /// The server refused `login`: whether others are to be had now, so that a second try makes sense.
    ///
    /// However many connections ask about the same ones, no more than one other set is fetched.
    func renewed(after login: Login) async -> Bool
}

/// Credentials as they were given out.
package struct Login: Sendable {
    package let credentials: SASLCredentials
    /// Tells those that were given out earlier from later ones.
    package let serial: Int

    package init(credentials: SASLCredentials, serial: Int) {
        self.credentials = credentials
        self.serial = serial
    }
}

/// Why there are no credentials for a login.
package struct LoginTrouble: Error, Sendable, Equatable, CustomStringConvertible {
    /// What ends it.
    package enum Remedy: Sendable, Equatable {
        /// Time: a later try may go well.
        case time
        /// Somebody must do what the message says; until then every try is in vain.
        case person
    }

    package let remedy: Remedy
    /// What is wrong and what to do; holds no secret.
    package let message: String

    package init(_ remedy: Remedy, _ message: String) {
        self.remedy = remedy
        self.message = message
    }

    package var description: String { message }
}

/// Credentials that are always the same: a password, or a Kerberos ticket from the process's own cache.
struct FixedLogin: LoginSource {
    let credentials: SASLCredentials

    func login() async throws(LoginTrouble) -> Login { Login(credentials: credentials, serial: 0) }
    func renewed(after login: Login) async -> Bool { false }
}
