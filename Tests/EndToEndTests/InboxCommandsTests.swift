import Foundation
import Glibc
import TestKit
import Testing

/// Replies as they came in by the real listener, looked at and corrected through the built executable.
@Suite("inbox commands")
struct InboxCommandsTests {
    /// A bench with `serve` up, on which ann's first letter has left and these came in: from ann to a role address (a low-certainty match),
    /// from ann to her reply address, and from a stranger.
    private struct Scene {
        let bench: StateBench
        let serve: ChildProcess
        let port: Int
    }

    private func scene() async throws -> Scene {
        let port = try FreePort.next()
        let bench = try StateBench(listener: port)
        try await bench.prepare()
        _ = try await bench.output("enroll", "hello", "ann@example.org")
        let serve = try await bench.serve()
        try await serve.waitForPort(port)
        _ = try await bench.queue("the first letter") { $0.map { $0["state"] } == ["sent"] }
        return Scene(bench: bench, serve: serve, port: port)
    }

    /// Puts a message in by the listener and returns it as it is listed.
    private func deliver(_ scene: Scene, from: String, to: String, _ id: String, _ text: String) async throws -> JSONObject {
        let client = try await LineClient.connect(port: scene.port)
        _ = try await client.readReply()
        let dialogue = ["EHLO mx.example.org", "MAIL FROM:<\(from)>", "RCPT TO:<\(to)>", "DATA"]
        for command in dialogue { #expect(try await client.command(command).last?.first.map { "23".contains($0) } == true, "\(command)") }
        let message = "From: <\(from)>\r\nTo: <\(to)>\r\nSubject: Re: Hello\r\nMessage-ID: <\(id)@example.org>\r\n\r\n\(text)\r\n."
        #expect(try await client.command(message).last?.hasPrefix("250") == true)
        client.close()
        return try await eventually("\(id) sorted", within: .seconds(60)) {
            try await scene.bench.objects("inbox", "list").first { $0["message_id"] == "\(id)@example.org" }
        }
    }

    private func enrollment(_ scene: Scene) async throws -> JSONObject {
        try #require(try await scene.bench.objects("contacts", "show", "ann@example.org").first?.list("enrollments").first)
    }

    @Test("a low-certainty match does nothing until a person confirms it, once")
    func confirm() async throws {
        let scene = try await scene()
        let bench = scene.bench
        let reply = try await deliver(
            scene, from: "ann@example.org", to: "postmaster@r.example.com", "m1", "Please unsubscribe me from your list.")
        #expect(reply["certainty"] == "low" && reply["class"] == "unsubscribe" && reply.texts("proofs")?.count == 1)
        #expect(reply.object("enrollment")?["state"] == "active")
        let id = try #require(reply["id"])
        let shown = try #require(try await bench.objects("inbox", "show", id).first)
        #expect(shown.list("timeline").map { $0["kind"] }.suffix(3) == ["received", "correlated", "classified"])
        #expect(shown["text"] == "Please unsubscribe me from your list." && (shown.number("confidence") ?? 0) > 0.5)
        #expect(try await bench.output("inbox", "show", id).contains("low certainty"))

        #expect(try await bench.output("inbox", "confirm", id).contains("stopped now"))
        #expect(try await enrollment(scene)["cause"] == "unsubscribed")
        #expect(try await bench.objects("suppress", "list").map { $0["subject"] } == ["ann@example.org"])
        let after = try #require(try await bench.objects("inbox", "show", id).first)
        #expect(after["certainty"] == "high")
        #expect(after.list("timeline").map { $0["kind"] }.suffix(3) == ["correlated", "suppressed", "transition"])
        #expect(try await bench.output("inbox", "confirm", id).contains("already"))
        #expect(try await bench.objects("inbox", "show", id).first?.list("timeline").count == after.list("timeline").count)
        #expect(await scene.serve.end() == .exited(0))
    }

    @Test("a person's label wins and takes its effect")
    func label() async throws {
        let scene = try await scene()
        let bench = scene.bench
        let sent = try #require(try await bench.objects("queue", "--all").first?["id"])
        let content = try await bench.output("queue", "show", sent, "--content")
        let token = try #require(
            content.split(separator: "\r\n").first { $0.hasPrefix("Reply-To:") }?.split(separator: "<").last?.dropLast())
        let reply = try await deliver(
            scene, from: "ann@example.org", to: String(token), "m2", "This is an automatic reply. I am out of office until further notice.")
        #expect(reply["certainty"] == "high" && reply["class"] == "out_of_office" && reply.bool("requires_response") == false)
        #expect(try await enrollment(scene)["state"] != "stopped")
        let id = try #require(reply["id"])
        let wrong = try await bench.run("inbox", "label", id, "great")
        #expect(wrong.status == 65 && wrong.errorText.contains("positive question negative"))

        #expect(try await bench.output("inbox", "label", id, "positive").contains("stopped now"))
        let after = try #require(try await bench.objects("inbox", "show", id).first)
        #expect(after["class"] == "positive" && after["label"] == "positive" && after["read_class"] == "out_of_office")
        #expect(after.object("enrollment")?["cause"] == "replied")
        #expect(try await bench.objects("inbox", "list", "--open").map { $0["id"] } == [id])
        #expect(try await bench.objects("inbox", "list", "--owner", "anna").isEmpty)
        _ = try await bench.output("contacts", "set", "--where", "not owner", "--field", "owner=anna")
        #expect(try await bench.objects("inbox", "list", "--owner", "Anna").map { $0["id"] }.contains(id))
        #expect(try await bench.output("inbox", "show", id).contains("owner:"))
        #expect(after.list("timeline").map { $0["kind"] }.suffix(2) == ["classified", "transition"])
        #expect(try await bench.output("inbox", "list").contains("positive"))
        #expect(await scene.serve.end() == .exited(0))
    }

