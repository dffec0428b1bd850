import InternetMessage
package import Outreach

/// Every store role that a rehearsal looks at.
package typealias RehearsalStore = ContactStore & IntakeStore & OutboxStore & SequenceStore & SuppressionStore & TimelineStore

/// Winds the clock from one moment at which something is due to the next, and lets the world act when it is its turn.
///
/// Invariant: the clock is wound only while nothing is in flight: nothing due or claimed in Postrider, no message waiting to be sorted.
package struct Director: Sendable {
    /// Real time between two looks at what is in flight.
    private static let look = Duration.milliseconds(4)

    private let store: any RehearsalStore
    private let world: RehearsalWorld
    private let clock: RehearsalClock
    private let sequence: String
    private let ports: RehearsalWorld.Ports
    private let pace: Duration
    private let deadline: Duration

    /// - Parameters:
    ///   - sequence: name of the sequence that is rehearsed.
    ///   - pace: real time given to a person to read, before each winding.
    ///   - deadline: real time after which it gives up.
    package init(
        store: any RehearsalStore, world: RehearsalWorld, clock: RehearsalClock, sequence: String, ports: RehearsalWorld.Ports,
        pace: Duration,
        deadline: Duration
    ) {
        self.store = store
        self.world = world
        self.clock = clock
        self.sequence = sequence
        self.ports = ports
        self.pace = pace
        self.deadline = deadline
    }

    /// Runs until nothing is planned any more.
    ///
    /// - Parameter told: called whenever everything is at rest, before the clock is wound.
    package func run(told: () async throws -> Void) async throws {
        let end = ContinuousClock.now + deadline
        while true {
            let next = try await rest(until: end)
            try await told()
            guard let next else { return }
            if pace > .zero { try await Task.sleep(for: pace) }
            clock.wind(to: next)
            await world.act(ports: ports)
        }
    }

    /// Waits until nothing is in flight; the next moment at which something is due, nil when there is none.
    private func rest(until end: ContinuousClock.Instant) async throws -> Timestamp? {
        var calm = 0
        while true {
            try Task.checkCancellation()
            switch try await survey() {
            case .busy: calm = 0
            case .calm(let next):
                calm += 1
                // What the second look finds is whole: between the two nothing could begin.
                if calm == 2 { return next }
            }
            guard ContinuousClock.now < end else { throw RehearsalError("the rehearsal did not come to its end in \(deadline)") }
            try await Task.sleep(for: Self.look)
        }
    }

    private enum Survey: Equatable {
        case busy
        case calm(next: Timestamp?)
    }

    /// Looks in the direction in which work moves, so that nothing slips from behind to before.
    private func survey() async throws(StoreError) -> Survey {
        guard try await store.incoming(state: .received, after: nil, limit: 1).isEmpty else { return .busy }
        var moments: [Timestamp] = []
        for enrollment in try await store.enrollments(workspace: .default, sequenceName: sequence, after: nil, limit: 1000) {
            if enrollment.state == .active || enrollment.state == .held, let due = enrollment.dueAt { moments.append(due) }
        }
        let waiting = OutboxSelection(states: [.incoming, .deferred, .active])
        for message in try await store.list(waiting, after: nil, limit: 1000) {
            guard message.state != .active, let next = message.nextAttemptAt else { return .busy }
            moments.append(next)
        }
        if let deed = world.nextDeed() { moments.append(deed) }
        let next = moments.min()
        if let next, next <= clock.now() { return .busy }
        return .calm(next: next)
    }
}
