/// Where the one-click endpoint brings its tokens.
package protocol UnsubscribeDesk: Sendable {
    /// Whether the token is one of ours; changes nothing.
    func knows(token: String) async -> Bool

    /// Unsubscribes whom the token names, at once and for ever; doing it again changes nothing.
    func unsubscribe(token: String) async -> UnsubscribeOutcome
}

package enum UnsubscribeOutcome: Sendable, Equatable {
    case done
    case unknownToken
    /// It could not be stored: the caller should try again.
    case tryAgain
}
