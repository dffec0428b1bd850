import Foundation
import InternetMessage
import TestKit
import Testing

/// `rehearse` and `sequence simulate` of the built executable.
@Suite("rehearse")
struct RehearseTests {
    /// A Monday far enough ahead that no test runs after it, at midnight UTC.
    private static let monday = "2035-03-05"
    private static let people = (1...30).map { "p\($0)@d\($0 % 4).example.net,P\($0),Company \($0)\n" }.joined()

    /// A bench whose identity has these keys, in hours of five days a week.
    private func bench(_ identity: String, hours: String = "09:00-12:00") throws -> StateBench {
        let bench = try StateBench()
        var text = TextFile.read(bench.conf).replacing("min_gap = \"0s\"", with: identity)
        text = text.replacing("\"fri\", \"sat\", \"sun\"]", with: "\"fri\"]").replacing("00:00-24:00", with: hours)
        try bench.folder.write("postrider.conf", text: text)
        try bench.folder.write("people.csv", text: "email,first_name,company\n" + Self.people)
        return bench
    }

    private func rehearse(_ bench: StateBench, _ sequence: String, _ more: String...) async throws -> [JSONObject] {
        let outcome = try await Executable.run(
            ["--conf", bench.conf, "rehearse", sequence, "--contacts", bench.folder("people.csv"), "--without-dns", "--json"] + more,
            within: .seconds(120))
        #expect(outcome.status == 0, "\(outcome.errorText)")
        return try JSONObject.lines(outcome)
    }

    private func messages(_ lines: [JSONObject]) -> [JSONObject] { lines.filter { $0["event"] == "message" } }

    private func seconds(_ line: JSONObject, _ key: String = "at") throws -> Double {
        let text = try #require(line[key])
        return try #require(ISO8601DateFormatter().date(from: text)).timeIntervalSince1970
    }

    @Test("tags of the sheet and of steps decide in a rehearsal and a simulation, and stay there")
    func tags() async throws {
        let bench = try bench("min_gap = \"1m\"")
        try bench.folder.write("people.csv", text: "email,tags\nann@d.example.net,vip\nbo@d.example.net,\n")
        let sequence = try bench.folder.write(
            "marks.toml",
            text: """
                name = "marks"
                [[step]]
                type = "condition"
                name = "look"
                [[step.transition]]
                if = "tag.vip"
                to = "mark"
                [[step.transition]]
                to = "plain"
                [[step]]
                type = "action"
                name = "mark"
                untag = "VIP"
                tag = "written to"
                [[step]]
                type = "condition"
                name = "again"
                [[step.transition]]
                if = "tag:'written to' and not tag.vip"
                to = "special"
                [[step]]
                name = "special"
                delay = "PT0S"
                subject = "Special"
                text = "Special"
                transition = []
                [[step]]
                name = "plain"
                delay = "PT0S"
                subject = "Plain"
                text = "Plain"

                """)
        let steps = ["ann@d.example.net special", "bo@d.example.net plain"]
        func left(_ lines: [JSONObject]) -> [String] { messages(lines).map { "\($0["to"] ?? "") \($0["step"] ?? "")" }.sorted() }
        #expect(left(try await rehearse(bench, sequence, "--from", "\(Self.monday)T09:00")) == steps)
        #expect(try await bench.objects("contacts", "tags").isEmpty)

        _ = try await bench.output("contacts", "import", bench.folder("people.csv"))
        _ = try await bench.output("sequence", "load", sequence)
        _ = try await bench.output("enroll", "marks", "--where", "tag:vip or domain = d.example.net")
        let simulated = try await bench.run(
            "sequence", "simulate", "marks", "--messages", "--without-dns", "--json", "--from", "\(Self.monday)T09:00")
        #expect(simulated.status == 0, "\(simulated.errorText)")
        #expect(left(try JSONObject.lines(simulated)) == steps, "\(simulated.outputText)")
        #expect(try await bench.objects("contacts", "tags").map { $0["name"] } == ["vip"])
    }

