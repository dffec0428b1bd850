import Foundation
import Testing

@testable import InternetMessage

/// Messages with what mailcore2 reads in them: 161 as structure, 41 as a person would see them.
@Suite("mailcore2 pairs")
struct MailcoreTests {
    static let folder = "mailcore2/unittest/data"
    static let isWordy = ProcessInfo.processInfo.environment["POSTRIDER_WORDY"] == "1"

    @Test("every pair agrees or is listed with the RFC that says otherwise", .enabled(if: Corpora.isWanted, Corpora.absence))
    func pairs() throws {
        let differences = try MailcoreDifferences()
        #expect(differences.entries.count <= 10)
        #expect(differences.entries.allSatisfy { $0.rfc.hasPrefix("RFC ") })
        var met: Set<String> = []
        var differing: Set<String> = []
        let structures = try Corpora.files("\(Self.folder)/parser/input")
        for file in structures where try !agrees(structure: file, differences, &met) { differing.insert(Self.place(file)) }
        let structuresDiffering = differing.count
        let summaries = try Corpora.files("\(Self.folder)/summary/input")
        for file in summaries where try !agrees(summary: file) { differing.insert(Self.place(file)) }
        let agreeing = structures.count - structuresDiffering
        let summariesAgreeing = summaries.count - (differing.count - structuresDiffering)
        print(
            "mailcore2: \(agreeing) of \(structures.count), \(summariesAgreeing) of \(summaries.count) agree,",
            "\(met.count) rules of RFCs applied, \(differing.count) pairs listed")
        #expect(structures.count == 161)
        #expect(summaries.count == 41)
        #expect(differing == differences.listed, "a pair differs that is not listed, or agrees although it is listed")
        #expect(met == differences.rules, "a rule explains nothing any more")
    }

    private func agrees(structure file: Corpora.File, _ differences: MailcoreDifferences, _ met: inout Set<String>) throws -> Bool {
        let output = file.url.path.replacingOccurrences(of: "/parser/input/", with: "/parser/output/")
        let json = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: output)))
        let expected = MailcoreStructure.expected(try #require(json as? [String: Any]))
        let actual = MailcoreStructure.actual(Message(parsing: try file.bytes()), fields: MailcoreStructure.fields(in: expected))
        var missing = expected.filter { !actual.contains($0) }
        var surplus = actual.filter { !expected.contains($0) }
        met.formUnion(differences.explain(missing: &missing, surplus: &surplus))
        tell(file, missing.map { "-" + $0 } + surplus.map { "+" + $0 })
        return missing.isEmpty && surplus.isEmpty
    }

    private func agrees(summary file: Corpora.File) throws -> Bool {
        let output = file.url.path.replacingOccurrences(of: "/summary/input/", with: "/summary/output/").dropLast(4) + ".txt"
        let rendering = MailcoreSummary(
            rendering: String(decoding: try Data(contentsOf: URL(fileURLWithPath: String(output))), as: UTF8.self))
        let message = Message(parsing: try file.bytes())
        let found = [false, true].map { rendering.differences(from: MailcoreSummary(message, html: $0)) }
        if !found.contains([]) {
            tell(
                file,
                found[0] + [rendering.letters, MailcoreSummary(message, html: false).letters, MailcoreSummary(message, html: true).letters])
        }
        return found.contains([])
    }

    private static func place(_ file: Corpora.File) -> String {
        let name = file.name.dropFirst(folder.count + 1).replacingOccurrences(of: "/input/", with: "/")
        return name.hasSuffix(".eml") ? String(name.dropLast(4)) : name
    }

    private func tell(_ file: Corpora.File, _ lines: [String]) {
        guard Self.isWordy, !lines.isEmpty else { return }
        print("@@ \(Self.place(file))")
        for line in lines { print("@ \(line)") }
    }
}
