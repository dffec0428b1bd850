import Foundation
import TestKit
import Testing

/// `probe smtp` and `probe imap` through the built executable: their exit statuses are a contract.
@Suite("probes", .timeLimit(.minutes(5)))
struct ProbeTests {
    static let message = Array(
        "From: Ann <ann@example.com>\nTo: bo@example.net\nSubject: Hello\nMessage-ID: <one@example.com>\n\n.A dot\nand text".utf8)

    static func smtp(
        _ port: Int, _ more: [String] = [], host: String = "127.0.0.1", input: [UInt8] = message, within limit: Duration = .seconds(60)
    ) async throws -> Command.Outcome {
        let envelope = ["--from", "ann@example.com", "--to", "bo@example.net"]
        return try await Executable.run(
            ["probe", "smtp", "--host", host, "--port", "\(port)"] + envelope + more,
            environment: ["POSTRIDER_CONF": "/nonexistent/postrider.conf"], input: input, within: limit)
    }

    // MARK: SMTP

    @Test(
        "each end of a transaction has its exit status",
        arguments: [
            (SinkSMTP.Answer.accept, Int32(0), "accepted: 250 2.0.0 OK", 1),
            (.refuse("451 4.7.1 Greylisted"), 75, "deferred (recipient): 451 4.7.1 Greylisted", 0),
            (.refuse("550 5.1.1 No such user"), 69, "rejected (recipient): 550 5.1.1 No such user", 0),
            (.refuse("421 4.3.2 Going down"), 75, "deferred (recipient): 421 4.3.2 Going down", 0),
            (.refuseData("452 4.3.1 Full"), 75, "deferred (finalDot): 452 4.3.1 Full", 1),
            (.refuseData("554 5.7.1 Spam"), 69, "rejected (finalDot): 554 5.7.1 Spam", 1),
            (.dropAfterDot, 70, "ambiguous (finalDot): the connection to 127.0.0.1", 1),
            (.cutReply("250 2.0.0 OK"), 70, "ambiguous (finalDot): the connection to 127.0.0.1", 1),
        ])
    func transactions(_ answer: SinkSMTP.Answer, status: Int32, outcome: String, received: Int) async throws {
        let sink = try SinkSMTP()
        sink.script("bo@example.net", answer)
        let probe = try await Self.smtp(sink.port, ["--tls", "none"])
        #expect(probe.status == status)
        #expect(probe.outputText.hasPrefix(outcome) && probe.outputText.split(separator: "\n").count == 1)
        #expect(probe.errorText.contains("> MAIL FROM:<ann@example.com>") && probe.errorText.contains("< 250"))
        #expect(sink.messages.count == received)
        if let message = sink.messages.first {
            #expect(message.bareLineEnds == 0 && message.text.hasSuffix("\r\n\r\n.A dot\r\nand text\r\n"))
        }
    }

    @Test("a connection lost within DATA is no delivery: 75")
    func lostInData() async throws {
        let sink = try SinkSMTP()
        sink.script("bo@example.net", .dropWithinData)
        // More than the sockets hold, so that the loss falls before the final dot.
        let large = Self.message + Array(repeating: Array("\n0123456789012345678901234567890123456789".utf8), count: 400_000).flatMap { $0 }
        let probe = try await Self.smtp(sink.port, ["--tls", "none"], input: large)
        #expect(probe.status == 75 && probe.outputText.hasPrefix("deferred (content)"))
        #expect(sink.messages.isEmpty)
    }

    @Test("no server, no answer in time, no word after the dot in time: 75, 75 and 70")
    func noAnswer() async throws {
        let closed = try await Self.smtp(FreePort.next())
        #expect(closed.status == 75 && closed.outputText.hasPrefix("deferred (connect)"))
        let sink = try SinkSMTP()
        sink.script("bo@example.net", .holdReply)
        let late = try await Self.smtp(sink.port, ["--timeout", "1"])
        #expect(late.status == 70 && late.outputText.hasPrefix("ambiguous (finalDot): "))
        #expect(late.outputText.contains("within the 1 s of --timeout"), "\(late.outputText)")
        #expect(sink.messages.count == 1)
        // A server that accepts the connection and says nothing.
        let folder = try TemporaryFolder()
        let port = try FreePort.next()
        let python = try Interop.require("python3")
        let script =
            "import socket,time\ns=socket.create_server(('127.0.0.1',\(port)))\nprint('up',flush=True)\nc=[]\nwhile True: c.append(s.accept())"
        let silent = try ChildProcess(python, ["-c", script], directory: folder.path)
        _ = try await silent.waitForLine(containing: "up")
        let mute = try await Self.smtp(port, ["--timeout", "1"])
        #expect(mute.status == 75 && mute.outputText.contains("within the 1 s of --timeout"), "\(mute.outputText)")
        let muteTLS = try await Self.smtp(port, ["--timeout", "1", "--tls", "implicit"])
        #expect(muteTLS.status == 75 && muteTLS.outputText.contains("--timeout"), "\(muteTLS.outputText)")
    }

