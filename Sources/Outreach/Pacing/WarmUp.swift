/// What an identity or a source has sent so far, as far as a ramp asks.
package struct SendingHistory: Sendable, Equatable {
    /// Days before the present one on which something left.
    package let days: Int
    /// What left in the days that count for the signals.
    package let sent: Int
    /// Of these, what was refused or came back as undeliverable.
    package let bounced: Int
    /// Of these, what was complained about.
    package let complained: Int

    package init(days: Int, sent: Int, bounced: Int, complained: Int) {
        self.days = days
        self.sent = sent
        self.bounced = bounced
        self.complained = complained
    }
}

/// A daily limit that grows with each day on which something was sent, and steps back when receivers show that it grew too fast.
package struct WarmUp: Sendable, Hashable {
    /// From when on bad signals count.
    package struct Signals: Sendable, Hashable {
        /// Share of what was sent, 0 ... 1.
        package let bounceShare: Double
        package let complaintShare: Double
        /// With fewer messages no share means anything.
        package let sample: Int
        /// How many days back they are counted.
        package let days: Int

        package init(bounceShare: Double = 0.05, complaintShare: Double = 0.001, sample: Int = 50, days: Int = 7) {
            self.bounceShare = bounceShare
            self.complaintShare = complaintShare
            self.sample = sample
            self.days = days
        }
    }

    /// Messages on the first day.
    package let start: Int
    /// How many more on each further day on which something was sent.
    package let increase: Int
    package let ceiling: Int
    package let signals: Signals

    /// nil unless 1 ≤ start ≤ ceiling and the increase is not negative.
    package init?(start: Int, increase: Int, ceiling: Int, signals: Signals = Signals()) {
        guard start >= 1, start <= ceiling, ceiling <= 10_000_000, (0...10_000_000).contains(increase) else { return nil }
        self.start = start
        self.increase = increase
        self.ceiling = ceiling
        self.signals = signals
    }

    /// The limit of a day with that history before it, and what it is called.
    ///
    /// Too many bounces: it is what it was when half the days had passed. Too many complaints: it is what it was on the first day.
    package func limit(after history: SendingHistory) -> (count: Int, words: String) {
        let days = history.days
        func level(_ days: Int) -> Int {
            let (product, overflow) = increase.multipliedReportingOverflow(by: days)
            return overflow ? ceiling : min(ceiling, start + min(product, ceiling))
        }
        if history.sent >= signals.sample {
            if share(history.complained, of: history.sent) > signals.complaintShare {
                return (start, "warm-up, stepped back to its start because of complaints")
            }
            if share(history.bounced, of: history.sent) > signals.bounceShare {
                return (level(days / 2), "warm-up, stepped back because of bounces")
            }
        }
        return (level(days), "warm-up, sending day \(days + 1)")
    }

    private func share(_ part: Int, of whole: Int) -> Double { Double(part) / Double(max(1, whole)) }
}
