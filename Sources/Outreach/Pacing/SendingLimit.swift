package import InternetMessage

/// One limit that counts for a message at delivery: of the instance, a workspace, an identity, a route, a source, a recipient's domain or a
/// mail site.
package struct SendingLimit: Sendable, Hashable {
    /// Whose limit it is: `route office`, `site google`.
    package let subject: String
    /// The same in words that a person reads, where those are others.
    package let shown: String?
    package let rate: Rate
    /// The sender's local date, on which a rate by the day is counted.
    package let date: CivilDate
    /// When the next date's messages of the sender may leave.
    package let nextDay: Timestamp

    package init(subject: String, rate: Rate, date: CivilDate, nextDay: Timestamp, shown: String? = nil) {
        self.subject = subject
        self.shown = shown
        self.rate = rate
        self.date = date
        self.nextDay = nextDay
    }

    /// By what its level is stored: the subject and the period, so that another count in the conf goes on from the same level.
    package var id: String {
        rate.period == .day ? "\(subject)/day/\(date.daysSinceEpoch)" : "\(subject)/\(rate.period.rawValue)"
    }

    /// The limit for a person, for example `10/min for site google`.
    package var words: String { "\(rate) for \(shown ?? subject)" }
}

/// How full one limit is, as it is stored.
package struct LimitLevel: Sendable, Equatable {
    /// Of an even rate: its theoretical arrival time in microseconds since the epoch (the generic cell rate algorithm). Of a rate by the
    /// day: messages counted on that date.
    package var level: Int64
    /// Until when messages were told to come back, in microseconds since the epoch; whoever comes new is told a later time. 0: nobody was.
    package var booked: Int64
    /// After this the level means nothing any more and may be forgotten.
    package var until: Timestamp

    package init(level: Int64, booked: Int64, until: Timestamp) {
        self.level = level
        self.booked = booked
        self.until = until
    }
}

/// What a message took from one limit, so that it can be given back.
package struct TakenBudget: Sendable, Equatable {
    /// The limit's `id`.
    package let limit: String
    /// What was added to its level.
    package let step: Int64

    package init(limit: String, step: Int64) {
        self.limit = limit
        self.step = step
    }
}
