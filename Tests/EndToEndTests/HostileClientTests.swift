import Foundation
import TestKit
import Testing

/// The listeners of `serve` with clients that break the rules, and with those that are used everywhere.
@Suite("clients of every kind at the listeners", .timeLimit(.minutes(10)))
struct HostileClientTests {
    enum Dialect: String, CaseIterable, Sendable {
        case smtp, lmtp
        var hello: String { self == .smtp ? "EHLO client.example.net" : "LHLO client.example.net" }
    }

    /// An installation that serves, with a listener of each kind.
    private struct Post {
        let premises: Premises
        let serve: ChildProcess
        let ports: [Dialect: Int]
        let certificates: TemporaryFolder

        static func open() async throws -> Post {
            let certificates = try TemporaryFolder()
            let certificate = try await CertificateFiles.selfSigned(in: certificates)
            #expect(chmod(certificate.key, 0o640) == 0)
            let ports: [Dialect: Int] = [.smtp: try FreePort.next(), .lmtp: try FreePort.next()]
            let listeners = ports.map { dialect, port in
                """

                [listener.\(dialect.rawValue)]
                listen = ["127.0.0.1:\(port)"]
                accept_domains = ["r.example.com"]
                max_connections_per_ip = 500
                hard_error_limit = 1000
                soft_error_limit = 1000
                tls_cert_file = "\(certificate.certificate)"
                tls_key_file = "\(certificate.key)"

                """
            }
            let premises = try Premises(
                Premises.plainRoute("sink", port: try FreePort.next()) + Premises.identity(route: "sink") + listeners.joined())
            return Post(premises: premises, serve: try await premises.serve(), ports: ports, certificates: certificates)
        }

