import InternetMessage
package import Outreach

/// Every store role that a rehearsal looks at.
package typealias RehearsalStore = ContactStore & IntakeStore & OutboxStore & SequenceStore & SuppressionStore & TimelineStore

/// Winds the clock from one moment at which something is due to the next, and lets the world act when it is its turn.
///
/// Invariant: the clock is wound only while nothing is in flight: nothing due or claimed in Postrider, no message waiting to be sorted.
package struct Director: Sendable {
    private let store: any RehearsalStore
    private let world: RehearsalWorld
    private let clock: RehearsalClock
    private let ports: RehearsalWorld.Ports
    private let pace: Duration
    private let deadline: Duration

    /// - Parameters:
    ///   - pace: real time given to a person to read, before each winding.
    ///   - deadline: real time after which it gives up.
    package init(
        store: any RehearsalStore, world: RehearsalWorld, clock: RehearsalClock, ports: RehearsalWorld.Ports, pace: Duration,
        deadline: Duration
    ) {
        self.store = store
        self.world = world
        self.clock = clock
        self.ports = ports
        self.pace = pace
        self.deadline = deadline
    }

    /// Runs until nothing is planned any more.
    ///
    /// - Parameter told: called whenever everything is at rest, before the clock is wound.
    package func run(told: () async throws -> Void) async throws {
        let end = ContinuousClock.now + deadline
        let stillness = Stillness(store: store, clock: clock)
        while true {
            let next = try await stillness.rest(
                until: end, isIntakeEmpty: { try await store.incoming(state: .received, after: nil, limit: 1).isEmpty },
                nextDeed: { world.nextDeed() })
            try await told()
            guard let next else { return }
            if pace > .zero { try await Task.sleep(for: pace) }
            clock.wind(to: next)
            await world.act(ports: ports)
        }
    }
}
