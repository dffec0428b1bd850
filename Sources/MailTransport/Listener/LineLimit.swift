import Synchronization

/// Lets one line about the same matter into the log in a minute, for matters that strangers can bring about as often as they like.
final class LineLimit: Sendable {
    private static let spell = Duration.seconds(60)

    private let state = Mutex((last: ContinuousClock.Instant?.none, leftOut: 0))

    /// How many lines were left out since the last one, when one may be written now; nil: it is left out, too.
    func next(at now: ContinuousClock.Instant = .now) -> Int? {
        state.withLock { state in
            if let last = state.last, last.duration(to: now) < Self.spell {
                state.leftOut += 1
                return nil
            }
            defer { state = (now, 0) }
            return state.leftOut
        }
    }
}