    @Test("the time limit holds for standard input too")
    func silentInput() async throws {
        let python = try Interop.require("python3")
        let script = """
            import subprocess, sys
            p = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            p.stdin.write(b'Subject: half'); p.stdin.flush()
            print(p.stdout.read().decode(), p.wait())
            """
        let call = ["probe", "smtp", "--host", "127.0.0.1", "--port", "1", "--from", "", "--to", "bo@example.net", "--timeout", "0.5"]
        let outcome = try await Command.run(python, ["-c", script, Executable.path] + call, within: .seconds(60))
        #expect(outcome.outputText.hasPrefix("deferred (input): ") && outcome.outputText.contains("within the 0.5 s of --timeout"))
        #expect(outcome.outputText.split(whereSeparator: \.isWhitespace).last == "75")
    }

    @Test("line ends of every kind become CRLF, and the null reverse-path can be given", arguments: ["\r", "\r\n", "\n"])
    func lineEnds(_ end: String) async throws {
        let sink = try SinkSMTP()
        let input = Array(String(decoding: Self.message, as: UTF8.self).replacing("\n", with: end).utf8)
        let probe = try await Executable.run(
            ["probe", "smtp", "--host", "localhost", "--port", "\(sink.port)", "--from", "<>", "--to", "bo@example.net"], input: input)
        #expect(probe.status == 0)
        let message = try #require(sink.messages.first)
        #expect(
            message.reversePath.isEmpty && message.bareLineEnds == 0
                && message.text.hasSuffix("Hello\r\nMessage-ID: <one@example.com>\r\n\r\n.A dot\r\nand text\r\n"))
    }

    @Test("what would not be safe is refused with 77 before anything is sent")
    func refusals() async throws {
        let sink = try SinkSMTP()
        let folder = try TemporaryFolder()
        let password = try folder.write("password", text: "secret\n", permissions: 0o600)
        let login = ["--user", "ann@example.com", "--password-file", password]
        for options in [["--tls", "starttls"], ["--tls", "implicit"], ["--tls", "none"] + login] {
            let probe = try await Self.smtp(sink.port, options, within: .seconds(20))
            #expect(probe.status == 77, "\(options): \(probe.outputText)\(probe.errorText)")
        }
        let open = try folder.write("open", text: "secret\n", permissions: 0o644)
        let shown = try await Self.smtp(sink.port, ["--tls", "none", "--user", "ann@example.com", "--password-file", open])
        #expect(shown.status == 77 && shown.errorText.contains("chmod o-rwx \(open)"), "\(shown.errorText)")
        for illegal in [Self.message + [0], Self.message + Array(repeating: UInt8(ascii: "x"), count: 999)] {
            let probe = try await Self.smtp(sink.port, ["--tls", "none"], input: illegal)
            #expect(probe.status == 65 && probe.errorText.hasPrefix("-:7: "), "\(probe.errorText)")
        }
        #expect(sink.connections == 3 && sink.messages.isEmpty)
        #expect(
            try await Executable.run(["probe", "smtp", "--host", "h", "--port", "1", "--from", "a\r\nb@c", "--to", "d@e"]).status == 64)
    }

    /// A server that says these things in turn, one for the connection and one for each line that comes.
    static func saying(_ replies: [String]) async throws -> (server: ChildProcess, port: Int) {
        let port = try FreePort.next()
        let script = """
            import socket, sys
            s = socket.create_server(('127.0.0.1', \(port)))
            print('up', flush=True)
            c, _ = s.accept()
            f = c.makefile('rb')
            for reply in sys.argv[1:]:
                c.sendall(reply.encode())
                if not reply.endswith('\\n') or not f.readline(): break
            """
        let server = try ChildProcess(try Interop.require("python3"), ["-c", script] + replies)
        _ = try await server.waitForLine(containing: "up")
        return (server, port)
    }

    @Test(
        "a session that comes to nothing has the exit status of its reason",
        arguments: [
            (["554 5.3.2 No service\r\n"], "may", 69), (["421 4.3.2 Busy\r\n"], "may", 75), (["220 x\r\n"], "may", 75),
            (["hello\r\n"], "may", 75),
            (["220 x\r\n", "250-x\r\n250 STARTTLS\r\n", "454 4.7.0 Not now\r\n"], "starttls", 75),
            (["220 x\r\n", "250-x\r\n250 STARTTLS\r\n", "502 5.5.1 No\r\n"], "starttls", 77),
            // Plain text behind the go-ahead would be taken for the server's words under TLS.
            (["220 x\r\n", "250-x\r\n250 STARTTLS\r\n", "220 Go\r\n250 injected\r\n"], "starttls", 77),
            (["220 x\r\n", "250-x\r\n250 STARTTLS\r\n", "220 Go\r\n", "this is no TLS at all\r\n"], "starttls", 77),
            (["220 x\r\n", "250-x\r\n250 STARTTLS\r\n", "220 Go\r\n"], "starttls", 75),
            // Nothing was asked of TLS, so nothing is refused: the next attempt goes in clear.
            (["220 x\r\n", "250-x\r\n250 STARTTLS\r\n", "220 Go\r\n", "this is no TLS at all\r\n"], "may", 75),
            (["220 x\r\n", "250 x\r\n", "530 5.7.0 Log in first\r\n"], "none", 69),
        ] as [([String], String, Int32)])
    func sessions(_ replies: [String], tls: String, status: Int32) async throws {
        let (server, port) = try await Self.saying(replies)
        let probe = try await Self.smtp(port, ["--tls", tls, "--timeout", "20"])
        #expect(probe.status == status, "\(probe.outputText)\(probe.errorText)")
        server.kill()
    }

    /// What the server says in turn, at which `saying` ends the connection; the exit status, and how the line of the outcome begins.
    struct Hostile: Sendable, CustomTestStringConvertible {
        let what: String
        let replies: [String]
        var tls = "none"
        let status: Int32
        let outcome: String

        var testDescription: String { "\(what): \(status)" }
    }

    /// A dialogue in good order up to a step, and then this.
    private static func dialogue(_ what: String, _ step: String, _ last: String, _ status: Int32, _ outcome: String) -> Hostile {
        let steps = ["greeting", "hello", "mail", "recipient", "data", "finalDot"]
        let usual = ["220 x\r\n", "250-x\r\n250 8BITMIME\r\n", "250 Ok\r\n", "250 Ok\r\n", "354 Go\r\n"]
        let count = steps.firstIndex(of: step) ?? 0
        return Hostile(what: what, replies: usual.prefix(count) + [last], status: status, outcome: outcome)
    }

    static let hostile: [Hostile] = [
        dialogue("closed in the greeting", "greeting", "220 hal", 75, "deferred (greeting)"),
        dialogue("another protocol", "greeting", "SSH-2.0-OpenSSH_9.2\r\n", 75, "deferred (greeting)"),
        dialogue("a bare line feed", "greeting", "220 x\n", 75, "deferred (greeting)"),
        // The server is gone before all of it is read: whether that shows in the greeting or before is up to the kernel.
        dialogue("a line without end", "greeting", "220 " + String(repeating: "x", count: 100_000), 75, "deferred ("),
        dialogue("lines without end", "hello", String(repeating: "250-x\r\n", count: 15_000), 75, "deferred (hello)"),
        dialogue("codes that change", "hello", "250-x\r\n550 y\r\n", 75, "deferred (hello)"),
        dialogue("closed in EHLO", "hello", "250-x\r\n250-SI", 75, "deferred (hello)"),
        dialogue("an early answer", "hello", "250 x\r\n250 Ok\r\n", 75, "deferred (mail)"),
        dialogue("too large for it", "hello", "250-x\r\n250 SIZE 10\r\n", 69, "rejected (mail)"),
        dialogue("354 to MAIL", "mail", "354 Go\r\n", 75, "deferred (mail)"),
        dialogue("closed after MAIL", "mail", "250 O", 75, "deferred (mail)"),
        dialogue("a code of letters", "mail", "2xx Ok\r\n", 75, "deferred (mail)"),
        dialogue("full", "recipient", "552 5.2.2 Full\r\n", 75, "deferred (recipient): 552"),
        dialogue("no such user", "recipient", "550 5.1.1 No\r\n", 69, "rejected (recipient): 550"),
        dialogue("closed in RCPT", "recipient", "25", 75, "deferred (recipient)"),
        dialogue("250 to DATA", "data", "250 Ok\r\n", 75, "deferred (data)"),
        dialogue("an early 250", "data", "354 Go\r\n250 Ok\r\n", 75, "deferred (content)"),
        dialogue("421 to DATA", "data", "421 4.3.2 Bye\r\n", 75, "deferred (data): 421"),
        dialogue("554 to DATA", "data", "554 5.7.1 No\r\n", 69, "rejected (data): 554"),
        Hostile(
            what: "STARTTLS 454 where TLS may be", replies: ["220 x\r\n", "250-x\r\n250 STARTTLS\r\n", "454 4.7.0 No\r\n", "421 Bye\r\n"],
            tls: "may", status: 75, outcome: "deferred (mail): 421"),
        Hostile(
            what: "octets behind the go-ahead where TLS may be",
            replies: ["220 x\r\n", "250-x\r\n250 STARTTLS\r\n", "220 Go\r\n250 x\r\n"],
            tls: "may", status: 77, outcome: "refused (startTLS)"),
        Hostile(
            what: "EHLO refused where TLS must be", replies: ["220 x\r\n", "502 5.5.1 What\r\n", "250 x\r\n"], tls: "starttls", status: 77,
            outcome: "refused (hello)"),
        Hostile(
            what: "EHLO refused for us", replies: ["220 x\r\n", "554 5.7.1 Not you\r\n"], tls: "starttls", status: 69,
            outcome: "rejected (hello): 554"),
        Hostile(
            what: "HELO in place of EHLO", replies: ["220 x\r\n", "502 5.5.1 What\r\n", "250 x\r\n", "550 5.7.1 No\r\n"], status: 69,
            outcome: "rejected (mail): 550"),
    ]

    @Test("a server that breaks the rules has the exit status of where it did", arguments: hostile)
    func hostileServers(_ example: Hostile) async throws {
        let (server, port) = try await Self.saying(example.replies)
        let probe = try await Self.smtp(port, ["--tls", example.tls, "--timeout", "20"])
        #expect(probe.status == example.status && probe.outputText.hasPrefix(example.outcome), "\(probe.outputText)\(probe.errorText)")
        #expect(!probe.errorText.contains("> .\n") && !probe.output.dropLast().contains { $0 < 32 })
        server.kill()
    }

    /// A server that takes a whole message and answers the dot with these pieces, so far apart, then closes.
    static func answering(dot pieces: [String], every seconds: Double) async throws -> (server: ChildProcess, port: Int) {
        let port = try FreePort.next()
        let script = """
            import socket, sys, time
            s = socket.create_server(('127.0.0.1', \(port)))
            print('up', flush=True)
            c, _ = s.accept()
            f = c.makefile('rb')
            def say(text): c.sendall(text.encode())
            say('220 x\\r\\n')
            for line in f:
                if line == b'.\\r\\n': break
                if line[:4] in (b'EHLO', b'MAIL', b'RCPT'): say('250 x\\r\\n')
                if line[:4] == b'DATA': say('354 x\\r\\n')
            try:
                for piece in sys.argv[1:]:
                    say(piece)
                    time.sleep(\(seconds))
                f.readline()
            except OSError: pass
            """
        let server = try ChildProcess(try Interop.require("python3"), ["-c", script] + pieces)
        _ = try await server.waitForLine(containing: "up")
        return (server, port)
    }

    @Test(
        "only a complete reply to the dot is an answer",
        arguments: [
            (["250 2.0.0 taken\r\n"], Int32(0), "accepted: 250"), (["250-a\r\n", "250 b\r\n"], 0, "accepted: 250"),
            (["2", "5", "0", " ok", "\r", "\n"], 0, "accepted: 250"), (["250 ok\r\n554 no\r\n"], 0, "accepted: 250"),
            (["421 4.3.2 bye\r\n"], 75, "deferred (finalDot): 421"), (["554 5.7.1 no\r\n"], 69, "rejected (finalDot): 554"),
            (["250 ok\n"], 70, "ambiguous (finalDot)"), (["250-ok\r\n550 no\r\n"], 70, "ambiguous (finalDot)"),
            (["354 go on\r\n"], 70, "ambiguous (finalDot)"), (["ok\r\n"], 70, "ambiguous (finalDot)"),
            ([String(repeating: "250-x\r\n", count: 15_000)], 70, "ambiguous (finalDot)"),
        ] as [([String], Int32, String)])
    func answersToTheDot(_ pieces: [String], status: Int32, outcome: String) async throws {
        let (server, port) = try await Self.answering(dot: pieces, every: 0.01)
        let probe = try await Self.smtp(port, ["--tls", "none", "--timeout", "20"])
        #expect(probe.status == status && probe.outputText.hasPrefix(outcome), "\(probe.outputText)\(probe.errorText)")
        server.kill()
    }

    @Test("the time limit of a call holds against a server that dawdles octet by octet, before the dot and behind it")
    func dawdling() async throws {
        let dawdle = Array(repeating: "250-x\r\n", count: 400)
        let (server, port) = try await Self.answering(dot: dawdle, every: 0.1)
        let begin = ContinuousClock.now
        let late = try await Self.smtp(port, ["--tls", "none", "--timeout", "1"])
        #expect(late.status == 70 && late.outputText.contains("within the 1 s of --timeout"), "\(late.outputText)")
        #expect(begin.duration(to: .now) < .seconds(20))
        server.kill()
    }

    @Test("STARTTLS, TLS from the first byte and a login on Postfix; the wrong name, authority and password")
    func postfix() async throws {
        let folder = try TemporaryFolder()
        let certificate = try await CertificateFiles.selfSigned(in: folder)
        let sink = try SinkSMTP()
        let dovecot = try await DovecotProcess.start(users: [.init("ann@example.com", password: "secret")], certificate: certificate)
        var configuration = PostfixProcess.Configuration(routes: ["*": .smtp(port: sink.port)])
        configuration.certificate = certificate
        configuration.authSocket = dovecot.authSocket
        configuration.authenticatesOnlyUnderTLS = true
        let postfix = try await PostfixProcess.start(configuration)
        let tlsPort = try #require(postfix.implicitTLSPort)
        let good = try folder.write("good", text: "secret\n", permissions: 0o600)
        let wrong = try folder.write("wrong", text: "guess", permissions: 0o600)
        let ca = ["--ca", certificate.certificate]
        let login = ["--user", "ann@example.com", "--password-file", good]

        let cases: [(Int, [String], Int32)] = [
            (postfix.port, ["--tls", "starttls"] + ca + login, 0),
            (tlsPort, ["--tls", "implicit"] + ca + login, 0),
            (postfix.port, ["--tls", "starttls", "--name", "localhost"] + ca + login, 0),
            (postfix.port, ["--tls", "may"] + ca + login, 0),
            // Whoever it is that offers TLS, a password goes to nobody who does not prove it.
            (postfix.port, ["--tls", "may"] + login, 77),
            (postfix.port, ["--tls", "starttls", "--name", "mx.example.org"] + ca + login, 77),
            (tlsPort, ["--tls", "implicit", "--name", "mx.example.org"] + ca + login, 77),
            // Not among the machine's authorities.
            (postfix.port, ["--tls", "starttls"] + login, 77),
            // Login is offered under TLS only.
            (postfix.port, ["--tls", "none"] + login, 77),
            (postfix.port, ["--tls", "starttls"] + ca + ["--user", "ann@example.com", "--password-file", wrong], 69),
            // 554 5.7.1: relaying is for logins.
            (postfix.port, ["--tls", "starttls"] + ca, 69),
        ]
        for (port, options, status) in cases {
            let probe = try await Self.smtp(port, options)
            #expect(probe.status == status, "\(options): \(probe.outputText)\(probe.errorText)")
            #expect(!probe.errorText.contains("secret") && !probe.errorText.contains("guess"))
        }
        #expect(try await sink.waitForMessages(4).count == 4)
        #expect(try await Self.smtp(postfix.port, ["--tls", "starttls"] + ca + login).errorText.contains("verified"))
    }
}