    @Test("what answers nothing of ours is listed as unmatched and cannot be confirmed")
    func unmatched() async throws {
        let scene = try await scene()
        let reply = try await deliver(scene, from: "stranger@example.org", to: "postmaster@r.example.com", "m3", "Who are you?")
        #expect(reply.isNull("certainty") && reply.isNull("contact") && reply.isNull("enrollment"))
        let listed = try await scene.bench.objects("intake", "list")
        #expect(listed.map { $0["id"] } == [reply["id"]] && listed[0]["state"] == "unmatched")
        let id = try #require(reply["id"])
        let refused = try await scene.bench.run("inbox", "confirm", id)
        #expect(refused.status == 65 && refused.errorText.contains("nothing to confirm"))
        #expect(try await scene.bench.output("intake", "retry") == "0 will be sorted again\n")
        #expect(try await scene.bench.run("intake", "retry", id).status == 65)
        #expect(try await scene.bench.run("inbox", "show", "aaaaaaaaab").status == 65)
        #expect(await scene.serve.end() == .exited(0))
    }

    @Test("classify train learns from what persons labelled, and serve reads by that model, says so, and keeps it when the file is broken")
    func train() async throws {
        let scene = try await scene()
        let bench = scene.bench
        let reply = try await deliver(
            scene, from: "ann@example.org", to: "postmaster@r.example.com", "first", "We shall plonk the zorgle, number 0.")
        #expect(reply["class"] != "positive")
        for number in 1...14 {
            _ = try await deliver(
                scene, from: "ann@example.org", to: "postmaster@r.example.com", "m\(number)", "We shall plonk the zorgle, number \(number)."
            )
        }
        let model = bench.folder("tone.model")
        let few = try await bench.run("classify", "train", "--from-inbox", "--out", model)
        #expect(few.status == 65 && few.errorText.contains("too few"), "\(few.errorText)")
        for listed in try await bench.objects("inbox", "list") {
            _ = try await bench.output("inbox", "label", try #require(listed["id"]), "positive")
        }
        let trained = try await bench.output("classify", "train", "--from-inbox", "--out", model)
        #expect(trained.contains("learnt from 12, kept 3 apart"), "\(trained)")
        #expect(trained.contains("after:  3 of 3 right"), "\(trained)")
        #expect(trained.contains("built-in sentences that were kept apart"), "\(trained)")

        let text = TextFile.read(bench.conf)
        try bench.folder.write("postrider.conf", text: text + "\n[classify]\nmodel = \"\(model)\"\n")
        #expect(try await bench.run("check").status == 0)
        scene.serve.signal(SIGHUP)
        try await eventually("the conf is read again", within: .seconds(30)) { scene.serve.outputTail.contains("conf") }
        var number = 100
        let read = try await eventually("a reading by the model", within: .seconds(60)) { () -> JSONObject? in
            number += 1
            let found = try await deliver(
                scene, from: "ann@example.org", to: "postmaster@r.example.com", "m\(number)", "We shall plonk the zorgle, \(number).")
            return found["class"] == "positive" ? found : nil
        }
        #expect(read.texts("evidence")?.contains { $0.contains("@\(model)#") } == true)

        // A broken file: check names the line of the conf, what runs goes on as it was, and nothing starts with it.
        let whole = TextFile.bytes(model)
        try bench.folder.write("tone.model", Array(whole.dropLast(400_000)))
        let line = text.split(separator: "\n", omittingEmptySubsequences: false).count + 2
        let check = try await bench.run("check")
        #expect(check.status == 1 && check.errorText.contains("postrider.conf:\(line): model: "), "\(check.errorText)")
        #expect(check.errorText.contains("octets where"), "\(check.errorText)")
        scene.serve.signal(SIGHUP)
        try await eventually("the broken file is told", within: .seconds(30)) {
            scene.serve.outputTail.contains("the one before stays in force")
        }
        let after = try await deliver(
            scene, from: "ann@example.org", to: "postmaster@r.example.com", "last", "We shall plonk the zorgle, at last.")
        #expect(after["class"] == "positive")
        #expect(await scene.serve.end(patience: .seconds(40)) == .exited(0))
        #expect(try await bench.run("serve").status == 78)
    }
}
