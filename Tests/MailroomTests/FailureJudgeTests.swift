import MailClassifier
import MailTransport
import Outreach
import SMTP
import Testing

@testable import Mailroom

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

extension FailureJudgeTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let reply: String
        let failureClass: String
        let permanent: Bool
        let suppresses: Bool
        let pause: FailureJudgement.Pause?
        let wait: Duration?
        let strikes: StrikeLimit?

        init(
            _ reply: String, _ failureClass: String, permanent: Bool = false, suppresses: Bool = false,
            pause: FailureJudgement.Pause? = nil,
            wait: Duration? = nil, strikes: StrikeLimit? = nil
        ) {
            self.reply = reply
            self.failureClass = failureClass
            self.permanent = permanent
            self.suppresses = suppresses
            self.pause = pause
            self.wait = wait
            self.strikes = strikes
        }

        var testDescription: String { reply }
    }

    static let refusals: [Case] = [
        Case("550 5.1.1 User unknown", "invalid_recipient", permanent: true, suppresses: true),
        Case(
            "550 5.2.1 The account has been disabled", "inactive_mailbox", permanent: true,
            strikes: StrikeLimit(count: 2, within: .seconds(7 * 86_400))),
        Case(
            "552 5.2.2 Mailbox full", "mailbox_full", wait: .seconds(14_400), strikes: StrikeLimit(count: 5, within: .seconds(30 * 86_400))),
        Case("554 5.7.1 Message identified as spam", "spam_content", permanent: true),
        Case("550 5.7.1 Message refused by policy", "policy", permanent: true),
        Case("550 nothing that anybody knows", "unclassified", permanent: true),
        Case(
            "554 5.7.1 Service unavailable; Client host [192.0.2.25] blocked using zen.spamhaus.org", "reputation_block",
            wait: .seconds(21_600)),
        Case("550 5.7.26 This mail has been blocked because the sender is unauthenticated", "auth_failed", pause: .identity),
        Case("530 5.7.57 Client not authenticated to send mail", "route_auth", pause: .route),
        Case("550 5.7.30 Basic authentication is not supported for Client Submission.", "route_auth", pause: .route),
        Case(
            "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException", "rate_limited", pause: .route,
            wait: .seconds(3600)),
        Case(
            "550 5.1.90 Your message can't be sent because you've reached your daily limit for message recipients", "rate_limited",
            pause: .route, wait: .seconds(3600)),
        Case("554 5.7.1 Relay access denied", "relay_denied", pause: .route),
    ]

    @Test("a permanent refusal ends the message only where it speaks of the message or its recipient", arguments: refusals)
    func refusal(_ expected: Case) throws {
        let code = try #require(Int(expected.reply.prefix(3)))
        let reply = Reply(code: code, lines: [Array(expected.reply.dropFirst(4).utf8)])
        let failure = DeliveryFailure(stage: .recipient, scope: .recipient, cause: .replyCode, reply: reply)
        let judgement = try #require(FailureJudge(rules: try BounceRules.builtin()).judgement(of: .rejected(failure)))
        #expect(judgement.failureClass == expected.failureClass, "\(judgement)")
        #expect(judgement.permanent == expected.permanent && judgement.suppressesRecipient == expected.suppresses, "\(judgement)")
        #expect(judgement.pause == expected.pause && judgement.wait == expected.wait, "\(judgement)")
        #expect(judgement.strikeLimit == expected.strikes, "\(judgement)")
    }

    @Test(
        "what a message needs and the server lacks is of the message, with a code of our own",
        arguments: [
            (DeliveryFailure.MissingExtension.smtpUTF8, "message_format"), (.eightBitMIME, "message_format"),
            (.size(limit: 10), "message_too_big"),
        ])
    func missing(_ missing: DeliveryFailure.MissingExtension, _ failureClass: String) throws {
        let failure = DeliveryFailure(stage: .recipient, scope: .recipient, cause: .extensionMissing(missing))
        let judgement = try #require(FailureJudge(rules: try BounceRules.builtin()).judgement(of: .rejected(failure)))
        #expect(judgement.failureClass == failureClass && !judgement.suppressesRecipient && judgement.pause == nil, "\(judgement)")
        let report = DeliveryReport(result: .outcome(.rejected(failure)))
        #expect(report.enhancedStatusCode?.description == ["smtpUTF8": "5.6.7", "eightBitMIME": "5.6.3"]["\(missing)"] ?? "5.3.4")
    }

    @Test(
        "what a peer said is told with its code, by itself and behind words of ours",
        arguments: [("5.1.1 no", "550 5.1.1 no"), ("", "550")])
    func reason(_ text: String, _ said: String) {
        let reply = Reply(code: 550, lines: [Array(text.utf8)])
        func reason(_ cause: DeliveryFailure.Cause) -> String {
            let failure = DeliveryFailure(stage: .startTLS, scope: .session, cause: cause, reply: reply)
            return DeliveryReport(result: .outcome(.deferred(failure)), remoteMTA: "mx.example.com").reason
        }
        #expect(reason(.replyCode) == said)
        #expect(reason(.tlsUnavailable).hasPrefix("mx.example.com offers no STARTTLS") && reason(.tlsUnavailable).hasSuffix(": \(said)"))
    }

    @Test(
        "what is not sent for want of security has a status of that kind, the server's own where it says one",
        arguments: [
            (DeliveryFailure.Cause.tlsUnavailable, nil, "4.7.4"), (.tlsUnavailable, "454 4.7.0 TLS not now", "4.7.0"),
            (.tlsUnavailable, "502 5.5.1 unknown", "4.7.4"), (.tlsUnavailable, "454 4.4.2 no", "4.7.4"), (.tlsFailed, nil, "4.7.5"),
            (.refusedForSafety(.credentialsNeedVerifiedTLS), nil, "4.7.4"), (.authenticationUnavailable, nil, "4.7.0"),
            (.replyCode, "454 4.4.2 no", "4.4.2"), (.connectionLost, nil, nil), (.timeout, nil, nil),
        ] as [(DeliveryFailure.Cause, String?, String?)])
    func status(_ cause: DeliveryFailure.Cause, _ said: String?, _ status: String?) {
        let reply = said.map { Reply(code: Int($0.prefix(3)) ?? 0, lines: [Array($0.utf8.dropFirst(4))]) }
        let failure = DeliveryFailure(stage: .startTLS, scope: .session, cause: cause, reply: reply)
        #expect(DeliveryReport(result: .outcome(.deferred(failure))).enhancedStatusCode?.description == status)
    }

    @Test(
        "a site is out of order when no session comes about with it, not when one ends over a message",
        arguments: [
            (Stage.connect, DeliveryFailure.Cause.connectionLost, nil, "unreachable"), (.connect, .timeout, nil, "unreachable"),
            (.greeting, .connectionLost, nil, "unreachable"), (.hello, .timeout, nil, "unreachable"),
            (.tls, .tlsFailed, nil, "unreachable"),
            (.mail, .connectionLost, nil, "unreachable"), (.recipient, .connectionLost, nil, "overloaded"),
            (.data, .timeout, nil, "overloaded"), (.content, .connectionLost, nil, "overloaded"),
            (.recipient, .replyCode, 421, "overloaded"), (.greeting, .replyCode, 554, "answered"),
            (.connect, .unasked(nil), nil, "nothing"), (.startTLS, .tlsUnavailable, nil, "unreachable"),
        ] as [(Stage, DeliveryFailure.Cause, Int?, String)])
    func experience(_ stage: Stage, _ cause: DeliveryFailure.Cause, _ code: Int?, _ expected: String) {
        let reply = code.map { Reply(code: $0, lines: [Array("x".utf8)]) }
        let outcome = DeliveryOutcome.deferred(DeliveryFailure(stage: stage, scope: .session, cause: cause, reply: reply))
        #expect("\(outcome.experience(ofExchanger: false))" == expected)
        // What one domain demands of the TLS of a host is no matter of the others that it takes mail for.
        let isTheirDemand = cause == .tlsFailed || cause == .tlsUnavailable
        #expect("\(outcome.experience(ofExchanger: true))" == (isTheirDemand ? "answered" : expected))
    }

    @Test(
        "a login that failed is the route's, whatever the words, and never ends a message",
        arguments: [
            ("535 5.7.8 Error: authentication failed", "route_auth"), ("535 5.1.1 User unknown", "route_auth"),
            ("454 4.7.0 Later", "route_auth"),
            ("454 4.7.0 Too many login attempts, please try again later.", "rate_limited"),
            ("432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded", "rate_limited"), (nil, "route_auth"),
        ] as [(String?, String)])
    func login(_ text: String?, _ failureClass: String) throws {
        let reply = text.map { Reply(code: Int($0.prefix(3)) ?? 0, lines: [Array($0.dropFirst(4).utf8)]) }
        let failure = DeliveryFailure(stage: .authentication, scope: .session, cause: .authenticationFailed, reply: reply)
        let judgement = try #require(FailureJudge(rules: try BounceRules.builtin()).judgement(of: .deferred(failure)))
        #expect(judgement.failureClass == failureClass && judgement.pause == .route, "\(judgement)")
        #expect(!judgement.permanent && !judgement.suppressesRecipient)
    }
}
