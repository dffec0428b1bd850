/// Connection, greeting, HELO, EHLO and LHLO, STARTTLS.
extension ServerSession {
    /// A client connected; `isEncrypted` for a channel that is TLS from its first octet, `hasRoom` false to turn the client away.
    package mutating func connected(isEncrypted: Bool = false, hasRoom: Bool = true) -> [ServerAction] {
        guard case .unconnected = state else { return [] }
        var actions: [ServerAction] = []
        self.isEncrypted = isEncrypted
        if !hasRoom {
            close(.unavailable, saying: .unavailable, into: &actions)
        } else if framer.unread > 0 {
            close(.talkedTooEarly, saying: .talkedTooEarly, into: &actions)
        } else if configuration.limits.greetingPause > .zero {
            state = .greetingPause
            actions.append(.pause(configuration.limits.greetingPause))
        } else {
            greet(into: &actions)
        }
        return actions
    }

    mutating func greet(into actions: inout [ServerAction]) {
        if isShuttingDown { return close(.unavailable, saying: .unavailable, into: &actions) }
        state = .idle(nil)
        say(.greeting(hostname, configuration.dialect), into: &actions)
    }

    mutating func hello(_ verb: ClientCommand.Hello, _ name: [UInt8], into actions: inout [ServerAction]) {
        guard (verb == .lhlo) == (configuration.dialect == .lmtp) else { return say(.wrongDialect, into: &actions) }
        guard MailPath.isHelloName(name[...]) else { return say(.malformedCommand, into: &actions) }
        state = .idle(Hello(name: name, isExtended: verb != .helo))
        if verb == .helo {
            say(.hello(hostname), into: &actions)
        } else {
            actions.append(.send(ServerReply.capabilities(offers)))
        }
    }

    private var offers: [String] {
        let limits = configuration.limits
        var lines = [hostname, "PIPELINING", "SIZE \(limits.messageSize)", "8BITMIME"]
        if configuration.offersSMTPUTF8 { lines.append("SMTPUTF8") }
        if configuration.offersTLS, !isEncrypted { lines.append("STARTTLS") }
        lines += ["ENHANCEDSTATUSCODES", "LIMITS MAILMAX=\(limits.messages) RCPTMAX=\(limits.recipients)"]
        return lines
    }

    mutating func startTLS(into actions: inout [ServerAction]) {
        if isEncrypted {
            say(.alreadyEncrypted, into: &actions)
        } else if !configuration.offersTLS {
            say(.notImplemented, into: &actions)
        } else if framer.unread > 0 {
            close(.injectedBeforeTLS, saying: .talkedTooEarly, into: &actions)
        } else {
            // RFC 3207 §4.2: what was learned in clear is forgotten; the client has to greet again.
            state = .handshake
            say(.startTLS, into: &actions)
            actions.append(.startTLS)
        }
    }

    /// The handshake is complete.
    package mutating func tlsEstablished() -> [ServerAction] {
        guard case .handshake = state else { return [] }
        isEncrypted = true
        idleTime = .zero
        commandTime = .zero
        state = .idle(nil)
        var actions: [ServerAction] = []
        drain(into: &actions)
        return actions
    }

    /// The handshake failed.
    package mutating func tlsFailed() -> [ServerAction] {
        guard case .handshake = state else { return [] }
        var actions: [ServerAction] = []
        close(.tlsFailed, into: &actions)
        return actions
    }
}
