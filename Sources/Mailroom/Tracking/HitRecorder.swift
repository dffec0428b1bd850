import InternetMessage
package import Logging
package import Outreach
import ServiceLifecycle
import Synchronization

/// Takes in what tracking addresses are asked for: reads their tokens, says where links lead, and stores hits, several in one write.
///
/// Whoever asks waits until their hit is durable, but never longer than a second: a store that is slow or full costs a count, not a visit.
/// Hits that wait are bounded, and the same program asking for the same thing again meanwhile counts once.
package final class HitRecorder: Service {
    private static let mostWaiting = 10_000
    private static let batch = 500
    private static let longestWait = Duration.seconds(1)
    private static let mostRemembered = 4_096

    private struct Key: Hashable {
        let message: OutboxMessage.ID
        let link: LinkTarget.ID?
        let agent: String
    }

    private struct Entry {
        let hit: TrackingHit
        let stored: Bell
    }

    private struct State {
        var waiting: [Entry] = []
        var keys: Set<Key> = []
        var isOpen = true
        /// Hits that found no room since the last word about it.
        var dropped = 0
        var targets: [LinkTarget.ID: String] = [:]
    }

    private let store: any TrackingStore
    private let codec: Swappable<TokenCodec?>
    private let policy: Swappable<TrackingPolicy>
    private let clock: any MailClock
    private let sorterBell: Bell
    private let bell = Bell()
    private let loop: ServiceLoop
    private let logger: Logger
    private let state = Mutex(State())

    /// - Parameters:
    ///   - policy: without a base nothing is stored, and links lead where they led all the same.
    ///   - sorterBell: rung when a hit was stored.
    package init(
        store: any TrackingStore, codec: Swappable<TokenCodec?>, policy: Swappable<TrackingPolicy>, clock: any MailClock, sorterBell: Bell,
        logger: Logger
    ) {
        self.store = store
        self.codec = codec
        self.policy = policy
        self.clock = clock
        self.sorterBell = sorterBell
        self.logger = logger
        loop = ServiceLoop("tracking", logger: logger)
    }

    // MARK: What is asked

    /// The picture of a message was fetched; a token that is none of ours is nothing.
    package func opened(token: String, agent: String) async {
        guard let known = read(token), known.link == nil else { return }
        await note(TrackingHit(message: known.message, link: nil, at: clock.now(), agent: agent))
    }

    /// Where a link leads; nil when it is none of ours, or leads nowhere any more.
    ///
    /// - Parameter counts: whether it is followed, as against looked at.
    package func target(token: String, agent: String, counts: Bool) async throws(StoreError) -> String? {
        guard let known = read(token), let link = known.link, let url = try await url(of: link) else { return nil }
        if counts { await note(TrackingHit(message: known.message, link: link, at: clock.now(), agent: agent)) }
        return url
    }

    private func read(_ token: String) -> TrackingToken? {
        codec.current.flatMap { TrackingToken(Array(token.utf8), signedBy: $0) }
    }

    private func url(of link: LinkTarget.ID) async throws(StoreError) -> String? {
        if let known = state.withLock({ $0.targets[link] }) { return known }
        guard let target = try await store.linkTarget(link) else { return nil }
        // What is somebody's alone may be erased.
        guard target.contact == nil else { return target.url }
        state.withLock { state in
            if state.targets.count >= Self.mostRemembered { state.targets = [:] }
            state.targets[link] = target.url
        }
        return target.url
    }

    private func note(_ hit: TrackingHit) async {
        guard policy.current.base != nil else { return }
        let entry = Entry(hit: hit, stored: Bell())
        let isNew = state.withLock { state in
            guard state.isOpen, state.waiting.count < Self.mostWaiting else {
                state.dropped += 1
                return false
            }
            guard state.keys.insert(Key(message: hit.message, link: hit.link, agent: hit.agent)).inserted else { return false }
            state.waiting.append(entry)
            return true
        }
        guard isNew else { return }
        bell.ring()
        await entry.stored.wait(until: clock.now() + Self.longestWait, clock: clock)
    }

    // MARK: Storing

    package func run() async throws {
        try await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                if try await self.store(self.take()) { continue }
                await self.bell.wait()
            }
        }
        // Nobody asks any more.
        state.withLock { $0.isOpen = false }
        while case let rest = take(), !rest.isEmpty {
            try? await store.note(rest.map(\.hit))
            for entry in rest { entry.stored.ring() }
        }
    }

    private func take() -> [Entry] {
        let (batch, dropped) = state.withLock { state in
            let batch = Array(state.waiting.prefix(Self.batch))
            state.waiting.removeFirst(batch.count)
            for entry in batch { state.keys.remove(Key(message: entry.hit.message, link: entry.hit.link, agent: entry.hit.agent)) }
            defer { state.dropped = 0 }
            return (batch, state.dropped)
        }
        if dropped > 0 { logger.warning("opens and clicks came faster than they could be stored", metadata: ["dropped": "\(dropped)"]) }
        return batch
    }

    /// Stores a batch; false when it is empty.
    private func store(_ batch: [Entry]) async throws -> Bool {
        guard !batch.isEmpty else { return false }
        defer { for entry in batch { entry.stored.ring() } }
        do {
            try await loop.patiently { try await store.note(batch.map(\.hit)) }
            sorterBell.ring()
        } catch let error as StoreError where error.code == .constraint {
            logger.error("opens and clicks cannot be stored", metadata: ["reason": "\(error.message)", "count": "\(batch.count)"])
        } catch is CancellationError {
            state.withLock { $0.waiting.insert(contentsOf: batch, at: 0) }
        }
        return true
    }
}
