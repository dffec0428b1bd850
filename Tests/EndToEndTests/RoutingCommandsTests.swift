import Foundation
import TestKit
import Testing

/// The transport map, a paused route and what they look like, through the built executable.
@Suite("routing commands")
struct RoutingCommandsTests {
    /// Mail to Bo becomes files; the rest goes to a server that offers no login though the route has one.
    private func bench(_ sink: SinkSMTP) throws -> (bench: StateBench, files: TemporaryFolder) {
        let files = try TemporaryFolder()
        let password = try files.write("password", text: "secret\n", permissions: 0o600)
        let map = try files.write("transport.map", text: "# Bo only\n.example.net  files\nbo@example.net files\n")
        let text = """
            \(StateBench.submission(sink.port))auth = { user = "anna", password_file = "\(password)" }
            rate = ["30/min"]
            [route.files]
            type = "maildir"
            path = "\(files("mail"))"
            [transport]
            default = "out"
            map = "\(map)"

            """
        return (try StateBench(route: .text(text)), files)
    }

    @Test("what applies to an address is shown with the line that says so")
    func explain() async throws {
        let (bench, files) = try bench(try SinkSMTP())
        let ann = try #require(try await bench.objects("conf", "explain", "ann@example.org").first)
        #expect(ann["route"] == "out" && ann.isNull("pool"))
        let facts = Dictionary(ann.list("facts").map { ($0["name"] ?? "", $0) }, uniquingKeysWith: { $1 })
        #expect(facts["route"]?["origin"]?.hasPrefix(bench.conf + ":") == true)
        let limits = ann.list("facts").filter { $0["name"] == "limit" }.compactMap { $0["value"] }
        #expect(limits.contains("the route: 30/min") && limits.contains("the contact, over all sequences: 5/1d"), "\(limits)")
        #expect(facts["DKIM"]?["value"]?.hasPrefix("none") == true)
        #expect(facts["TLS"]?["value"] == "none" && facts["EHLO name"]?["value"] == "out.example.com")
        let bo = try await bench.output("conf", "explain", "BO@example.net", "--identity", "anna")
        #expect(bo.contains("files  [\(files("transport.map")):3]") && bo.contains(files("mail")))
        #expect(bo.contains("gap  ") && bo.contains("hours  ") && bo.contains("00:00-24:00, "), "\(bo)")
        #expect(!bo.contains("[database]"), "nothing was made yet: \(bo)")
        #expect(try await bench.run("conf", "explain", "nobody").status == 65)
        #expect(try await bench.run("conf", "explain", "a@example.org", "--identity", "bob").status == 65)
    }

    @Test(
        "the policy of a smarthost is shown, whether conf gives its name or its address",
        arguments: [
            ("192.0.2.2", "192.0.2.2"), ("hub.example.net", "hub.example.net"), ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"), ("2001:db8::1", "[2001:DB8:0::1]"),
        ])
    func hostPolicy(host: String, policy: String) async throws {
        let route = "type = \"submission\"\nhost = \"\(host)\"\n"
        for (destination, shown) in [(policy, "none, for \(policy)"), ("192.0.2.3", "verify"), ("2001:db8::3", "verify")] {
            let bench = try StateBench(route: .text("\(route)[tls_policy.\"\(destination)\"]\nlevel = \"none\"\n"))
            let ann = try #require(try await bench.objects("conf", "explain", "ann@example.org").first)
            #expect(ann.list("facts").first { $0["name"] == "TLS" }?["value"] == shown)
        }
    }

    @Test("what the database knows of an address stands beside what the conf says")
    func standing() async throws {
        let bench = try StateBench()
        let plan = try bench.folder.write(
            "slow.toml", text: "name = \"slow\"\n[[step]]\nname = \"one\"\ndelay = \"P2D\"\nsubject = \"s\"\ntext = \"t\"\n")
        let made = try await bench.run("sequence", "load", plan)
        #expect(made.errorText.contains("a new database was made: \(bench.folder("state"))/postrider.sqlite"), "\(made.errorText)")
        _ = try await bench.output("contacts", "import", "-", input: "email\nann@example.org\n")
        _ = try await bench.output("enroll", "slow", "--all")
        _ = try await bench.output("suppress", "add", "example.net", "--reason", "manual")
        let waiting = try await bench.output("conf", "explain", "ann@example.org")
        #expect(waiting.contains("slow, active at one, due 20"), "\(waiting)")
        _ = try await bench.output("sequence", "pause", "slow")
        _ = try await bench.output("stop-all", "--reason", "a drill")
        let ann = try await bench.output("conf", "explain", "ann@example.org")
        #expect(ann.contains("everything, by stop-all: a drill ("), "\(ann)")
        #expect(ann.contains("slow, paused at one: paused by ") && ann.contains("; sequence slow is paused by "), "\(ann)")
        #expect(try await bench.output("conf", "explain", "bo@example.net").contains("example.net: manual, 20"))
        #expect(try await bench.output("contacts", "show", "ann@example.org").contains("everything, by stop-all: a drill"))
    }

