import InternetMessage
package import MailClassifier
package import Outreach
package import SMTP

/// Reads what a failed delivery means from the peer's reply, by the bounce rules.
package struct FailureJudge: Sendable {
    private let rules: BounceRules

    package init(rules: BounceRules) { self.rules = rules }

    /// The judgement of a rejected or deferred outcome; nil for the others.
    ///
    /// A failure of the session (connection, TLS, authentication) is nobody's but the route's: it never ends a recipient.
    package func judgement(of outcome: DeliveryOutcome) -> FailureJudgement? {
        switch outcome {
        case .accepted, .ambiguous: nil
        case .deferred(let failure): judgement(of: failure, rejected: false)
        case .rejected(let failure): judgement(of: failure, rejected: true)
        }
    }

    private func judgement(of failure: DeliveryFailure, rejected: Bool) -> FailureJudgement {
        switch failure.cause {
        case .routing(let status), .unasked(let status?):
            // DNS decided, or what the domain demands. The code is read by the same rules; nobody said anything.
            return judgement(by: verdict(onOurs: status), of: failure, rejected: rejected)
        case .authenticationFailed, .authenticationUnavailable, .refusedForSafety(.credentialsNeedVerifiedTLS):
            return login(failure)
        case .extensionMissing(let missing):
            // Nobody said it, and no server is to blame: the message needs what this one does not have.
            return judgement(by: verdict(onOurs: missing.status), of: failure, rejected: rejected)
        default: break
        }
        guard let reply = failure.reply else {
            let isTLS = failure.cause == .tlsFailed || failure.cause == .tlsUnavailable
            return FailureJudgement(
                failureClass: isTLS ? FailureClass.tlsFailed.rawValue : "no_answer", permanent: rejected, suppressesRecipient: false,
                rule: "no reply")
        }
        return judgement(by: verdict(on: reply), of: failure, rejected: rejected)
    }

    /// A login that did not come about, whatever the words: the route's trouble, and somebody's who can set it right.
    private func login(_ failure: DeliveryFailure) -> FailureJudgement {
        let verdict = failure.reply.map(verdict)
        let isLimit = verdict?.failureClass == .rateLimited
        return FailureJudgement(
            failureClass: isLimit ? FailureClass.rateLimited.rawValue : FailureClass.routeAuth.rawValue, permanent: false,
            suppressesRecipient: false, rule: verdict?.ruleID ?? "no reply", wait: isLimit ? verdict?.wait : nil, pause: .route)
    }

    /// On a code that no server said.
    private func verdict(onOurs status: SMTP.EnhancedStatusCode?) -> BounceRules.Verdict {
        rules.verdict(code: nil, status: status.flatMap { EnhancedStatusCode($0.description) }, text: "")
    }

    private func verdict(on reply: Reply) -> BounceRules.Verdict {
        rules.verdict(code: reply.code, status: reply.enhancedStatusCode.flatMap { EnhancedStatusCode($0.description) }, text: reply.text)
    }

    private func judgement(by verdict: BounceRules.Verdict, of failure: DeliveryFailure, rejected: Bool) -> FailureJudgement {
        let permanent = rejected && verdict.action.endsMessage
        let pause: FailureJudgement.Pause? =
            switch verdict.action {
            case .pauseRoute: .route
            case .pauseIdentity: .identity
            case .retry, .retryLater, .fail, .suppress, .pauseDomain: nil
            }
        return FailureJudgement(
            failureClass: verdict.failureClass.rawValue, permanent: permanent,
            suppressesRecipient: permanent && failure.scope == .recipient && verdict.action == .suppress,
            strikeLimit: failure.scope != .session ? verdict.suppressAfter.map(StrikeLimit.init) : nil, rule: verdict.ruleID,
            wait: verdict.wait, pause: pause)
    }
}
