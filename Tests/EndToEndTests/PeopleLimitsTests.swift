import Foundation
import TestKit
import Testing

/// Caps over all sequences and rotations of identities, through the built executable.
@Suite("one person in several sequences, by the command line")
struct PeopleLimitsTests {
    private static let monday = "2035-03-05"

    private func bench(_ conf: String, identities: [String] = ["anna"], people: Int = 40) async throws -> StateBench {
        let bench = try StateBench(identities: identities)
        try bench.folder.write("postrider.conf", text: TextFile.read(bench.conf) + conf)
        let rows = (1...people).map { "p\($0)@d\($0 % 2).example.net,P\($0),Company \($0)\n" }.joined()
        try bench.folder.write("people.csv", text: "email,first_name,company\n" + rows)
        _ = try await bench.output("contacts", "import", bench.folder("people.csv"))
        return bench
    }

    private func load(_ bench: StateBench, as name: String) async throws {
        let plan = TextFile.read(try StateBench.fixture("two-touches.toml")).replacing("two-touches", with: name)
        _ = try await bench.output("sequence", "load", try bench.folder.write("\(name).toml", text: plan))
    }

    @Test("the caps of an address are explained with their lines, and a rehearsal keeps them and says what held whom until when")
    func caps() async throws {
        let bench = try await bench("[frequency]\nper_contact = [\"1/3d\"]\nper_company = [\"3/1d\"]\n", people: 4)
        let explained = try await bench.output("conf", "explain", "ann@example.net")
        #expect(explained.contains("the contact, over all sequences: 1/3d  ["))
        #expect(explained.contains("the company example.net, over all sequences: 3/1d  ["))
        #expect(try await !bench.output("conf", "explain", "ann@gmail.com").contains("the company"))

        for name in ["one", "two"] {
            try await load(bench, as: name)
            _ = try await bench.output("enroll", name, "--all")
        }
        let outcome = try await bench.run(
            "sequence", "simulate", "two", "--without-dns", "--days", "2", "--messages", "--from", "\(Self.monday)T08:00", "--json")
        #expect(outcome.status == 0, "\(outcome.errorText)")
        let lines = try JSONObject.lines(outcome)
        let left = lines.filter { $0["event"] == "message" }
        #expect(left.count == 4 && Set(left.compactMap { $0["to"] }).count == 4, "one message for each contact in three days")
        let waiting = lines.filter { $0["event"] == "waiting" }
        #expect(waiting.count == 4)
        for line in waiting {
            #expect(line["because"]?.contains("frequency cap of 1 in 3d for the contact") == true, "\(line)")
            #expect(line["until"]?.hasPrefix("2035-03-08T08:0") == true, "\(line)")
        }
    }

    @Test("identities share those who start, the rehearsal tells how, and whoever was written to keeps who wrote")
    func rotation() async throws {
        let bench = try await bench(
            "[rotation.team]\nmembers = [{ identity = \"anna\", weight = 3 }, { identity = \"ben\" }]\n",
            identities: ["anna", "ben", "cleo"])
        for name in ["one", "two"] { try await load(bench, as: name) }
        let rehearsed = try await bench.run(
            "rehearse", "one", "--contacts", bench.folder("people.csv"), "--identity", "team", "--without-dns", "--from",
            "\(Self.monday)T08:00", "--json")
        #expect(rehearsed.status == 0, "\(rehearsed.errorText)")
        var foreseen: [String: String] = [:]
        for line in try JSONObject.lines(rehearsed) where line["event"] == "message" {
            if let to = line["to"] { foreseen[to] = line["identity"] }
        }
        #expect(foreseen.count == 40)

        let dry = try await bench.run("enroll", "one", "--all", "--identity", "anna:3,ben", "--dry-run", "--json")
        let previews = try JSONObject.lines(dry)
        #expect(previews.allSatisfy { $0["verdict"] == "would_enroll" && $0["enrollment"] == nil })
        #expect(Dictionary(previews.map { ($0["address"] ?? "", $0["identity"] ?? "") }) { $1 } == foreseen)
        #expect(dry.errorText.contains("40 would be enrolled: anna ("))

        let enrolled = try await bench.run("enroll", "one", "--all", "--identity", "team", "--json")
        #expect(enrolled.status == 0, "\(enrolled.errorText)")
        let verdicts = try JSONObject.lines(enrolled)
        #expect(Dictionary(verdicts.map { ($0["address"] ?? "", $0["identity"] ?? "") }) { $1 } == foreseen)
        let annas = foreseen.values.count { $0 == "anna" }
        #expect((20..<40).contains(annas))
        #expect(enrolled.errorText.contains("40 enrolled: anna (\(annas)), ben (\(40 - annas))"))

        let again = try await bench.run("enroll", "one", "--all", "--identity", "team", "--dry-run")
        #expect(again.outputText.contains("p1@d1.example.net: already_enrolled") && again.outputText.hasSuffix("0 would be enrolled\n"))
        let second = try await bench.objects("enroll", "two", "--all", "--identity", "cleo,ben:2")
        #expect(second.allSatisfy { $0["identity"] == $0["address"].flatMap { foreseen[$0] } }, "who wrote first goes on")
        for (identity, words, status) in [
            ("anna,otto", "there is no [identity.otto]", Int32(65)), ("anna:0,ben", "a weight is a whole number from 1 to", 64),
            ("anna,ben,anna", "'anna' stands there twice", 64), ("anna,", "there is no [identity.]", 65),
        ] {
            let refused = try await bench.run("enroll", "one", "--all", "--identity", identity)
            #expect(refused.status == status && refused.errorText.contains(words), "\(refused.errorText)")
        }
    }
}