    @Test("a route whose login fails is paused over a restart, is listed, and goes on when a person says so")
    func pause() async throws {
        let sink = try SinkSMTP()
        let (bench, files) = try bench(sink)
        #expect(try await bench.output("guardrail") == "nothing is paused\n")
        #expect(try await bench.run("guardrail", "override", "route:out", "--reason", "x").status == 65)
        try await bench.prepare()
        _ = try await bench.output("enroll", "hello", "--all")
        let first = try await bench.serve()
        let queue = try await bench.queue("one put off, one in its file") { Set($0.map { $0["state"] }) == ["deferred", "sent"] }
        #expect(await first.end() == .exited(0))
        let held = try #require(queue.first { $0["state"] == "deferred" })
        #expect(held["recipient"] == "ann@example.org" && held["awaits"] == "route out" && held.number("attempts") == 1)
        #expect(held["why"]?.hasPrefix("route out is paused until ") == true)
        let mail = try FileManager.default.contentsOfDirectory(atPath: files("mail/new"))
        let text = try String(contentsOfFile: files("mail/new/\(try #require(mail.first))"), encoding: .utf8)
        #expect(mail.count == 1 && text.hasPrefix("Return-Path: <bounce+") && text.contains("Delivered-To: bo@example.net\r\n"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: files("mail/tmp")).isEmpty)

        let pause = try #require(try await bench.objects("guardrail", "list").first)
        #expect(pause["what"] == "route:out" && pause["rule"] == "route_auth" && pause.number("renewals") == 0)
        #expect(try await bench.output("queue").contains("PAUSED: route out is paused until"))

        // A new process keeps to it: nothing is tried, whatever is asked of the queue.
        let second = try await bench.serve()
        _ = try await bench.output("queue", "flush")
        _ = try await bench.queue("told again") { $0.contains { $0["awaits"] == "route out" } }
        #expect(try await bench.objects("queue", "--to", "ann@example.org").first?.number("attempts") == 1)
        #expect(try await bench.output("guardrail", "override", "route:out", "--reason", "new password").contains("no longer paused"))
        _ = try await bench.queue("tried again") { $0.contains { $0.number("attempts") == 2 } }
        try await eventually("paused anew") { try await !bench.objects("guardrail", "list").isEmpty }
        #expect(await second.end() == .exited(0))
        #expect(sink.messages.isEmpty)
    }

    @Test("when a route and the one that stands in are both paused, each message says which pause binds it and when that ends")
    func bothPaused() async throws {
        let sink = try SinkSMTP()
        let files = try TemporaryFolder()
        defer { withExtendedLifetime(files) {} }
        let login = "auth = { user = \"anna\", password_file = \"\(try files.write("password", text: "secret\n", permissions: 0o600))\" }\n"
        let first = StateBench.submission(sink.port)
        let text = first + login + "fallback = \"other\"\n[route.other]\n" + first + login + "[transport]\ndefault = \"out\"\n"
        let bench = try StateBench(route: .text(text))
        try await bench.prepare()
        _ = try await bench.output("enroll", "hello", "--all")
        let serve = try await bench.serve()
        _ = try await eventually("both are paused") { try await bench.objects("guardrail", "list").count == 2 ? true : nil }
        let queue = try await bench.queue("all wait") { $0.allSatisfy { $0["state"] == "deferred" } }
        for message in queue {
            let awaits = message["awaits"] ?? ""
            #expect(awaits == "route out" || awaits == "route other", "\(awaits)")
            #expect(message["lifts_at"]?.hasSuffix("Z") == true)
            #expect(message["why"]?.contains(" is paused until ") == true && message["why"]?.contains("goes on by") == false)
        }
        #expect(await serve.end() == .exited(0))
    }
}
