import Foundation
import TestKit
import Testing

/// Two workspaces of one installation whose people and sequences have the same names, through the built executable.
@Suite("workspaces")
struct WorkspaceTests {
    private static let sam = """
        [identity.sam]
        workspace = "sales"
        from = "sam <sam@example.com>"
        reply_to = "token"
        return_path = "bounce"
        min_gap = "0s"

        """

    /// Ann, Bo and `hello` in both; in `default` anna writes, in `sales` sam.
    private func bench(listener: Int? = nil) async throws -> StateBench {
        let bench = try StateBench(listener: listener)
        try bench.folder.write("postrider.conf", text: TextFile.read(bench.conf) + Self.sam)
        try await bench.prepare()
        _ = try await bench.output(
            "contacts", "import", "-", "--workspace", "sales",
            input: "email,first_name,company\nann@example.org,Anna,Sales\nbo@example.net,Bob,Sales\n")
        _ = try await bench.output("sequence", "load", try StateBench.fixture("hello.toml"), "--workspace", "sales")
        return bench
    }

    private func state(_ bench: StateBench, _ address: String, in workspace: String) async throws -> [String?] {
        let contact = try #require(try await bench.objects("contacts", "show", address, "--workspace", workspace).first)
        return contact.list("enrollments").map { "\($0["state"] ?? "") as \($0["identity"] ?? "")" }
    }

    /// Puts a message in by the listener and returns it as it is listed.
    private func deliver(_ bench: StateBench, port: Int, from: String, to: String, shown: String? = nil, _ id: String, _ text: String)
        async throws -> JSONObject
    {
        let client = try await LineClient.connect(port: port)
        _ = try await client.readReply()
        for command in ["EHLO mx.example.org", "MAIL FROM:<\(from)>", "RCPT TO:<\(to)>", "DATA"] {
            #expect(try await client.command(command).last?.first.map { "23".contains($0) } == true, "\(command)")
        }
        let message =
            "From: <\(from)>\r\nTo: <\(shown ?? to)>\r\nSubject: Re: Hello\r\nMessage-ID: <\(id)@example.org>\r\n\r\n\(text)\r\n."
        #expect(try await client.command(message).last?.hasPrefix("250") == true)
        client.close()
        return try await eventually("\(id) sorted", within: .seconds(60)) {
            try await bench.objects("inbox", "list").first { $0["message_id"] == "\(id)@example.org" }
        }
    }

