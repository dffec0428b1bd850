import Foundation
import TestKit
import Testing

/// The queue through the built executable, with `serve` down and up.
@Suite("queue commands")
struct QueueCommandsTests {
    /// A queue of two deferred messages, to ann@example.org and bo@example.net, with `serve` down again.
    private func deferred() async throws -> (bench: StateBench, queue: [JSONObject]) {
        let bench = try StateBench(route: .nowhere)
        try await bench.prepare()
        _ = try await bench.output("enroll", "hello", "--all")
        let serve = try await bench.serve()
        let queue = try await bench.queue("two deferred messages") { $0.map { $0["state"] } == ["deferred", "deferred"] }
        #expect(await serve.end() == .exited(0))
        return (bench, queue.sorted { ($0["recipient"] ?? "") < ($1["recipient"] ?? "") })
    }

    @Test("the queue is listed with its reasons, and a message shown with its attempts and its content")
    func listAndShow() async throws {
        let (bench, queue) = try await deferred()
        let ann = queue[0]
        #expect(ann["recipient"] == "ann@example.org" && ann["subject"] == "Hello Ann" && ann.number("attempts") == 1)
        #expect(ann["sender"]?.hasPrefix("bounce+") == true && ann["reason"]?.contains("cannot connect") == true)
        #expect(ann["next_attempt_at"]?.hasSuffix("Z") == true && ann.bool("ambiguous") == false && ann.isNull("final_dot_at"))
        let id = try #require(ann["id"])
        let listed = try await bench.output("queue")
        #expect(listed.contains(id) && listed.contains(" KB in 2 messages: 2 deferred\n") && listed.hasPrefix("ID "))
        #expect(try await bench.objects("queue", "--domain", "EXAMPLE.net").map { $0["recipient"] } == ["bo@example.net"])
        #expect(try await bench.objects("queue", "--to", "ann@example.org").map { $0["id"] } == [id])
        #expect(try await bench.objects("queue", "--sequence", "hello").count == 2)
        #expect(try await bench.objects("queue", id).map { $0["id"] } == [id])
        #expect(try await bench.objects("queue", "--route", "out").count == 2)
        #expect(try await bench.objects("queue", "--state", "deferred").count == 2)
        #expect(try await bench.output("queue", "--state", "hold") == "no message is like that\n")
        #expect((ann.number("size") ?? 0) > 200)

        let shown = try #require(try await bench.objects("queue", "show", id).first)
        #expect(shown.list("tries").map { $0["outcome"] } == ["deferred"] && (shown.number("size") ?? 0) > 200)
        let text = try await bench.output("queue", "show", id)
        #expect(text.contains("ann@example.org") && text.contains("cannot connect"))
        let content = try await bench.output("queue", "show", id, "--content")
        #expect(content.contains("Subject: Hello Ann\r\n") && content.contains("this is about Acme."))
        #expect(Double(content.utf8.count) == shown.number("size"))

        let shape = try await bench.objects("queue", "shape")
        #expect(shape.map { $0["domain"] } == ["example.net", "example.org"] && shape.map { $0.number("total") } == [1, 1])
        #expect(shape[0].object("minutes")?.keys == ["5", "10", "20", "40", "80", "160", "320", "640", "1280", "1280+"])
        #expect(try await bench.output("queue", "shape").contains("TOTAL"))
        #expect(try await bench.objects("queue", "shape", id).map { $0["domain"] } == ["example.org"])
    }

    @Test("messages are held, released, requeued and flushed, each with its count")
    func holdAndRelease() async throws {
        let (bench, queue) = try await deferred()
        let id = try #require(queue[0]["id"])
        func states() async throws -> [String?] { try await bench.objects("queue").map { $0["state"] }.sorted { ($0 ?? "") < ($1 ?? "") } }
        #expect(try await bench.output("queue", "hold", id, "--reason", "wait for legal") == "1 held\n")
        #expect(try await bench.objects("queue", "--to", "ann@example.org").first?["reason"]?.hasPrefix("wait for legal (") == true)
        #expect(try await states() == ["deferred", "hold"])
        #expect(try await bench.output("queue", "flush") == "1 due at once\n")
        #expect(try await bench.output("queue", "hold", "--domain", "example.net") == "1 held\n")
        #expect(try await bench.output("queue", "release", "--to", "bo@example.net") == "1 released\n")
        #expect(try await bench.output("queue", "release", "--to", "bo@example.net") == "0 released\n")
        let held = try await bench.objects("queue", "requeue", "--state", "hold")
        #expect(held.map { $0.number("due") } == [1] && held.map { $0.number("released") } == [1])
        #expect(try await bench.output("queue", "hold", id) == "1 held\n")
        let requeued = try await bench.objects("queue", "requeue", "--all")
        #expect(requeued.map { $0.number("due") } == [2] && requeued.map { $0.number("released") } == [1])
        #expect(try await states() == ["deferred", "deferred"])
    }

