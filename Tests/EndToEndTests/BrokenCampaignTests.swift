import Foundation
import TestKit
import Testing

/// A simulated week of a campaign that is killed at random moments and goes on: it decides what an undisturbed one decides.
@Suite("a campaign that is killed", .serialized)
struct BrokenCampaignTests {
    /// A Monday far enough ahead that no test runs after it.
    private static let monday = "2035-03-05T08:00"
    private static let kills = ProcessInfo.processInfo.environment["CAMPAIGN_KILLS"].flatMap(Int.init) ?? 8
    private static let contacts = kills * 10

    private struct Step: Hashable, CustomStringConvertible {
        let state: String
        let cause: String
        let reason: String
        let nextStep: String
        let day: String

        var description: String { "\(day) \(state)/\(cause) at \(nextStep): \(reason)" }
    }

    private func bench() throws -> StateBench {
        let bench = try StateBench(identities: ["anna", "bert"])
        var text = TextFile.read(bench.conf).replacing(
            "min_gap = \"0s\"", with: "min_gap = \"10s\"\ngap_jitter = \"5s\"\ndaily_limit = \(Self.contacts * 3 / 4)")
        text = text.replacing("\"fri\", \"sat\", \"sun\"]", with: "\"fri\"]").replacing("00:00-24:00", with: "08:30-17:30")
        text += "[safety]\ninstance_daily_limit = 100000\n"
        try bench.folder.write("postrider.conf", text: text)
        let people = (1...Self.contacts).map { "p\($0)@d\($0 % 40).example.net,P\($0),Company \($0)\n" }.joined()
        try bench.folder.write("people.csv", text: "email,first_name,company\n" + people)
        return bench
    }

    private func arguments(_ bench: StateBench, _ folder: String) throws -> [String] {
        [
            "--conf", bench.conf, "rehearse", try StateBench.fixture("two-touches.toml"), "--contacts", bench.folder("people.csv"),
            "--identity", "anna", "--without-dns", "--json", "--days", "7", "--from", Self.monday, "--keep", bench.folder(folder),
        ]
    }

    /// What was decided for each contact, in order, but for what only says that a process ended at a dot.
    private func transitions(_ bench: StateBench, _ folder: String) async throws -> [String: [Step]] {
        let sqlite = try Interop.require("sqlite3")
        let sql = """
            SELECT contact.address, log.state, COALESCE(log.cause, ''), log.reason, log.next_step, date(log.at / 1000, 'unixepoch')
            FROM transition_log AS log JOIN enrollment ON enrollment.id = log.enrollment_id JOIN contact ON contact.id = enrollment.contact_id
            WHERE log.cause IS NOT 'uncertain_delivery' ORDER BY log.enrollment_id, log.version
            """
        let output = try await Command.succeed(sqlite, ["-readonly", "-separator", "\t", bench.folder(folder) + "/postrider.sqlite", sql])
        var steps: [String: [Step]] = [:]
        for line in output.outputText.split(separator: "\n") {
            let cells = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            try #require(cells.count == 6, "\(line)")
            steps[cells[0], default: []].append(Step(state: cells[1], cause: cells[2], reason: cells[3], nextStep: cells[4], day: cells[5]))
        }
        return steps
    }

    @Test("its transitions are those of an undisturbed run: no step twice, none skipped", .timeLimit(.minutes(60)))
    func killed() async throws {
        let seed = CrashTests.Dice.seed()
        var dice = CrashTests.Dice(state: seed)
        let bench = try bench()
        // Both draw from one seed.
        _ = try await bench.output("contacts", "list")
        let started = ContinuousClock.now
        let outcome = try await Executable.run(try arguments(bench, "whole"), within: .seconds(1800))
        try #require(outcome.status == 0, "\(outcome.errorText)")
        let length = ContinuousClock.now - started
        let undisturbed = try await transitions(bench, "whole")
        try #require(undisturbed.count == Self.contacts)
        #expect(undisturbed.values.allSatisfy { $0.last?.state == "finished" && $0.last?.nextStep == "2" })

        var killed = 0
        var last: [JSONObject] = []
        // Each run gets a little further than the one before.
        let slice = length / Double(Self.kills)
        while true {
            let run = try Executable.start(try arguments(bench, "broken"))
            let note = bench.folder("broken") + "/rehearsal.json"
            _ = try await eventually("everybody is enrolled", within: .seconds(300)) {
                run.ended != nil || FileManager.default.fileExists(atPath: note) ? true : nil
            }
            if killed < Self.kills {
                try await Task.sleep(for: .milliseconds(150) + slice * Double.random(in: 0...1.6, using: &dice))
                run.signal(SIGKILL)
            }
            let end = try await run.waitForEnd(within: .seconds(1800))
            if end == .killed(signal: SIGKILL) {
                killed += 1
                continue
            }
            try #require(end == .exited(0), "\(end) \(TextFile.read(run.errorFile))")
            last = try TextFile.read(run.outputFile).split(separator: "\n").map { line in
                JSONObject(try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]))
            }
            break
        }
        let broken = try await transitions(bench, "broken")
        let different = undisturbed.filter { broken[$0.key] != $0.value }
        print("killed campaign: seed \(seed), contacts \(Self.contacts), kills \(killed), different \(different.count)")
        #expect(killed >= Self.kills / 2, "it came to its end before it was killed often enough")
        #expect(broken.count == undisturbed.count)
        for (contact, steps) in different.prefix(5) { Issue.record("\(contact): \(steps) but \(broken[contact] ?? [])") }
        #expect(last.filter { $0["event"] == "message" }.count == Self.contacts * 2)
    }
}
