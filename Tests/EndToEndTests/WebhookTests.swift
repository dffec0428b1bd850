import Foundation
import TestKit
import Testing

/// Steps that call another system, through the built executable.
@Suite("webhooks")
struct WebhookTests {
    private static let sequence = """
        name = "tells"
        [[step]]
        type = "webhook"
        name = "tell"
        webhook = "crm"
        fields = ["company"]
        data = { stage = "new at {{company}}" }
        """

    /// A bench whose conf has a webhook at `url`.
    private func bench(_ url: String, more: String = "") throws -> StateBench {
        let bench = try StateBench()
        let key = try bench.folder.write("crm.hook", text: "a secret of the tests, 32 bytes.\n", permissions: 0o600)
        let section = "[webhook.crm]\nurl = \"\(url)\"\nsecret_file = \"\(key)\"\nallow_private = true\nretry_schedule = [\"1s\"]\n"
        try bench.folder.write("postrider.conf", text: TextFile.read(bench.conf) + section + more)
        return bench
    }

    private func calls(_ bench: StateBench, _ state: String) async throws -> [JSONObject] {
        try await bench.objects("webhooks", "list", "--state", state)
    }

    @Test(
        "a step calls a server that other programs can trust to be us; it fails, is made again by a person, and is not made again by a restore"
    )
    func calls() async throws {
        let server = try await WebPeer.start { _, number in number == 1 ? .reply(422, body: "no such field") : .reply(200, body: "") }
        let bench = try bench("http://127.0.0.1:\(server.port)/hook")
        let file = try bench.folder.write("tells.toml", text: Self.sequence)
        _ = try await bench.output("contacts", "import", "-", input: "email,company\nann@example.net,Acme\n")
        _ = try await bench.output("sequence", "load", file)
        _ = try await bench.output("enroll", "tells", "--all")
        let backup = bench.folder("before.sqlite")
        let serve = try await bench.serve()
        let failed = try await eventually("the call fails", within: .seconds(60)) { try await calls(bench, "failed").first }
        #expect(
            failed["webhook"] == "crm" && failed.number("status") == 422 && failed["reason"] == "answered with status 422: no such field")
        _ = try await bench.output("backup", backup)
        let id = try #require(failed["id"])
        let shown = try await bench.output("webhooks", "show", id)
        #expect(shown.contains("ann@example.net") && shown.contains(#""data":{"stage":"new at Acme"}"#), "\(shown)")
        #expect(try await bench.run("webhooks", "retry").status == 64)
        #expect(try await bench.output("webhooks", "retry", "--failed") == "1 will be made again\n")
        let delivered = try await eventually("it is delivered", within: .seconds(60)) { try await calls(bench, "delivered").first }
        #expect(delivered["id"] == id && delivered.number("attempts") == 2)
        let refused = try await bench.run("webhooks", "retry", id)
        #expect(refused.status == 65 && refused.errorText.contains("is delivered, neither failed nor cancelled"), "\(refused.errorText)")
        let sheet = try #require(try await bench.objects("contacts", "show", "ann@example.net").first)
        #expect(
            sheet.list("timeline").filter { $0["kind"] == "webhook" }.compactMap { $0["summary"] } == [
                "webhook crm queued: step tell", "webhook crm failed: step tell, answered with status 422: no such field",
                "webhook crm delivered: step tell, answered with status 200",
            ])
        #expect(sheet.list("enrollments").first?["state"] == "finished")
        let dossier = try await bench.output("contacts", "export", "ann@example.net")
        #expect(dossier.contains(#""webhook_calls":[{"id":"\#(id)","webhook":"crm","state":"delivered""#), "\(dossier)")
        #expect(await serve.end() == .exited(0))

        // In the backup the call had failed; what became of it since is not forgotten.
        let restored = try await bench.output("restore", backup)
        #expect(restored.contains("1 webhook calls as they came to stand since"), "\(restored)")
        #expect(try await calls(bench, "delivered").map { $0["id"] } == [id])
        _ = try await bench.output("contacts", "erase", "ann@example.net", "--yes")
        #expect(try await bench.output("webhooks", "show", id).contains("gone; the call cannot be made again"))
        await server.stop()
        #expect(server.requests.count == 2 && Set(server.requests.map { $0.header("postrider-id") }) == [id])
        let request = try #require(server.requests.last)
        let message = "\(request.header("postrider-timestamp") ?? "").\(request.body)"
        let digest = try await Command.succeed(
            Interop.require("openssl"), ["dgst", "-sha256", "-hmac", "a secret of the tests, 32 bytes."], input: Array(message.utf8))
        let hex = digest.outputText.split(separator: " ").last.map { $0.filter { !$0.isNewline } } ?? ""
        #expect(request.header("postrider-signature") == "v1=\(hex)")
    }

    @Test("names are held against the conf, a rehearsal says what would be called, and neither calls anybody")
    func names() async throws {
        let server = try await WebPeer.start { _, _ in .reply(200, body: "") }
        let bench = try bench("http://127.0.0.1:\(server.port)/hook")
        let file = try bench.folder.write("tells.toml", text: Self.sequence)
        let wrong = try bench.folder.write("wrong.toml", text: Self.sequence.replacing("\"crm\"", with: "\"cmr\""))
        let people = try bench.folder.write("people.csv", text: "email,company\nann@example.net,Acme\nbo@example.net,Acme\n")
        #expect(try await Executable.run(["sequence", "validate", wrong]).status == 0, "without a conf nothing is known of it")
        for arguments in [["sequence", "validate", wrong], ["sequence", "load", wrong]] {
            let outcome = try await Executable.run(arguments + ["--conf", bench.conf])
            #expect(
                outcome.status == 65 && outcome.errorText.contains("wrong.toml:5: there is no [webhook.cmr] in the conf; there are crm"),
                "\(outcome.errorText)")
        }
        let lines = try await bench.objects("rehearse", file, "--contacts", people, "--without-dns")
        #expect(lines.filter { $0["event"] == "call" }.compactMap { $0["contact"] } == ["ann@example.net", "bo@example.net"])
        #expect(lines.contains { $0["event"] == "webhook" && $0["webhook"] == "crm" && $0.number("calls") == 2 })
        let text = try await bench.output("rehearse", file, "--contacts", people, "--without-dns")
        #expect(text.contains("WEBHOOK (nothing is called in a rehearsal)"), "\(text)")
        #expect(try await bench.output("webhooks", "list") == "no call was queued\n")
        _ = try await bench.output("check")
        // In a dry run the call is queued, and what it waits for is said.
        try bench.folder.write("postrider.conf", text: TextFile.read(bench.conf) + "[safety]\ndry_run = true\n")
        _ = try await bench.output("contacts", "import", people)
        _ = try await bench.output("sequence", "load", file)
        _ = try await bench.output("enroll", "tells", "ann@example.net")
        let serve = try await bench.serve()
        let waiting = try await eventually("it waits", within: .seconds(60)) { try await calls(bench, "queued").first }
        #expect(waiting["held_by"] == "dry run: nothing is called ([safety] dry_run)" && waiting.number("attempts") == 0, "\(waiting)")
        try await Task.sleep(for: .milliseconds(500))
        #expect(try await bench.run("webhooks", "cancel").status == 64)
        #expect(try await bench.output("webhooks", "cancel", "--webhook", "crm", "--reason", "tried out") == "1 cancelled\n")
        #expect(try await calls(bench, "cancelled").map { $0["reason"] } == ["tried out"])
        let over = try await bench.run("webhooks", "cancel", waiting["id"] ?? "")
        #expect(over.status == 65 && over.errorText.contains("is cancelled and does not wait"), "\(over.errorText)")
        withExtendedLifetime(serve) {}
        await server.stop()
        #expect(server.requests.isEmpty)
    }
}
