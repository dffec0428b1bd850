import InternetMessage
package import Logging
package import Outreach
import ServiceLifecycle

/// Judges hits on messages once no more are coming, and does what follows: counts, timeline and transition in one transaction.
package struct TrackingSorter: Service {
    private static let batch = 100
    private static let longestSleep = Duration.seconds(30)
    /// How often one looks while hits wait for others.
    private static let glance = Duration.seconds(1)

    private let store: any TrackingStore & SequenceStore
    private let judge: Swappable<TrackingJudge>
    private let identities: Swappable<[String: SenderIdentity]>
    private let decider: TrackingDecider
    private let clock: any MailClock
    private let bell: Bell
    private let sequenceBell: Bell
    private let loop: ServiceLoop
    private let logger: Logger

    /// - Parameters:
    ///   - bell: rung when a hit was stored.
    ///   - sequenceBell: rung when an enrollment may have moved.
    package init(
        store: any TrackingStore & SequenceStore, judge: Swappable<TrackingJudge>, identities: Swappable<[String: SenderIdentity]>,
        ids: RecordIDs, clock: any MailClock, bell: Bell, sequenceBell: Bell, logger: Logger
    ) {
        self.store = store
        self.judge = judge
        self.identities = identities
        decider = TrackingDecider(ids: ids)
        self.clock = clock
        self.bell = bell
        self.sequenceBell = sequenceBell
        self.logger = logger
        loop = ServiceLoop("opens and clicks", logger: logger)
    }

    package func run() async throws {
        try await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                guard let count = try await loop.round({ try await judgeRipe() }) else { continue }
                if count > 0 { continue }
                guard let waits = try await loop.round({ try await store.hasHits() }) else { continue }
                if waits {
                    try? await clock.sleep(until: clock.now() + Self.glance)
                } else {
                    await bell.wait(until: clock.now() + Self.longestSleep, clock: clock)
                }
            }
        }
    }

    /// One round: judges every message whose hits can be; how many there were.
    package func judgeRipe() async throws -> Int {
        let now = clock.now()
        let messages = try await store.touchedMessages(
            quietSince: now - TrackingJudge.grace, patientUntil: now - TrackingJudge.patience, limit: Self.batch)
        for touched in messages {
            // Hits that more may still belong to wait on; what came before them is judged with a look at them.
            let ripe = touched.hits.prefix { $0.at <= now - TrackingJudge.grace }.count
            let verdicts = judge.current.verdicts(of: touched.hits, sentAt: touched.sentAt).prefix(ripe)
            let message = touched.cut(to: ripe)
            while true {
                let machine = try await store.machine(of: message.enrollment, identities: identities.current)
                let (counts, consequence) = decider.decide(message, Array(verdicts), machine: machine, at: clock.now())
                do throws(StoreError) {
                    guard try await store.settle(message, counts: counts, consequence: consequence) == .committed else { continue }
                } catch {
                    guard error.code == .constraint else { throw error }
                    // One that cannot be told keeps no other waiting.
                    logger.error(
                        "opens and clicks cannot be noted; they are dropped",
                        metadata: ["message.id": "\(message.message)", "reason": "\(error.message)"])
                    _ = try await store.settle(message, counts: [], consequence: Consequence())
                    break
                }
                logger.info(
                    "opens and clicks judged",
                    metadata: [
                        "message.id": "\(message.message)", "hits": "\(verdicts.count)",
                        "by_machine": "\(verdicts.count { $0 != .human })", "moves": "\(consequence.transition != nil)",
                    ])
                if consequence.transition != nil { sequenceBell.ring() }
                break
            }
        }
        return messages.count
    }
}
