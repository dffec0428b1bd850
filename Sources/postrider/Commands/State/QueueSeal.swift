import InternetMessage
import Outreach

/// What keeps mail in the queue beside the queue's own reasons, and so why a message has not left.
struct QueueSeal {
    /// The reason of the global STOP; nil when mail may leave.
    let stop: String?
    let safety: SendingSafety
    /// What is paused, that included whose pause is over and that waits for a delivery to get through.
    var pauses: [SendingPause] = []
    var fallbacks = RouteFallbacks()
    let now: Timestamp

    /// Why a message has not left; nil for one that left, or will not any more.
    func why(_ message: OutboxMessage) -> String? {
        switch message.state {
        case .sent, .bounced, .expired, .cancelled: return nil
        case .active: return "it is on its way"
        case .hold:
            return message.isAmbiguous ? "ambiguous: it may have left, and a person decides" : "held: \(message.reason)"
        case .incoming, .deferred:
            if let stop { return "global STOP: \(stop)" }
            if let refusal = safety.refusal(of: message.recipient) { return refusal }
            if message.enrollment != nil, let pause = holding(.instance) { return pause.words }
            if let pause = holding(.identity(message.identity)) { return pause.words }
            if let pause = holding(.route(message.route)) {
                return pause.words + (fallbacks[message.route].map { "; goes on by route \($0) as that has room" } ?? "")
            }
            guard let next = message.nextAttemptAt, next > now else { return "it is due and waits for its turn" }
            return message.reason.utf8.isEmpty ? "its time has not come" : message.reason
        }
    }

    private func holding(_ subject: SendingPause.Subject) -> SendingPause? { pauses.first { $0.subject == subject && $0.holds(at: now) } }
}
