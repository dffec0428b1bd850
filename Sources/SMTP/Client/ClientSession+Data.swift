import struct NIOCore.ByteBuffer

/// Content, the final dot and what the server says to it.
extension ClientSession {
    mutating func beginContent(_ transaction: Transaction, into actions: inout [ClientAction]) {
        state = .content(transaction)
        guard parser.isEmpty else { return refuseInput(into: &actions) }
        start(.content, into: &actions)
        actions.append(.sendContent)
    }

    /// A block of content was written out; its timer starts afresh.
    package mutating func contentProgressed() -> [ClientAction] {
        guard case .content = state else { return [] }
        var actions: [ClientAction] = []
        start(.content, into: &actions)
        return actions
    }

    /// The whole content, ended with CRLF by `DotStuffing.finish`, was written; the final dot was not.
    package mutating func contentSent() -> [ClientAction] {
        guard case .content(let transaction) = state else { return [] }
        var actions: [ClientAction] = []
        guard parser.isEmpty else {
            refuseInput(into: &actions)
            return actions
        }
        cancelTimer(into: &actions)
        state = .durability(transaction)
        actions.append(.announceFinalDot)
        return actions
    }

    /// It is on stable storage that the final dot is about to be written; from here on loss is ambiguous.
    package mutating func finalDotDurable() -> [ClientAction] {
        guard case .durability(let transaction) = state else { return [] }
        var actions: [ClientAction] = []
        guard parser.isEmpty else {
            refuseInput(into: &actions)
            return actions
        }
        cancelDeadline(into: &actions)
        state = .finalDot(transaction)
        command(CommandEncoder.line("."), .finalDot, into: &actions)
        return actions
    }

    /// Takes the transaction back: the driver found that it must not be sent, or cannot read its content.
    ///
    /// Before the final dot the recipients are deferred and the connection closes. Once the final dot may have left, nothing happens.
    package mutating func abandon() -> [ClientAction] {
        var actions: [ClientAction] = []
        switch state {
        case .envelope, .content, .durability: end(.refusedForSafety(.abandoned), into: &actions)
        default: break
        }
        return actions
    }

    mutating func finalDotReplied(_ reply: Reply, _ transaction: Transaction, into actions: inout [ClientAction]) {
        var transaction = transaction
        guard let outcome = OutcomePolicy.outcome(of: reply, at: .finalDot, dialect: configuration.dialect) else { return }
        if case .protocolError = outcome.failure?.cause { return end(.protocolError(.unexpectedReply), reply: reply, into: &actions) }
        switch configuration.dialect {
        case .smtp:
            transaction.decideRest(outcome)
            finish(transaction, into: &actions)
            if reply.isPositive {
                becomeReady(into: &actions)
            } else if OutcomePolicy.endsSession(reply) {
                close(into: &actions)
            } else {
                leave(into: &actions)
            }
        case .lmtp:
            // RFC 2033 §4.2: one reply for each accepted recipient, in the order of the RCPT commands.
            guard let recipient = transaction.accepted.first(where: { !transaction.isDecided($0) }) else { return }
            transaction.decide(recipient, outcome)
            if OutcomePolicy.endsSession(reply) { transaction.sessionEnds = true }
            if transaction.undecided.isEmpty {
                finish(transaction, into: &actions)
                if transaction.sessionEnds {
                    close(into: &actions)
                } else if transaction.isAcceptedByAnyone {
                    becomeReady(into: &actions)
                } else {
                    leave(into: &actions)
                }
            } else {
                state = .finalDot(transaction)
                start(.finalDot, into: &actions)
            }
        }
    }
}
