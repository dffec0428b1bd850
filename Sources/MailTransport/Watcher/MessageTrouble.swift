package import IMAP
package import InternetMessage

/// What is known of a message over which sessions ended.
package struct MessageTrouble: Equatable, Sendable {
    /// Their age is that of `since`.
    package var setbacks: Setbacks
    /// When the first session began that knew of it; nil before.
    package var since: Timestamp?

    package init(setbacks: Setbacks = Setbacks(), since: Timestamp? = nil) {
        self.setbacks = setbacks
        self.since = since
    }
}
