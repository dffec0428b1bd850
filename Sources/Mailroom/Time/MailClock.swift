package import InternetMessage

/// The clock that scheduling, queue and pacing follow: the real one in `serve`, one that can be wound in a rehearsal.
///
/// TLS and socket deadlines never follow it.
package protocol MailClock: Sendable {
    func now() -> Timestamp

    /// Returns at `moment` by this clock, or throws `CancellationError`.
    func sleep(until moment: Timestamp) async throws
}
