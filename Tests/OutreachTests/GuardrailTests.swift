import InternetMessage
import TestKit
import Testing

@testable import Outreach

@Suite("Guardrails")
struct GuardrailTests {
    private static let now = Timestamp(seconds: 1_790_000_000)

    private static func tally(_ counts: [Tally.Count: Int]) -> Tally {
        var tally = Tally()
        for (count, number) in counts { tally[count] = number }
        return tally
    }

    private static func rule(
        _ metric: RateName, _ threshold: Double, _ comparison: GuardrailRule.Comparison = .above, minimum: Int = 50
    ) -> GuardrailRule {
        GuardrailRule(
            name: "r", origin: "built in", metric: metric, comparison: comparison, threshold: threshold, minimumSends: minimum, days: 7,
            scopes: [.identity], action: .pause, lasts: nil)
    }

    @Test(
        "a rule judges by its rate and its sample",
        arguments: [
            (rule(.bounce, 0.05), tally([.accepted: 95, .refused: 5, .bouncedHard: 5]), GuardrailFinding.Verdict.within),
            (rule(.bounce, 0.05), tally([.accepted: 94, .refused: 6, .bouncedHard: 5, .bouncedSoft: 1]), .violated),
            // Reports that came later are bounces of accepted messages.
            (rule(.bounce, 0.05), tally([.accepted: 100, .bouncedSoft: 6]), .violated),
            (rule(.bounce, 0.05), tally([.accepted: 40, .refused: 9, .bouncedHard: 9]), .tooFew),
            (rule(.bounce, 0.05), tally([:]), .tooFew),
            (rule(.complaint, 0.001), tally([.accepted: 1000, .complained: 1]), .within),
            (rule(.complaint, 0.001), tally([.accepted: 1000, .complained: 2]), .violated),
            (rule(.reply, 0.01, .below), tally([.contacted: 200, .replied: 1]), .violated),
            (rule(.reply, 0.01, .below), tally([.contacted: 200, .replied: 2]), .within),
            (rule(.reply, 0.01, .below), tally([.contacted: 49, .accepted: 500]), .tooFew),
            (rule(.unsubscribe, 0.02), tally([.accepted: 100, .unsubscribed: 3]), .violated),
        ])
    func judges(_ rule: GuardrailRule, _ tally: Tally, _ verdict: GuardrailFinding.Verdict) {
        #expect(rule.judge(.identity("anna"), tally, override: nil, at: Self.now).verdict == verdict)
    }

    @Test("what was counted before an override is taken off, as long as its day is in the window")
    func override() {
        let rule = Self.rule(.bounce, 0.05)
        let counted = Self.tally([.accepted: 100, .refused: 20, .bouncedHard: 20])
        let all = Self.tally([.accepted: 160, .refused: 21, .bouncedHard: 21])
        func verdict(_ at: Timestamp, until: Timestamp? = nil) -> GuardrailFinding.Verdict {
            let override = GuardrailOverride(subject: .instance, reason: "x", at: at, until: until, counted: counted)
            return rule.judge(.instance, all, override: override, at: Self.now).verdict
        }
        #expect(rule.judge(.instance, all, override: nil, at: Self.now).verdict == .violated)
        #expect(verdict(Self.now - .seconds(60)) == .within)
        #expect(verdict(Self.now - .seconds(60), until: Self.now + .seconds(1)) == .overridden)
        #expect(verdict(Self.now - .seconds(60), until: Self.now) == .within)
        #expect(verdict(Self.now - .seconds(8 * 86_400)) == .violated)
    }

    @Test("a finding says its figures")
    func words() {
        let finding = Self.rule(.bounce, 0.05).judge(
            .sequence("intro"), Self.tally([.accepted: 65, .refused: 5, .bouncedHard: 5]), override: nil, at: Self.now)
        #expect(finding.words == "bounce rate 7.14 % (5 of 70 in 7 days) is above 5.00 %; guardrail r, built in")
    }

    @Test(
        "what is paused is named as it is read",
        arguments: [
            ("office", SendingPause.Subject.route("office")), ("identity:anna", .identity("anna")), ("sequence:a:b", .sequence("a:b")),
            ("instance", .instance), ("instance:all", .instance), ("route:instance", .route("instance")), ("instance:x", nil),
            ("planet:earth", nil),
        ] as [(String, SendingPause.Subject?)])
    func subjects(_ text: String, _ subject: SendingPause.Subject?) {
        #expect(SendingPause.Subject(text) == subject)
        if let subject { #expect(SendingPause.Subject(subject.text) == subject) }
    }
}
