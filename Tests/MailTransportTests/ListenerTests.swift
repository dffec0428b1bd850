import Glibc
import OpenSSL
import SMTP
import TestKit
import Testing

@testable import MailTransport

/// The listener with a raw client on one side and a desk that writes everything down on the other.
@Suite("listener")
struct ListenerTests {
    private static func greeted(_ port: Int, _ hello: String = "EHLO client.example.net") async throws -> LineClient {
        let client = try await LineClient.connect(port: port)
        #expect(try await client.readReply().first?.hasPrefix("220 in.example.com ") == true)
        #expect(try await client.command(hello).last?.hasPrefix("250 ") == true)
        return client
    }

    @Test("recipients are the desk's to refuse, and there is no way to relay")
    func recipients() async throws {
        let desk = RecordingDesk()
        let open = try await OpenListener.start(desk: desk)
        let client = try await Self.greeted(open.port)
        _ = try await client.command("MAIL FROM:<bo@example.net>")
        for (path, code) in [
            ("nobody@r.example.com", "550 5.1.1 "), ("x@elsewhere.example.org", "550 5.7.1 "), ("grey@r.example.com", "451 4.7.1 "),
            ("reply@r.example.com", "250 "),
        ] {
            let reply = try await client.command("RCPT TO:<\(path)>")
            #expect(reply.last?.hasPrefix(code) == true, "\(path): \(reply)")
        }
        _ = try await client.command("DATA")
        #expect(try await client.command("Subject: One\r\n\r\n..\r\n.").last?.hasPrefix("250 ") == true)
        #expect(desk.mail.map { $0.envelope.recipients } == [[Array("reply@r.example.com".utf8)]])
        #expect(desk.mail.map(\.content) == [Array("Subject: One\r\n\r\n.\r\n".utf8)] && desk.mail[0].peer == "127.0.0.1")
        try await open.end()
    }

    @Test("250 comes only after the desk said stored")
    func storedFirst() async throws {
        let desk = RecordingDesk(holds: true)
        let open = try await OpenListener.start(desk: desk)
        let client = try await Self.greeted(open.port)
        for command in ["MAIL FROM:<>", "RCPT TO:<reply@r.example.com>", "DATA"] { _ = try await client.command(command) }
        try await client.sendRaw(Array("Subject: One\r\n\r\n.\r\n".utf8))
        try await eventually("the message at the desk") { desk.mail.count == 1 }
        let reply = Task { try await client.readReply() }
        // The server does other work meanwhile, so it had every chance to answer too early.
        let other = try await Self.greeted(open.port)
        #expect(try await other.command("NOOP").last?.hasPrefix("250 ") == true)
        other.close()
        desk.release()
        #expect(try await reply.value.last?.contains("1") == true)
        client.close()
        try await open.end()
    }

    @Test(
        "what the desk says instead of stored is what the client hears",
        arguments: [
            (DeliveryVerdict.unavailable, "451 4.3.0 "), (.insufficientStorage, "452 4.3.1 "),
            (.unacceptable, "554 5.6.0 "), (.refusedByPolicy, "550 5.7.1 "),
        ])
    func refused(_ verdict: DeliveryVerdict, _ code: String) async throws {
        let open = try await OpenListener.start(desk: RecordingDesk(verdict: verdict))
        let client = try await Self.greeted(open.port)
        for command in ["MAIL FROM:<>", "RCPT TO:<reply@r.example.com>", "DATA"] { _ = try await client.command(command) }
        #expect(try await client.command("Subject: One\r\n\r\n.").last?.hasPrefix(code) == true)
        client.close()
        try await open.end()
    }

