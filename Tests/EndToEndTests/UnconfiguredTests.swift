import Foundation
import TestKit
import Testing

/// An installation whose conf says nothing of where mail goes.
@Suite("an installation without a route")
struct UnconfiguredTests {
    private static let words =
        "the conf has no [route.NAME], so that all mail goes to a sink: it counts as sent, NOTHING LEAVES this machine"

    private static let identity = """
        [identity.anna]
        from = "Anna Berg <anna@example.com>"
        reply_to = "token"
        return_path = "bounce"
        min_gap = "0s"

        """

    @Test("serve takes the sink and says so loudly, as check and conf explain do; mail is told as taken by the sink")
    func sink() async throws {
        let premises = try Premises(Self.identity)
        let check = try await Executable.run(["check", "--conf", premises.confFile])
        #expect(check.status == 0 && check.outputText.contains("no faults; 1 identities, 0 routes"), "\(check.errorText)")
        #expect(check.errorText.contains("note: \(Self.words)"))
        let shown = try await premises.run(["conf", "-n"]).outputText
        #expect(!shown.contains("[route"), "the sink stands in no conf: \(shown)")
        let explained = try await premises.run(["conf", "explain", "bo@example.org"]).outputText
        #expect(explained.contains("NOTHING LEAVES, for the conf has no [route.NAME]"), "\(explained)")

        try await premises.load(sequence: "one", delays: ["PT0S"])
        try await premises.importContacts(["bo@customers.example.net"])
        let serve = try await premises.serve()
        let line = try await serve.waitForLine(containing: Self.words, in: serve.errorFile)
        #expect(line.contains("critical"), "\(line)")
        let enrolled = try await premises.run(["enroll", "one", "bo@customers.example.net"])
        #expect(enrolled.errorText.contains(Self.words), "\(enrolled.errorText)")
        let told = try await serve.waitForLine(containing: "relay=sink", in: serve.errorFile)
        #expect(told.contains("taken by the sink, nothing left"), "\(told)")
        #expect(await serve.end(patience: .seconds(40)) == .exited(0))
    }

    @Test("what went to a server does not go to a sink because a conf that is read again lost its route")
    func lostRoute() async throws {
        let server = try SinkSMTP()
        let premises = try Premises(Premises.plainRoute("out", port: server.port) + Self.identity)
        try await premises.load(sequence: "one", delays: ["PT0S"])
        try await premises.importContacts(["bo@customers.example.net"])
        let serve = try await premises.serve()
        try premises.configure(Self.identity)
        serve.signal(SIGHUP)
        let line = try await serve.waitForLine(containing: "the one before stays in force", in: serve.errorFile)
        #expect(line.contains("it has no [route.NAME] any more"), "\(line)")
        try premises.configure(Premises.plainRoute("out", port: server.port) + Self.identity)
        try await premises.run(["enroll", "one", "bo@customers.example.net"])
        _ = try await server.waitForMessages(1)
        #expect(await serve.end(patience: .seconds(40)) == .exited(0))
    }

    @Test(
        "routes that lead to no server are told as what they are",
        arguments: [
            (["sink"], "every route is a sink: mail counts as sent, and nothing leaves this machine"),
            (["maildir"], "no route leads to a mail server: mail counts as sent and nothing leaves this machine; it is written to "),
            (["sink", "maildir"], "nothing leaves this machine; that of maildir routes is written to "),
        ])
    func nowhere(types: [String], words: String) async throws {
        let folder = try TemporaryFolder()
        let routes = types.map { type in
            "[route.\(type)]\ntype = \"\(type)\"\n" + (type == "maildir" ? "path = \"\(folder("mail"))\"\n" : "")
        }
        let premises = try Premises(routes.joined() + "[transport]\ndefault = \"\(types[0])\"\n" + Self.identity)
        let serve = try await premises.serve()
        let line = try await serve.waitForLine(containing: words, in: serve.errorFile)
        #expect(line.contains("warning"), "\(line)")
        #expect(await serve.end(patience: .seconds(40)) == .exited(0))
    }
}
