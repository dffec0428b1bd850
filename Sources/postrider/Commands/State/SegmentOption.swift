import ArgumentParser
import Outreach

/// Whom a command means: a query on the command line, or a segment of the conf by its name.
struct SegmentOption: ParsableArguments {
    @Option(
        name: .customLong("where"),
        help: ArgumentHelp(
            "Only contacts for whom this holds, for instance 'tag:hot and not suppressed and country in (\"DE\", \"AT\")'.",
            valueName: "query"))
    var condition: String?
    @Option(help: ArgumentHelp("Only contacts of this [segment.NAME] of the conf.", valueName: "name"))
    var segment: String?

    var isGiven: Bool { condition != nil || segment != nil }

    func validate() throws {
        if condition != nil, segment != nil { throw ValidationError("give --where or --segment, not both") }
    }

    /// nil: everybody. Names in the query that nothing has are said on standard error, and mean nobody.
    func query(_ state: OpenState) async throws -> SegmentQuery? {
        guard let query = try read(state) else { return nil }
        for mention in try await state.store.unknown(query.mentions, workspace: state.workspace) {
            let what =
                switch mention.kind {
                case .field: "no contact has a field"
                case .tag, .list, .sequence: "there is no \(mention.kind.rawValue)"
                }
            Console.error("column \(mention.column) of the query: note: \(what) '\(TerminalText.line(mention.text))'")
        }
        return query
    }

    private func read(_ state: OpenState) throws(Failure) -> SegmentQuery? {
        if let segment { return try Segments.named(segment, in: state.settings) }
        guard let condition else { return nil }
        do throws(ExpressionFault) {
            return try SegmentQuery(condition)
        } catch {
            throw Failure(.usage, "--where: column \(error.column): \(TerminalText.line(error.message))")
        }
    }
}
