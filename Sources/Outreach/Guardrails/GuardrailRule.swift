package import InternetMessage

/// When so many bounces, complaints or unsubscriptions came back, or so few replies, that something must stop or somebody must know.
package struct GuardrailRule: Sendable, Equatable {
    package enum Comparison: String, Sendable, CaseIterable {
        case above
        case below
    }

    /// What is watched, each for itself.
    package enum Scope: String, Sendable, CaseIterable {
        case identity
        case sequence
        case instance
    }

    package enum Action: String, Sendable, CaseIterable {
        /// Nothing leaves any more; it is said in the log, too.
        case pause
        /// It is said in the log, and nothing else.
        case alert
    }

    package let name: String
    /// File and line, or `built in`.
    package let origin: String
    package let metric: RateName
    package let comparison: Comparison
    /// A share: 0.05 is 5 %.
    package let threshold: Double
    /// With fewer messages in the window nothing is judged.
    package let minimumSends: Int
    /// Days of UTC, the present one included.
    package let days: Int
    package let scopes: [Scope]
    package let action: Action
    /// How long a pause lasts before the figures are looked at again; nil: until a person ends it.
    package let lasts: Duration?

    package init(
        name: String, origin: String, metric: RateName, comparison: Comparison, threshold: Double, minimumSends: Int, days: Int,
        scopes: [Scope], action: Action, lasts: Duration?
    ) {
        self.name = name
        self.origin = origin
        self.metric = metric
        self.comparison = comparison
        self.threshold = threshold
        self.minimumSends = minimumSends
        self.days = days
        self.scopes = scopes
        self.action = action
        self.lasts = lasts
    }

    /// The first day of the window at `now`.
    package func firstDay(at now: Timestamp) -> CivilDate { CivilDate(now).adding(days: 1 - days) }

    /// - Parameters:
    ///   - tally: of the window, or since the day of the override where that is later.
    ///   - override: the last word of a person about the subject; what had been counted by then is not held against it again.
    package func judge(_ subject: SendingPause.Subject, _ tally: Tally, override: GuardrailOverride?, at now: Timestamp) -> GuardrailFinding
    {
        var tally = tally
        var isOverridden = false
        if let override {
            if override.day >= firstDay(at: now) { tally -= override.counted }
            isOverridden = override.until.map { now < $0 } ?? false
        }
        let rate = tally.rate(metric, ofPeople: true)
        let verdict: GuardrailFinding.Verdict =
            if isOverridden {
                .overridden
            } else if let value = rate.value, rate.sample >= minimumSends {
                (comparison == .above ? value > threshold : value < threshold) ? .violated : .within
            } else {
                .tooFew
            }
        return GuardrailFinding(subject: subject, rule: self, rate: rate, verdict: verdict, at: now)
    }
}

/// What a rule found about a subject at a moment: kept, so that each pause can be explained.
package struct GuardrailFinding: Sendable, Equatable {
    package enum Verdict: String, Sendable, CaseIterable {
        case within
        /// Fewer messages than it takes.
        case tooFew = "too_few"
        case violated
        /// A person said that it is not to be judged for a while.
        case overridden
    }

    package let subject: SendingPause.Subject
    package let rule: GuardrailRule
    package let rate: SampledRate
    package let verdict: Verdict
    package let at: Timestamp

    package init(subject: SendingPause.Subject, rule: GuardrailRule, rate: SampledRate, verdict: Verdict, at: Timestamp) {
        self.subject = subject
        self.rule = rule
        self.rate = rate
        self.verdict = verdict
        self.at = at
    }

    /// The figures, for a person.
    package var words: String {
        "\(rule.metric.rawValue) rate \(Self.percent(rate.value ?? 0)) (\(rate.count) of \(rate.sample) in \(rule.days) days) is "
            + "\(rule.comparison.rawValue) \(Self.percent(rule.threshold)); guardrail \(rule.name), \(rule.origin)"
    }

    private static func percent(_ share: Double) -> String {
        guard share.isFinite, share >= 0, share < 1_000_000 else { return "?" }
        let hundredths = Int((share * 10_000).rounded())
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100) %"
    }
}

/// A person's word that a subject goes on in spite of its figures.
package struct GuardrailOverride: Sendable, Equatable {
    package let subject: SendingPause.Subject
    /// Who, and why.
    package let reason: String
    package let at: Timestamp
    /// Until then nothing is judged; nil: it is judged at once, by what happens from now on.
    package let until: Timestamp?
    /// What had been counted of the day of `at` by then.
    package let counted: Tally

    package init(subject: SendingPause.Subject, reason: String, at: Timestamp, until: Timestamp?, counted: Tally = Tally()) {
        self.subject = subject
        self.reason = reason
        self.at = at
        self.until = until
        self.counted = counted
    }

    package var day: CivilDate { CivilDate(at) }
}
