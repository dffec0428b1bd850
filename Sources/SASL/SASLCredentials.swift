/// Who logs in, and with what. Descriptions and dumps show the user's name at most.
package struct SASLCredentials: Sendable, CustomStringConvertible, CustomReflectable {
    enum Secret: Sendable {
        case password([UInt8])
        case token([UInt8])
        case ticket
    }

    /// The authentication identity.
    package let user: String
    /// Whose mailbox to act for, if not the user's own; empty for that.
    let authorization: String
    let secret: Secret

    /// - Parameters:
    ///   - user: without NUL, as is the password.
    ///   - password: its octets in UTF-8.
    package static func password(_ password: [UInt8], user: String, authorization: String = "") -> SASLCredentials {
        SASLCredentials(user: user, authorization: authorization, secret: .password(password))
    }

    /// An OAuth 2.0 access token (RFC 6750), as the authorization server gave it.
    package static func token(_ token: [UInt8], user: String) -> SASLCredentials {
        SASLCredentials(user: user, authorization: "", secret: .token(token))
    }

    /// A Kerberos ticket from the process's own credential cache.
    package static func ticket(user: String) -> SASLCredentials {
        SASLCredentials(user: user, authorization: "", secret: .ticket)
    }

    /// The password, for the older commands of a protocol that take it outside of SASL; nil for a token or a ticket.
    package var password: [UInt8]? {
        if case .password(let password) = secret { password } else { nil }
    }

    func allows(_ mechanism: SASLMechanism) -> Bool {
        switch (secret, mechanism) {
        case (.password, .plain), (.password, .login), (.password, .cramMD5), (.password, .scramSHA1), (.password, .scramSHA256): true
        case (.token, .xoauth2), (.token, .oauthBearer): true
        case (.ticket, .gssapi): true
        default: false
        }
    }

    package var description: String { "SASLCredentials(user: \(user))" }

    package var customMirror: Mirror { Mirror(self, children: ["user": user]) }
}
