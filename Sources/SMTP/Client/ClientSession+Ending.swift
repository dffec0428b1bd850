/// How transactions and sessions end.
extension ClientSession {
    /// Says goodbye. Before the final dot a transaction under way is abandoned; after it, nothing happens.
    package mutating func quit() -> [ClientAction] {
        var actions: [ClientAction] = []
        switch state {
        case .ready: leave(into: &actions)
        case .envelope, .content, .durability: end(.refusedForSafety(.abandoned), into: &actions)
        case .finalDot, .quit, .closed: break
        default: close(into: &actions)
        }
        return actions
    }

    /// The timer of `stage` ran out. A timer that was replaced or cancelled meanwhile has no effect.
    package mutating func timedOut(_ stage: Stage) -> [ClientAction] {
        var actions: [ClientAction] = []
        if case .unconnected = state, stage == .connect {
            end(.timeout, into: &actions)
        } else if timer == stage {
            end(.timeout, into: &actions)
        }
        return actions
    }

    /// The deadline of the transaction passed. It never cuts the wait for the reply to the final dot.
    package mutating func deadlineExpired() -> [ClientAction] {
        guard deadlineIsRunning else { return [] }
        var actions: [ClientAction] = []
        switch state {
        case .envelope, .content, .durability: end(.timeout, into: &actions)
        default: break
        }
        return actions
    }

    /// The connection is gone, or was never made. No `close` follows.
    package mutating func connectionClosed() -> [ClientAction] {
        var actions: [ClientAction] = []
        end(.connectionLost, into: &actions)
        return actions.filter { $0 != .close }
    }

    /// Ends the session for `cause`: undecided recipients get the outcome that the stage commands, and the connection is closed; `orderly`
    /// says QUIT first, when both sides still agree on the dialogue.
    mutating func end(_ cause: DeliveryFailure.Cause, reply: Reply? = nil, orderly: Bool = false, into actions: inout [ClientAction]) {
        let stage = currentStage
        switch state {
        case .closed: return
        case .quit, .loneDot: break
        case .envelope(let exchange):
            finish(exchange.transaction, rest: OutcomePolicy.outcome(interruptedBy: cause, at: stage, reply: reply), into: &actions)
        case .content(let transaction), .durability(let transaction), .finalDot(let transaction):
            finish(transaction, rest: OutcomePolicy.outcome(interruptedBy: cause, at: stage, reply: reply), into: &actions)
        default:
            actions.append(.sessionFailed(DeliveryFailure(stage: stage, scope: .session, cause: cause, reply: reply)))
        }
        if orderly, parser.isEmpty { leave(into: &actions) } else { close(into: &actions) }
    }

    /// Reports a transaction; `rest` is for recipients that nothing else decided.
    mutating func finish(
        _ transaction: Transaction, rest: DeliveryOutcome = OutcomePolicy.outcome(interruptedBy: .connectionLost, at: .mail),
        into actions: inout [ClientAction]
    ) {
        cancelDeadline(into: &actions)
        actions.append(.transactionFinished(transaction.finished(rest: rest)))
    }

    mutating func becomeReady(into actions: inout [ClientAction]) {
        guard hasRoom else { return leave(into: &actions) }
        state = .ready
        guard parser.isEmpty else { return refuseInput(into: &actions) }
        cancelTimer(into: &actions)
        actions.append(.ready(capabilities))
    }

    /// Whether another transaction may be begun in this session.
    var hasRoom: Bool {
        transactions < min(configuration.transactionLimit ?? .max, capabilities.maximumTransactions ?? .max)
    }

    mutating func reset(into actions: inout [ClientAction]) {
        state = .reset
        command(CommandEncoder.line("RSET"), .reset, into: &actions)
    }

    mutating func resetReplied(_ reply: Reply, into actions: inout [ClientAction]) {
        if reply.isPositive { becomeReady(into: &actions) } else { refused(reply, into: &actions) }
    }

    /// RFC 2920 §3.1: a server that awaits content without a recipient gets the lone dot, and so has nothing to deliver.
    mutating func endUnwantedContent(into actions: inout [ClientAction]) {
        state = .loneDot
        command(CommandEncoder.line("."), .reset, into: &actions)
    }

    /// Says QUIT and awaits the reply for a short while.
    mutating func leave(into actions: inout [ClientAction]) {
        state = .quit
        command(CommandEncoder.line("QUIT"), .quit, into: &actions)
    }

    mutating func close(into actions: inout [ClientAction]) {
        cancelTimer(into: &actions)
        cancelDeadline(into: &actions)
        state = .closed
        actions.append(.close)
    }

    private var currentStage: Stage {
        switch state {
        case .unconnected: .connect
        case .greeting: .greeting
        case .hello: .hello
        case .startTLS: .startTLS
        case .handshake: .tls
        case .mechanismChoice, .authentication, .saslResponse, .authenticationCancelled, .authenticationConfirmation: .authentication
        case .ready: .mail
        case .envelope(let exchange): exchange.command.stage
        case .content, .durability: .content
        case .finalDot: .finalDot
        case .loneDot, .reset: .reset
        case .quit, .closed: .quit
        }
    }
}
