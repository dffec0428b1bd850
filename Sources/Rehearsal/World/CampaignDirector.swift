package import InternetMessage
package import Outreach

/// Winds the clock through a campaign, from one moment at which something is due to the next, up to a horizon.
///
/// Invariant: the clock is wound only while nothing is in flight.
package struct CampaignDirector: Sendable {
    private let store: any OutboxStore & SequenceStore
    private let clock: RehearsalClock
    private let horizon: Timestamp
    private let patience: Duration
    private let wake: @Sendable () -> Void

    /// How a campaign ended.
    package enum Ending: Sendable, Equatable {
        /// Nothing is planned any more.
        case finished
        /// Something is planned for after the horizon, at that moment first.
        case beyond(Timestamp)
    }

    /// - Parameters:
    ///   - horizon: beyond which nothing is played.
    ///   - patience: real time in which what is due must have come to rest.
    ///   - wake: rings the bells of the services, so that none sleeps on by the clock that was wound.
    package init(
        store: any OutboxStore & SequenceStore, clock: RehearsalClock, horizon: Timestamp, patience: Duration = .seconds(900),
        wake: @escaping @Sendable () -> Void
    ) {
        self.store = store
        self.clock = clock
        self.horizon = horizon
        self.patience = patience
        self.wake = wake
    }

    /// - Parameter told: called with the present moment whenever everything is at rest.
    /// - Throws: `RehearsalError` when something never comes to rest.
    package func run(told: (Timestamp) -> Void) async throws -> Ending {
        let stillness = Stillness(store: store, clock: clock)
        while true {
            let next = try await stillness.rest(until: ContinuousClock.now + patience)
            told(clock.now())
            guard let next else { return .finished }
            if next > horizon { return .beyond(next) }
            clock.wind(to: next)
            wake()
        }
    }
}
