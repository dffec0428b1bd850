import InternetMessage
import Outreach

/// Finds out when Postrider is at rest, so that the clock may be wound: nothing is due, claimed or on its way.
struct Stillness: Sendable {
    /// What one look found.
    enum Look: Equatable {
        case busy
        /// Nothing happens before `next`; nil: nothing is planned any more.
        case calm(next: Timestamp?)
    }

    /// Real time between two looks.
    private static let pause = Duration.milliseconds(2)

    let store: any OutboxStore & SequenceStore
    let clock: RehearsalClock

    /// Waits until nothing is in flight; the next moment at which something is due, nil when there is none.
    ///
    /// - Parameters:
    ///   - end: when it is given up.
    ///   - isIntakeEmpty: whether nothing that came in waits to be sorted.
    ///   - nextDeed: what the world around plans; nil: nothing.
    /// - Throws: `RehearsalError` at `end`.
    func rest(
        until end: ContinuousClock.Instant, isIntakeEmpty: () async throws -> Bool = { true }, nextDeed: () -> Timestamp? = { nil }
    ) async throws -> Timestamp? {
        var calm = 0
        while true {
            try Task.checkCancellation()
            // In the direction in which work moves, so that nothing slips from behind to before.
            var look = Look.busy
            if try await isIntakeEmpty() { look = try await survey(nextDeed) }
            switch look {
            case .busy: calm = 0
            case .calm(let next):
                calm += 1
                // What the second look finds is whole: between the two nothing could begin.
                if calm == 2 { return next }
            }
            guard ContinuousClock.now < end else {
                throw RehearsalError("the rehearsal did not come to rest in time: something goes on and on")
            }
            try await Task.sleep(for: Self.pause)
        }
    }

    private func survey(_ nextDeed: () -> Timestamp?) async throws(StoreError) -> Look {
        if try await store.hasLeases() { return .busy }
        var moments = [try await store.nextDue(), try await store.nextAttempt()].compactMap { $0 }
        if try await store.hasLeases() { return .busy }
        if let deed = nextDeed() { moments.append(deed) }
        let next = moments.min()
        if let next, next <= clock.now() { return .busy }
        return .calm(next: next)
    }
}
