import ArgumentParser
import InternetMessage
import Outreach

struct SequenceStats: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats", abstract: "Count what left, what came back and what became of the enrollments, with the rates.",
        discussion: """
            Messages are counted from 'queued' to 'cancelled'; from 'contacted' on people are: of each enrollment the first answer of a kind \
            counts, on the day on which it came in, as what it was labelled last. Days are days of UTC.
            delivery: accepted and not reported as failed, of the messages whose fate is known. bounce: failed for good, of those that the \
            next host decided on. reply, positive: of the people contacted, or by step, variant and day of the messages accepted. \
            unsubscribe, complaint: of the messages accepted. open, click: messages that a person opened or clicked in, of those accepted; \
            what machines did is counted apart. --by variant says which variant is answered most, and how sure that is.
            """)

    @OptionGroup var conf: StateOption
    @Argument(help: "Name of the sequence; none: all of them together, of all workspaces or of the one named.") var name: String?
    @Option(help: "Tell apart by step, variant, identity, provider or day.") var by: String?
    @Option(help: "Only from this day on (2026-03-04, UTC).") var since: String?
    @Flag(help: "One JSON object; with --by one for each part.") var json = false

    func run() async throws {
        try await OpenState.use(conf) { state in
            var plan: SequencePlan?
            if let name { plan = try await state.sequence(name).plan }
            let split = try split()
            if plan == nil, split == .step || split == .variant {
                throw Failure(.usage, "--by \(split.rawValue) is of one sequence; name it")
            }
            let day = try since.map(Self.day)
            try await state.store.countAllEvents()
            // Without a name the whole instance is shown, unless a person named a workspace.
            let workspaces = plan == nil && state.asked == nil ? state.installation.workspaces.all.map(\.id) : [state.workspace]
            let parts = try await Self.parts(state, workspaces, of: plan?.name, by: split, since: day)
            func title(_ value: String) -> String {
                guard split == .step, let step = Int(value) else { return value }
                return plan?.stepName(step) ?? "\(step + 1)"
            }
            // As numbers, so that step 10 comes behind step 9.
            let ordered = split == .step ? parts.sorted { Int($0.value) ?? 0 < Int($1.value) ?? 0 } : parts
            if split == .all {
                let tally = parts.first?.tally ?? Tally()
                let enrollments = try await Self.enrollments(state, workspaces, of: plan?.name)
                json ? write(tally, enrollments, of: plan?.name) : show(tally, enrollments)
            } else if json {
                for part in ordered {
                    JSONLine.write(
                        .object(
                            [
                                (key: "sequence", value: .text(plan?.name)), (key: "by", value: .string(split.rawValue)),
                                (key: split.rawValue, value: .string(title(part.value))),
                            ] + part.tally.json(ofPeople: isOfPeople(split))))
                }
                if split == .variant, let words = Self.trial(ordered).words {
                    JSONLine.write(["sequence": .text(plan?.name), "by": "variant", "trial": .string(words)])
                }
            } else {
                guard !ordered.isEmpty else { return Console.out("nothing is counted yet") }
                let counts: [Tally.Count] = [
                    .queued, .accepted, .refused, .contacted, .replied, .positive, .unsubscribed, .complained,
                    .opened, .clicked, .machineOpened, .machineClicked,
                ]
                var table = Table(
                    [.init(split.rawValue.uppercased())] + counts.map { .init($0.rawValue.uppercased(), number: true) }
                        + RateName.allCases.map { .init($0.rawValue.uppercased(), number: true) })
                for part in ordered {
                    table.add(
                        [title(part.value)] + counts.map { "\(part.tally[$0])" }
                            + RateName.allCases.map { part.tally.rate($0, ofPeople: isOfPeople(split)).words })
                }
                table.write()
                if split == .variant, let words = Self.trial(ordered).words { Console.out("\n\(words)") }
            }
        }
    }

    /// The counts of several workspaces together, by value.
    private static func parts(
        _ state: OpenState, _ workspaces: [WorkspaceID], of sequence: String?, by split: StatisticsSplit, since day: CivilDate?
    ) async throws -> [StatisticsPart] {
        var tallies: [String: Tally] = [:]
        for workspace in workspaces {
            for part in try await state.store.statistics(workspace: workspace, sequenceName: sequence, by: split, since: day) {
                tallies[part.value, default: Tally()] += part.tally
            }
        }
        return tallies.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            .map { StatisticsPart(value: $0.key, tally: $0.value) }
    }

    private static func enrollments(_ state: OpenState, _ workspaces: [WorkspaceID], of sequence: String?) async throws
        -> [EnrollmentCount]
    {
        var counts: [EnrollmentCount] = []
        for workspace in workspaces {
            for one in try await state.store.enrollmentCounts(workspace: workspace, sequenceName: sequence) {
                if let place = counts.firstIndex(where: { $0.state == one.state && $0.cause == one.cause }) {
                    counts[place] = EnrollmentCount(state: one.state, cause: one.cause, count: counts[place].count + one.count)
                } else {
                    counts.append(one)
                }
            }
        }
        return counts
    }

    /// Whether rates of answers stand on the people who were written to; from a day on they would be answers of people of earlier days.
    private func isOfPeople(_ split: StatisticsSplit) -> Bool { split.isOfPeople && since == nil }

    /// Which variant is answered most.
    private static func trial(_ parts: [StatisticsPart]) -> VariantTrial.Verdict {
        VariantTrial(
            parts.filter { !$0.value.utf8.isEmpty }.map { part in
                let rate = part.tally.rate(.reply, ofPeople: false)
                return VariantTrial.Arm(name: part.value, sent: rate.sample, replied: rate.count)
            }
        ).verdict()
    }

    private func split() throws(Failure) -> StatisticsSplit {
        guard let by else { return .all }
        let known = StatisticsSplit.allCases.filter { $0 != .all }.map(\.rawValue)
        guard known.contains(where: { $0.utf8.elementsEqual(by.utf8) }), let split = StatisticsSplit(rawValue: by) else {
            throw Failure(.usage, "--by \(TerminalText.line(by)): there are \(known.joined(separator: ", "))")
        }
        return split
    }

    private static func day(_ text: String) throws(Failure) -> CivilDate {
        guard let date = WrittenMoment.day(text) else {
            throw Failure(.usage, "--since \(TerminalText.line(text)) is no day; write it as 2026-03-04")
        }
        return date
    }

    private func write(_ tally: Tally, _ enrollments: [EnrollmentCount], of name: String?) {
        var states: [Enrollment.State: Int] = [:]
        var causes: [Enrollment.Cause: Int] = [:]
        for part in enrollments {
            states[part.state, default: 0] += part.count
            if let cause = part.cause { causes[cause, default: 0] += part.count }
        }
        JSONLine.write(
            .object(
                [(key: "sequence", value: .text(name))] + tally.json(ofPeople: since == nil) + [
                    (key: "enrollments", value: .counts(states)), (key: "causes", value: .counts(causes)),
                ]))
    }

    private func show(_ tally: Tally, _ enrollments: [EnrollmentCount]) {
        var table = Table([.init("RATE"), .init("SHARE", number: true), .init("COUNT", number: true), .init("OF", number: true)])
        for name in RateName.allCases {
            let rate = tally.rate(name, ofPeople: since == nil)
            table.add([name.rawValue, rate.words, "\(rate.count)", "\(rate.sample)"])
        }
        table.write()
        Console.out("")
        FactSheet.write(Tally.Count.allCases.map { ($0.rawValue.replacing("_", with: " "), tally[$0] == 0 ? nil : "\(tally[$0])") })
        Console.out("")
        FactSheet.write(
            enrollments.map { part in
                ("enrollments \(part.state.rawValue)\(part.cause.map { " (\($0.rawValue))" } ?? "")", "\(part.count)")
            })
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