        func connect(_ dialect: Dialect, greets: Bool = true) async throws -> LineClient {
            let client = try await LineClient.connect(port: try #require(ports[dialect]))
            #expect(try await client.readReply().first?.hasPrefix("220 ") == true)
            if greets { #expect(try await client.command(dialect.hello).last?.hasPrefix("250 ") == true) }
            return client
        }

        /// What the database holds.
        func query(_ sql: String) async throws -> String {
            try await Command.succeed(Interop.require("sqlite3"), [premises.folder("state/postrider.sqlite"), sql]).outputText
        }

        func end() async {
            #expect(await serve.end(patience: .seconds(40)) == .exited(0), "\(serve.outputTail)")
        }
    }

    private static let endings = ["", "\r", "\n", "\r\n", "\n\n", "\r\r", "\n\r", "\r\0\n", "\0", "\u{B}", "\u{C}", "\u{85}", "\u{2028}"]
    private static let hidden = "MAIL FROM:<evil@x.example>\r\nRCPT TO:<postmaster@r.example.com>\r\nDATA\r\nSubject: no\r\n\r\nx\r\n.\r\n"

    /// Whether there is a NUL, a CR without LF or an LF without CR.
    private static func isStray(_ bytes: [UInt8]) -> Bool {
        bytes.indices.contains { index in
            switch bytes[index] {
            case 0: true
            case 13: index + 1 == bytes.count || bytes[index + 1] != 10
            case 10: index == 0 || bytes[index - 1] != 13
            default: false
            }
        }
    }

    @Test("no false end of data lets a second message through, in one packet or in many", arguments: Dialect.allCases)
    func smuggling(_ dialect: Dialect) async throws {
        let post = try await Post.open()
        var honest = 0
        for before in Self.endings {
            for after in Self.endings where !(before == "\r\n" && after == "\r\n") {
                let start = Array("Subject: x\r\n\r\nbody".utf8)
                let middle = Array("\(before).\(after)".utf8)
                let end = Array(Self.hidden.utf8)
                let cuts: [[[UInt8]]] = [
                    [start + middle + end], [start + middle, end],
                    [start] + (middle + end.prefix(4)).map { [$0] } + [Array(end.dropFirst(4))],
                ]
                let isStray = Self.isStray(start + middle + end)
                for pieces in cuts {
                    let client = try await post.connect(dialect)
                    for command in ["MAIL FROM:<good@x.example>", "RCPT TO:<postmaster@r.example.com>"] {
                        #expect(try await client.command(command).last?.hasPrefix("250 ") == true)
                    }
                    #expect(try await client.command("DATA").last?.hasPrefix("354 ") == true)
                    // The listener may have closed by the second piece.
                    for piece in pieces { try? await client.sendRaw(piece) }
                    let place = "\((before + "." + after).debugDescription) in \(pieces.count)"
                    if isStray {
                        // A reset may overtake the reply when more is written than was read.
                        if let reply = try? await client.readReply().last { #expect(reply.hasPrefix("550 5.6.11 "), "\(place): \(reply)") }
                    } else {
                        honest += 1
                        let reply = try await client.readReply().last ?? ""
                        #expect(reply.hasPrefix("250 "), "\(place): \(reply)")
                        #expect(try await client.command("QUIT").last?.hasPrefix("221 ") == true)
                    }
                    client.close()
                }
            }
        }
        #expect(honest > 0)
        #expect(try await post.query("SELECT reverse_path, COUNT(*) FROM intake GROUP BY 1") == "good@x.example|\(honest)\n")
        await post.end()
    }

    struct Abuse: Sendable, CustomTestStringConvertible {
        let name: String
        /// Whether a greeting stands before it.
        let greets: Bool
        let input: [UInt8]
        /// How each reply begins; then the connection must be closed, or answer NOOP.
        let replies: [String]
        let closes: Bool
        var testDescription: String { name }

        init(_ name: String, greets: Bool = true, _ input: String, _ replies: [String], closes: Bool = true) {
            (self.name, self.greets, self.input, self.replies, self.closes) = (name, greets, Array(input.utf8), replies, closes)
        }
    }

    static let abuses = [
        Abuse("talk behind EHLO", greets: false, "EHLO a\r\nMAIL FROM:<a@x.example>\r\n", ["554 5.5.0 "]),
        Abuse("pipelining that was not offered", greets: false, "HELO a\r\nNOOP\r\n", ["554 5.5.0 "]),
        Abuse("GET", greets: false, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", ["521 "]),
        Abuse("POST", greets: false, "POST / HTTP/1.1\r\n\r\n", ["521 "]),
        Abuse("CONNECT", greets: false, "CONNECT x:25 HTTP/1.0\r\n\r\n", ["521 "]),
        Abuse("TLS", greets: false, "\u{16}\u{3}\u{1}\u{0}\u{5}\r\n", ["500 5.5.2 "]),
        Abuse("NUL in a command", "NO\0OP\r\n", ["500 5.5.2 "]),
        Abuse("LF in a command", "NOOP\nNOOP\r\n", ["500 5.5.2 "]),
        Abuse("CR in a command", "NOOP\rNOOP\r\n", ["500 5.5.2 "]),
        Abuse("a command without end", String(repeating: "A", count: 1 << 16), ["500 5.5.2 "]),
        Abuse("a command behind STARTTLS", "STARTTLS\r\nNOOP\r\n", ["554 5.5.0 "]),
        Abuse("half a command behind STARTTLS", "STARTTLS\r\nNO", ["554 5.5.0 "]),
        Abuse(
            "content behind DATA",
            "MAIL FROM:<a@x.example>\r\nRCPT TO:<postmaster@r.example.com>\r\nDATA\r\nSubject: x\r\n\r\nx\r\n.\r\n",
            ["250 ", "250 ", "554 5.5.0 "]),
        Abuse("SIZE beyond 64 bits", "MAIL FROM:<a@x.example> SIZE=18446744073709551616\r\n", ["552 5.3.4 "], closes: false),
        Abuse("SIZE over the limit", "MAIL FROM:<a@x.example> SIZE=99999999\r\n", ["552 5.3.4 "], closes: false),
        Abuse("SIZE below zero", "MAIL FROM:<a@x.example> SIZE=-1\r\n", ["501 "], closes: false),
        Abuse("SIZE in words", "MAIL FROM:<a@x.example> SIZE=abc\r\n", ["501 "], closes: false),
        Abuse("8-bit address without SMTPUTF8", "MAIL FROM:<jür@x.example>\r\n", ["553 5.6.7 "], closes: false),
        Abuse("8-bit verb", "NÖÖP\r\n", ["500 5.5.2 "], closes: false),
        Abuse("AUTH in clear", "AUTH PLAIN AGEAYg==\r\n", ["502 5.5.1 "], closes: false),
        Abuse("BDAT", "BDAT 10 LAST\r\n", ["502 5.5.1 "], closes: false),
        Abuse("ETRN and EXPN", "ETRN x\r\nEXPN x\r\n", ["502 5.5.1 ", "502 5.5.1 "], closes: false),
        Abuse(
            "pipelining as it is meant",
            "MAIL FROM:<a@x.example>\r\nRCPT TO:<nobody@r.example.com>\r\nRCPT TO:<x@elsewhere.example.org>\r\nRSET\r\n",
            ["250 ", "550 5.1.1 ", "550 5.7.1 ", "250 "], closes: false),
    ]

    @Test("each abuse has its answer, nothing is stored, and others are served")
    func abuses() async throws {
        let post = try await Post.open()
        for dialect in Dialect.allCases {
            for abuse in Self.abuses {
                let client = try await post.connect(dialect, greets: abuse.greets)
                var input = abuse.input
                if dialect == .lmtp, !abuse.greets, input.starts(with: Array("EHLO".utf8)) { input[0] = UInt8(ascii: "L") }
                if dialect == .lmtp, !abuse.greets, input[0] == UInt8(ascii: "L") { input[1] = UInt8(ascii: "H") }
                if dialect == .lmtp, abuse.name.hasPrefix("pipelining that") { continue }
                try await client.sendRaw(input)
                for wanted in abuse.replies {
                    let reply = try await client.readReply().last ?? ""
                    #expect(reply.hasPrefix(wanted), "\(dialect) \(abuse.name): \(reply)")
                }
                if abuse.closes {
                    #expect(try await client.readLine() == nil, "\(dialect) \(abuse.name)")
                } else {
                    #expect(try await client.command("NOOP").last?.hasPrefix("250 ") == true, "\(dialect) \(abuse.name)")
                }
                client.close()
            }
        }
        #expect(try await post.query("SELECT COUNT(*) FROM intake") == "0\n")
        await post.end()
    }

    @Test("a message that is too big is refused where it ends, and the session goes on")
    func oversize() async throws {
        let post = try await Post.open()
        let client = try await post.connect(.smtp)
        for command in ["MAIL FROM:<a@x.example>", "RCPT TO:<postmaster@r.example.com>", "DATA"] { _ = try await client.command(command) }
        let block = Array(repeating: Array("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\r\n".utf8), count: 1024)
            .flatMap(\.self)
        for _ in 0..<165 { try await client.sendRaw(block) }
        try await client.sendRaw(Array(".\r\n".utf8))
        #expect(try await client.readReply().last?.hasPrefix("552 5.3.4 ") == true)
        #expect(try await client.command("NOOP").last?.hasPrefix("250 ") == true)
        client.close()
        #expect(try await post.query("SELECT COUNT(*) FROM intake") == "0\n")
        await post.end()
    }

    private static let python = """
        import smtplib, sys
        body = (b"Subject: eight bits\\r\\n\\r\\n.\\r\\n..\\r\\n.x\\r\\n\\r\\n" + bytes(range(128, 256)) + b"\\r\\n" + b"y" * 990 + b"\\r\\n")
        for kind, port in ((smtplib.SMTP, int(sys.argv[1])), (smtplib.LMTP, int(sys.argv[2]))):
            # It reads one of the replies to LMTP's dot only.
            recipients = ["postmaster@r.example.com", "abuse@r.example.com"][:2 if kind is smtplib.SMTP else 1]
            with kind("127.0.0.1", port) as client:
                for _ in range(2):
                    refused = client.sendmail("a@x.example", recipients, body, ["BODY=8BITMIME"])
                    assert not refused, refused
                try:
                    client.sendmail("a@x.example", ["nobody@r.example.com"], body)
                    raise SystemExit("taken")
                except smtplib.SMTPRecipientsRefused as error:
                    assert error.recipients["nobody@r.example.com"][0] == 550, error
        sys.stdout.write(body.hex().upper())
        """

    @Test("Python's smtplib, smtp-source and swaks deliver by SMTP and by LMTP, byte for byte")
    func everydayClients() async throws {
        let post = try await Post.open()
        let smtp = try #require(post.ports[.smtp])
        let lmtp = try #require(post.ports[.lmtp])
        let sent = try await Command.succeed(Interop.require("python3"), ["-c", Self.python, "\(smtp)", "\(lmtp)"]).outputText
        #expect(try await post.query("SELECT DISTINCT hex(bytes) FROM intake_body") == "\(sent)\n")
        #expect(try await post.query("SELECT COUNT(*) FROM intake") == "4\n")
        for (flags, port) in [([], smtp), (["-L"], lmtp)] {
            try await Command.succeed(
                Interop.require("smtp-source"),
                flags + ["-s", "10", "-m", "100", "-l", "5000", "-f", "b@x.example", "-t", "postmaster@r.example.com", "127.0.0.1:\(port)"])
        }
        #expect(try await post.query("SELECT COUNT(*) FROM intake WHERE reverse_path = 'b@x.example'") == "200\n")
        for (protocolName, port) in [("ESMTP", smtp), ("LMTP", lmtp)] {
            let swaks = try await Command.run(
                Interop.require("swaks"),
                [
                    "--server", "127.0.0.1:\(port)", "--protocol", protocolName, "--pipeline", "--from", "c@x.example", "--to",
                    "postmaster@r.example.com", "--body", ".\n..\nend",
                ])
            #expect(swaks.status == 0, "\(swaks.outputText)\n\(swaks.errorText)")
        }
        #expect(try await post.query("SELECT COUNT(*) FROM intake WHERE reverse_path = 'c@x.example'") == "2\n")
        #expect(
            try await post.query(
                "SELECT COUNT(*) FROM intake_body JOIN intake ON id = intake_id WHERE reverse_path = 'c@x.example' AND instr(bytes, x'0D0A2E0D0A2E2E0D0A656E64') > 0"
            ) == "2\n")
        await post.end()
    }
}
