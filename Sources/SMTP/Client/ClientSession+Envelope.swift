import struct NIOCore.ByteBuffer

/// MAIL, RCPT and DATA, one at a time or pipelined.
extension ClientSession {
    /// Begins a transaction; to be called after `ready`.
    ///
    /// A recipient whose address cannot be sent is rejected here and the others go on. In a session that is not ready the transaction is
    /// deferred at once and the session is left as it is.
    package mutating func startTransaction(_ envelope: Envelope) -> [ClientAction] {
        var transaction = Transaction(envelope)
        guard case .ready = state else {
            let cause: DeliveryFailure.Cause = isClosed ? .connectionLost : .refusedForSafety(.sessionNotReady)
            return [.transactionFinished(transaction.finished(rest: OutcomePolicy.outcome(interruptedBy: cause, at: .mail)))]
        }
        var actions: [ClientAction] = []
        let needsSMTPUTF8 = check(&transaction)
        let recipients = transaction.undecided
        var commands: [EnvelopeExchange.Command] = [.mail]
        var lines: [ByteBuffer] = []
        if !recipients.isEmpty {
            if let mail = CommandEncoder.mail(envelope, needsSMTPUTF8: needsSMTPUTF8, capabilities: capabilities) {
                lines.append(mail)
            } else {
                transaction.decideRest(refusal(.refusedForSafety(.unsafeCommand), at: .mail, .message))
            }
        }
        for recipient in recipients where !transaction.isDecided(recipient) {
            let path = envelope.recipients[recipient]
            if let line = CommandEncoder.recipient(path, allowingUTF8: needsSMTPUTF8, capabilities: capabilities) {
                lines.append(line)
                commands.append(.recipient(recipient))
            } else {
                transaction.decide(recipient, refusal(.refusedForSafety(.unsafeCommand), at: .recipient, .recipient))
            }
        }
        guard commands.count > 1 else {
            finish(transaction, into: &actions)
            becomeReady(into: &actions)
            return actions
        }
        commands.append(.data)
        lines.append(CommandEncoder.line("DATA"))
        let isPipelined = configuration.usesPipelining && capabilities.pipelining
        state = .envelope(EnvelopeExchange(transaction: transaction, commands: commands, lines: lines, isPipelined: isPipelined))
        guard parser.isEmpty else {
            refuseInput(into: &actions)
            return actions
        }
        transactions += 1
        deadlineIsRunning = true
        actions.append(.startDeadline)
        if isPipelined {
            var batch = ByteBuffer()
            for var line in lines { batch.writeBuffer(&line) }
            command(batch, .mail, into: &actions)
        } else {
            command(lines[0], .mail, into: &actions)
        }
        return actions
    }

    /// Decides what the capabilities rule out, and tells whether SMTPUTF8 has to be asked for.
    private func check(_ transaction: inout Transaction) -> Bool {
        let envelope = transaction.envelope
        if let limit = capabilities.maximumSize, let size = envelope.size, size > limit {
            transaction.decideRest(refusal(.extensionMissing(.size(limit: limit)), at: .mail, .message))
        }
        if envelope.isEightBit, !capabilities.eightBitMIME {
            transaction.decideRest(refusal(.extensionMissing(.eightBitMIME), at: .mail, .message))
        }
        var needsSMTPUTF8 = envelope.needsSMTPUTF8 || envelope.reversePath.contains { $0 >= 0x80 }
        if needsSMTPUTF8, !capabilities.smtpUTF8 {
            transaction.decideRest(refusal(.extensionMissing(.smtpUTF8), at: .mail, .message))
        }
        for recipient in transaction.undecided where envelope.recipients[recipient].forwardPath.contains(where: { $0 >= 0x80 }) {
            if capabilities.smtpUTF8 {
                needsSMTPUTF8 = true
            } else {
                transaction.decide(recipient, refusal(.extensionMissing(.smtpUTF8), at: .recipient, .recipient))
            }
        }
        return needsSMTPUTF8
    }

    private func refusal(_ cause: DeliveryFailure.Cause, at stage: Stage, _ scope: DeliveryFailure.Scope) -> DeliveryOutcome {
        .rejected(DeliveryFailure(stage: stage, scope: scope, cause: cause))
    }

    mutating func envelopeReplied(_ reply: Reply, _ exchange: EnvelopeExchange, into actions: inout [ClientAction]) {
        let command = exchange.command
        if OutcomePolicy.endsSession(reply) { return end(.replyCode, reply: reply, into: &actions) }
        let outcome = OutcomePolicy.outcome(of: reply, at: command.stage, dialect: configuration.dialect)
        if case .protocolError = outcome?.failure?.cause { return end(.protocolError(.unexpectedReply), reply: reply, into: &actions) }
        var exchange = exchange
        switch command {
        case .mail:
            if let outcome {
                exchange.mailWasRefused = true
                exchange.sessionIsUnfit = outcome.failure?.scope == .session
                exchange.transaction.decideRest(outcome)
            }
        case .recipient(let recipient):
            if exchange.transaction.isDecided(recipient) { break }
            if let outcome {
                if outcome.failure?.scope == .session { exchange.sessionIsUnfit = true }
                exchange.transaction.decide(recipient, outcome)
            } else {
                exchange.transaction.accept(recipient)
            }
        case .data:
            return dataReplied(outcome, exchange, into: &actions)
        }
        exchange.position += 1
        state = .envelope(exchange)
        if exchange.isPipelined {
            start(exchange.command.stage, into: &actions)
        } else {
            sendNext(exchange, into: &actions)
        }
    }

    private mutating func sendNext(_ exchange: EnvelopeExchange, into actions: inout [ClientAction]) {
        var isHopeless = exchange.mailWasRefused
        if case .data = exchange.command, exchange.transaction.accepted.isEmpty { isHopeless = true }
        if isHopeless {
            finish(exchange.transaction, into: &actions)
            return startOver(after: exchange, into: &actions)
        }
        command(exchange.lines[exchange.position], exchange.command.stage, into: &actions)
    }

    /// The server took nobody and said so in order: RSET, and the session takes the next transaction.
    private mutating func startOver(after exchange: EnvelopeExchange, into actions: inout [ClientAction]) {
        if exchange.sessionIsUnfit || !hasRoom { leave(into: &actions) } else { reset(into: &actions) }
    }

    /// `outcome` is nil when the server awaits content.
    private mutating func dataReplied(_ outcome: DeliveryOutcome?, _ exchange: EnvelopeExchange, into actions: inout [ClientAction]) {
        var transaction = exchange.transaction
        guard !transaction.accepted.isEmpty else {
            finish(transaction, into: &actions)
            if outcome == nil { endUnwantedContent(into: &actions) } else { startOver(after: exchange, into: &actions) }
            return
        }
        if let outcome {
            transaction.decideRest(outcome)
            finish(transaction, into: &actions)
            leave(into: &actions)
        } else {
            beginContent(transaction, into: &actions)
        }
    }
}