    @Test("nothing of one workspace reaches the other: mail, answers, suppressions, pauses, figures and a restore", .timeLimit(.minutes(3)))
    func apart() async throws {
        let port = try FreePort.next()
        let bench = try await bench(listener: port)
        let first = bench.folder("first")
        _ = try await bench.output("backup", first)

        // Who writes to whom.
        let refused = try await bench.run("enroll", "hello", "--all", "--identity", "anna", "--workspace", "sales")
        #expect(refused.status == 65 && refused.errorText.contains("[identity.anna] is of workspace 'default'"), "\(refused.errorText)")
        let mixed = try await bench.run("enroll", "hello", "--all", "--identity", "anna,sam")
        #expect(mixed.status == 65 && mixed.errorText.contains("[identity.sam] is of workspace 'sales'"), "\(mixed.errorText)")
        #expect(try await bench.output("enroll", "hello", "--all").contains("2 enrolled as anna"))
        #expect(try await bench.output("enroll", "hello", "--all", "--workspace", "sales").contains("2 enrolled as sam"))

        // What leaves.
        let serve = try await bench.serve()
        try await serve.waitForPort(port)
        _ = try await bench.queue("four letters") { $0.count == 4 && $0.allSatisfy { $0["state"] == "sent" } }
        let ofSales = try await bench.objects("queue", "--all", "--workspace", "sales")
        #expect(ofSales.map { $0["identity"] } == ["sam", "sam"] && ofSales.map { $0["workspace"] } == ["sales", "sales"])
        #expect(try await bench.output("queue", "--all").contains("WORKSPACE"))
        let toAnn = try #require(ofSales.first { $0["recipient"] == "ann@example.org" }?["id"])
        let content = try await bench.output("queue", "show", toAnn, "--content")
        #expect(content.contains("Hello Anna") && content.contains("about Sales"))
        let elsewhere = try await bench.run("queue", "show", toAnn, "--workspace", "default")
        #expect(elsewhere.status == 65 && elsewhere.errorText.contains("is of workspace 'sales', not of 'default'"))

        // What comes back: a token says which one is meant, an address alone does not, and an address of ours beside it does.
        let token = try #require(content.firstMatch(of: /reply\+[a-z0-9]+@r\.example\.com/)).output
        let reply = try await deliver(
            bench, port: port, from: "ann@example.org", to: String(token), "m1", "Please unsubscribe me from your list.")
        #expect(reply["certainty"] == "high" && reply["class"] == "unsubscribe" && reply["workspace"] == "sales")
        #expect(try await state(bench, "ann@example.org", in: "sales") == ["stopped as sam"])
        #expect(try await state(bench, "ann@example.org", in: "default") == ["active as anna"])
        let unclear = try await deliver(bench, port: port, from: "bo@example.net", to: "postmaster@r.example.com", "m2", "Yes, please!")
        #expect(unclear.isNull("certainty") && unclear.isNull("contact") && unclear.isNull("workspace"), "\(unclear)")
        let clear = try await deliver(
            bench, port: port, from: "bo@example.net", to: "postmaster@r.example.com", shown: "sam@example.com", "m3", "Yes, please!")
        #expect(clear["certainty"] == "low" && clear["workspace"] == "sales", "\(clear)")
        #expect(try await bench.objects("inbox", "list").count == 3)
        #expect(try await bench.objects("inbox", "list", "--workspace", "sales").count == 2)
        #expect(try await bench.objects("inbox", "list", "--workspace", "default").isEmpty)

        // Who is not written to any more.
        func suppressed(_ workspace: String) async throws -> [String?] {
            try await bench.objects("suppress", "list", "--workspace", workspace).map { $0["subject"] }
        }
        #expect(try await suppressed("default").isEmpty)
        #expect(try await suppressed("sales") == ["ann@example.org"])
        _ = try await bench.output("suppress", "add", "eve@example.org", "--workspace", "sales")
        _ = try await bench.output("suppress", "add", "all@example.org", "--scope", "instance", "--workspace", "sales")
        #expect(try await suppressed("default") == ["all@example.org"])
        #expect(try await suppressed("sales") == ["ann@example.org", "eve@example.org", "all@example.org"])

        // Pauses and figures.
        _ = try await bench.output("sequence", "pause", "hello", "--workspace", "sales")
        #expect(try await state(bench, "bo@example.net", in: "default") == ["active as anna"])
        #expect(try await state(bench, "bo@example.net", in: "sales") == ["paused as sam"])
        #expect(try #require(try await bench.objects("sequence", "list").first).isNull("paused_by"))
        func count(_ name: String, _ arguments: String...) async throws -> Double? {
            let outcome = try await Executable.run(["--conf", bench.conf, "sequence", "stats"] + arguments + ["--json"])
            return try JSONObject.lines(outcome).first?.object("counts")?.number(name)
        }
        #expect(try await count("accepted", "hello") == 2)
        #expect(try await count("unsubscribed", "hello") == 0)
        #expect(try await count("unsubscribed", "hello", "--workspace", "sales") == 1)
        #expect(try await count("accepted") == 4, "without a name all of the instance are counted")
        #expect(try await count("accepted", "--workspace", "sales") == 2)
        #expect(await serve.end() == .exited(0))

        // An older backup brings back nobody who asked to be left alone, wherever.
        _ = try await bench.output("contacts", "tag", "bo@example.net", "--add", "same", "--workspace", "sales")
        _ = try await bench.output("contacts", "tag", "ann@example.org", "--add", "same")
        _ = try await bench.output("restore", first)
        #expect(try await suppressed("default") == ["all@example.org"])
        #expect(Set(try await suppressed("sales")) == ["ann@example.org", "eve@example.org", "all@example.org"])
        #expect(try #require(try await bench.objects("sequence", "list").first).isNull("paused_by"))
        #expect(try await bench.objects("sequence", "list", "--workspace", "sales").first?["paused_by"] != nil)
        for workspace in ["default", "sales"] {
            let tags = try await bench.objects("contacts", "tags", "--workspace", workspace)
            #expect(tags.map { $0.number("contacts") } == [1], "a tag of one name is one in each workspace: \(tags)")
        }
    }

