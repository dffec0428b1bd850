import MailClassifier
import Mailroom
import Outreach
import SMTP
import Testing

/// What a failure means when no server said anything.
@Suite("judgements on failures")
struct FailureJudgeTests {
    @Test(
        "what DNS decided is judged by its code: the domain takes no mail, and no address is suppressed for it",
        arguments: [((1, 2), true), ((1, 2), false), ((1, 10), true), ((4, 4), true)] as [((Int, Int), Bool)])
    func routing(_ code: (Int, Int), isFinal: Bool) throws {
        let made = EnhancedStatusCode(isFinal ? 5 : 4, code.0, code.1)
        let status = try #require(made)
        let failure = DeliveryFailure(stage: .connect, scope: isFinal ? .recipient : .session, cause: .routing(status))
        let judge = FailureJudge(rules: try BounceRules.builtin())
        let judgement = try #require(judge.judgement(of: isFinal ? .rejected(failure) : .deferred(failure)))
        #expect(judgement.failureClass == "bad_domain" && judgement.permanent == isFinal && !judgement.suppressesRecipient, "\(judgement)")
    }
}
