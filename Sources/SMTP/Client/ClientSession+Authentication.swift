/// The AUTH exchange, RFC 4954. The mechanism runs in the driver; here are its lines, its bounds and its safety.
extension ClientSession {
    /// RFC 5321 §4.5.3.1.4, which RFC 4954 §4 leaves in force for the AUTH line.
    private static let longestAuthLine = 512
    /// RFC 4954 §4: base64 lines of the exchange.
    private static let longestResponseLine = 12_288

    mutating func authenticate(into actions: inout [ClientAction]) {
        guard configuration.requiresAuthentication else { return becomeReady(into: &actions) }
        state = .mechanismChoice
        if capabilities.authenticationMechanisms.isEmpty {
            end(.authenticationUnavailable, orderly: true, into: &actions)
        } else if configuration.credentialsRequireVerifiedTLS, security != .tls(verified: true) {
            end(.refusedForSafety(.credentialsNeedVerifiedTLS), orderly: true, into: &actions)
        } else if !parser.isEmpty {
            refuseInput(into: &actions)
        } else {
            cancelTimer(into: &actions)
            actions.append(.startAuthentication(offered: capabilities.authenticationMechanisms))
        }
    }

    /// The driver chose `mechanism`, one of those offered; `initial` is its initial response, empty or not, nil for none.
    package mutating func authenticationResponse(mechanism: String, initial: [UInt8]?) -> [ClientAction] {
        guard case .mechanismChoice = state else { return [] }
        var actions: [ClientAction] = []
        guard capabilities.authenticationMechanisms.contains(mechanism) else {
            end(.authenticationUnavailable, orderly: true, into: &actions)
            return actions
        }
        let words = [Array("AUTH".utf8), Array(mechanism.utf8)]
        var exchange = AuthenticationExchange()
        var line = CommandEncoder.authentication(words, limit: ClientSession.longestAuthLine)
        if let initial {
            let encoded = initial.isEmpty ? [ASCII.equals] : Base64.encode(initial)
            if let whole = CommandEncoder.authentication(words + [encoded], limit: ClientSession.longestAuthLine) {
                line = whole
            } else {
                exchange.heldResponse = initial
            }
        }
        state = .authentication(exchange)
        if let line {
            command(line, .authentication, isSecret: true, into: &actions)
        } else {
            end(.authenticationFailed, orderly: true, into: &actions)
        }
        return actions
    }

    /// The driver's answer to a challenge, not yet in base64; empty is legal.
    package mutating func saslStep(_ response: [UInt8]) -> [ClientAction] {
        guard case .saslResponse(let exchange) = state else { return [] }
        var actions: [ClientAction] = []
        respond(response, exchange, into: &actions)
        return actions
    }

    /// The driver cannot or will not go on with the exchange.
    package mutating func cancelAuthentication() -> [ClientAction] {
        var actions: [ClientAction] = []
        switch state {
        case .mechanismChoice: end(.authenticationFailed, orderly: true, into: &actions)
        case .saslResponse:
            state = .authenticationCancelled
            command(CommandEncoder.line("*"), .authentication, into: &actions)
        default: break
        }
        return actions
    }

    /// Whether the mechanism is complete on our side; the answer to `confirmAuthentication`.
    package mutating func authenticationConfirmed(_ isComplete: Bool) -> [ClientAction] {
        guard case .authenticationConfirmation = state else { return [] }
        var actions: [ClientAction] = []
        if isComplete {
            becomeReady(into: &actions)
        } else {
            end(.authenticationFailed, into: &actions)
        }
        return actions
    }

    mutating func authenticationReplied(_ reply: Reply, _ exchange: AuthenticationExchange, into actions: inout [ClientAction]) {
        switch reply.code {
        case 235:
            guard parser.isEmpty else { return refuseInput(into: &actions) }
            cancelTimer(into: &actions)
            state = .authenticationConfirmation
            actions.append(.confirmAuthentication)
        case 334: challenged(reply, exchange, into: &actions)
        case 400...599: end(.authenticationFailed, reply: reply, orderly: !OutcomePolicy.endsSession(reply), into: &actions)
        default: end(.protocolError(.unexpectedReply), reply: reply, into: &actions)
        }
    }

    private mutating func challenged(_ reply: Reply, _ exchange: AuthenticationExchange, into actions: inout [ClientAction]) {
        var exchange = exchange
        exchange.challenges += 1
        guard reply.lines.count == 1, let challenge = Base64.decode(reply.lines[0]),
            exchange.challenges <= AuthenticationExchange.mostChallenges
        else {
            return end(.protocolError(.malformedChallenge), reply: reply, into: &actions)
        }
        if let held = exchange.heldResponse {
            guard challenge.isEmpty else { return end(.protocolError(.malformedChallenge), reply: reply, into: &actions) }
            exchange.heldResponse = nil
            respond(held, exchange, into: &actions)
        } else {
            guard parser.isEmpty else { return refuseInput(into: &actions) }
            cancelTimer(into: &actions)
            state = .saslResponse(exchange)
            actions.append(.saslChallenge(challenge))
        }
    }

    private mutating func respond(_ response: [UInt8], _ exchange: AuthenticationExchange, into actions: inout [ClientAction]) {
        state = .authentication(exchange)
        guard let line = CommandEncoder.authentication([Base64.encode(response)], limit: ClientSession.longestResponseLine) else {
            return end(.authenticationFailed, into: &actions)
        }
        command(line, .authentication, isSecret: true, into: &actions)
    }
}
