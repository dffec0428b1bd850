import InternetMessage
package import Logging
package import Outreach
import ServiceLifecycle

/// Packs what is settled, drops what is old, and gives back what is free, a little at a time.
package struct Caretaker: Service {
    /// How long what is kept; after that the facts stay and the text goes.
    package struct Retention: Sendable, Equatable {
        /// Bytes and dialogues of messages that left, and the content of calls to other systems, counted from when they were queued.
        package let messages: Duration
        /// Bytes and text of what came in.
        package let replies: Duration
        package let events: Duration

        package init(messages: Duration, replies: Duration, events: Duration) {
            self.messages = messages
            self.replies = replies
            self.events = events
        }
    }

    /// Of each kind at a time: a few milliseconds of the writer.
    private static let batch = 20
    private static let rest = Duration.milliseconds(25)
    private static let interval = Duration.seconds(60)
    private static let pages = 32
    /// Figures of guardrails on which no pause stands.
    private static let figures = Duration.seconds(90 * 86_400)

    private let store: any GuardrailStore & UpkeepStore
    private let retention: Swappable<Retention>
    private let clock: any MailClock
    private let loop: ServiceLoop

    package init(store: any GuardrailStore & UpkeepStore, retention: Swappable<Retention>, clock: any MailClock, logger: Logger) {
        self.store = store
        self.retention = retention
        self.clock = clock
        loop = ServiceLoop("upkeep", logger: logger)
    }

    package func run() async throws {
        try await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                let done = try await loop.round { try await tidy() }
                // Real time, whatever clock the records follow.
                try? await Task.sleep(for: done ?? 0 > 0 ? Self.rest : Self.interval)
            }
        }
    }

    /// A little of everything; how much was done, 0: there is nothing left to do.
    func tidy() async throws -> Int {
        let now = clock.now()
        let retention = retention.current
        var done = try await store.dropMessages(queuedBefore: now - retention.messages, limit: Self.batch)
        done += try await store.packMessages(limit: Self.batch)
        done += try await store.dropReplies(receivedBefore: now - retention.replies, limit: Self.batch)
        done += try await store.dropCallBodies(queuedBefore: now - retention.messages, limit: Self.batch * 10)
        done += try await store.dropCalls(queuedBefore: now - retention.events, limit: Self.batch * 10)
        done += try await store.dropEvents(before: now - retention.events, limit: Self.batch * 10)
        done += try await store.dropFindings(before: now - Self.figures, limit: Self.batch * 10)
        done += try await store.giveBackPages(limit: Self.pages)
        return done
    }
}
