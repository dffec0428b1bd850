import Foundation
import TestKit
import Testing

/// Pausing, resuming and stopping contacts, sequences and everything, through the built executable.
@Suite("pauses and brakes")
struct SequencePauseTests {
    @Test("pause, resume and stop move the enrollments of a sequence, or of one contact")
    func pauseResumeStop() async throws {
        let bench = try StateBench()
        try await bench.prepare()
        _ = try await bench.output("enroll", "hello", "--all")
        func states() async throws -> [String] {
            var states: [String] = []
            for address in ["ann@example.org", "bo@example.net"] {
                let contact = try #require(try await bench.objects("contacts", "show", address).first)
                states += contact.list("enrollments").map { "\($0["state"] ?? "") \($0["cause"] ?? "-")" }
            }
            return states
        }
        #expect(
            try await bench.output("sequence", "pause", "hello", "--contact", "bo@example.net") == "hello: 1 paused, 0 left as they were\n")
        #expect(try await states() == ["active -", "paused person"])
        #expect(try await bench.output("sequence", "pause", "hello") == "hello: 1 paused, 1 left as they were\n")
        #expect(try await bench.output("sequence", "resume", "hello") == "hello: 2 resumed, 0 left as they were\n")
        #expect(try await states() == ["active -", "active -"])
        #expect(
            try await bench.output("sequence", "stop", "hello", "--contact", "ann@example.org") == "hello: 1 stopped, 0 left as they were\n"
        )
        #expect(try await bench.output("sequence", "resume", "hello") == "hello: 0 resumed, 2 left as they were\n")
        #expect(try await states() == ["stopped person", "active -"])
        let stats = try #require(try await bench.objects("sequence", "stats", "hello").first)
        #expect(stats.object("enrollments")?.number("stopped") == 1 && stats.object("causes")?.number("person") == 1)
    }

    @Test("who is paused and resumed goes on when it would have without, and not at once")
    func keepsDelays() async throws {
        let bench = try StateBench()
        try await bench.prepare()
        let file = try bench.folder.write(
            "late.toml", text: "name = \"late\"\n[[step]]\nname = \"a\"\ndelay = \"P5D\"\nsubject = \"s\"\ntext = \"t\"\n")
        _ = try await bench.output("sequence", "load", file)
        _ = try await bench.output("enroll", "late", "ann@example.org")
        func due() async throws -> String? {
            let ann = try #require(try await bench.objects("contacts", "show", "ann@example.org").first)
            return try #require(ann.list("enrollments").first { $0["sequence"] == "late" })["due_at"]
        }
        let before = try #require(try await due())
        for _ in 0..<2 {
            _ = try await bench.output("sequence", "pause", "late")
            #expect(try await due() == nil)
            _ = try await bench.output("sequence", "resume", "late")
            #expect(try await due() == before)
        }
    }

    @Test("what stops mail works with a conf that has faults, and tells them; what is not a brake refuses")
    func brakes() async throws {
        let bench = try StateBench()
        try await bench.prepare()
        _ = try await bench.output("enroll", "hello", "bo@example.net")
        try bench.folder.write("postrider.conf", text: TextFile.read(bench.conf) + "[identity.ben]\nfrom = \"nobody\"\ntypo = 1\n")
        for words in [["stop-all", "--reason", "fire"], ["suppress", "add", "ann@example.org"], ["sequence", "pause", "hello"]] {
            let done = try await Executable.run(["--conf", bench.conf] + words)
            #expect(done.status == 0 && done.errorText.contains("the conf has faults"), "\(words): \(done.errorText)")
        }
        // Nor does it matter that the file is no TOML any more, behind [main].
        let whole = TextFile.read(bench.conf)
        try bench.folder.write("postrider.conf", text: whole.replacing("typo = 1", with: "typo = \"x\"0000"))
        for words in [["stop-all", "--reason", "fire"], ["sequence", "pause", "hello"]] {
            let done = try await Executable.run(["--conf", bench.conf] + words)
            #expect(done.status == 0 && done.errorText.contains("the conf has faults"), "\(words): \(done.errorText)")
        }
        try bench.folder.write("postrider.conf", text: whole.replacing("[main]", with: "[main]\nx = \"x\"0000"))
        #expect(try await Executable.run(["--conf", bench.conf, "stop-all", "--reason", "fire"]).status == 78)
        try bench.folder.write("postrider.conf", text: whole)
        for words in [["resume-all"], ["sequence", "resume", "hello"], ["enroll", "hello", "ann@example.org"]] {
            #expect(try await Executable.run(["--conf", bench.conf] + words).status == 78)
        }
    }

    @Test("a paused sequence writes to nobody, whoever comes into it meanwhile, and the audit log says who paused it")
    func pausedAsAWhole() async throws {
        let bench = try StateBench()
        try await bench.prepare()
        _ = try await bench.output("sequence", "pause", "hello")
        let enrolled = try await bench.run("enroll", "hello", "ann@example.org")
        #expect(enrolled.status == 0 && enrolled.errorText.contains("sequence hello is paused by "), "\(enrolled.errorText)")
        let alone = try await bench.run("sequence", "resume", "hello", "--contact", "ann@example.org")
        #expect(
            alone.status == 0 && alone.errorText.contains("nothing goes on before 'postrider sequence resume hello'"), "\(alone.errorText)")
        #expect(try await bench.objects("sequence", "list").allSatisfy { ($0["paused_by"] != nil) == ($0["sequence"] == "hello") })
        let serve = try await bench.serve()
        let held = try await eventually("it is held", within: .seconds(60)) {
            let ann = try await bench.objects("contacts", "show", "ann@example.org").first
            return ann?.list("enrollments").first { $0["held_by"]?.hasPrefix("sequence hello is paused by ") == true }
        }
        #expect(held["state"] == "active")
        #expect(try await bench.objects("queue", "--all").isEmpty)
        _ = try await bench.output("sequence", "start", "hello")
        _ = try await bench.queue("it leaves") { $0.first?["state"] == "sent" }
        #expect(await serve.end() == .exited(0))
        // Who is through stays so.
        let all = try #require(try await bench.objects("sequence", "stats").first)
        #expect(all.object("counts")?.number("accepted") == 1 && all["sequence"] == nil)
        #expect(try await bench.run("sequence", "stats", "--by", "step").status == 64)
        #expect(try await bench.run("sequence", "stop", "nothing").status == 65)
        let log = try await bench.objects("audit")
        let commands = log.compactMap { $0["command"] }.map { $0.split(separator: " ").prefix(3).joined(separator: " ") }
        #expect(
            commands.suffix(5) == [
                "enroll hello ann@example.org", "sequence resume hello", "sequence start hello", "sequence stop nothing",
                "sequence stop nothing",
            ])
        #expect(log.last?["failure"]?.contains("there is no sequence") == true && log.dropLast().last?["failure"] == nil)
        #expect(log.allSatisfy { $0["person"]?.isEmpty == false })
        #expect(try await bench.output("audit", "--since", "2999-01-01") == "nothing was changed yet\n")
        #expect(try await bench.run("audit", "--since", "today").status == 64)
    }
}
