import Testing

@testable import Outreach

@Suite("sequences that begin others")
struct SequenceLinksTests {
    private func read(_ text: String) throws -> SequenceFile { try SequenceFile(parsing: Array(text.utf8), file: "plan.toml") }

    @Test("sequences that begin each other are followed over any number of them")
    func links() throws {
        func plan(_ name: String, _ begins: [String]) throws -> SequencePlan {
            let steps = begins.map { "[[step]]\ntype = \"action\"\nenroll = \"\($0)\"\n" }
            return try read("name = \"\(name)\"\n" + steps.joined() + "[[step]]\nname = \"z\"\nsubject = \"s\"\ntext = \"t\"\n").plan
        }
        let plans = [try plan("a", ["d", "b"]), try plan("b", ["c"]), try plan("c", ["a", "gone"]), try plan("d", [])]
        let links = SequenceLinks(plans)
        #expect(links.way(from: "b", to: "a") == ["b", "c", "a"] && links.way(from: "a", to: "c") == ["a", "b", "c"])
        #expect(links.way(from: "d", to: "a") == nil && links.way(from: "gone", to: "a") == nil)
        #expect(links.has("d") && !links.has("gone"))
        // A later one stands for an earlier one of its name.
        #expect(SequenceLinks(plans + [try plan("c", [])]).way(from: "b", to: "a") == nil)
        let file = try read("name = \"x\"\nquiet_hours = \"21:00-07:00\"\n[[step]]\ntype = \"action\"\nenroll = \"y\"\n")
        #expect(file.beginnings == [.init(sequence: "y", line: 5)] && file.quietHoursLine == 2)
    }
}