    @Test("LMTP answers once for each recipient that was accepted")
    func lmtp() async throws {
        let desk = RecordingDesk()
        let open = try await OpenListener.start(.lmtp, desk: desk)
        let client = try await Self.greeted(open.port, "LHLO client.example.net")
        for command in [
            "MAIL FROM:<bo@example.net>", "RCPT TO:<a@r.example.com>", "RCPT TO:<nobody@r.example.com>", "RCPT TO:<b@r.example.com>",
            "DATA",
        ] { _ = try await client.command(command) }
        try await client.sendRaw(Array("Subject: One\r\n\r\n.\r\n".utf8))
        for _ in 0..<2 { #expect(try await client.readReply().last?.hasPrefix("250 ") == true) }
        #expect(try await client.command("QUIT").last?.hasPrefix("221 ") == true)
        #expect(desk.mail.map { $0.envelope.recipients.count } == [2])
        try await open.end()
    }

    @Test("stop() lets the message whose content is coming be taken in, and turns new ones away", .timeLimit(.minutes(4)))
    func stop() async throws {
        let desk = RecordingDesk()
        let open = try await OpenListener.start(desk: desk)
        let busy = try await Self.greeted(open.port)
        for command in ["MAIL FROM:<>", "RCPT TO:<reply@r.example.com>", "DATA"] { _ = try await busy.command(command) }
        try await busy.sendRaw(Array("Subject: One\r\n\r\nhalf of".utf8))
        let idle = try await Self.greeted(open.port)
        open.listener.stop()
        #expect(try await idle.readReply().last?.hasPrefix("421 ") == true)
        #expect(try await idle.readLine() == nil)
        try await eventually("nobody listening") { (try? await LineClient.connect(port: open.port)) == nil }
        try await busy.sendRaw(Array(" it\r\n.\r\n".utf8))
        #expect(try await busy.readReply().last?.hasPrefix("250 ") == true)
        try await open.running.value
        #expect(desk.mail.map(\.content) == [Array("Subject: One\r\n\r\nhalf of it\r\n".utf8)])
    }

    @Test("one connection too many is told so and closed; when one has gone there is room again", arguments: [(2, 20), (500, 2)])
    func caps(all: Int, perAddress: Int) async throws {
        let open = try await OpenListener.start(desk: RecordingDesk(), connections: all, perAddress: perAddress)
        let first = try await Self.greeted(open.port)
        let second = try await Self.greeted(open.port)
        let third = try await LineClient.connect(port: open.port)
        #expect(try await third.readReply().last?.hasPrefix("421 ") == true)
        #expect(try await third.readLine() == nil)
        #expect(try await second.command("QUIT").last?.hasPrefix("221 ") == true)
        try await eventually("room for another") {
            let client = try await LineClient.connect(port: open.port)
            defer { client.close() }
            return try await client.readReply().first?.hasPrefix("220 ") == true
        }
        #expect(try await first.command("NOOP").last?.hasPrefix("250 ") == true)
        first.close()
        try await open.end()
    }

    @Test("a client that has said all it will say, and closed its side, still hears every answer")
    func closesItsSide() async throws {
        let desk = RecordingDesk(holds: true)
        let open = try await OpenListener.start(desk: desk)
        let client = try await Self.greeted(open.port)
        for command in ["MAIL FROM:<>", "RCPT TO:<reply@r.example.com>", "DATA"] { _ = try await client.command(command) }
        try await client.sendRaw(Array("Subject: One\r\n\r\n.\r\nNOOP\r\nQUIT\r\n".utf8))
        client.finish()
        try await eventually("the message at the desk") { desk.mail.count == 1 }
        desk.release()
        for code in ["250 2.0.0 Ok: queued", "250 2.0.0 Ok", "221 "] {
            #expect(try await client.readReply().last?.hasPrefix(code) == true, "\(code)")
        }
        #expect(try await client.readLine() == nil)
        // Half a message is none, however politely it ends.
        let half = try await Self.greeted(open.port)
        for command in ["MAIL FROM:<>", "RCPT TO:<reply@r.example.com>", "DATA"] { _ = try await half.command(command) }
        try await half.sendRaw(Array("Subject: Two\r\n\r\nhalf\r\n".utf8))
        half.finish()
        #expect(try await half.readLine() == nil)
        #expect(desk.mail.count == 1)
        try await open.end()
    }

    @Test("a client that is refused in the middle of a large message can send it to its end, and then reads why")
    func hearsWhy() async throws {
        let desk = RecordingDesk()
        let open = try await OpenListener.start(desk: desk)
        let client = try await Self.greeted(open.port)
        for command in ["MAIL FROM:<>", "RCPT TO:<reply@r.example.com>", "DATA"] { _ = try await client.command(command) }
        try await client.sendRaw(Array("Subject: One\r\n\r\nbare\nLF\r\n".utf8))
        let block = Array(repeating: Array("no more than this\r\n".utf8), count: 500).flatMap { $0 }
        for _ in 0..<500 { try await client.sendRaw(block) }
        try await client.sendRaw(Array(".\r\n".utf8))
        #expect(try await client.readReply().last?.hasPrefix("550 5.6.11 ") == true)
        #expect(try await client.readLine() == nil)
        // Who stays is not waited for when the listener ends.
        try await open.end()
        #expect(desk.mail.isEmpty)
    }

    @Test(
        "a socket file has the group and the mode that it was given, and a group that there is not is refused", .enabled(if: geteuid() == 0)
    )
    func socketFile() async throws {
        let folder = try TemporaryFolder()
        func bind(_ group: String) async throws -> MailListener {
            try await MailListener.bind(
                .init(
                    address: .socket(path: folder("lmtp.sock"), mode: 0o620, group: group),
                    session: ServerConfiguration(dialect: .lmtp, hostname: "in.example.com")), desk: RecordingDesk(), tls: { nil },
                eventLoops: Bench.eventLoops, logger: Bench.logger)
        }
        let listener = try await bind("mail")
        let running = Task { try await listener.run() }
        var facts = stat()
        #expect(stat(folder("lmtp.sock"), &facts) == 0)
        #expect(facts.st_mode & 0o777 == 0o620 && facts.st_gid == getgrnam("mail")?.pointee.gr_gid)
        listener.stop()
        try await running.value
        await #expect(throws: (any Error).self) { try await bind("no-such-group") }
    }

    @Test("a message cut off in the middle never reaches the desk")
    func cutOff() async throws {
        let desk = RecordingDesk()
        let open = try await OpenListener.start(desk: desk)
        let client = try await Self.greeted(open.port)
        for command in ["MAIL FROM:<>", "RCPT TO:<reply@r.example.com>", "DATA"] { _ = try await client.command(command) }
        try await client.sendRaw(Array("Subject: One\r\n\r\nhalf of it\r\n".utf8))
        client.close()
        try await open.end()
        #expect(desk.mail.isEmpty && desk.paths == ["reply@r.example.com"])
    }

    @Test("a client that never reads its replies is not read either, and is closed in time", .timeLimit(.minutes(5)))
    func neverReads() async throws {
        var limits = ServerLimits()
        limits.idle = .seconds(2)
        limits.idleCommands = .max
        let open = try await OpenListener.start(desk: RecordingDesk(), limits: limits)
        let client = try await Self.greeted(open.port)
        // More than all sockets on the way hold; without a stop it would all be read, and the answers kept.
        let flood = Array(repeating: Array("HELP\r\n".utf8), count: 10_000).flatMap { $0 }
        await #expect(throws: (any Error).self) { for _ in 0..<2_000 { try await client.sendRaw(flood) } }
        client.close()
        try await open.end()
    }

    @Test("all content that is held together has a limit: beyond it new messages are put off, and there is room again afterwards")
    func budget() async throws {
        let desk = RecordingDesk(holds: true)
        let open = try await OpenListener.start(desk: desk, budget: ContentBudget(limit: 1000))
        let first = try await Self.greeted(open.port)
        let second = try await Self.greeted(open.port)
        for client in [first, second] {
            for command in ["MAIL FROM:<>", "RCPT TO:<reply@r.example.com>", "DATA"] { _ = try await client.command(command) }
        }
        let content = Array(String(repeating: "0123456789\r\n", count: 65).utf8)
        try await first.sendRaw(content + Array(".\r\n".utf8))
        try await eventually("the message at the desk") { desk.mail.count == 1 }
        // The second one has begun already; there is no room for all of it.
        try await second.sendRaw(content + Array(".\r\n".utf8))
        #expect(try await second.readReply().last?.hasPrefix("452 4.3.1 ") == true)
        #expect(try await second.command("MAIL FROM:<>").last?.hasPrefix("452 4.3.1 ") == true)
        desk.release()
        #expect(try await first.readReply().last?.hasPrefix("250 ") == true)
        for command in ["MAIL FROM:<>", "RCPT TO:<reply@r.example.com>", "DATA"] { _ = try await second.command(command) }
        try await second.sendRaw(content + Array(".\r\n".utf8))
        #expect(try await second.readReply().last?.hasPrefix("250 ") == true)
        #expect(desk.mail.map(\.content) == [content, content])
        try await open.end()
    }
}
