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
        if case .routing(let status) = failure.cause {
            // DNS decided. Its code is read by the same rules; nobody said anything.
            let verdict = rules.verdict(code: nil, status: EnhancedStatusCode(status.description), text: "")
            let permanent = rejected && verdict.permanent
            return FailureJudgement(
                failureClass: verdict.failureClass.rawValue, permanent: permanent,
                suppressesRecipient: permanent && failure.scope == .recipient && verdict.failureClass == .invalidRecipient,
                rule: verdict.ruleID)
        }
        guard let reply = failure.reply else {
            return FailureJudgement(failureClass: "no_answer", permanent: rejected, suppressesRecipient: false, rule: "no reply")
        }
        let verdict = rules.verdict(
            code: reply.code, status: reply.enhancedStatusCode.flatMap { EnhancedStatusCode($0.description) }, text: reply.text)
        let permanent = rejected && verdict.permanent
        return FailureJudgement(
            failureClass: verdict.failureClass.rawValue, permanent: permanent,
            suppressesRecipient: permanent && failure.scope == .recipient && verdict.failureClass == .invalidRecipient, rule: verdict.ruleID
        )
    }
}
