/// The clocks of a session. The driver tells how much time passed; once a second is often enough.
extension ServerSession {
    /// Time passed since the last call. While the driver owes an answer no clock can end the session, for a message may be on its way to
    /// stable storage; what is due then comes with the next tick.
    package mutating func tick(elapsed: Duration) -> [ServerAction] {
        // A clock that jumps must not overflow a sum.
        let elapsed = min(max(elapsed, .zero), .seconds(86_400))
        let limits = configuration.limits
        var actions: [ServerAction] = []
        sessionTime = min(sessionTime + elapsed, .seconds(86_400))
        guard !isClosed, !isWaitingForDriver else { return [] }
        idleTime += elapsed
        if sessionTime >= limits.session {
            expire(.sessionTimeout, into: &actions)
        } else if idleTime >= limits.idle {
            expire(.idleTimeout, into: &actions)
        } else {
            switch state {
            case .idle, .envelope:
                commandTime += elapsed
                if commandTime >= limits.command { expire(.commandTimeout, into: &actions) }
            case .content(let hello, let envelope, var reception):
                reception.elapsed += elapsed
                state = .content(hello, envelope, reception)
                if isTooSlow(reception) { expire(.tooSlow, into: &actions) }
            default: break
            }
        }
        return actions
    }

    private mutating func expire(_ reason: CloseReason, into actions: inout [ServerAction]) {
        if case .handshake = state {
            // Between the octets of a handshake there is no place for a reply.
            close(reason, into: &actions)
        } else {
            close(reason, saying: .timeout, into: &actions)
        }
    }

    private func isTooSlow(_ reception: Reception) -> Bool {
        let limits = configuration.limits
        guard limits.dataRate > 0, reception.elapsed >= limits.dataRateGrace else { return false }
        let seconds = UInt64(max(0, reception.elapsed.components.seconds))
        let (due, overflow) = limits.dataRate.multipliedReportingOverflow(by: seconds)
        return overflow || reception.received < due
    }
}
