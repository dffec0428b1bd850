/// XOAUTH2 and OAUTHBEARER (RFC 7628), which libsasl2 has no plugin for.
struct BearerExchange {
    let initialResponse: [UInt8]
    private(set) var rejection: SASLError?
    private let mechanism: SASLMechanism
    private let host: String

    private static let separator: UInt8 = 1

    init(_ mechanism: SASLMechanism, _ credentials: SASLCredentials, host: String, port: Int?) throws(SASLError) {
        guard case .token(let token) = credentials.secret, !token.isEmpty, token.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            throw SASLError(.badCredentials, "the access token is empty or holds octets that no token has (RFC 6750 §2.1)")
        }
        let user = Array(credentials.user.utf8)
        guard !user.isEmpty, user.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
            throw SASLError(.badCredentials, "the user name is empty or holds control characters")
        }
        self.mechanism = mechanism
        self.host = host
        let bearer = Array("auth=Bearer ".utf8) + token + [Self.separator, Self.separator]
        switch mechanism {
        case .oauthBearer:
            var fields = Array("n,a=".utf8) + Self.escaped(user) + [UInt8(ascii: ","), Self.separator]
            fields += Array("host=\(host)".utf8) + [Self.separator]
            if let port { fields += Array("port=\(port)".utf8) + [Self.separator] }
            initialResponse = fields + bearer
        default:
            initialResponse = Array("user=".utf8) + user + [Self.separator] + bearer
        }
    }

    /// A name within a GS2 header (RFC 5801 §4).
    private static func escaped(_ name: [UInt8]) -> [UInt8] {
        name.flatMap { byte -> [UInt8] in
            switch byte {
            case UInt8(ascii: ","): Array("=2C".utf8)
            case UInt8(ascii: "="): Array("=3D".utf8)
            default: [byte]
            }
        }
    }

    /// The only challenge there can be says why the token was refused. It must be answered for the exchange to fail in order
    /// (RFC 7628 §3.2.3): OAUTHBEARER with one octet 1, XOAUTH2 with nothing.
    mutating func step(_ challenge: [UInt8]) throws(SASLError) -> [UInt8] {
        guard rejection == nil else {
            throw SASLError(.protocolViolation, "\(host) goes on after it refused the token")
        }
        rejection = SASLError(
            .tokenRejected, "\(host) did not take the access token; get a new one, and check user name and scope if it is fresh",
            cause: Printable.text(challenge))
        return mechanism == .oauthBearer ? [Self.separator] : []
    }
}