    @Test("a campaign keeps its hours, its cap and its gap, the same way each time; nothing of the installation changes")
    func calendar() async throws {
        let bench = try bench("min_gap = \"10m\"\ngap_jitter = \"5m\"\ndaily_limit = 8")
        _ = try await bench.output("contacts", "list")
        let fixture = try StateBench.fixture("two-touches.toml")
        let first = try await rehearse(bench, fixture, "--from", "\(Self.monday)T08:00")
        let left = messages(first)
        #expect(left.count == 60)
        #expect(first.last?["ending"] == "finished" && first.last?.number("messages") == 60)
        for recipient in 1...30 {
            let own = left.filter { $0["to"]?.hasPrefix("p\(recipient)@") == true }
            #expect(own.map { $0["step"] } == ["first", "second"])
            if own.count == 2 { #expect(try seconds(own[1]) - seconds(own[0]) >= 86_400) }
        }
        let moments = try left.map { try seconds($0) }
        #expect(moments == moments.sorted())
        for (earlier, later) in zip(moments, moments.dropFirst()) { #expect(later - earlier >= 600) }
        let clock = Calendar(identifier: .gregorian)
        let utc = try #require(TimeZone(identifier: "UTC"))
        for moment in moments {
            let parts = clock.dateComponents(in: utc, from: Date(timeIntervalSince1970: moment))
            #expect((9..<12).contains(parts.hour ?? 0) && (2...6).contains(parts.weekday ?? 0), "\(parts)")
        }
        let days = first.filter { $0["event"] == "day" }
        #expect(days.allSatisfy { ($0.number("messages") ?? 99) <= 8 } && days.compactMap { $0.number("messages") }.reduce(0, +) == 60)
        #expect(days.first?["date"] == Self.monday)
        #expect(
            first.contains { $0["event"] == "limit" && $0["held_by"] == "daily limit of 8 for identity anna is reached" })

        #expect(try await bench.objects("contacts", "list").isEmpty)
        #expect(try await bench.objects("sequence", "list").isEmpty)
        #expect(try await bench.objects("queue", "--all").isEmpty)

        let again = messages(try await rehearse(bench, fixture, "--from", "\(Self.monday)T08:00"))
        #expect(again.map { $0["to"] } == left.map { $0["to"] })
        for (one, other) in zip(left, again) { #expect(abs(try seconds(one) - seconds(other)) <= 30, "\(one) \(other)") }
    }

    @Test("what really leaves afterwards leaves in the same order and with the same distances")
    func equality() async throws {
        let bench = try bench("min_gap = \"2s\"\ngap_jitter = \"3s\"", hours: "00:00-24:00")
        let week = TextFile.read(bench.conf).replacing("\"fri\"]", with: "\"fri\", \"sat\", \"sun\"]")
        try bench.folder.write("postrider.conf", text: week)
        try bench.folder.write(
            "people.csv", text: "email,first_name,company\n" + Self.people.split(separator: "\n").prefix(5).joined(separator: "\n"))
        let fixture = try StateBench.fixture("two-touches.toml")
        let plan = TextFile.read(fixture).replacing("P1D", with: "PT25S")
        let file = try bench.folder.write("two-touches.toml", text: plan)
        _ = try await bench.output("contacts", "list")
        let foreseen = messages(try await rehearse(bench, file))
        try #require(foreseen.count == 10)

        _ = try await bench.output("contacts", "import", bench.folder("people.csv"))
        _ = try await bench.output("sequence", "load", file)
        _ = try await bench.output("enroll", "two-touches", "--all")
        let serve = try await bench.serve()
        let sent = try await bench.queue("all ten left", until: { queue in queue.count { $0["state"] == "sent" } == 10 })
        withExtendedLifetime(serve) {}
        let real = try sent.map { message in (to: message["recipient"], at: try seconds(message, "arrived_at")) }.sorted { $0.at < $1.at }
        #expect(real.map(\.to) == foreseen.map { $0["to"] })
        let start = try seconds(foreseen[0])
        for (one, other) in zip(real, foreseen) {
            #expect(abs((one.at - real[0].at) - (try seconds(other) - start)) <= 3, "\(one) \(other)")
        }
    }

    @Test("the next days of what is enrolled: how much on which day, and for everybody who waits what binds and until when")
    func simulate() async throws {
        let bench = try bench("min_gap = \"10m\"\ngap_jitter = \"0s\"\ndaily_limit = 8")
        _ = try await bench.output("contacts", "import", bench.folder("people.csv"))
        _ = try await bench.output("sequence", "load", try StateBench.fixture("two-touches.toml"))
        _ = try await bench.output("enroll", "two-touches", "--all")
        _ = try await bench.output("stop-all", "--reason", "not yet")
        let outcome = try await bench.run(
            "sequence", "simulate", "two-touches", "--without-dns", "--days", "2", "--from", "\(Self.monday)T08:00", "--json")
        #expect(outcome.status == 0 && outcome.errorText.contains("the global STOP is set (not yet"), "\(outcome.errorText)")
        let lines = try JSONObject.lines(outcome)
        #expect(messages(lines).isEmpty)
        let days = lines.filter { $0["event"] == "day" }
        #expect(days.compactMap { $0.number("messages") } == [8, 8])
        #expect(days.allSatisfy { $0.object("domains")?.keys.count == 4 })
        let waiting = lines.filter { $0["event"] == "waiting" }
        #expect((22...30).contains(waiting.count), "some of those who got both are through")
        let held = waiting.filter { $0["step"] == "first" }
        #expect((14...22).contains(held.count), "\(held.count)")
        #expect(held.allSatisfy { $0["because"]?.hasPrefix("daily limit of 8 for identity anna is reached") == true }, "\(held)")
        #expect(held.allSatisfy { ($0["until"] ?? "") >= "2035-03-07T09:00:00Z" }, "\(held)")
        #expect(lines.last?["ending"] == "horizon" && lines.last?["next"] == "2035-03-07T09:00:00Z", "\(lines.last.debugDescription)")
        #expect(try await bench.objects("queue", "--all").isEmpty)
        let table = try await bench.output("sequence", "simulate", "two-touches", "--without-dns", "--days", "1", "--from", Self.monday)
        #expect(table.contains("2035-03-05 mon  anna             8  09:00  10:10"), "\(table)")
        #expect(table.contains("the next thing happens at 2035-03-06 tue 09:00, beyond the horizon"), "\(table)")
    }

    @Test(
        "what cannot be rehearsed is said",
        arguments: [
            (["two.toml", "--contacts", "people.csv"], "two.toml: cannot be read", Int32(65)),
            (["nobody", "--contacts", "people.csv"], "there is no sequence 'nobody'", 65),
            (["FIXTURE", "--contacts", "none.csv"], "none.csv: cannot be read", 65),
            (["FIXTURE", "--contacts", "people.csv", "--from", "tomorrow"], "'tomorrow' is no moment; write for instance", 64),
            (["FIXTURE", "--contacts", "people.csv", "--from", "2020-01-01"], "is past", 64),
            (["FIXTURE", "--contacts", "people.csv", "--days", "0"], "--days must be 1 to 3660", 64),
            (["FIXTURE", "--contacts", "people.csv", "--identity", "otto"], "there is no [identity.otto] in the conf", 65),
        ])
    func faults(_ arguments: [String], _ fault: String, _ status: Int32) async throws {
        let bench = try bench("min_gap = \"0s\"")
        let fixture = try StateBench.fixture("two-touches.toml")
        let written = arguments.map { argument in
            argument == "FIXTURE" ? fixture : argument.contains(".") ? bench.folder(argument) : argument
        }
        let outcome = try await Executable.run(["--conf", bench.conf, "rehearse"] + written + ["--without-dns"])
        #expect(outcome.status == status && outcome.errorText.contains(fault), "\(outcome.status): \(outcome.errorText)")
    }
}
