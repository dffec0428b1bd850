/// How many messages in how long, as conf writes it: `20/min`, `200/h`, `400/day`.
///
/// A rate by the minute or hour is even: `20/min` is one every three seconds, so that no span of a minute ever sees more than 20. Of a rate
/// by the second a second's worth may leave together. A rate by the day is a count for the sender's local date.
package struct Rate: Sendable, Hashable, CustomStringConvertible {
    package enum Period: String, Sendable, CaseIterable {
        case second = "s"
        case minute = "min"
        case hour = "h"
        case day

        /// Microseconds; nil for the day, whose length is the calendar's.
        var microseconds: Int64? {
            switch self {
            case .second: 1_000_000
            case .minute: 60_000_000
            case .hour: 3_600_000_000
            case .day: nil
            }
        }
    }

    /// 1 or more.
    package let count: Int
    package let period: Period

    /// nil when the count is not 1 ... 10,000,000.
    package init?(_ count: Int, per period: Period) {
        guard (1...10_000_000).contains(count) else { return nil }
        self.count = count
        self.period = period
    }

    /// Reads `COUNT/PERIOD`; nil when the text is not that.
    package init?(_ text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: "/"), maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, (1...8).contains(parts[0].count), parts[0].allSatisfy({ (0x30...0x39).contains($0) }),
            let period = Period.allCases.first(where: { $0.rawValue.utf8.elementsEqual(parts[1]) })
        else { return nil }
        self.init(parts[0].reduce(0) { $0 * 10 + Int($1 - 0x30) }, per: period)
    }

    package var description: String { "\(count)/\(period.rawValue)" }
}
