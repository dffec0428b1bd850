package import InternetMessage

/// A route on which nothing leaves because something on our side is out of order: its login, its certificate, its quota.
///
/// It ends by itself when a delivery gets through after `until`, or by a person.
package struct RoutePause: Sendable, Equatable {
    package let route: String
    package let since: Timestamp
    /// From then on one delivery at a time tries whether it works again.
    package let until: Timestamp
    /// The class of the failure, as the bounce rules name it.
    package let failureClass: String
    /// What the server said, or what we found.
    package let reason: String
    /// How many deliveries failed in the same way after a pause was over.
    package let renewals: Int

    package init(route: String, since: Timestamp, until: Timestamp, failureClass: String, reason: String, renewals: Int) {
        self.route = route
        self.since = since
        self.until = until
        self.failureClass = failureClass
        self.reason = reason
        self.renewals = renewals
    }

    /// Whether nothing at all leaves by the route.
    package func holds(at now: Timestamp) -> Bool { until > now }

    /// Why a message waits, for a person.
    package var words: String { "route \(route) is paused until \(until.iso8601): \(reason) (\(failureClass))" }
}

/// Routes that are paused. One method, one transaction.
package protocol RoutePauseStore: Sendable {
    /// Pauses a route that failed at `at`, or renews its pause when a delivery that began after the pause was over failed again; other
    /// failures during a pause change nothing.
    ///
    /// - Parameters:
    ///   - began: when the delivery that failed began.
    ///   - rests: how long the pause lasts at first and after each renewal; the last one repeats. Never empty.
    /// - Returns: the pause as it stands, and whether this call began or renewed it.
    func pause(
        route: String, failureClass: String, reason: String, began: Timestamp, at: Timestamp, rests: [Duration]
    ) async throws(StoreError) -> (pause: RoutePause, isNew: Bool)

    /// Ends the pause of a route: what waited for it is due at once. False when there was none.
    ///
    /// - Parameter by: who or what ended it; kept with the pause.
    func resume(route: String, by: String, at: Timestamp) async throws(StoreError) -> Bool

    /// The pauses that have not ended, by name of the route.
    func routePauses() async throws(StoreError) -> [RoutePause]
}

extension OutboxMessage {
    /// The value of `awaits` for a route that is paused.
    package static func awaiting(route name: String) -> String { "route \(name)" }
}
