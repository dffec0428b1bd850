/// Where tracking addresses bring their tokens.
package protocol TrackingDesk: Sendable {
    /// The picture of a message was fetched by a program that calls itself `agent`.
    func opened(token: String, agent: String) async

    /// Where a link leads.
    ///
    /// - Parameter counts: whether it is followed, as against looked at.
    func target(token: String, agent: String, counts: Bool) async -> TrackingAnswer
}

package enum TrackingAnswer: Sendable, Equatable {
    case leadsTo(String)
    case unknown
    /// It could not be read: the caller should try again.
    case tryAgain
}
