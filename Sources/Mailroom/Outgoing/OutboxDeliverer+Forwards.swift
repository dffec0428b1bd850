import InternetMessage
import Logging
import Outreach

/// Replies that are sent on: what a server does not take goes in another form, and what does not arrive is told.
extension OutboxDeliverer {
    /// Queues a reply in another form when it was refused for the one that it has; whether it was.
    ///
    /// Before the outcome is stored: when the process ends in between, the same is found queued already.
    func sendOnOtherwise(_ message: OutboxMessage, after attempt: DeliveryAttempt, judgement: FailureJudgement?, desk: Desk) async throws
        -> Bool
    {
        guard judgement?.permanent ?? true, let form = message.forwardForm?.instead(after: attempt), let reply = message.forwardedReply,
            let forwarder = desk.forwarder, let identity = desk.identities[message.identity]
        else { return false }
        let now = attempt.endedAt
        let found = try await loop.patiently { (try await store.reply(reply), try await store.incoming(id: reply)) }
        guard let record = found.0, let incoming = found.1, !incoming.bytes.isEmpty else { return false }
        let order = ReplyForwarder.Order(
            record: record, incoming: incoming, message: Message(parsing: incoming.bytes), identity: identity,
            workspace: message.workspace, now: now)
        guard let forward = forwarder.forward(order, as: form) else { return false }
        let event = forwarder.event(of: forward, insteadBecause: attempt.text, for: record, at: now)
        do {
            guard try await store.dispatch(forward, with: Consequence(timeline: [event])) == .committed else { return false }
        } catch {
            guard error.code == .constraint else { throw error }
            // Queued by an attempt whose outcome was never stored.
            return true
        }
        logger.notice(
            "a reply is sent on in another form",
            metadata: ["intake.id": "\(reply)", "message.id": "\(forward.id)", "form": "\(form.rawValue)", "reason": "\(attempt.text)"])
        return true
    }

    /// A reply that does not come to the person it was meant for concerns somebody, who would not learn of it from the queue.
    func tell(of message: OutboxMessage, _ state: OutboxMessage.State, because reason: String, at now: Timestamp) {
        guard let reply = message.forwardedReply, state == .bounced || state == .expired || state == .hold else { return }
        forwards.failed(reply, to: message.recipient, because: reason, at: now)
        logger.warning(
            "a reply was not sent on; it is in the inbox",
            metadata: [
                "intake.id": "\(reply)", "to": "\(message.recipient.text)", "message.id": "\(message.id)", "state": "\(state.rawValue)",
                "reason": "\(reason)",
            ])
    }
}
