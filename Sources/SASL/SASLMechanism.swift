/// A way of proving who one is (RFC 4422), of those spoken here.
package enum SASLMechanism: String, Sendable, CaseIterable {
    /// RFC 7677; the server proves that it knows the password too.
    case scramSHA256 = "SCRAM-SHA-256"
    /// RFC 5802.
    case scramSHA1 = "SCRAM-SHA-1"
    /// RFC 2195; hides the password and proves nothing about the server.
    case cramMD5 = "CRAM-MD5"
    /// RFC 4616; the password as it is.
    case plain = "PLAIN"
    /// The password as it is, asked for in two steps (draft-murchison-sasl-login).
    case login = "LOGIN"
    /// Kerberos (RFC 4752), without a security layer. Its plugin talks to the key distribution centre and blocks: never on an event loop.
    case gssapi = "GSSAPI"
    /// A bearer token in the form of RFC 7628.
    case oauthBearer = "OAUTHBEARER"
    /// A bearer token in the older form that Google and Microsoft took before RFC 7628.
    case xoauth2 = "XOAUTH2"

    /// The mechanism that a server calls `name`; case does not count. Nil for one not spoken here.
    package init?(offered name: String) {
        let folded = name.utf8.map { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) ? $0 - 32 : $0 }
        guard let found = Self.allCases.first(where: { $0.rawValue.utf8.elementsEqual(folded) }) else { return nil }
        self = found
    }

    /// Whether a listener could use what it hears, so that only a protected channel may carry it.
    package var showsSecret: Bool {
        switch self {
        case .plain, .login, .oauthBearer, .xoauth2: true
        case .scramSHA256, .scramSHA1, .cramMD5, .gssapi: false
        }
    }

    /// Those that take a password, the best first.
    package static let withPassword: [SASLMechanism] = [.scramSHA256, .scramSHA1, .plain, .login, .cramMD5]

    /// Those that take a bearer token, the standard one first.
    package static let withToken: [SASLMechanism] = [.oauthBearer, .xoauth2]
}
