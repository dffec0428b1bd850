import InternetMessage
import Logging
import MailTransport
import Outreach
import SMTP

extension OutboxDeliverer {
    /// How long an identity rests: SPF, DKIM and DMARC are not mended within minutes.
    private static let identityRests: [Duration] = [.seconds(3600), .seconds(4 * 3600), .seconds(24 * 3600)]

    /// What a failed or successful attempt says about our side as a whole, kept in the store: a login, a certificate or a quota that is out of
    /// order pauses its route, mail that is refused for its SPF, DKIM or DMARC its identity; and what came about ends the pause.
    ///
    /// Routes to the recipients' own hosts are never paused: what one of them refuses says nothing about the others. An identity is paused by
    /// what a route's host or a known provider says, and by the second of those of whom nothing is known. What is refused of a message that no
    /// sequence wrote (a reply that is sent on) is said of its content, which others wrote: it pauses nothing once a session stands.
    ///
    /// - Returns: the pause, when something is paused because of this attempt.
    func pauseOrResume(
        _ errand: Errand, _ outcome: DeliveryOutcome, _ report: DeliveryReport, judgement: FailureJudgement?, began: Timestamp, desk: Desk
    ) async throws -> SendingPause? {
        let message = errand.message
        let route = SendingPause.Subject.route(message.route)
        let identity = SendingPause.Subject.identity(message.identity)
        if let failureClass = pauseClass(outcome, report, judgement, message, desk) {
            return try await pause(
                route, failureClass, report, began: began, rests: judgement?.wait.map { [$0] } ?? desk.policy.rests,
                remedy: desk.policy.fallbacks[message.route].map { "its mail goes on by route \($0)" })
        }
        if let judgement, judgement.pause == .identity, message.enrollment != nil, isCredible(errand, desk) {
            return try await pause(
                identity, judgement.failureClass, report, began: began, rests: Self.identityRests,
                remedy: "see to SPF, DKIM and DMARC of its domain: 'postrider dkim check'")
        }
        if outcome.cameToMail { try await resume(route, began: began) }
        if case .accepted = outcome { try await resume(identity, began: began) }
        return nil
    }

    private func pause(
        _ subject: SendingPause.Subject, _ failureClass: String, _ report: DeliveryReport, began: Timestamp, rests: [Duration],
        remedy: String?
    ) async throws -> SendingPause {
        let now = clock.now()
        let reason = report.reason
        let (pause, isNew) = try await loop.patiently {
            try await store.pause(subject, failureClass: failureClass, reason: reason, began: began, at: now, rests: rests)
        }
        pauses.note(pause)
        if isNew {
            logger.critical(
                "\(subject.kind) \(subject.name) is paused; 'postrider guardrail list' shows it, and 'guardrail override' ends it",
                metadata: [
                    "what": "\(subject.text)", "class": "\(failureClass)", "until": "\(pause.until.iso8601)", "reason": "\(reason)",
                    "remedy": "\(remedy ?? "-")",
                ])
        }
        return pause
    }

    private func resume(_ subject: SendingPause.Subject, began: Timestamp) async throws {
        guard let pause = pauses[subject], pause.finding == nil, began >= pause.until else { return }
        let now = clock.now()
        if try await loop.patiently({ try await store.resume(subject, by: "a delivery got through", at: now) }) {
            logger.notice("\(subject.kind) \(subject.name) works again; its mail is released", metadata: ["what": "\(subject.text)"])
        }
        pauses.forget(subject)
    }

    /// Why an attempt pauses its route; nil when it does not.
    private func pauseClass(
        _ outcome: DeliveryOutcome, _ report: DeliveryReport, _ judgement: FailureJudgement?, _ message: OutboxMessage, _ desk: Desk
    ) -> String? {
        // A pause from before the conf made another kind of route of it ends all the same.
        guard !desk.policy.exchangerRoutes.contains(message.route), !desk.policy.sinkRoutes.contains(message.route) else { return nil }
        // No token just now is nobody's to mend: the next try may have one.
        if report.loginTrouble?.remedy == .time { return nil }
        if judgement?.pause == .route, message.enrollment != nil || !outcome.cameToMail { return judgement?.failureClass }
        if outcome.failure?.cause == .tlsFailed, report.isPeerRefused { return judgement?.failureClass }
        return nil
    }

    /// Whether what a site says against an identity is taken as said about all its mail.
    private func isCredible(_ errand: Errand, _ desk: Desk) -> Bool {
        guard desk.policy.exchangerRoutes.contains(errand.message.route), let site = errand.site else { return true }
        let isKnown = !site.profile.name.utf8.elementsEqual(desk.policy.providers.fallback.name.utf8)
        return isKnown || pauses.isSecondDoubt(about: errand.message.identity, of: site.name, at: clock.now())
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
        let next = desk.policy.fallbacks.chain(behind: message.route).first { !(pauses[.route($0)]?.holds(at: now) ?? false) }
        if let next { return DeliveryAttempt.Reroute(route: next, isAtOnce: true) }
        guard let first = message.firstRoute, desk.limits[first] != nil else { return nil }
        return DeliveryAttempt.Reroute(route: first, isAtOnce: false)
    }
}
