package import InternetMessage

/// When a due step is looked at again, and what holds it until then.
package struct Postponement: Sendable, Equatable {
    /// How long a step is put off at most before it is looked at again; a conf that is read again has everybody looked at.
    package static let longest = Duration.seconds(7 * 86_400)

    package let until: Timestamp
    /// For a person.
    package let heldBy: String

    /// - Parameters:
    ///   - until: when the limit lifts; what is later than the longest postponement is said in words.
    ///   - now: when it was looked at.
    package init(until: Timestamp, because why: String, at now: Timestamp) {
        // Another conf may know better before that.
        let limit = now + Self.longest
        self.until = min(until, limit)
        heldBy = until <= limit ? why : "\(why), not before \(until.iso8601)"
    }
}