    static let refusals: [(arguments: [String], status: Int32)] = [
        (["release"], 64), (["delete"], 64), (["hold"], 64), (["list", "--state", "gone"], 64),
        (["delete", "--all", "--to", "ann@example.org"], 64),
        (["delete", "aaaaaaaaab"], 65), (["delete", "nonsense"], 65), (["show", "aaaaaaaaab"], 65), (["hold", "--to", "x"], 65),
        (["hold", "--domain", "a b"], 65), (["delete", "--sequence", "nothing"], 65),
        (["--route", "nothing"], 65), (["shape", "--identity", "nobody"], 65), (["flush", "--route", "nothing"], 65),
        (["show", "aaaaaaaaab", "--content", "--json"], 64),
    ]

    @Test("what is not said plainly is not done", arguments: refusals)
    func refuse(_ refusal: (arguments: [String], status: Int32)) async throws {
        let bench = try StateBench()
        try await bench.prepare()
        let outcome = try await Executable.run(["--conf", bench.conf, "queue"] + refusal.arguments)
        #expect(outcome.status == refusal.status && outcome.output.isEmpty && !outcome.errors.isEmpty, "\(outcome.errorText)")
    }

    @Test("deleting a message ends the sequence that waits for it, and leaves the others")
    func delete() async throws {
        let (bench, queue) = try await deferred()
        let id = try #require(queue[0]["id"])
        #expect(try await bench.output("queue", "delete", id) == "1 deleted, 1 sequences stopped with them\n")
        #expect(try await bench.objects("queue").map { $0["recipient"] } == ["bo@example.net"])
        let ann = try #require(try await bench.objects("contacts", "show", "ann@example.org").first)
        #expect(ann.list("enrollments").map { "\($0["state"] ?? "") \($0["cause"] ?? "")" } == ["stopped person"])
        #expect(ann.list("enrollments")[0]["reason"]?.contains("deleted message \(id)") == true)
        #expect(ann.list("timeline").map { $0["kind"] }.suffix(2).contains("cancelled"))
        let bo = try #require(try await bench.objects("contacts", "show", "bo@example.net").first)
        #expect(bo.list("enrollments").map { $0["state"] } == ["sending"])
        #expect(try await bench.output("queue", "delete", id) == "0 deleted, 0 sequences stopped with them\n")
        #expect(try await bench.output("enroll", "hello", "ann@example.org", "--again").contains("1 enrolled"))
    }

    @Test("pausing takes the queued message back, and resuming queues the step again")
    func pauseWhileQueued() async throws {
        let (bench, _) = try await deferred()
        _ = try await bench.output("sequence", "pause", "hello", "--contact", "ann@example.org")
        #expect(try await bench.objects("queue").map { $0["recipient"] } == ["bo@example.net"])
        _ = try await bench.output("sequence", "resume", "hello")
        let serve = try await bench.serve()
        let queue = try await bench.queue("the step queued again") {
            $0.count == 3 && $0.allSatisfy { $0["state"] != "active" && $0["state"] != "incoming" }
        }
        #expect(await serve.end() == .exited(0))
        let again = queue.filter { $0["recipient"] == "ann@example.org" }
        #expect(again.map { $0["state"] } == ["cancelled", "deferred"] && again.map { $0.number("occurrence") } == [0, 1])
    }

    @Test("an ambiguous message is named, released only with --resend, and its sequence goes on then")
    func ambiguous() async throws {
        let sink = try SinkSMTP()
        sink.script("ann@example.org", .dropAfterDot)
        let bench = try StateBench(route: .server(port: sink.port))
        try await bench.prepare()
        _ = try await bench.output("enroll", "hello", "ann@example.org")
        let serve = try await bench.serve()
        let queue = try await bench.queue("an ambiguous message") { $0.first?.bool("ambiguous") == true }
        let id = try #require(queue.first?["id"])
        #expect(queue[0]["state"] == "hold" && !queue[0].isNull("final_dot_at"))
        #expect(try await bench.output("queue").contains("\(id) is ambiguous"))

        for command in ["release", "requeue"] {
            let refused = try await bench.run("queue", command, "--all")
            #expect(refused.status == 64 && refused.output.isEmpty)
            #expect(refused.errorText.contains(id) && refused.errorText.contains("--resend"))
        }
        #expect(try await bench.objects("queue").map { $0["state"] } == ["hold"])
        _ = try await bench.output("sequence", "pause", "hello")
        let stuck = try await bench.run("sequence", "resume", "hello")
        #expect(stuck.status == 65 && stuck.errorText.contains("queue delete \(id)"))
        #expect(sink.messages.count == 1)

        _ = try await bench.output("queue", "delete", id)
        _ = try await bench.output("sequence", "resume", "hello")
        _ = try await bench.queue("the step sent anew") { $0.map { $0["state"] } == ["cancelled", "sent"] }
        #expect(sink.messages(to: "ann@example.org").count == 2)
        #expect(await serve.end() == .exited(0))
    }

