import Foundation
import InternetMessage
import TestKit
import Testing

/// Opens and clicks, through the built executable: what the mail shows is fetched as a reader would.
@Suite("opens and clicks")
struct TrackingTests {
    private static let person = "ann@customers.example.net"
    private static let other = "bo@customers.example.net"
    private static let browser = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"

    private static let plan = """
        name = "watched"
        [[step]]
        name = "intro"
        subject = "About {{company}}"
        text = "See https://x.example/a?b=1&c=2"
        html = "<p>Hi {{first_name}}, <a href='https://x.example/a?b=1&amp;c=2'>see</a> or <a data-track='off' href='https://x.example/b'>not</a></p>"
        [[step.transition]]
        on = "clicked"
        to = "asked"
        [[step]]
        name = "asked"
        type = "stop"
        reason = "clicked it"

        """

    private static func sections(sink: Int, web: Int, tracking: String) -> String {
        """
        \(Premises.plainRoute("out", port: sink))
        \(Premises.identity(route: "out"))
        [http]
        listen = "127.0.0.1:\(web)"

        [tracking]
        \(tracking)

        """
    }

    private func ask(_ request: String, port: Int, as agent: String) async throws -> String {
        let client = try await LineClient.connect(port: port)
        try await client.sendRaw(
            Array("\(request) HTTP/1.1\r\nHost: t.example.com\r\nUser-Agent: \(agent)\r\nConnection: close\r\n\r\n".utf8))
        var lines: [String] = []
        while let line = try await client.readLine(), !line.isEmpty { lines.append(line) }
        return lines.joined(separator: "\n")
    }

