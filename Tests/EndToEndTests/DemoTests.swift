import Foundation
import Glibc
import TestKit
import Testing

/// The built executable's `demo`, seen from outside.
@Suite struct DemoTests {
    /// How a contact must end, written down here once more and not taken from the program.
    struct Ending: Sendable {
        let contact: String
        let state: String
        let cause: String
        let steps: Int
        let replyClass: String?
        let suppressed: Bool

        init(_ contact: String, _ state: String, _ cause: String, _ steps: Int, _ replyClass: String?, suppressed: Bool = false) {
            self.contact = contact
            self.state = state
            self.cause = cause
            self.steps = steps
            self.replyClass = replyClass
            self.suppressed = suppressed
        }
    }

    static let endings = [
        Ending("mara.lindqvist@norrsken.example", "stopped", "replied", 1, "positive"),
        Ending("ben.okafor@okafor-partners.example", "stopped", "replied", 2, "question"),
        Ending("jutta.brandt@brandt-logistik.example", "stopped", "replied", 2, "negative"),
        Ending("tomas.novak@vltava-press.example", "finished", "completed", 3, "out_of_office"),
        Ending("grace.hill@hillside-clinic.example", "stopped", "unsubscribed", 1, "unsubscribe", suppressed: true),
        Ending("ines.moreau@atelier-moreau.example", "stopped", "unsubscribed", 2, nil, suppressed: true),
        Ending("paul.left@quarryworks.example", "stopped", "bounced", 0, nil, suppressed: true),
        Ending("wei.zhang@jade-textiles.example", "finished", "completed", 3, nil),
        Ending("sofia.rossi@rossi-vini.example", "stopped", "bounced", 1, "bounce", suppressed: true),
        Ending("hank.moss@mossandson.example", "stopped", "replied", 2, "not_now"),
        Ending("lena.fischer@fischer-druck.example", "stopped", "replied", 1, "positive"),
        Ending("omar.haddad@cedar-foods.example", "finished", "completed", 3, nil),
    ]

    /// The lines of `--json`, each an object.
    struct Lines {
        let objects: [[String: Any]]

        init(_ output: [UInt8]) throws {
            objects = try String(decoding: output, as: UTF8.self).split(separator: "\n").map { line in
                try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "no JSON object: \(line)")
            }
        }

