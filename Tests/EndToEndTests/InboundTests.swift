import Foundation
import TestKit
import Testing

/// The listener of `serve` as strangers meet it.
@Suite("strangers at the listener", .timeLimit(.minutes(3)))
struct InboundTests {
    private static func premises(_ more: String = "") throws -> (Premises, port: Int) {
        let port = try FreePort.next()
        let sink = try FreePort.next()
        let premises = try Premises(
            Premises.plainRoute("sink", port: sink) + Premises.identity(route: "sink") + """

                [listener.smtp]
                listen = ["127.0.0.1:\(port)"]
                accept_domains = ["r.example.com"]
                \(more)
                """)
        return (premises, port)
    }

    private static func greeted(_ port: Int) async throws -> LineClient {
        let client = try await LineClient.connect(port: port)
        #expect(try await client.readReply().last?.hasPrefix("220 ") == true)
        #expect(try await client.command("EHLO client.example.net").last?.hasPrefix("250 ") == true)
        return client
    }

    /// Hands one message over; the first reply that is no yes, else the last one.
    private static func send(_ port: Int, to recipient: String = "postmaster@r.example.com", _ number: Int = 0) async throws -> String {
        let client = try await greeted(port)
        defer { client.close() }
        var reply = ""
        for command in [
            "MAIL FROM:<bo@example.net>", "RCPT TO:<\(recipient)>", "DATA", "Message-ID: <\(number)@example.net>\r\n\r\nHello\r\n.",
        ] {
            reply = try await client.command(command).last ?? ""
            guard reply.hasPrefix("2") || reply.hasPrefix("3") else { return reply }
        }
        return reply
    }

    /// Where strangers try to have mail relayed to, as the well-known probes write it.
    private static let elsewhere = [
        "user@elsewhere.example.org", "\"user@elsewhere.example.org\"", "user%elsewhere.example.org",
        "user%elsewhere.example.org@r.example.com", "user%elsewhere.example.org@[127.0.0.1]", "user@elsewhere.example.org@r.example.com",
        "\"user@elsewhere.example.org\"@r.example.com", "\"user%elsewhere.example.org\"", "user@elsewhere.example.org@[127.0.0.1]",
        "@r.example.com:user@elsewhere.example.org", "@[127.0.0.1]:user@elsewhere.example.org", "elsewhere.example.org!user",
        "elsewhere.example.org!user@r.example.com", "elsewhere.example.org!user@[127.0.0.1]", "user@[192.0.2.1]",
        "user@localhost", "user@[127.0.0.1]", "user@out.example.com", "user@r.example.com.elsewhere.example.org",
        "postmaster@elsewhere.example.org", "user", "user@", "@elsewhere.example.org",
        "reply+aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@r.example.com",
        "prvs=1234567890=user@elsewhere.example.org", "SRS0=HHH=TT=elsewhere.example.org=user@r.example.com",
    ]

    @Test("nothing is relayed, whoever seems to send it, and every refusal is for good")
    func relay() async throws {
        let (premises, port) = try Self.premises("hard_error_limit = 1000\nsoft_error_limit = 1000")
        let serve = try await premises.serve()
        let client = try await Self.greeted(port)
        for sender in ["<>", "<postmaster@r.example.com>", "<bo@example.net>"] {
            #expect(try await client.command("MAIL FROM:\(sender)").last?.hasPrefix("250 ") == true)
            for recipient in Self.elsewhere {
                let reply = try await client.command("RCPT TO:<\(recipient)>").last ?? ""
                #expect(reply.hasPrefix("550 ") || reply.hasPrefix("501 ") || reply.hasPrefix("553 "), "\(sender) \(recipient): \(reply)")
            }
            #expect(try await client.command("DATA").last?.hasPrefix("554 ") == true)
            #expect(try await client.command("RSET").last?.hasPrefix("250 ") == true)
        }
        client.close()
        // Roles, with and without what relays wrap around them.
        for recipient in ["postmaster@r.example.com", "Postmaster@R.Example.Com", "postmaster", "abuse@r.example.com", "fbl@r.example.com"]
        {
            #expect(try await Self.send(port, to: recipient).hasPrefix("250 "), "\(recipient)")
        }
        #expect(await serve.end(patience: .seconds(40)) == .exited(0), "\(serve.outputTail)")
    }

    @Test("who talks before the greeting is refused when a pause is set")
    func early() async throws {
        let (premises, port) = try Self.premises("greeting_pause = \"2s\"")
        let serve = try await premises.serve()
        let hasty = try await LineClient.connect(port: port)
        #expect(try await hasty.command("EHLO client.example.net").last?.hasPrefix("554 5.5.0 ") == true)
        #expect(try await hasty.readLine() == nil)
        #expect(try await Self.send(port).hasPrefix("250 "))
        #expect(await serve.end(patience: .seconds(40)) == .exited(0), "\(serve.outputTail)")
    }

    @Test("a full disk puts mail off and ends nothing; with room again everything goes on, and nothing that got its 250 is lost")
    func fullDisk() async throws {
        let (premises, port) = try Self.premises()
        let library = premises.folder("full-disk.so")
        let source = try #require(Bundle.module.resourceURL?.appending(path: "Fixtures/full-disk.c").path)
        try await Command.succeed("/usr/bin/cc", ["-shared", "-fPIC", "-O2", "-o", library, source, "-ldl"])
        let flag = premises.folder("full")
        let serve = try await premises.serve(environment: [
            "LD_PRELOAD": library, "FULL_DISK_ROOT": premises.folder("state"), "FULL_DISK_FLAG": flag,
        ])
        #expect(try await Self.send(port, 1).hasPrefix("250 "))
        try premises.folder.write("full", text: "")
        for number in 2...4 {
            let reply = try await Self.send(port, number)
            #expect(reply.hasPrefix("452 4.3.1 "), "\(reply)\n\(serve.outputTail)")
        }
        // Longer than the services wait between their tries.
        try await Task.sleep(for: .seconds(3))
        try FileManager.default.removeItem(atPath: flag)
        try await eventually("room again\n\(serve.outputTail)", within: .seconds(30)) { try await Self.send(port, 5).hasPrefix("250 ") }
        let found = try await eventually("all sorted\n\(serve.outputTail)", within: .seconds(60)) {
            let ids = try await premises.query(Premises.Reply.self, ["inbox", "list"]).compactMap(\.messageId)
            return Set(ids) == ["1@example.net", "5@example.net"] ? ids : nil
        }
        #expect(!found.isEmpty)
        #expect(await serve.end(patience: .seconds(40)) == .exited(0), "\(serve.outputTail)")
        #expect(try await premises.run(["db", "check"]).outputText.contains("no faults"))
    }
}
