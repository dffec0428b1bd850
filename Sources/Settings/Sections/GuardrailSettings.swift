/// `[guardrail.NAME]`: figures that must not be passed. `bounce`, `complaint` and `reply` are built in; a section of that name changes them.
package struct GuardrailSettings: ConfSection, Equatable {
    package enum Metric: String, Sendable, CaseIterable {
        case bounce
        case complaint
        case reply
        case unsubscribe
    }

    package enum Comparison: String, Sendable, CaseIterable {
        case above
        case below
    }

    package enum Scope: String, Sendable, CaseIterable {
        case identity
        case sequence
        case instance
    }

    package enum Action: String, Sendable, CaseIterable {
        case pause
        case alert
    }

    package let name: String
    package var enabled: Bool?
    package var metric: Metric?
    package var comparison: Comparison?
    /// A share: 0.05 is 5 %.
    package var threshold: Double?
    package var minimumSends = 50
    /// Whole days.
    package var window = Duration.seconds(7 * 86_400)
    package var scope: [Scope] = [.identity, .sequence]
    package var action = Action.pause
    /// Nil: until a person ends it.
    package var lasts: Duration?

    init(name: String) { self.name = name }

    /// What there is without any section; `reply` is off.
    package static let builtIn: [GuardrailSettings] = ["bounce", "complaint", "reply"].map(GuardrailSettings.init(name:))

    private var isBuiltIn: Metric? {
        [Metric.bounce, .complaint, .reply].first { $0.rawValue.utf8.elementsEqual(name.utf8) }
    }

    package var isEnabled: Bool { enabled ?? (isBuiltIn != .reply || threshold != nil) }
    package var effectiveMetric: Metric? { metric ?? isBuiltIn }
    package var effectiveComparison: Comparison { comparison ?? (effectiveMetric == .reply ? .below : .above) }
    package var effectiveThreshold: Double? {
        if let threshold { return threshold }
        switch isBuiltIn {
        case .bounce: return 0.05
        case .complaint: return 0.001
        case .reply: return 0.01
        case .unsubscribe, nil: return nil
        }
    }

    static let fields: [Field<GuardrailSettings>] = [
        Field("enabled", \.enabled, .flag, "Whether it is looked at; the built-in 'reply' is not unless it has a threshold."),
        Field("metric", \.metric, .choice, "The rate it is about; the built-in ones have theirs by their name."),
        Field("comparison", \.comparison, .choice, "Which side of the threshold is bad: above, of replies below."),
        Field("threshold", \.threshold, .number(0...1), "As a share: 0.05 is 5 %. Built in: bounce 0.05, complaint 0.001, reply 0.01."),
        Field("minimum_sends", \.minimumSends, .integer(1...10_000_000), "With fewer messages in the window nothing is judged."),
        Field(
            "window", \.window, .duration(.seconds(86_400)...(.seconds(90 * 86_400))),
            "What counts: whole days of UTC, the present one included."),
        Field("scope", \.scope, .list(.choice, count: 1...3), "What is watched, each for itself: identity, sequence, instance."),
        Field("action", \.action, .choice, "Pause what is watched, or say it in the log only."),
        Field(
            "lasts", \.lasts, .duration(.seconds(900)...(.seconds(90 * 86_400))),
            "After this the figures are looked at again and the pause ends or goes on; unset: a person ends it."),
    ]
}
