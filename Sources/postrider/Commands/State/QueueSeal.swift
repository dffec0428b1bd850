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
            if let pause = pauseOfRoute(message) { return pause.words }
            if let pause = holding(.route(message.route)), let other = standIn(message) {
                return pause.words + "; goes on by route \(other) as that has room"
            }
            guard let next = message.nextAttemptAt, next > now else { return "it is due and waits for its turn" }
            return message.reason.utf8.isEmpty ? "its time has not come" : message.reason
        }
    }

    /// What keeps it back beside its time, and when that lifts; nil when nothing does.
    func obstacle(_ message: OutboxMessage) -> (name: String, lifts: Timestamp?)? {
        if let known = message.obstacle { return (known, message.nextAttemptAt) }
        guard message.state == .incoming || message.state == .deferred, stop == nil else { return nil }
        let subjects = [SendingPause.Subject.instance, .identity(message.identity)]
        let pause = subjects.lazy.compactMap { $0.isOf(message) ? holding($0) : nil }.first ?? pauseOfRoute(message)
        return pause.map { (OutboxMessage.awaiting($0.subject), max($0.until, message.nextAttemptAt ?? $0.until)) }
    }

    /// The pause that keeps a message back which has no way round it: of its route and of those that stand in, the one that ends first.
    private func pauseOfRoute(_ message: OutboxMessage) -> SendingPause? {
        guard let own = holding(.route(message.route)), standIn(message) == nil else { return nil }
        let others = ways(message).compactMap { holding(.route($0)) }
        return ([own] + others).min { $0.until < $1.until }
    }

    /// The route by which a message goes on while its own is paused; nil when there is none, or it is paused as well.
    private func standIn(_ message: OutboxMessage) -> String? { ways(message).first { holding(.route($0)) == nil } }

    private func ways(_ message: OutboxMessage) -> [String] {
        fallbacks.chain(behind: message.route) + (message.firstRoute.map { [$0] } ?? [])
    }

    private func holding(_ subject: SendingPause.Subject) -> SendingPause? { pauses.first { $0.subject == subject && $0.holds(at: now) } }
}

extension SendingPause.Subject {
    /// Whether it concerns the message, as far as that itself says.
    fileprivate func isOf(_ message: OutboxMessage) -> Bool { self != .instance || message.enrollment != nil }
}
