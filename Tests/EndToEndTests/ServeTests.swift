import Foundation
import TestKit
import Testing

/// How `serve` starts, stops, takes over a new conf and answers the web.
@Suite("serve")
struct ServeTests {
    static let person = "bo@customers.example.net"

    /// Premises with one sequence of one step, and these contacts enrolled.
    private func premises(sink: SinkSMTP, people: [String] = [person], dailyLimit: Int = 10_000, more: String = "", queue: String = "")
        async throws -> Premises
    {
        let premises = try Premises(
            Premises.plainRoute("sink", port: sink.port) + Premises.identity(route: "sink", dailyLimit: dailyLimit) + more, queue: queue)
        try await premises.load(sequence: "one", delays: ["PT0S"])
        try await premises.importContacts(people)
        return premises
    }

    // MARK: Starting

    @Test("a second serve on the same database refuses with 75; the first goes on")
    func second() async throws {
        let sink = try SinkSMTP()
        let premises = try await premises(sink: sink)
        let first = try await premises.serve()
        let second = try await Executable.run(["serve", "--conf", premises.confFile])
        #expect(second.status == 75 && second.outputText.isEmpty, "\(second.errorText)")
        try await premises.run(["enroll", "one", Self.person])
        _ = try await sink.waitForMessages(1)
        #expect(await first.end(patience: .seconds(40)) == .exited(0))
        // The lock went with the process, not with a file that is left over.
        let third = try await premises.serve()
        third.signal(SIGKILL)
        _ = try await third.waitForEnd()
        let fourth = try await premises.serve()
        #expect(await fourth.end(patience: .seconds(40)) == .exited(0))
    }

