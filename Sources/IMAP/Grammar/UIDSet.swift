/// A set of UIDs, kept as ascending ranges that neither touch nor overlap.
///
/// Held as ranges so that neither a long run of messages nor a server's `1:4294967295` costs memory.
struct UIDSet: Equatable, Sendable {
    private(set) var ranges: [ClosedRange<UInt32>]

    /// Builds the set from UIDs in any order, repeated or not.
    init(_ uids: some Sequence<UID>) {
        ranges = []
        for uid in uids.sorted() { append(uid.value...uid.value) }
    }

    /// Builds the set from one range.
    init(_ range: ClosedRange<UID>) {
        ranges = [range.lowerBound.value...range.upperBound.value]
    }

    var isEmpty: Bool { ranges.isEmpty }

    /// How many UIDs the set holds.
    var count: Int { ranges.reduce(0) { $0 + $1.count } }

    /// Whether the UID is in the set; takes time in the logarithm of the number of ranges.
    func contains(_ uid: UID) -> Bool {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < uid.value { low = middle + 1 } else { high = middle }
        }
        return low < ranges.count && ranges[low].contains(uid.value)
    }

    /// Reads a sequence set as servers write it (RFC 9051 `sequence-set`): `1:5,9,12:10`.
    ///
    /// Zero, `*`, an empty part and a number above 2^32-1 give nil: such a set names no known messages.
    init?(parsing text: ArraySlice<UInt8>) {
        var parts: [ClosedRange<UInt32>] = []
        for part in text.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            let ends = part.split(separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
            guard let first = ends.first.flatMap(ASCII.uint32), let last = ends.last.flatMap(ASCII.uint32), first != 0, last != 0
            else { return nil }
            parts.append(min(first, last)...max(first, last))
        }
        ranges = []
        for part in parts.sorted(by: { $0.lowerBound < $1.lowerBound }) { append(part) }
    }

    /// The set as a command writes it: `1:5,9`.
    var encoded: [UInt8] {
        var text: [UInt8] = []
        for range in ranges {
            if !text.isEmpty { text.append(UInt8(ascii: ",")) }
            text += ASCII.decimal(range.lowerBound)
            if range.count > 1 {
                text.append(UInt8(ascii: ":"))
                text += ASCII.decimal(range.upperBound)
            }
        }
        return text
    }

    /// Adds a range whose lower bound is not below that of the last range.
    private mutating func append(_ range: ClosedRange<UInt32>) {
        guard let last = ranges.last else {
            ranges.append(range)
            return
        }
        if last.upperBound == .max || range.lowerBound <= last.upperBound + 1 {
            ranges[ranges.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
        } else {
            ranges.append(range)
        }
    }
}
