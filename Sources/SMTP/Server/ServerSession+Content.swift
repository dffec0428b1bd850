import struct NIOCore.ByteBuffer

/// DATA, the content and the verdict on it.
extension ServerSession {
    mutating func data(into actions: inout [ServerAction]) {
        guard case .envelope(let hello, let envelope) = state else {
            return say(self.hello == nil ? .helloFirst : .mailFirst, into: &actions)
        }
        guard !envelope.recipients.isEmpty else {
            // RFC 2033 §4.2 wants 503 from LMTP.
            return say(configuration.dialect == .lmtp ? .recipientFirst : .noValidRecipients, into: &actions)
        }
        state = .content(hello, envelope, Reception())
        actions.append(.beginMessage(envelope))
        say(.startContent, into: &actions)
    }

    mutating func readContent(
        _ bytes: ByteBuffer, _ hello: Hello, _ envelope: ReceivedEnvelope, _ reception: Reception, into actions: inout [ServerAction]
    ) {
        var reception = reception
        var content = ByteBuffer()
        let step = reception.framer.read(bytes, into: &content)
        reception.received += UInt64(bytes.readableBytes)
        if step == .fault { return close(.strayControl, saying: .strayControlInContent, into: &actions) }
        let limit = configuration.limits.messageSize
        reception.hops.read(content)
        if limit > 0, reception.framer.size > limit {
            refuse(.messageTooBig, &reception, into: &actions)
            let (most, overflow) = limit.multipliedReportingOverflow(by: 4)
            if !overflow, reception.framer.size > most {
                state = .idle(hello)
                return close(.tooMuchInput, saying: .messageTooBig, into: &actions)
            }
        }
        if reception.hops.count > configuration.limits.hops { refuse(.mailLoop, &reception, into: &actions) }
        if reception.refusal == nil, content.readableBytes > 0 { actions.append(.messageChunk(content)) }
        switch step {
        case .incomplete, .fault: state = .content(hello, envelope, reception)
        case .end(let rest):
            framer.append(rest)
            commandTime = .zero
            if let refusal = reception.refusal {
                state = .idle(hello)
                say(answers(to: envelope, refusal), into: &actions)
            } else {
                messages += 1
                state = .deliveryVerdict(hello, envelope)
                actions.append(.deliver(envelope))
            }
        }
    }

    /// Keeps no more of the content. The first reason stands, but that a message is too big is said before all others.
    private func refuse(_ reply: ServerReply, _ reception: inout Reception, into actions: inout [ServerAction]) {
        if reception.refusal == nil { actions.append(.discardMessage) }
        if reception.refusal == nil || reply.code == 552 { reception.refusal = reply }
    }

    /// The answer to `deliver`, the same for all recipients.
    package mutating func deliveryVerdict(_ verdict: DeliveryVerdict) -> [ServerAction] {
        guard case .deliveryVerdict(_, let envelope) = state else { return [] }
        return deliveryVerdicts(Array(repeating: verdict, count: envelope.recipients.count))
    }

    /// The answer to `deliver`, one verdict for each recipient in order; a missing one counts as `unavailable`.
    ///
    /// LMTP replies to each. SMTP has one reply only: the first verdict that is not `stored`, so that nothing is acknowledged for a recipient
    /// who did not get it; a driver that can store for some alone must not be used with SMTP.
    package mutating func deliveryVerdicts(_ verdicts: [DeliveryVerdict]) -> [ServerAction] {
        guard case .deliveryVerdict(let hello, let envelope) = state else { return [] }
        var actions: [ServerAction] = []
        let missing = max(0, envelope.recipients.count - verdicts.count)
        let all = verdicts.prefix(envelope.recipients.count) + Array(repeating: DeliveryVerdict.unavailable, count: missing)
        state = .idle(hello)
        idleTime = .zero
        commandTime = .zero
        if all.contains(where: { if case .stored = $0 { true } else { false } }) { idleCommands = 0 }
        switch configuration.dialect {
        case .lmtp:
            say(all.map { ServerReply.answer(to: $0) }, into: &actions)
        case .smtp:
            let refused = all.first { if case .stored = $0 { false } else { true } }
            say(.answer(to: refused ?? all.first ?? .unavailable), into: &actions)
        }
        drain(into: &actions)
        return actions
    }

    private func answers(to envelope: ReceivedEnvelope, _ reply: ServerReply) -> [ServerReply] {
        Array(repeating: reply, count: configuration.dialect == .lmtp ? envelope.recipients.count : 1)
    }
}
