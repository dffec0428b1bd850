import InternetMessage
import Testing

@testable import Outreach

@Suite("statistics over the versions of a sequence")
struct VersionStatisticsTests {
    /// A plan of an opening with two variants, a reminder with two of the same names, and what stands behind them.
    private static func version(
        _ id: Int64, a: String = "text = \"A\"", weight: Int = 1, snippet: String = "Bye", reminder: String = "reminder",
        third: Bool = false
    ) throws -> SequenceVersion {
        let source = """
            name = "x"
            [snippets]
            end = "\(snippet)"
            [[step]]
            name = "opening"
            subject = "s"
            [[step.variant]]
            name = "a"
            weight = \(weight)
            \(a)
            [[step.variant]]
            name = "b"
            text = "B {{> end}}"
            \(third ? "[[step.variant]]\nname = \"c\"\ntext = \"C\"" : "")
            [[step]]
            name = "\(reminder)"
            delay = "P1D"
            [[step.variant]]
            name = "a"
            text = "A again"
            [[step.variant]]
            name = "b"
            text = "B again"
            """
        return SequenceVersion(
            id: .init(rawValue: id << 32), workspace: .default,
            plan: try SequenceFile(parsing: Array(source.utf8), file: "x.toml").plan, hash: "\(id)")
    }

    private static func tally(_ accepted: Int, replied: Int = 0) -> Tally {
        var tally = Tally()
        tally[.accepted] = accepted
        tally[.replied] = replied
        return tally
    }

    private func part(_ version: SequenceVersion?, _ step: Int?, _ name: String, _ accepted: Int, replied: Int = 0) -> StatisticsPart {
        StatisticsPart(value: .variant(version?.id, step: step, name), tally: Self.tally(accepted, replied: replied))
    }

    /// `step since variant=accepted ...`, with `*` where it is said no longer.
    private func words(_ trials: [VersionStatistics.Trial]) -> [String] {
        trials.map { trial in
            let since = trial.since.map { moment in "\((1...9).first { RecordIDSource.moment(of: $0 << 32) == moment } ?? 0)" } ?? "-"
            let arms = trial.arms.map { "\($0.variant)=\($0.tally[.accepted])" }.joined(separator: " ")
            return "\(trial.step ?? "-") \(since)\(trial.isCurrent ? "" : "*") \(arms)"
        }
    }

    @Test("variants of one name are told apart by their steps")
    func bySteps() throws {
        let version = try Self.version(1)
        let book = VersionStatistics(latest: version, versions: [version])
        let trials = book.trials([
            part(version, 1, "b", 40, replied: 30), part(version, 0, "a", 40, replied: 30), part(version, 0, "b", 40, replied: 2),
            part(version, 1, "a", 40, replied: 2),
        ])
        #expect(words(trials) == ["opening 1 a=40 b=40", "reminder 1 a=40 b=40"])
        #expect(trials.map(\.verdict.words).map { $0?.prefix(8) } == ["'a' wins", "'b' wins"])
    }

    @Test("what every change of a plan does to what is compared")
    func changes() throws {
        let old = try Self.version(1)
        for (what, new, expected) in [
            ("another weight", try Self.version(2, weight: 9), ["opening 1 a=13 b=5"]),
            ("another text", try Self.version(2, a: "text = \"Z\""), ["opening 1* a=3 b=5", "opening 2 a=10 b=0"]),
            (
                "a subject of its own", try Self.version(2, a: "text = \"A\"\nsubject = \"t\""),
                ["opening 1* a=3 b=5", "opening 2 a=10 b=0"]
            ),
            ("a snippet that it has", try Self.version(2, snippet: "Ciao"), ["opening 1* a=3 b=5", "opening 2 a=10 b=0"]),
            ("one variant more", try Self.version(2, third: true), ["opening 1* a=3 b=5", "opening 2 a=10 b=0 c=0"]),
        ] {
            let parts = [part(old, 0, "a", 3), part(old, 0, "b", 5), part(new, 0, "a", 10), part(old, 1, "b", 7)]
            let trials = VersionStatistics(latest: new, versions: [new, old]).trials(parts)
            #expect(words(trials) == expected + ["reminder 1 a=0 b=7"], "\(what)")
        }
    }

    @Test("who goes back to an earlier text goes on with its counts")
    func back() throws {
        let (first, second) = (try Self.version(1), try Self.version(2, a: "text = \"Z\""))
        let parts = [part(first, 0, "a", 3), part(second, 0, "a", 4)]
        #expect(
            words(VersionStatistics(latest: first, versions: [second]).trials(parts))
                == ["opening 1 a=3 b=0", "opening 2* a=4 b=0", "reminder 1 a=0 b=0"])
    }

    @Test("steps are the same by their names; those that are gone and those of messages without a version are shown")
    func steps() throws {
        let (old, new) = (try Self.version(1), try Self.version(2, reminder: "last"))
        let book = VersionStatistics(latest: new, versions: [old])
        func step(_ version: SequenceVersion?, _ step: Int, _ accepted: Int) -> StatisticsPart {
            StatisticsPart(value: .step(version?.id, step), tally: Self.tally(accepted))
        }
        let steps = book.steps([step(old, 1, 4), step(new, 1, 2), step(old, 0, 1), step(nil, 0, 8), step(new, 0, 16)])
        #expect(
            steps.map { "\($0.name) \($0.isCurrent) \($0.tally[.accepted])" } == ["opening true 25", "last true 2", "reminder false 4"])
        let trials = book.trials([part(nil, nil, "b", 6), part(old, 1, "a", 1), part(nil, nil, "a", 2)])
        #expect(words(trials) == ["opening 1 a=0 b=0", "last 2 a=0 b=0", "reminder 1* a=1 b=0", "- -* a=2 b=6"])
    }
}
