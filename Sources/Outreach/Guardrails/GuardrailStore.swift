package import InternetMessage

/// What guardrails look at, and what came of it. One method, one transaction.
package protocol GuardrailStore: Sendable {
    /// What was counted of each subject of a scope from a day of UTC on; those of which nothing was counted are not among them. What is not
    /// counted yet is not in it.
    func watched(_ scope: GuardrailRule.Scope, since day: CivilDate) async throws(StoreError) -> [(
        subject: SendingPause.Subject, tally: Tally
    )]

    /// The latest override of each subject.
    func overrides() async throws(StoreError) -> [SendingPause.Subject: GuardrailOverride]

    /// Keeps findings, pauses what they say must pause, lengthens pauses whose figures are no better when they are over, and ends those whose
    /// figures are.
    ///
    /// What is paused for another reason stays as it is. A subject that a person released since the findings were made is not paused.
    ///
    /// - Parameter findings: all of one moment, of every rule.
    func keep(_ findings: [GuardrailFinding], at now: Timestamp) async throws(StoreError) -> GuardrailOutcome

    /// Releases a subject by a person's word: its pause ends, what waited for it is due at once, and what was counted until now is not held
    /// against it again. Everything is counted first.
    ///
    /// - Returns: whether it was paused.
    func override(_ override: GuardrailOverride) async throws(StoreError) -> Bool

    /// The latest finding of each rule about each subject, of those that were violated then, not before `since`.
    func violations(since: Timestamp) async throws(StoreError) -> [GuardrailFinding]

    /// Drops findings from before a moment, but for those that a pause stands on; at most `limit`, how many.
    func dropFindings(before: Timestamp, limit: Int) async throws(StoreError) -> Int
}

/// What became of findings.
package struct GuardrailOutcome: Sendable, Equatable {
    /// Paused now, or for longer.
    package var paused: [SendingPause] = []
    package var resumed: [SendingPause.Subject] = []
    /// Violated, and not at the last look.
    package var alerts: [GuardrailFinding] = []

    package init() {}
}
