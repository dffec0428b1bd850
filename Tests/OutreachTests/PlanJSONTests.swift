import Testing

@testable import Outreach

@Suite("JSON plans")
struct PlanJSONTests {
    @Test(
        "JSON that is none, or no plan, is told with its line",
        arguments: [
            ("", 1, "a value is missing"), ("{\n\"a\": 1,\n}", 3, "a key in quotes"), ("[1]", 1, "a plan is a table"),
            ("{\"a\":\n01}", 2, "no value"),
            ("{\"a\": 1,\n\"a\": 2}", 2, "'a' is set twice"), ("{\"a\": \"\\ud800\"}", 1, "half a character"),
            ("{} x", 1, "something follows"),
            ("{\"a\": 0x1p3}", 1, "no value"), ("{\"version\": \"2\",\n\"nodes\": []}", 1, "version '2' is not known"),
            (
                "{\"version\": \"1.0\", \"nodes\": [\n{\"id\": \"a\", \"type\": \"send\", \"subject\": \"s\", \"body\": \"t\",\n\"transitions\": [\n{\"to\": \"b\"}]}]}",
                4, "there is no step 'b'"
            ),
        ] as [(String, Int, String)])
    func brokenJSON(source: String, line: Int, words: String) throws {
        let error = #expect(throws: SequenceFile.Faults.self) { try SequenceFile(parsing: Array(source.utf8), file: "p.json") }
        #expect(error?.faults.contains { $0.line == line && $0.message.contains(words) } == true, "\(String(describing: error))")
    }
}
