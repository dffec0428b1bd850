import CSASL

/// One exchange by a plugin of libsasl2.
///
/// Not thread-safe; lives under the lock of its `SASLClient`.
final class CyrusExchange {
    struct Response {
        /// Nil if the server speaks first.
        let octets: [UInt8]?
    }

    /// The rounds of SCRAM's key derivation that a server may ask for: RFC 7677 §4 sets the least, and
    /// the library computes no more than the most.
    static let iterations = 4_096...65_536

    private var connection: OpaquePointer?
    private let credentials: CyrusCredentials
    private let host: String
    private var mechanism = SASLMechanism.plain
    /// Whether the plugin is content: for SCRAM, only after the server's signature was verified.
    private(set) var isComplete = false

    init(service: String, host: String, credentials: SASLCredentials, allowPlaintext: Bool) throws(SASLError) {
        try CyrusLibrary.initialise()
        self.host = host
        self.credentials = try CyrusCredentials(credentials)
        let callbacks = UnsafePointer(self.credentials.callbacks)
        var made: OpaquePointer?
        let result = CyrusLibrary.locked { sasl_client_new(service, host, nil, nil, callbacks, 0, &made) }
        guard result == SASL_OK, let made else {
            throw SASLError(.failed, "no exchange with \(host) can be made", cause: CyrusLibrary.text(result))
        }
        connection = made
        // No security layer: TLS is there for that, and a layer would change the framing of everything after it.
        var limits = sasl_security_properties_t()
        limits.min_ssf = 0
        limits.max_ssf = 0
        limits.maxbufsize = 0
        limits.security_flags = UInt32(SASL_SEC_NOANONYMOUS) | (allowPlaintext ? 0 : UInt32(SASL_SEC_NOPLAINTEXT))
        let limited = sasl_setprop(made, SASL_SEC_PROPS, &limits)
        guard limited == SASL_OK else {
            throw SASLError(.failed, "no exchange with \(host) can be made", cause: CyrusLibrary.text(limited))
        }
    }

    deinit { CyrusLibrary.locked { sasl_dispose(&connection) } }

    /// Begins; nil if there is no plugin for the mechanism.
    func start(_ mechanism: SASLMechanism) throws(SASLError) -> Response? {
        self.mechanism = mechanism
        var output: UnsafePointer<CChar>?
        var length: UInt32 = 0
        var chosen: UnsafePointer<CChar>?
        let result = CyrusLibrary.locked { sasl_client_start(connection, mechanism.rawValue, nil, &output, &length, &chosen) }
        if result == SASL_NOMECH { return nil }
        try judge(result)
        return Response(octets: output.map { Self.octets($0, length) })
    }

    func step(_ challenge: [UInt8]) throws(SASLError) -> [UInt8] {
        guard !isComplete else {
            throw SASLError(.protocolViolation, "\(host) goes on after the exchange was complete")
        }
        try checkIterations(challenge)
        // The library wants a NUL behind the last octet.
        let input = challenge.map { CChar(bitPattern: $0) } + [0]
        var output: UnsafePointer<CChar>?
        var length: UInt32 = 0
        let result = sasl_client_step(connection, input, UInt32(challenge.count), nil, &output, &length)
        try judge(result)
        return output.map { Self.octets($0, length) } ?? []
    }

    private static func octets(_ text: UnsafePointer<CChar>, _ length: UInt32) -> [UInt8] {
        UnsafeBufferPointer(start: text, count: Int(length)).map { UInt8(bitPattern: $0) }
    }

    private func judge(_ result: Int32) throws(SASLError) {
        switch result {
        case SASL_OK:
            isComplete = true
        case SASL_CONTINUE:
            return
        default:
            let cause =
                connection.flatMap { sasl_errdetail($0) }.map { Printable.text(String(cString: $0).utf8) } ?? CyrusLibrary.text(result)
            switch result {
            case SASL_BADSERV, SASL_BADMAC, SASL_BADAUTH:
                throw SASLError(.serverNotProven, "\(host) did not prove that it knows the password; it may be somebody else", cause: cause)
            case SASL_BADPROT:
                throw SASLError(.protocolViolation, "\(host) sent something that has no place in \(mechanism.rawValue)", cause: cause)
            case SASL_BADPARAM:
                throw SASLError(.badCredentials, "the credentials do not fit \(mechanism.rawValue)", cause: cause)
            case SASL_INTERACT:
                throw SASLError(.badCredentials, "\(mechanism.rawValue) wants more than a user name and a password", cause: cause)
            default:
                throw SASLError(.failed, "\(mechanism.rawValue) with \(host) failed", cause: cause)
            }
        }
    }

    /// Refuses a first message of a SCRAM server (RFC 5802 §5.1: `r=...,s=...,i=N`) that asks for too much work, or for so little
    /// that whoever hears the answer could guess the password from it. The library takes any small number.
    private func checkIterations(_ challenge: [UInt8]) throws(SASLError) {
        guard mechanism == .scramSHA1 || mechanism == .scramSHA256 else { return }
        for field in challenge.split(separator: UInt8(ascii: ",")) where field.starts(with: Array("i=".utf8)) {
            var count = 0
            for digit in field.dropFirst(2) where count <= Self.iterations.upperBound {
                guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else {
                    throw SASLError(.protocolViolation, "\(host) sent something that has no place in \(mechanism.rawValue)")
                }
                count = count * 10 + Int(digit - UInt8(ascii: "0"))
            }
            guard Self.iterations.contains(count) else {
                throw SASLError(
                    .protocolViolation,
                    "\(host) asks for a number of rounds of key derivation outside \(Self.iterations.lowerBound) to \(Self.iterations.upperBound); change it there"
                )
            }
        }
    }
}
