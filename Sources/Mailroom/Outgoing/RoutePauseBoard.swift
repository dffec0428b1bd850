import InternetMessage
import Logging
import MailTransport
import Outreach
import SMTP
import Synchronization

/// The routes that are paused, as the store last said: while none is, it is not asked again for a second.
final class RoutePauseBoard: Sendable {
    private static let patience = Duration.seconds(1)

    private struct State {
        var pauses: [String: RoutePause] = [:]
        var askAt: Timestamp?
        /// Goes up with what attempts tell: an answer of the store that is older is not taken.
        var news = 0
    }

    private let state = Mutex(State())

    /// By route; those that are over and wait for a delivery to get through are among them.
    func current(of store: any RoutePauseStore, at now: Timestamp) async throws(StoreError) -> [String: RoutePause] {
        let (known, news) = state.withLock { state in
            guard let askAt = state.askAt, state.pauses.isEmpty, now < askAt, askAt - now <= Self.patience else {
                return ([String: RoutePause]?.none, state.news)
            }
            return (state.pauses, state.news)
        }
        if let known { return known }
        let found = try await store.routePauses()
        return state.withLock { state in
            guard state.news == news else { return state.pauses }
            state.pauses = Dictionary(found.map { ($0.route, $0) }) { $1 }
            state.askAt = now + Self.patience
            return state.pauses
        }
    }

    /// The pause of a route as it was last seen; nil when it had none.
    subscript(_ route: String) -> RoutePause? { state.withLock { $0.pauses[route] } }

    func note(_ pause: RoutePause) {
        state.withLock { state in
            state.pauses[pause.route] = pause
            state.news += 1
        }
    }

    func forget(_ route: String) {
        state.withLock { state in
            state.pauses[route] = nil
            state.news += 1
        }
    }
}

extension OutboxDeliverer {
    /// What a failed or successful attempt says about its route as a whole, kept in the store: a login, a certificate or a quota that is out of
    /// order pauses it, and a session that came about ends its pause.
    ///
    /// Routes to the recipients' own hosts are never paused: what one of them refuses says nothing about the others.
    ///
    /// - Returns: the pause, when the route is paused because of this attempt.
    func pauseOrResume(
        _ message: OutboxMessage, _ outcome: DeliveryOutcome, _ report: DeliveryReport, judgement: FailureJudgement?, hasConnected: Bool,
        began: Timestamp, desk: Desk
    ) async throws -> RoutePause? {
        let route = message.route
        // A pause from before the conf made another kind of route of it ends all the same.
        let isPausable = !desk.policy.exchangerRoutes.contains(route) && !desk.policy.sinkRoutes.contains(route)
        if isPausable, let failureClass = pauseClass(outcome, report, judgement) {
            let now = clock.now()
            let reason = report.reason
            let rests = judgement?.wait.map { [$0] } ?? desk.policy.rests
            let (pause, isNew) = try await loop.patiently {
                try await store.pause(route: route, failureClass: failureClass, reason: reason, began: began, at: now, rests: rests)
            }
            pauses.note(pause)
            if isNew {
                logger.critical(
                    "a route is paused; 'postrider guardrail list' shows it, and 'guardrail override' ends it",
                    metadata: [
                        "route": "\(route)", "class": "\(failureClass)", "until": "\(pause.until.iso8601)", "reason": "\(reason)",
                        "fallback": "\(desk.policy.fallbacks[route] ?? "-")",
                    ])
            }
            return pause
        }
        if hasConnected, let pause = pauses[route], began >= pause.until {
            let now = clock.now()
            if try await loop.patiently({ try await store.resume(route: route, by: "a delivery got through", at: now) }) {
                logger.notice("a route works again; its mail is released", metadata: ["route": "\(route)"])
            }
            pauses.forget(route)
        }
        return nil
    }

    private func pauseClass(_ outcome: DeliveryOutcome, _ report: DeliveryReport, _ judgement: FailureJudgement?) -> String? {
        // No token just now is nobody's to mend: the next try may have one.
        if report.loginTrouble?.remedy == .time { return nil }
        if judgement?.pause == .route { return judgement?.failureClass }
        if outcome.failure?.cause == .tlsFailed, report.isPeerRefused { return judgement?.failureClass }
        return nil
    }

    /// The route by which a message goes on after an attempt; nil: by the same.
    ///
    /// Only when no session came about: what a server says about sender, recipient or content is the same on every route.
    func reroute(_ message: OutboxMessage, after outcome: DeliveryOutcome, desk: Desk) -> DeliveryAttempt.Reroute? {
        guard case .deferred(let failure) = outcome, failure.scope == .session else { return nil }
        if case .routing = failure.cause { return nil }
        switch failure.stage {
        case .connect, .greeting, .hello, .startTLS, .tls, .authentication: break
        case .mail, .recipient, .data, .content, .finalDot, .reset, .quit: return nil
        }
        let now = clock.now()
        let next = desk.policy.fallbacks.chain(behind: message.route).first { route in !(pauses[route]?.holds(at: now) ?? false) }
        if let next { return DeliveryAttempt.Reroute(route: next, isAtOnce: true) }
        guard let first = message.firstRoute, desk.limits[first] != nil else { return nil }
        return DeliveryAttempt.Reroute(route: first, isAtOnce: false)
    }
}
