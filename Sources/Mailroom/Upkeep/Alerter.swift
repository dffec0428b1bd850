import InternetMessage
package import Logging
package import Outreach
import ServiceLifecycle
import Synchronization

/// Writes to whom the conf names when something is out of order, once for each trouble while this process runs.
package final class Alerter: Service {
    private static let interval = Duration.seconds(30)
    /// Least time between two letters: what comes about meanwhile is in the next one.
    private static let rest = Duration.seconds(600)

    private let store: any SequenceStore
    private let writer: Swappable<AlertWriter?>
    private let troubles: @Sendable () async throws -> [Trouble]
    private let clock: any MailClock
    private let outboxBell: Bell
    private let logger: Logger
    private let loop: ServiceLoop
    private let told = Mutex<(keys: Set<String>, at: Timestamp?)>(([], nil))

    /// - Parameters:
    ///   - writer: nil: nobody is told.
    ///   - troubles: all that there are.
    package init(
        store: any SequenceStore, writer: Swappable<AlertWriter?>, troubles: @escaping @Sendable () async throws -> [Trouble],
        clock: any MailClock, outboxBell: Bell, logger: Logger
    ) {
        self.store = store
        self.writer = writer
        self.troubles = troubles
        self.clock = clock
        self.outboxBell = outboxBell
        self.logger = logger
        loop = ServiceLoop("alerts", logger: logger)
    }

    package func run() async throws {
        try await cancelWhenGracefulShutdown { [self] in
            while !Task.isCancelled {
                _ = try await loop.round { try await look() }
                try? await Task.sleep(for: Self.interval)
            }
        }
    }

    /// One look; how many letters were queued.
    func look() async throws -> Int {
        guard let writer = writer.current else { return 0 }
        let found = try await troubles()
        let now = clock.now()
        let (known, last) = told.withLock { ($0.keys, $0.at) }
        let lasting = known.intersection(found.map(\.key))
        let new = found.filter { !known.contains($0.key) }
        // What is over is told anew when it comes again.
        told.withLock { $0.keys = lasting }
        if let last, now - last < Self.rest, now >= last { return 0 }
        var queued = 0
        for letter in writer.letters(about: new, beside: found.filter { lasting.contains($0.key) }, at: now)
        where try await store.dispatch(letter, with: Consequence()) == .committed { queued += 1 }
        guard queued > 0 else { return 0 }
        told.withLock { $0 = (lasting.union(new.map(\.key)), now) }
        logger.info("an alert was queued", metadata: ["troubles": "\(new.count)", "letters": "\(queued)"])
        outboxBell.ring()
        return queued
    }
}