    @Test(
        "a picture that is fetched and a link that is followed move the contact and are counted, a machine's are not",
        .timeLimit(.minutes(3)))
    func clicked() async throws {
        let sink = try SinkSMTP()
        let port = try FreePort.next()
        let keys = try TemporaryFolder()
        let record = try await Command.succeed(
            Executable.path, ["dkim", "keygen", "--domain", "example.com", "--selector", "s1", "--out", keys.path])
        let premises = try Premises(
            Self.sections(
                sink: sink.port, web: port,
                tracking: "opens = true\nclicks = true\nbase_url = \"https://t.example.com/\"\nmachine_within = \"0s\"")
                + "[dkim.key.\"example.com\"]\nselector = \"s1\"\nkey_file = \"\(keys("example.com.s1.pem"))\"\n")
        try await premises.run(["sequence", "load", try premises.folder.write("watched.toml", text: Self.plan)])
        try await premises.importContacts([Self.person, Self.other])
        let backup = premises.folder("backup.sqlite")
        try await premises.run(["backup", backup])
        let serve = try await premises.serve()
        try await serve.waitForPort(port)
        try await premises.run(["enroll", "watched", Self.person, Self.other])
        _ = try await sink.waitForMessages(2)

        let text = record.outputText.components(separatedBy: "( ").last?.replacing("\" \"", with: "").replacing("\"", with: "") ?? ""
        let dns = [
            DKIMRecord(
                name: "s1._domainkey.example.com", text: text.replacing(")", with: "").trimmingCharacters(in: .whitespacesAndNewlines))
        ]
        for message in sink.messages {
            #expect(try await DKIMPy.verify(message.bytes, records: dns).map(\.isValid) == [true], "what is signed is what left")
        }

        func addresses(to recipient: String) throws -> (picture: String, link: String) {
            let mail = Message(parsing: Array(try #require(sink.messages(to: recipient).first).text.utf8))
            let html = try #require(mail.html)
            #expect(html.contains("<a href='https://x.example/b'>not</a>") && !html.contains("data-track"), "\(html)")
            let found = html.split { "'\"".contains($0) }.map(String.init).filter { $0.hasPrefix("https://t.example.com/") }
            let paths = found.map { String($0.dropFirst("https://t.example.com".count)) }
            let link = try #require(paths.first { $0.hasPrefix("/c/") })
            #expect(mail.text?.contains("https://t.example.com\(link)") == true, "the text shows the same link")
            return (try #require(paths.first { $0.hasPrefix("/o/") }), link)
        }
        let (picture, link) = try addresses(to: Self.person)
        let (otherPicture, otherLink) = try addresses(to: Self.other)
        try await eventually("both have left") {
            try await premises.query(Queued.self, ["queue", "--all"]).allSatisfy { $0.state == "sent" }
        }
        // Not in the very millisecond of the delivery, which is a machine's.
        try await Task.sleep(for: .milliseconds(50))

        #expect(try await ask("HEAD \(link)", port: port, as: Self.browser).hasPrefix("HTTP/1.1 302"))
        #expect(try await ask("GET \(picture)", port: port, as: Self.browser).hasPrefix("HTTP/1.1 200"))
        let answer = try await ask("GET \(link)", port: port, as: Self.browser)
        #expect(answer.hasPrefix("HTTP/1.1 302") && answer.lowercased().contains("location: https://x.example/a?b=1&c=2"), "\(answer)")
        #expect(
            try await ask("GET \(otherPicture)", port: port, as: "Mozilla/5.0 (via ggpht.com GoogleImageProxy)").hasPrefix("HTTP/1.1 200"))
        #expect(try await ask("GET \(otherLink)", port: port, as: "python-requests/2").hasPrefix("HTTP/1.1 302"))
        #expect(try await ask("GET /c/\(String(repeating: "a", count: 45))", port: port, as: Self.browser).hasPrefix("HTTP/1.1 404"))

        let sheet = try await eventually("the click took its way", within: .seconds(60)) {
            let sheet = try await premises.sheet(Self.person)
            return sheet.enrollments.first?.state == "finished" ? sheet : nil
        }
        let told = sheet.timeline.filter { $0.kind == "opened" || $0.kind == "clicked" }.map(\.summary)
        #expect(told == ["opened by a person", "clicked by a person: https://x.example/a?b=1&c=2"])
        let still = try await eventually("the machine's are noted", within: .seconds(60)) {
            let sheet = try await premises.sheet(Self.other)
            return sheet.timeline.contains { $0.kind == "clicked" } ? sheet : nil
        }
        #expect(still.enrollments.first?.state == "active")
        #expect(
            still.timeline.filter { $0.kind == "opened" || $0.kind == "clicked" }.map(\.summary) == [
                "opened by a machine: image proxy of Google", "clicked by a machine: program without a reader: https://x.example/a?b=1&c=2",
            ])
        let counts = try #require(try await premises.query(Stats.self, ["sequence", "stats", "watched"]).first).counts
        #expect(counts.opened == 1 && counts.clicked == 1 && counts.machineOpened == 1 && counts.machineClicked == 1, "\(counts)")
        let shown = try await premises.run(["sequence", "stats", "watched", "--by", "identity"]).outputText
        #expect(shown.contains("CLICKED") && shown.contains("50.00 %"), "\(shown)")
        #expect(await serve.end(patience: .seconds(40)) == .exited(0))

        // From before any of it was sent: what has left leads where it led.
        try await premises.run(["restore", backup])
        let again = try await premises.serve()
        try await again.waitForPort(port)
        #expect(try await ask("GET \(link)", port: port, as: Self.browser).hasPrefix("HTTP/1.1 302"))
        #expect(try await ask("GET \(picture)", port: port, as: Self.browser).hasPrefix("HTTP/1.1 200"))
        #expect(await again.end(patience: .seconds(40)) == .exited(0))
    }

    private struct Queued: Decodable { let state: String }
    private struct Stats: Decodable {
        struct Counts: Decodable { let opened, clicked, machineOpened, machineClicked: Int }
        let counts: Counts
    }

    @Test("off by default: nothing is put into the mail, and a plan that asks for opens is warned of")
    func off() async throws {
        let sink = try SinkSMTP()
        let premises = try Premises(Self.sections(sink: sink.port, web: try FreePort.next(), tracking: ""))
        let file = try premises.folder.write("watched.toml", text: Self.plan)
        let loaded = try await premises.run(["sequence", "load", file])
        #expect(loaded.errorText.contains("it asks for clicks, which are not counted for it"), "\(loaded.errorText)")
        try await premises.importContacts([Self.person])
        let serve = try await premises.serve()
        try await premises.run(["enroll", "watched", Self.person])
        let mail = try #require(try await sink.waitForMessages(1).first)
        let html = try #require(Message(parsing: Array(mail.text.utf8)).html)
        #expect(html.contains("<a href='https://x.example/a?b=1&amp;c=2'>see</a> or <a href='https://x.example/b'>not</a>"), "\(html)")
        #expect(!html.contains("<img") && !mail.text.contains("//t.example.com"))
        #expect(await serve.end(patience: .seconds(40)) == .exited(0))
        let refused = try await Executable.run(
            [
                "check", "--conf",
                try premises.folder.write(
                    "bad.conf", text: TextFile.read(premises.confFile).replacing("[tracking]", with: "[tracking]\nopens = true")),
            ])
        #expect(refused.status != 0 && (refused.errorText + refused.outputText).contains("tracking needs a URL"), "\(refused.errorText)")
    }
}
