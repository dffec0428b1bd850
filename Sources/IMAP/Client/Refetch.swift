/// What came of a message that was passed over and asked for anew, when it was not given (``ClientSession/want(_:)``).
package enum Refetch: Equatable, Sendable {
    /// The mailbox does not hold it any more.
    case gone
    /// The mailbox has another UIDVALIDITY by now: the UID means nothing any more.
    case uidValidityChanged
    /// It is there and is not given; another turn may ask once more.
    case withheld
    /// The session ended over it; another turn may ask once more.
    case broken
}
