import struct NIOCore.ByteBuffer

/// The SASL exchange, which the driver's mechanism leads (RFC 9051 §6.2.2).
extension ClientSession {
    /// The driver has chosen. `initialResponse` is nil when the mechanism lets the server speak first.
    ///
    /// A name that is no mechanism name (RFC 4422 §3.1) ends the session.
    package mutating func authenticate(mechanism: String, initialResponse: [UInt8]?) -> [Action] {
        guard case .choosingMechanism = phase else { return takeActions() }
        let name = ASCII.upper(mechanism.utf8)
        guard (1...20).contains(name.count), name.allSatisfy(Capabilities.belongsInMechanism) else {
            close(.loginUnavailable)
            return takeActions()
        }
        let immediate = initialResponse.flatMap { capabilities?.has("SASL-IR") == true ? $0 : nil }
        let exchange: Command.Exchange =
            if immediate != nil {
                .awaitingVerdict
            } else if let initialResponse {
                .awaitingGoAhead(initialResponse: initialResponse)
            } else {
                .awaitingChallenge
            }
        capabilities = nil
        begin("AUTHENTICATE ", .authenticate(exchange)) {
            $0.mechanism(name)
            if let immediate {
                $0.words(" ")
                $0.initialResponse(immediate)
            }
        }
        return takeActions()
    }

    /// The mechanism's answer to the challenge; empty where it has nothing to say.
    package mutating func saslResponse(_ response: [UInt8]) -> [Action] {
        guard case .commanding(let command) = phase, case .authenticate(.challenged) = command.purpose else { return takeActions() }
        reply(Base64.encode(response), .awaitingVerdict, command)
        return takeActions()
    }

    /// The driver will not go on with the login.
    package mutating func abandonAuthentication() -> [Action] {
        switch phase {
        case .choosingMechanism:
            close(.loginUnavailable)
        case .commanding(let command):
            if case .authenticate(.challenged) = command.purpose { reply(ASCII.bytes("*"), .abandoned, command) }
        default: break
        }
        return takeActions()
    }

    private mutating func reply(_ line: [UInt8], _ exchange: Command.Exchange, _ command: Command) {
        actions.append(.sendSecret(ByteBuffer(bytes: line + [ASCII.cr, ASCII.lf])))
        var command = command
        command.purpose = .authenticate(exchange)
        phase = .commanding(command)
        startTimers()
    }

    /// The server challenges, or lets us go ahead.
    mutating func challenged(_ text: [UInt8], _ exchange: Command.Exchange, _ command: Command) {
        switch exchange {
        case .awaitingGoAhead(let initialResponse):
            reply(Base64.encode(initialResponse), .awaitingVerdict, command)
        case .awaitingChallenge, .awaitingVerdict:
            guard let challenge = Base64.decode(text[...]) else { return close(.protocolError(.badChallenge)) }
            var command = command
            command.purpose = .authenticate(.challenged)
            phase = .commanding(command)
            stopTimers()
            actions.append(.saslChallenge(challenge))
        case .challenged, .abandoned:
            close(.protocolError(.unexpectedContinuation))
        }
    }

    mutating func endLogin(_ status: StatusResponse) {
        guard status.condition == .ok else {
            return close(Self.reasonInCode(status) ?? .loginRefused(text: status.text))
        }
        isAuthenticated = true
        actions.append(.authenticated)
        // RFC 9051 §6.2.2: what the server offers may have changed, and it may have said so already.
        capabilities == nil ? askCapability() : openMailboxes()
    }
}
