import Synchronization

/// The client side of one SASL exchange (RFC 4422), without input or output and without base64.
///
/// Overview: `start` chooses the mechanism and gives the first words, `step` answers each challenge, and `finish`, called when
/// the server has said yes, gives the proof that the exchange really came to its end.
///
/// Only `finish` makes a `SASLCompletion`: a server that says yes before it has proven itself (SCRAM's last signature) gets
/// none, and a connection must not be used as logged in without one.
///
/// GSSAPI's plugin may wait for the key distribution centre, everything else only computes: `begin` and `answer` give it a thread of its own.
package final class SASLClient: Sendable {
    /// What `start` decided.
    package struct Start: Sendable, Equatable {
        /// The name for the server.
        package let mechanism: SASLMechanism
        /// The initial response; nil if the server speaks first, empty if it is of no octets (`=` in RFC 4954 §4).
        ///
        /// Where the protocol cannot send it along, it answers the server's first, empty challenge.
        package let initialResponse: [UInt8]?
    }

    /// Proof that an exchange came to its end on this side too.
    package struct Completion: Sendable, Equatable {
        package let mechanism: SASLMechanism

        fileprivate init(_ mechanism: SASLMechanism) { self.mechanism = mechanism }
    }

    /// A challenge has at most 12288 octets in base64 (RFC 4954 §4).
    static let challengeLimit = 12_288
    /// No mechanism here needs more than four; GSSAPI may need some more.
    static let stepLimit = 16

    private enum Exchange {
        case idle
        case cyrus(CyrusExchange)
        case bearer(BearerExchange)
        case over
    }

    private struct State {
        var exchange = Exchange.idle
        var mechanism: SASLMechanism?
        var steps = 0
    }

    private let service: String
    private let host: String
    private let port: Int?
    private let credentials: SASLCredentials
    private let mechanisms: [SASLMechanism]
    private let channelIsProtected: Bool
    private let state = Mutex(State())

    /// - Parameters:
    ///   - service: the registered name of the protocol: `smtp` or `imap`.
    ///   - host: the server's host name, the one its certificate was verified for.
    ///   - port: the server's port, for OAUTHBEARER; nil leaves it out.
    ///   - mechanisms: those allowed, the most wanted first.
    ///   - channelIsProtected: whether nobody can listen and the server is who it should be; only then may a mechanism
    ///     show its secret.
    package init(
        service: String, host: String, port: Int? = nil, credentials: SASLCredentials, mechanisms: [SASLMechanism], channelIsProtected: Bool
    ) {
        self.service = service
        self.host = host
        self.port = port
        self.credentials = credentials
        self.mechanisms = mechanisms
        self.channelIsProtected = channelIsProtected
    }

    /// Chooses the first allowed mechanism that the server offers, and begins.
    ///
    /// - Parameter offered: the server's names; unknown ones are passed over.
    /// - Throws: `nothingInCommon`, `unprotectedChannel`, `missingPlugin`, `badCredentials`; `misuse` when called twice.
    package func start(offered: [String]) throws(SASLError) -> Start {
        let common = offered.compactMap { SASLMechanism(offered: $0) }
        let candidates = mechanisms.filter { common.contains($0) && credentials.allows($0) }
        let usable = candidates.filter { channelIsProtected || !$0.showsSecret }
        guard !candidates.isEmpty else {
            let wanted = mechanisms.map(\.rawValue).joined(separator: " ")
            throw SASLError(.nothingInCommon, "\(host) offers none of the mechanisms allowed here (\(wanted)) for credentials of this kind")
        }
        guard !usable.isEmpty else {
            throw SASLError(.unprotectedChannel, "\(host) would see the password or token in clear; use TLS with a verified certificate")
        }
        return try state.withLock { state throws(SASLError) in
            guard case .idle = state.exchange else { throw SASLError(.misuse, "an exchange begins once") }
            state.exchange = .over
            for mechanism in usable {
                state.mechanism = mechanism
                switch mechanism {
                case .xoauth2, .oauthBearer:
                    let exchange = try BearerExchange(mechanism, credentials, host: host, port: port)
                    let response = exchange.initialResponse
                    state.exchange = .bearer(exchange)
                    return Start(mechanism: mechanism, initialResponse: response)
                case .plain, .login, .cramMD5, .scramSHA1, .scramSHA256, .gssapi:
                    let exchange = try CyrusExchange(
                        service: service, host: host, credentials: credentials, allowPlaintext: channelIsProtected)
                    // Without its plugin the next best will do.
                    guard let response = try exchange.start(mechanism) else { continue }
                    state.exchange = .cyrus(exchange)
                    return Start(mechanism: mechanism, initialResponse: response.octets)
                }
            }
            let missing = usable.map(\.rawValue).joined(separator: " ")
            throw SASLError(
                .missingPlugin,
                "libsasl2 has no plugin for \(missing); install libsasl2-modules (for GSSAPI libsasl2-modules-gssapi-mit)")
        }
    }

    /// Answers a challenge; the answer may be empty, which must be sent all the same.
    ///
    /// - Throws: `protocolViolation`, `serverNotProven`, `badCredentials`, `misuse`. After an error the exchange is over: cancel it (`*`) and
    ///   leave the connection.
    package func step(_ challenge: [UInt8]) throws(SASLError) -> [UInt8] {
        try state.withLock { state throws(SASLError) in
            state.steps += 1
            let exchange = exchangeTaken(from: &state)
            guard state.steps <= Self.stepLimit, challenge.count <= Self.challengeLimit else {
                throw SASLError(
                    .protocolViolation, "\(host) asks too much: \(state.steps) challenges, the last of \(challenge.count) octets")
            }
            switch exchange {
            case .idle: throw SASLError(.misuse, "a challenge before the exchange has begun")
            case .over: throw SASLError(.misuse, "a challenge after the exchange was over")
            case .cyrus(let cyrus):
                let response = try cyrus.step(challenge)
                state.exchange = .cyrus(cyrus)
                return response
            case .bearer(var bearer):
                let response = try bearer.step(challenge)
                state.exchange = .bearer(bearer)
                return response
            }
        }
    }

    /// Takes the exchange out, so that it is over unless it is put back.
    private func exchangeTaken(from state: inout State) -> Exchange {
        var taken = Exchange.over
        swap(&taken, &state.exchange)
        return taken
    }

    /// Whether the credentials are of a kind whose plugin talks to somebody.
    var mayWait: Bool {
        if case .ticket = credentials.secret { true } else { false }
    }

    /// To be called when the server has accepted; gives the proof that this side is content too.
    ///
    /// - Throws: `serverNotProven` if the mechanism is not at its end, `tokenRejected` if the server had refused the token before, `misuse`.
    package func finish() throws(SASLError) -> Completion {
        try state.withLock { state throws(SASLError) in
            let exchange = exchangeTaken(from: &state)
            let isComplete: Bool
            switch exchange {
            case .idle, .over: throw SASLError(.misuse, "there is no exchange to finish")
            case .cyrus(let cyrus): isComplete = cyrus.isComplete
            case .bearer(let bearer):
                if let error = bearer.rejection { throw error }
                isComplete = true
            }
            guard isComplete, let mechanism = state.mechanism else {
                throw SASLError(
                    .serverNotProven, "\(host) said yes before it had proven that it knows the password; it may be somebody else")
            }
            return Completion(mechanism)
        }
    }

    /// What the server said when it refused a bearer token, for telling an expired token from a wrong one; nil if it did not.
    package var rejection: SASLError? {
        state.withLock { state in
            switch state.exchange {
            case .bearer(let bearer): bearer.rejection
            case .idle, .cyrus, .over: nil
            }
        }
    }
}
