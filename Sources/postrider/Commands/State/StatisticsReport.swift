import InternetMessage
import Outreach

/// Counts that are told apart, as a person and as a program reads them.
struct StatisticsReport {
    private struct Line {
        let titles: [String]
        let names: [(key: String, value: JSONValue)]
        let tally: Tally
    }

    private let split: StatisticsSplit
    private let heads: [String]
    private let lines: [Line]
    /// What is compared now.
    private let trials: [VersionStatistics.Trial]
    private let isOfPeople: Bool

    private static let counts: [Tally.Count] = [
        .queued, .accepted, .refused, .contacted, .replied, .positive, .unsubscribed, .complained,
        .opened, .clicked, .machineOpened, .machineClicked,
    ]

    /// - Parameters:
    ///   - versions: those of the sequence; nil where the split is not of one.
    ///   - isOfPeople: whether rates of answers stand on the people who were written to; from a day on they would be answers of people of
    ///     earlier days.
    init(_ parts: [StatisticsPart], by split: StatisticsSplit, versions: VersionStatistics?, ofPeople isOfPeople: Bool) {
        self.split = split
        self.isOfPeople = isOfPeople
        let all = split == .variant ? versions?.trials(parts) ?? [] : []
        trials = all.filter(\.isCurrent)
        switch split {
        case .variant:
            heads = ["step", "variant", "since"]
            lines = all.flatMap(Self.lines)
        case .step:
            heads = [split.rawValue]
            lines = (versions?.steps(parts) ?? []).map(Self.line)
        case .all, .day, .identity, .provider:
            heads = [split.rawValue]
            lines = parts.map { (title: $0.value.title, tally: $0.tally) }
                .sorted { $0.title.utf8.lexicographicallyPrecedes($1.title.utf8) }
                .map { Line(titles: [$0.title], names: [(key: split.rawValue, value: .string($0.title))], tally: $0.tally) }
        }
    }

    private static func line(_ step: VersionStatistics.Step) -> Line {
        Line(
            titles: [step.name + (step.isCurrent ? "" : " (no longer)")],
            names: [(key: "step", value: .string(step.name)), (key: "current", value: .bool(step.isCurrent))], tally: step.tally)
    }

    private static func lines(_ trial: VersionStatistics.Trial) -> [Line] {
        let since = trial.since.map { CivilDate($0).iso8601 + (trial.isCurrent ? "" : " (no longer)") } ?? "(not noted)"
        return trial.arms.map { arm in
            Line(
                titles: [trial.step ?? "-", arm.variant, since],
                names: [
                    (key: "step", value: .text(trial.step)), (key: "variant", value: .string(arm.variant)),
                    (key: "since", value: .moment(trial.since)), (key: "current", value: .bool(trial.isCurrent)),
                ], tally: arm.tally)
        }
    }

    /// One object for each part, and one for each trial that has something to say.
    func writeJSON(sequence: String?) {
        let head: [(key: String, value: JSONValue)] = [
            (key: "sequence", value: .text(sequence)), (key: "by", value: .string(split.rawValue)),
        ]
        for line in lines { JSONLine.write(.object(head + line.names + line.tally.json(ofPeople: isOfPeople))) }
        for trial in trials {
            guard let words = trial.verdict.words else { continue }
            JSONLine.write(.object(head + [(key: "step", value: .text(trial.step)), (key: "trial", value: .string(words))]))
        }
    }

    func writeTable() {
        guard !lines.isEmpty else { return Console.out(split == .variant ? "no step has variants" : "nothing is counted yet") }
        var table = Table(
            heads.map { .init($0.uppercased()) } + Self.counts.map { .init($0.rawValue.uppercased(), number: true) }
                + RateName.allCases.map { .init($0.rawValue.uppercased(), number: true) })
        for line in lines {
            table.add(
                line.titles + Self.counts.map { "\(line.tally[$0])" }
                    + RateName.allCases.map { line.tally.rate($0, ofPeople: isOfPeople).words })
        }
        table.write()
        let verdicts = trials.compactMap { trial in trial.verdict.words.map { TerminalText.line("\(trial.step ?? "-"): \($0)") } }
        if !verdicts.isEmpty { Console.out("\n" + verdicts.joined(separator: "\n")) }
    }
}

extension StatisticsPart.Value {
    /// For a person; steps and variants are told by their versions.
    fileprivate var title: String {
        switch self {
        case .all, .step, .variant: ""
        case .day(let day): day.iso8601
        case .named(let name): name
        }
    }
}

extension SampledRate {
    /// In percent; `-` without a sample.
    var words: String {
        guard let value else { return "-" }
        let hundredths = Int((value * 10_000).rounded())
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100) %"
    }

    var json: JSONValue {
        ["rate": value.map { .number($0) } ?? .null, "count": .count(count), "sample": .count(sample)]
    }
}

extension Tally {
    /// The counts by name, and the rates with their samples.
    func json(ofPeople: Bool) -> [(key: String, value: JSONValue)] {
        [
            (key: "counts", value: .object(Count.allCases.map { (key: $0.rawValue, value: .count(self[$0])) })),
            (key: "rates", value: .object(RateName.allCases.map { (key: $0.rawValue, value: rate($0, ofPeople: ofPeople).json) })),
        ]
    }
}
