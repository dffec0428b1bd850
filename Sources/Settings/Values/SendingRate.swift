/// Messages in a span of time, as conf writes it: `20/min`.
package struct SendingRate: Sendable, Hashable, CustomStringConvertible {
    /// 1 or more.
    package let count: Int
    /// `s`, `min`, `h` or `day`.
    package let period: String

    /// As it is written.
    package var description: String { "\(count)/\(period)" }
}

extension ConfType where Value == SendingRate {
    static var rate: ConfType {
        let form = "a rate such as \"20/min\" (s, min, h, day)"
        return .string(form, show: \.description) { text, _ in
            let parts = text.utf8.split(separator: UInt8(ascii: "/"), maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, (1...8).contains(parts[0].count), parts[0].allSatisfy({ (0x30...0x39).contains($0) }),
                let period = ["s", "min", "h", "day"].first(where: { $0.utf8.elementsEqual(parts[1]) })
            else { return .failure(Complaints("'\(text)' is no rate", "write it as \"20/min\", \"200/h\" or \"400/day\"")) }
            let count = parts[0].reduce(0) { $0 * 10 + Int($1 - 0x30) }
            guard (1...10_000_000).contains(count) else { return .failure(Complaints("'\(text)' is outside 1 to 10000000")) }
            return .success(SendingRate(count: count, period: period))
        }
    }
}

/// Messages within any span of a length, as conf writes it: `2/7d`.
package struct SendingFrequency: Sendable, Hashable, CustomStringConvertible {
    /// 1 or more.
    package let count: Int
    /// A minute or more.
    package let window: Duration

    /// As it is written.
    package var description: String { "\(count)/\(Units.text(window))" }
}

extension ConfType where Value == SendingFrequency {
    static var frequency: ConfType {
        let form = "messages within a time such as \"2/7d\" (m, h, d, w)"
        let range: ClosedRange<Duration> = .seconds(60)...(.seconds(365 * 86_400))
        return .string(form, show: \.description) { text, _ in
            let parts = text.utf8.split(separator: UInt8(ascii: "/"), maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, (1...5).contains(parts[0].count), parts[0].allSatisfy({ (0x30...0x39).contains($0) }),
                let seconds = Units.seconds(Array(parts[1]))
            else { return .failure(Complaints("'\(text)' is no number within a time", "write it as \"2/7d\", \"1/1d\" or \"3/12h\"")) }
            let count = parts[0].reduce(0) { $0 * 10 + Int($1 - 0x30) }
            guard count > 0 else { return .failure(Complaints("'\(text)' lets nothing through", "stop-all stops everything")) }
            guard range.contains(.seconds(seconds)) else {
                return .failure(
                    Complaints("'\(text)' is outside a window of \(Units.text(range.lowerBound)) to \(Units.text(range.upperBound))"))
            }
            return .success(SendingFrequency(count: count, window: .seconds(seconds)))
        }
    }
}
