import Outreach

/// Says on standard error which fields, tags and lists sequence files ask for that nobody has.
enum SequenceMentions {
    /// - Parameter loaded: the plans that there are beside the files; what any plan gives contacts may come yet.
    static func warn(of files: [(path: String, file: SequenceFile)], beside loaded: [SequencePlan], in state: OpenState) async throws {
        // Before there are contacts nobody has anything.
        guard try await !state.store.contacts(workspace: state.workspace, after: nil, limit: 1).isEmpty else { return }
        let plans = loaded + files.map(\.file.plan)
        for (path, file) in files {
            for mention in file.mentions where !plans.contains(where: { $0.gives(mention.kind, mention.text) }) {
                // A name with a quote in it is none that a query can hold.
                guard let kind = SegmentQuery.Mention.Kind(rawValue: mention.kind.rawValue), !mention.text.utf8.contains(UInt8(ascii: "\""))
                else { continue }
                let asked = SegmentQuery.Mention(kind: kind, text: mention.text, column: 1)
                guard try await !state.store.unknown([asked], workspace: state.workspace).isEmpty else { continue }
                say(mention, kind == .field ? "no contact has a field" : "there is no \(kind.rawValue)", at: path)
            }
        }
    }

    /// - Parameter present: the fields that some row of a sheet has.
    static func warn(of file: SequenceFile, at path: String, present: Set<String>, in sheet: String) {
        for mention in file.mentions where mention.kind == .field && !present.contains(mention.text) {
            if file.plan.gives(.field, mention.text) { continue }
            say(mention, "no row of \(sheet) has a field", at: path)
        }
    }

    private static func say(_ mention: PlanMention, _ what: String, at path: String) {
        let line = "\(path):\(mention.line): step '\(mention.step)': \(what) '\(mention.text)'"
        Console.error("\(TerminalText.line(line)) (a warning)")
    }
}