    @Test("a restore makes the workspaces that there were since, so that what must not be forgotten has its place")
    func restoredBefore() async throws {
        let bench = try StateBench()
        try await bench.prepare()
        let file = bench.folder("before")
        _ = try await bench.output("backup", file)
        try bench.folder.write("postrider.conf", text: TextFile.read(bench.conf) + Self.sam)
        _ = try await bench.output("suppress", "add", "ann@example.org", "--reason", "unsubscribed", "--workspace", "sales")
        _ = try await bench.output("restore", file)
        #expect(try await bench.objects("suppress", "list", "--workspace", "sales").map { $0["subject"] } == ["ann@example.org"])
        #expect(try await bench.objects("suppress", "list", "--workspace", "default").isEmpty)
    }

    @Test("what is there without an identity is still there, and what never was is said")
    func names() async throws {
        let bench = try await bench()
        let unknown = try await bench.run("contacts", "list", "--workspace", "Sales")
        #expect(unknown.status == 65 && unknown.errorText.contains("there is no workspace 'Sales'; there are default, sales"))
        // By the environment, which the audit log tells as if it had been said.
        let byEnvironment = try await Command.run(
            "/usr/bin/env",
            ["POSTRIDER_WORKSPACE=sales", Executable.path, "--conf", bench.conf, "contacts", "tag", "bo@example.net", "--add", "x"])
        #expect(byEnvironment.status == 0, "\(byEnvironment.errorText)")
        #expect(try await bench.objects("audit").last?["command"]?.hasSuffix("--workspace sales") == true)

        // Erasing is of one workspace, or of all.
        let erased = try await bench.run("contacts", "erase", "bo@example.net", "--yes")
        #expect(
            erased.status == 0 && erased.errorText.contains("workspace sales has a contact of that address, too"), "\(erased.errorText)")
        #expect(try await bench.objects("contacts", "show", "bo@example.net", "--workspace", "sales").first?.texts("tags") == ["x"])
        _ = try await bench.output("contacts", "erase", "ann@example.org", "--everywhere", "--yes")
        #expect(try await bench.objects("contacts", "list").isEmpty)
        #expect(try await bench.objects("contacts", "list", "--workspace", "sales").map { $0["address"] } == ["bo@example.net"])

        // An import is taken back where it was made.
        let imported = try #require(try await bench.objects("contacts", "imports", "--workspace", "sales").first?["id"])
        let foreign = try await bench.run("contacts", "undo", imported)
        #expect(foreign.status == 65 && foreign.errorText.contains("is of workspace 'sales', not of 'default'"), "\(foreign.errorText)")

        // Once only one workspace has identities it is the one that is meant, and the other is reached by its name.
        let moved = TextFile.read(bench.conf).replacing("[identity.anna]\n", with: "[identity.anna]\nworkspace = \"sales\"\n")
        try bench.folder.write("postrider.conf", text: moved)
        #expect(try await bench.objects("contacts", "list").map { $0["address"] } == ["bo@example.net"])
        #expect(try await bench.objects("sequence", "list", "--workspace", "default").count == 1)
    }
}
