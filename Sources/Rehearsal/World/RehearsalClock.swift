package import InternetMessage
import Mailroom
import Synchronization

/// A clock that runs like the real one from a moment of our choice, and that can be wound forward.
///
/// It is wound only while nothing is in flight, so that leases, which live by it too, never run out under somebody's work.
package final class RehearsalClock: MailClock {
    /// How soon a sleeper notices that the clock was wound.
    private static let slice = Duration.milliseconds(5)

    private let started = ContinuousClock.now
    private let start: Mutex<Timestamp>

    package init(start: Timestamp) { self.start = Mutex(start) }

    package func now() -> Timestamp { start.withLock { $0 + elapsed } }

    /// Makes it `moment`; a moment that is past changes nothing.
    package func wind(to moment: Timestamp) {
        start.withLock { $0 = max($0, moment - elapsed) }
    }

    package func sleep(until moment: Timestamp) async throws {
        while true {
            let wait = moment - now()
            guard wait > .zero else { return }
            try await Task.sleep(for: min(wait, Self.slice))
        }
    }

    private var elapsed: Duration { ContinuousClock.now - started }
}
