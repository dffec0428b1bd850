import InternetMessage
package import Logging
package import Outreach
import ServiceLifecycle

/// Counts what the timeline tells, some seconds behind it; who needs the counts of this moment counts the rest first.
///
/// It works in small pieces and rests in between, so that nobody who waits for the store waits long; after a long time without it, it needs
/// as long to catch up as it takes.
package struct StatisticsFollower: Service {
    /// So old are events when they are counted: by then those with earlier ids are stored as well, mostly.
    private static let settling = Duration.seconds(3)
    /// Events that are counted at a time: a few milliseconds of the writer.
    private static let batch = 1000
    private static let interval = Duration.seconds(5)
    private static let rest = Duration.milliseconds(10)

    private let store: any StatisticsStore
    private let clock: any MailClock
    private let loop: ServiceLoop

    package init(store: any StatisticsStore, clock: any MailClock, logger: Logger) {
        self.store = store
        self.clock = clock
        loop = ServiceLoop("statistics", logger: logger)
    }

    package func run() async throws {
        try await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                let count = try await loop.round { try await store.countEvents(before: clock.now() - Self.settling, limit: Self.batch) }
                // Real time, whatever clock the events follow.
                try? await Task.sleep(for: count == Self.batch ? Self.rest : Self.interval)
            }
        }
    }
}
