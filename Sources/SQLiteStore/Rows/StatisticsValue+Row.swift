import InternetMessage
import Outreach

/// How `rollup_day` writes by what its counts are told apart; a day stands in a column of its own.
extension StatisticsPart.Value {
    var stored: String {
        switch self {
        case .all, .day: ""
        case .step(let version, let step): "\(version?.rawValue ?? 0)/\(step)"
        case .variant(let version, let step, let name): "\(version?.rawValue ?? 0)/\(step.map { "\($0)" } ?? "")/\(name.storable)"
        case .named(let name): name.storable
        }
    }

    /// Reads the row of a part; throws `StoreError` when it is none.
    init(_ record: Record, of split: StatisticsSplit) throws {
        switch split {
        case .all: self = .all
        case .day: self = .day(try record.day("part"))
        case .identity, .provider: self = .named(try record.text("part"))
        case .step, .variant:
            let parts = try record.text("part").split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
            let version = parts.first.flatMap { Int64($0) }.flatMap { $0 == 0 ? nil : SequenceVersion.ID(rawValue: $0) }
            let step = parts.count > 1 ? Int(parts[1]) : nil
            self = try record.value(
                split == .step ? step.map { .step(version, $0) } : parts.count > 2 ? .variant(version, step: step, String(parts[2])) : nil,
                "part")
        }
    }
}
