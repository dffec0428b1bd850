import InternetMessage
package import Logging
package import Outreach
import ServiceLifecycle

/// Holds the figures against the guardrails every quarter of an hour, and pauses what they say must pause.
package struct Guardian: Service {
    private static let interval = Duration.seconds(900)
    /// Counted at a time before the figures are looked at.
    private static let batch = 250
    private static let rest = Duration.milliseconds(5)

    private let store: any GuardrailStore & PauseStore & StatisticsStore
    private let rules: Swappable<[GuardrailRule]>
    private let clock: any MailClock
    private let bell: Bell
    private let resumed: @Sendable () -> Void
    private let logger: Logger
    private let loop: ServiceLoop

    /// - Parameters:
    ///   - bell: rung when the rules have changed.
    ///   - resumed: called when a pause has ended, so that what waited for it is looked at.
    package init(
        store: any GuardrailStore & PauseStore & StatisticsStore, rules: Swappable<[GuardrailRule]>, clock: any MailClock, bell: Bell,
        resumed: @escaping @Sendable () -> Void, logger: Logger
    ) {
        self.store = store
        self.rules = rules
        self.clock = clock
        self.bell = bell
        self.resumed = resumed
        self.logger = logger
        loop = ServiceLoop("guardrails", logger: logger)
    }

    package func run() async throws {
        try await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                let next = try await loop.round { try await look() }
                await bell.wait(until: next ?? clock.now() + Self.interval, clock: clock)
            }
        }
    }

    /// One look at all figures; when to look next.
    func look() async throws -> Timestamp {
        while try await store.countEvents(before: nil, limit: Self.batch) > 0 {
            if Task.isCancelled { throw CancellationError() }
            try? await Task.sleep(for: Self.rest)
        }
        let now = clock.now()
        let overrides = try await store.overrides()
        var findings: [GuardrailFinding] = []
        for rule in rules.current {
            let firstDay = rule.firstDay(at: now)
            for scope in rule.scopes {
                for (subject, tally) in try await store.watched(scope, since: firstDay) {
                    let override = overrides[subject]
                    var counted = tally
                    if let override, override.day > firstDay {
                        counted = try await store.watched(scope, since: override.day).first { $0.subject == subject }?.tally ?? Tally()
                    }
                    findings.append(rule.judge(subject, counted, override: override, at: now))
                }
            }
        }
        let outcome = try await store.keep(findings, at: now)
        for finding in outcome.alerts {
            logger.error(
                "a guardrail is passed; 'postrider guardrail list' shows it",
                metadata: ["what": "\(finding.subject.text)", "rule": "\(finding.rule.name)", "reason": "\(finding.words)"])
        }
        for pause in outcome.paused {
            logger.critical(
                "\(pause.subject.kind) \(pause.subject.name) is paused; 'postrider guardrail list' shows it, and 'guardrail override' ends it",
                metadata: ["what": "\(pause.subject.text)", "until": "\(pause.until.iso8601)", "reason": "\(pause.reason)"])
        }
        for subject in outcome.resumed {
            logger.notice("\(subject.kind) \(subject.name) goes on: the figures are in order again", metadata: ["what": "\(subject.text)"])
        }
        if !outcome.resumed.isEmpty { resumed() }
        let ends = try await store.pauses().filter { $0.finding != nil && $0.until > now }.map(\.until)
        return min(now + Self.interval, ends.min() ?? now + Self.interval)
    }
}
