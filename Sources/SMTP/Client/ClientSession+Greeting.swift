import struct NIOCore.ByteBuffer

/// Greeting, EHLO or LHLO, HELO as the fallback, STARTTLS.
extension ClientSession {
    /// The connection stands. For `implicit` TLS it is already TLS, and `security` says whether the certificate was verified.
    package mutating func connected(over security: ChannelSecurity = .plaintext) -> [ClientAction] {
        switch state {
        case .unconnected: break
        case .handshake where configuration.tls == .implicit: break
        default: return []
        }
        var actions: [ClientAction] = []
        self.security = security
        state = .greeting
        switch (configuration.tls, security) {
        case (.implicit, .plaintext): end(.tlsUnavailable, into: &actions)
        case (_, .tls(verified: false)) where configuration.requiresVerifiedTLS: end(.tlsFailed, into: &actions)
        default:
            start(.greeting, into: &actions)
            // What the server said before we were told of the connection is its greeting.
            if !parser.isEmpty { actions += received(ByteBuffer()) }
        }
        return actions
    }

    /// The connection stands and its handshake has begun, for `implicit` TLS; then comes `connected(over:)` or `tlsFailed()`.
    package mutating func handshakeBegun() -> [ClientAction] {
        guard case .unconnected = state, configuration.tls == .implicit else { return [] }
        var actions: [ClientAction] = []
        state = .handshake
        start(.tls, into: &actions)
        return actions
    }

    mutating func greetingReplied(_ reply: Reply, into actions: inout [ClientAction]) {
        guard reply.code == 220 else { return refused(reply, into: &actions) }
        isGreeted = true
        sayHello(into: &actions)
    }

    mutating func sayHello(isFallback: Bool = false, into actions: inout [ClientAction]) {
        state = .hello(isFallback: isFallback)
        let verb: StaticString = configuration.dialect == .lmtp ? "LHLO" : isFallback ? "HELO" : "EHLO"
        guard let line = CommandEncoder.hello(verb, name: configuration.helloName) else {
            return end(.refusedForSafety(.unsafeCommand), orderly: true, into: &actions)
        }
        command(line, .hello, into: &actions)
    }

    mutating func helloReplied(_ reply: Reply, isFallback: Bool, into actions: inout [ClientAction]) {
        if reply.code == 250 {
            capabilities = isFallback ? Capabilities() : Capabilities(reply)
            secure(into: &actions)
        } else if reply.isPermanentFailure, !isFallback, mayFallBackToHELO {
            sayHello(isFallback: true, into: &actions)
        } else if [500, 501, 502, 504].contains(reply.code), !isFallback, let missing = missingWithoutExtensions {
            end(missing, reply: reply, orderly: true, into: &actions)
        } else {
            refused(reply, into: &actions)
        }
    }

    mutating func startTLSReplied(_ reply: Reply, into actions: inout [ClientAction]) {
        if reply.code == 220 {
            // RFC 3207 §4.2: what came behind the 220 in clear was injected. It must not reach the dialogue inside TLS.
            guard parser.isEmpty else { return refuseInput(into: &actions) }
            capabilities = Capabilities()
            state = .handshake
            start(.tls, into: &actions)
            actions.append(.startTLS)
        } else if OutcomePolicy.endsSession(reply) || reply.isPositive || reply.code / 100 == 3 {
            refused(reply, into: &actions)
        } else if configuration.tls == .required {
            end(.tlsUnavailable, reply: reply, orderly: true, into: &actions)
        } else {
            authenticate(into: &actions)
        }
    }

    /// The handshake is complete; `verified` tells whether the certificate was verified for the intended name.
    package mutating func tlsEstablished(verified: Bool) -> [ClientAction] {
        guard case .handshake = state, configuration.tls != .implicit else { return [] }
        var actions: [ClientAction] = []
        security = .tls(verified: verified)
        if configuration.requiresVerifiedTLS, !verified {
            end(.tlsFailed, into: &actions)
        } else {
            sayHello(into: &actions)
        }
        return actions
    }

    /// The handshake failed.
    package mutating func tlsFailed() -> [ClientAction] {
        var actions: [ClientAction] = []
        switch state {
        case .handshake, .unconnected: end(.tlsFailed, into: &actions)
        default: break
        }
        return actions
    }

    private mutating func secure(into actions: inout [ClientAction]) {
        guard security == .plaintext, configuration.tls == .required || configuration.tls == .opportunistic else {
            return authenticate(into: &actions)
        }
        state = .startTLS
        if capabilities.startTLS {
            command(CommandEncoder.line("STARTTLS"), .startTLS, into: &actions)
        } else if configuration.tls == .required {
            end(.tlsUnavailable, orderly: true, into: &actions)
        } else {
            authenticate(into: &actions)
        }
    }

    /// HELO offers neither TLS nor authentication, so it is of use only where neither is still needed.
    private var mayFallBackToHELO: Bool { configuration.dialect == .smtp && missingWithoutExtensions == nil }

    /// What is asked for and cannot be had from a server that knows no EHLO; nil: nothing.
    private var missingWithoutExtensions: DeliveryFailure.Cause? {
        if configuration.tls == .required, security == .plaintext { return .tlsUnavailable }
        return configuration.requiresAuthentication ? .authenticationUnavailable : nil
    }

    /// The server refused the session, or answered what it cannot answer here.
    mutating func refused(_ reply: Reply, into actions: inout [ClientAction]) {
        if reply.isTransientFailure || reply.isPermanentFailure {
            end(.replyCode, reply: reply, orderly: !OutcomePolicy.endsSession(reply), into: &actions)
        } else {
            end(.protocolError(.unexpectedReply), reply: reply, into: &actions)
        }
    }
}
