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
