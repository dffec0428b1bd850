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
            what machines did is counted apart. --by variant says for each step which variant is answered most, and how sure that is; a version \
            that changes a text of the step begins anew.
            """)

    @OptionGroup var conf: StateOption
    @Argument(help: "Name of the sequence; none: all of them together, of all workspaces or of the one named.") var name: String?
    @Option(help: "Tell apart by step, variant, identity, provider or day.") var by: String?
    @Option(help: "Only from this day on (2026-03-04, UTC).") var since: String?
    @Flag(help: "One JSON object; with --by one for each part.") var json = false

    func run() async throws {
        try await OpenState.use(conf) { state in
            var latest: SequenceVersion?
            if let name { latest = try await state.sequence(name) }
            let sequence = latest?.plan.name
            let split = try split()
            if latest == nil, split.isOfOneSequence { throw Failure(.usage, "--by \(split.rawValue) is of one sequence; name it") }
            let day = try since.map(Self.day)
            try await state.store.countAllEvents()
            // Without a name the whole instance is shown, unless a person named a workspace.
            let workspaces = latest == nil && state.asked == nil ? state.installation.workspaces.all.map(\.id) : [state.workspace]
            let parts = try await Self.parts(state, workspaces, of: sequence, by: split, since: day)
            if split == .all {
                let tally = parts.first?.tally ?? Tally()
                let enrollments = try await Self.enrollments(state, workspaces, of: sequence)
                json ? write(tally, enrollments, of: sequence) : show(tally, enrollments)
            } else {
                var versions: VersionStatistics?
                if let latest, split.isOfOneSequence { versions = try await Self.versions(of: parts, latest: latest, state) }
                let report = StatisticsReport(parts, by: split, versions: versions, ofPeople: split.isOfPeople && day == nil)
                json ? report.writeJSON(sequence: sequence) : report.writeTable()
            }
        }
    }

    /// The versions that the parts are of, and the latest.
    private static func versions(of parts: [StatisticsPart], latest: SequenceVersion, _ state: OpenState) async throws
        -> VersionStatistics
    {
        var versions: [SequenceVersion] = []
        for id in VersionStatistics.versions(of: parts) {
            if let version = try await state.store.sequence(id: id) { versions.append(version) }
        }
        return VersionStatistics(latest: latest, versions: versions)
    }

    /// The counts of several workspaces together, by value.
    private static func parts(
        _ state: OpenState, _ workspaces: [WorkspaceID], of sequence: String?, by split: StatisticsSplit, since day: CivilDate?
    ) async throws -> [StatisticsPart] {
        var tallies: [StatisticsPart.Value: Tally] = [:]
        for workspace in workspaces {
            for part in try await state.store.statistics(workspace: workspace, sequenceName: sequence, by: split, since: day) {
                tallies[part.value, default: Tally()] += part.tally
            }
        }
        return tallies.map { StatisticsPart(value: $0.key, tally: $0.value) }
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
