import MailClassifier
import Mailroom
import Outreach
import SMTP
import Testing

/// What a failure means when no server said anything.
@Suite("judgements on failures")
struct FailureJudgeTests {
    @Test(
        "what DNS decided is judged by its code, and only a domain that is gone ends its recipient",
        arguments: [((1, 2), true, true), ((1, 2), false, false), ((1, 10), true, nil), ((4, 4), true, nil)] as [((Int, Int), Bool, Bool?)])
    func routing(_ code: (Int, Int), isFinal: Bool, suppresses: Bool?) throws {
        let made = EnhancedStatusCode(isFinal ? 5 : 4, code.0, code.1)
        let status = try #require(made)
        let failure = DeliveryFailure(stage: .connect, scope: isFinal ? .recipient : .session, cause: .routing(status))
        let judge = FailureJudge(rules: try BounceRules.builtin())
        let judgement = try #require(judge.judgement(of: isFinal ? .rejected(failure) : .deferred(failure)))
        #expect(judgement.permanent == isFinal, "\(judgement)")
        if let suppresses { #expect(judgement.suppressesRecipient == suppresses, "\(judgement)") }
    }
}