    @Test("a secret that everybody may read is refused, with file and line, before anything starts")
    func secrets() async throws {
        let sink = try SinkSMTP()
        let premises = try await premises(sink: sink)
        #expect(chmod(premises.folder("secrets/token.key"), 0o644) == 0)
        for command in ["serve", "queue"] {
            let outcome = try await Executable.run([command, "--conf", premises.confFile])
            let line = try #require(
                TextFile.read(premises.confFile).split(separator: "\n", omittingEmptySubsequences: false).firstIndex {
                    $0.hasPrefix("key_files")
                })
            #expect(outcome.status == 78, "\(outcome.errorText)")
            #expect(outcome.errorText.contains("postrider.conf:\(line + 1):") && outcome.errorText.contains("secrets/token.key"))
        }
        #expect(sink.connections == 0)
    }

    @Test("check names all faults at once, each with its line, and ends with 1")
    func check() async throws {
        let premises = try Premises(
            """
            [route.sink]
            type = "submission"
            hots = "127.0.0.1"
            port = 99999

            [identity.anna]
            from = "Anna Berg <anna@example.com>"
            route = "elsewhere"
            """)
        let outcome = try await Executable.run(["check", "--conf", premises.confFile])
        #expect(outcome.status == 1)
        let lines = TextFile.read(premises.confFile).split(separator: "\n", omittingEmptySubsequences: false)
        for (start, word) in [("hots", "host"), ("port", "65535"), ("route =", "elsewhere")] {
            let number = try #require(lines.firstIndex { $0.hasPrefix(start) }) + 1
            let fault = outcome.errorText.split(separator: "\n").first { $0.contains("postrider.conf:\(number):") }
            #expect(fault?.contains(word) == true, "\(outcome.errorText)")
        }
        #expect(try await Executable.run(["serve", "--conf", premises.confFile]).status == 78)
    }

    // MARK: Stopping

    @Test("SIGTERM lets the DATA in flight finish and be recorded, then ends with 0")
    func drain() async throws {
        let sink = try SinkSMTP()
        sink.script(Self.person, then: .holdReply)
        let others = (1...20).map { "other-\($0)@customers.example.net" }
        let premises = try await premises(sink: sink, people: [Self.person] + others)
        let serve = try await premises.serve()
        try await premises.run(["enroll", "one", Self.person])
        _ = try await sink.waitForMessages(1)

        let clock = ContinuousClock()
        let start = clock.now
        serve.signal(SIGTERM)
        // What becomes due now must not start any more.
        try await premises.run(["enroll", "one"] + others)
        let held = try #require(try await premises.query(Premises.Queued.self, ["queue", "list", "--to", Self.person]).first)
        #expect(serve.ended == nil && !held.ambiguous)
        sink.releaseReplies()
        #expect(try await serve.waitForEnd(within: .seconds(60)) == .exited(0), "\(serve.outputTail)")
        #expect(clock.now - start < .seconds(45))
        let sent = try await premises.query(Premises.Queued.self, ["queue", "list", "--all", "--to", Self.person])
        #expect(sent.map(\.state) == ["sent"] && sink.messages.count == 1 && sink.messages.allSatisfy(\.isAcknowledged))
        #expect(try await premises.sheet(Self.person).timeline.contains { $0.kind == "accepted" })

        // The rest leaves with the next start: no lease was left behind.
        let again = try await premises.serve()
        _ = try await sink.waitForMessages(21)
        #expect(await again.end(patience: .seconds(40)) == .exited(0))
        #expect(Set(sink.messages.map(\.messageID)).count == 21 && sink.messages.count == 21)
    }

    @Test("a reply that never comes does not keep SIGTERM waiting for ever: the message is held as ambiguous", .timeLimit(.minutes(5)))
    func boundedDrain() async throws {
        let sink = try SinkSMTP()
        sink.script(Self.person, then: .holdReply)
        let premises = try await premises(sink: sink)
        let serve = try await premises.serve()
        try await premises.run(["enroll", "one", Self.person])
        _ = try await sink.waitForMessages(1)
        serve.signal(SIGTERM)
        #expect(try await serve.waitForEnd(within: .seconds(60)) != .killed(signal: SIGKILL), "\(serve.outputTail)")
        let again = try await premises.serve()
        let queue = try await eventually("the message on hold\n\(again.outputTail)") {
            let queue = try await premises.query(Premises.Queued.self, ["queue"])
            return queue.contains(where: \.ambiguous) ? queue : nil
        }
        #expect(queue.count == 1 && queue.allSatisfy { $0.state == "hold" })
        #expect(await again.end(patience: .seconds(40)) == .exited(0))
        #expect(sink.messages.count == 1)
    }

    // MARK: A new conf

    @Test("SIGHUP with faults changes nothing and says so; a good conf takes effect: daily limit and route")
    func reload() async throws {
        let sink = try SinkSMTP()
        let other = try SinkSMTP()
        let people = (1...3).map { "person-\($0)@customers.example.net" }
        let premises = try await premises(sink: sink, people: people, dailyLimit: 1)
        let serve = try await premises.serve()
        try await premises.run(["enroll", "one", people[0]])
        _ = try await sink.waitForMessages(1)
        try await premises.run(["enroll", "one", people[1]])
        try await eventually("the second held by the daily limit") {
            try await premises.sheet(people[1]).enrollments.first?.heldBy?.contains("daily limit") == true
        }

        try premises.configure(
            Premises.plainRoute("sink", port: other.port) + Premises.identity(route: "sink", dailyLimit: 10)
                + "\n[http]\nlisten = \"nonsense\"\n")
        serve.signal(SIGHUP)
        try await serve.waitForLine(containing: "stays in force", in: serve.errorFile)
        #expect(TextFile.line(containing: "conf not taken over", in: serve.errorFile)?.contains("postrider.conf:") == true)
        #expect(serve.ended == nil)

        #expect(other.connections == 0 && sink.messages.count == 1)
        try premises.configure(Premises.plainRoute("sink", port: other.port) + Premises.identity(route: "sink", dailyLimit: 10))
        serve.signal(SIGHUP)
        try await serve.waitForLine(containing: "conf taken over", in: serve.errorFile)
        let message = try #require(try await other.waitForMessages(1).first)
        #expect(message.recipients == [people[1]], "what the old limit held leaves under the new one")
        try await premises.run(["enroll", "one", people[2]])
        let recipients = try await other.waitForMessages(2).flatMap(\.recipients)
        #expect(recipients == [people[1], people[2]] && sink.messages.count == 1)
        #expect(await serve.end(patience: .seconds(40)) == .exited(0))
    }

    // MARK: The web

    @Test("an unsubscribe link: GET shows a button and never acts, POST acts at once")
    func unsubscribe() async throws {
        let sink = try SinkSMTP()
        let port = try FreePort.next()
        let premises = try await premises(
            sink: sink,
            more: """
                [http]
                listen = "127.0.0.1:\(port)"

                [unsubscribe]
                list_unsubscribe = "both"
                one_click_url = "https://u.example.com/u/"
                """)
        try await premises.load(sequence: "two", delays: ["PT0S", "P1D"])
        let serve = try await premises.serve()
        try await serve.waitForPort(port)
        try await premises.run(["enroll", "two", Self.person])
        let message = try #require(try await sink.waitForMessages(1).first)
        let header = Letter.field("List-Unsubscribe", of: message.text)
        #expect(Letter.field("List-Unsubscribe-Post", of: message.text) == "List-Unsubscribe=One-Click")
        let link = try #require(header.split(separator: "<").first { $0.hasPrefix("https://u.example.com/u/") }?.prefix { $0 != ">" })
        let path = "/u/" + link.dropFirst("https://u.example.com/u/".count)

        func ask(_ request: String) async throws -> String {
            let client = try await LineClient.connect(port: port)
            try await client.send("\(request) HTTP/1.1\r\nHost: u.example.com\r\nConnection: close")
            return String(decoding: try await body(client).joined(separator: "\n").utf8, as: UTF8.self)
        }
        func body(_ client: LineClient) async throws -> [String] {
            try await client.send("")
            var lines: [String] = []
            while let line = try await client.readLine() { lines.append(line) }
            return lines
        }
        let page = try await ask("GET \(path)")
        #expect(page.hasPrefix("HTTP/1.1 200"), "\(page)")
        #expect(try await ask("HEAD \(path)").isEmpty == false)
        #expect(try await premises.sheet(Self.person).suppression == nil)
        #expect(try await premises.sheet(Self.person).enrollments.first?.state == "active")

        let form = "List-Unsubscribe=One-Click"
        let client = try await LineClient.connect(port: port)
        try await client.sendRaw(
            Array(
                "POST \(path) HTTP/1.1\r\nHost: u.example.com\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: \(form.utf8.count)\r\n\r\n\(form)"
                    .utf8))
        #expect(try await client.readLine()?.hasPrefix("HTTP/1.1 200") == true)
        let sheet = try await premises.sheet(Self.person)
        #expect(sheet.suppression?.reason == "unsubscribed" && sheet.enrollments.first?.state == "stopped", "\(sheet)")
        #expect(sheet.timeline.contains { $0.kind == "unsubscribed" })
        #expect(await serve.end(patience: .seconds(40)) == .exited(0))
    }
}