    @Test("release names what will not leave all the same")
    func releasedInVain() async throws {
        let sink = try SinkSMTP()
        sink.script("ann@example.org", .dropAfterDot)
        sink.script("bo@example.net", .dropAfterDot)
        let bench = try StateBench(route: .server(port: sink.port))
        try await bench.prepare()
        _ = try await bench.output("enroll", "hello", "--all")
        let serve = try await bench.serve()
        _ = try await bench.queue("two ambiguous messages") { $0.filter { $0.bool("ambiguous") == true }.count == 2 }
        #expect(await serve.end() == .exited(0))
        _ = try await bench.output("sequence", "pause", "hello", "--contact", "ann@example.org")
        _ = try await bench.output("suppress", "add", "bo@example.net")
        let released = try await bench.run("queue", "release", "--resend", "--all")
        #expect(released.status == 0 && released.outputText == "2 released\n")
        #expect(released.errorText.contains("to ann@example.org will not leave: its sequence is paused"))
        #expect(released.errorText.contains("to bo@example.net will not leave: address bo@example.net is suppressed (manual)"))
    }

    @Test("with --resend an ambiguous message leaves again under its Message-ID")
    func resend() async throws {
        let sink = try SinkSMTP()
        sink.script("ann@example.org", .dropAfterDot)
        let bench = try StateBench(route: .server(port: sink.port))
        try await bench.prepare()
        _ = try await bench.output("enroll", "hello", "ann@example.org")
        let serve = try await bench.serve()
        let held = try await bench.queue("an ambiguous message") { $0.first?.bool("ambiguous") == true }
        #expect(try await bench.output("queue", "release", "--resend", "--all") == "1 released\n")
        _ = try await bench.queue("the message sent") { $0.first?["state"] == "sent" }
        #expect(sink.count(ofMessageID: try #require(held.first?["message_id"])) == 2)
        // What has left is out of reach, and each of them says so.
        let id = try #require(held.first?["id"])
        for (verb, done) in [
            ("hold", "held"), ("release", "released"), ("requeue", "due at once"), ("flush", "due at once"), ("delete", "deleted"),
        ] {
            let outcome = try await bench.run("queue", verb, id)
            #expect(outcome.status == 0 && outcome.outputText.hasPrefix("0 "), "\(outcome.errorText)")
            #expect(outcome.errorText.contains("\(id): not \(done), for it is sent"))
        }
        let ann = try #require(try await bench.objects("contacts", "show", "ann@example.org").first)
        #expect(ann.list("enrollments").map { $0["state"] } == ["active"] && ann.list("enrollments")[0].number("next_step") == 1)
        #expect(await serve.end() == .exited(0))
    }

    @Test("stop-all keeps everything back until resume-all")
    func stopAll() async throws {
        let sink = try SinkSMTP()
        let bench = try StateBench(route: .server(port: sink.port))
        try await bench.prepare()
        #expect(try await bench.run("stop-all").status == 64)
        #expect(try await bench.run("stop-all", "--reason", " ").status == 64)
        _ = try await bench.output("stop-all", "--reason", "complaints")
        _ = try await bench.output("enroll", "hello", "--all")
        let serve = try await bench.serve()
        #expect(try await bench.output("queue").hasPrefix("STOPPED: complaints ("))
        let ann = try #require(try await bench.objects("contacts", "show", "ann@example.org").first)
        #expect(ann.list("enrollments").map { $0["state"] } == ["active"] && sink.connections == 0)
        #expect(try await bench.output("resume-all").contains("complaints"))
        _ = try await sink.waitForMessages(2)
        #expect(try await bench.output("resume-all") == "nothing was stopped\n")
        #expect(await serve.end() == .exited(0))
    }
}