        func all(_ event: String, contact: String? = nil) -> [[String: Any]] {
            objects.filter { $0["event"] as? String == event && (contact == nil || $0["contact"] as? String == contact) }
        }
    }

    @Test("twice at the same time: every contact ends as its script says, and nothing is left behind")
    func everyEnding() async throws {
        let folder = try TemporaryFolder()
        async let first = Executable.run(["demo", "--json"], environment: ["TMPDIR": folder.path], within: .seconds(60))
        async let second = Executable.run(["demo", "--json"], environment: ["TMPDIR": folder.path], within: .seconds(60))
        for outcome in try await [first, second] {
            #expect(outcome.status == 0, "\(outcome.errorText)")
            #expect(outcome.errors.isEmpty, "\(outcome.errorText)")
            try Self.check(try Lines(outcome.output))
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }

    private static func check(_ lines: Lines) throws {
        for ending in endings {
            let result = try #require(lines.all("result", contact: ending.contact).first, "no result for \(ending.contact)")
            let comment = Comment(rawValue: ending.contact)
            #expect(result["state"] as? String == ending.state, comment)
            #expect(result["cause"] as? String == ending.cause, comment)
            #expect(result["steps_sent"] as? Int == ending.steps, comment)
            #expect(result["class"] as? String == ending.replyClass, comment)
            #expect(result["suppressed"] as? Bool == ending.suppressed, comment)
            #expect(result["as_scripted"] as? Bool == true, comment)
            // The sink tells what reached a mailbox, independently of our own books.
            let arrivals = lines.all("arrived", contact: ending.contact)
            #expect(arrivals.count == ending.steps, comment)
            #expect(arrivals.allSatisfy { ($0["summary"] as? String)?.contains("dkim=pass acme.example, ESMTPS") == true }, comment)
            #expect(lines.all("accepted", contact: ending.contact).count == ending.steps, comment)
        }
        #expect(lines.all("result").count == endings.count)
        #expect(lines.all("fault").isEmpty)

        let absence = lines.all("arrived", contact: "tomas.novak@vltava-press.example").compactMap { $0["at"] as? String }
        #expect(absence.first?.prefix(10) == "2026-03-02")
        #expect(absence.dropFirst().first?.prefix(10) == "2026-03-17", "the day after the return")
        #expect(lines.all("deferred", contact: "wei.zhang@jade-textiles.example").count == 1)
        #expect(lines.all("deferred").count == 1)
        #expect(lines.all("pressed").count == 1)
        let times = lines.objects.compactMap { $0["at"] as? String }
        #expect(times == times.sorted(), "the timeline is in the order of time")
        let summary = try #require(lines.all("summary").first)
        #expect(summary["as_scripted"] as? Bool == true)
        #expect(lines.objects.last?["event"] as? String == "summary")
    }

    @Test("--keep goes on with its status page until it is told to stop, and leaves the folder")
    func keeping() async throws {
        let folder = try TemporaryFolder()
        let demo = try Executable.start(["demo", "--keep", "--json"], environment: ["TMPDIR": folder.path])
        try await demo.waitForLine(containing: "\"event\":\"summary\"", within: .seconds(60))
        let address = try await demo.waitForLine(containing: "http://127.0.0.1:", in: demo.errorFile)
        let port = try #require(address.split(separator: "http://127.0.0.1:").last.flatMap { Int($0.prefix { $0.isNumber }) })

        let client = try await LineClient.connect(port: port)
        // The second answer's first line ends the page, which has line ends of its own, for a reader of CRLF lines.
        for path in ["/", "/healthz"] { try await client.sendRaw(Array("GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)) }
        let page = try await client.readLines { $0.contains("</html>") }
        #expect(page.first?.hasPrefix("HTTP/1.1 200") == true)
        #expect(page.last?.hasSuffix("HTTP/1.1 200 OK") == true)
        #expect(page.contains("Referrer-Policy: no-referrer"))
        for ending in Self.endings { #expect(page.contains { $0.contains(ending.contact) }) }
        client.close()
        #expect(demo.ended == nil)

        demo.signal(SIGINT)
        #expect(try await demo.waitForEnd(within: .seconds(20)) == .exited(0))
        let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(left.count == 1)
        let kept = folder(try #require(left.first))
        #expect(FileManager.default.fileExists(atPath: "\(kept)/state/postrider.sqlite"))
        let check = try await Executable.run(["check", "--conf", "\(kept)/postrider.conf"])
        #expect(check.status == 0, "\(check.errorText)")
    }

    @Test("a person reads a timeline and a table")
    func forPeople() async throws {
        let folder = try TemporaryFolder()
        let outcome = try await Executable.run(["demo"], environment: ["TMPDIR": folder.path], within: .seconds(60))
        #expect(outcome.status == 0, "\(outcome.errorText)")
        let lines = outcome.outputText.split(separator: "\n")
        let head = try #require(lines.firstIndex { $0.hasPrefix("contact ") })
        #expect(lines[..<head].contains { $0.contains("held: out of office until 2026-03-16") })
        for ending in Self.endings {
            #expect(lines[head...].contains { $0.hasPrefix(ending.contact) && $0.hasSuffix("yes") }, Comment(rawValue: ending.contact))
        }
    }

    @Test("a signal before the end is an end with status 1 and without a folder")
    func interrupted() async throws {
        // A demo that came to its end before the signal did is no answer: another one is asked, five times at most.
        for _ in 1...5 {
            let folder = try TemporaryFolder()
            let demo = try Executable.start(["demo", "--json"], environment: ["TMPDIR": folder.path])
            try await demo.waitForLine(containing: "\"event\":\"arrived\"", within: .seconds(60))
            demo.signal(SIGTERM)
            let ending = try await demo.waitForEnd(within: .seconds(20))
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
            if TextFile.read(demo.outputFile).contains("\"event\":\"summary\"") { continue }
            #expect(ending == .exited(1))
            #expect(TextFile.read(demo.errorFile).contains("interrupted before the end"))
            return
        }
        Issue.record("five demos ended before the signal came")
    }
}
