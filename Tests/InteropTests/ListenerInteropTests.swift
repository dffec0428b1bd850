import Glibc
import MailTransport
import OpenSSL
import SMTP
import TestKit
import Testing

/// Our listeners, with Postfix and OpenSSL as their clients.
@Suite("listeners for real servers")
struct ListenerInteropTests {
    /// A listener that serves until it is ended.
    struct Open {
        let listener: MailListener
        let running: Task<Void, any Error>

        static func start(
            _ dialect: Dialect, at address: MailListener.Address = .host("127.0.0.1", port: 0), desk: KeepingDesk,
            certificate: CertificateFiles? = nil
        ) async throws -> Open {
            let tls = try certificate.map { try TLSServerContext(certificateChainFile: $0.certificate, keyFile: $0.key) }
            let listener = try await MailListener.bind(
                .init(address: address, session: ServerConfiguration(dialect: dialect, hostname: "in.example.com")), desk: desk,
                tls: { tls }, eventLoops: Peers.eventLoops, logger: Peers.logger)
            return Open(listener: listener, running: Task { try await listener.run() })
        }

        var port: Int { get throws { try #require(listener.port) } }

        func end() async throws {
            listener.stop()
            try await running.value
        }
    }

    static let letter = Array("From: bo@example.net\r\nMessage-ID: <reply@example.net>\r\nSubject: Re: One\r\n\r\nYes.\r\n.\r\n..\r\n".utf8)

    /// Hands a message to a Postfix, dots stuffed.
    static func submit(to postfix: PostfixProcess, from reversePath: String, recipients: [String]) async throws {
        let client = try await LineClient.connect(port: postfix.port)
        _ = try await client.readReply()
        let envelope = ["MAIL FROM:<\(reversePath)>"] + recipients.map { "RCPT TO:<\($0)>" }
        for command in ["EHLO client.example.net"] + envelope {
            try #require(try await client.command(command).last?.hasPrefix("250 ") == true, "\(command)")
        }
        _ = try await client.command("DATA")
        let stuffed = String(decoding: letter, as: UTF8.self).replacing("\r\n.", with: "\r\n..")
        try await client.sendRaw(Array("\(stuffed).\r\n".utf8))
        #expect(try await client.readReply().last?.hasPrefix("250 ") == true)
        _ = try? await client.command("QUIT")
    }

    @Test("Postfix relays into our LMTP listener on a unix socket and on a port, and takes each recipient's verdict")
    func lmtp() async throws {
        let folder = try TemporaryFolder()
        let socket = folder("lmtp.sock")
        let desk = KeepingDesk()
        let local = try await Open.start(.lmtp, at: .socket(path: socket, mode: 0o666), desk: desk)
        let net = try await Open.start(.lmtp, desk: desk)
        let sink = try SinkSMTP()
        let postfix = try await PostfixProcess.start(
            .init(routes: ["r.example.com": .lmtpSocket(socket), "net@r.example.com": .lmtp(port: net.port), "*": .smtp(port: sink.port)]))

        try await Self.submit(
            to: postfix, from: "bo@example.net", recipients: ["reply+one@r.example.com", "nobody@r.example.com", "reply+two@r.example.com"])
        try await Self.submit(to: postfix, from: "bo@example.net", recipients: ["net@r.example.com"])
        try await postfix.waitUntilQueueIsEmpty()
        let recipients = desk.mail.flatMap(\.recipients).sorted()
        #expect(recipients == ["net@r.example.com", "reply+one@r.example.com", "reply+two@r.example.com"])
        for mail in desk.mail {
            #expect(mail.text.hasSuffix("\r\n\r\nYes.\r\n.\r\n..\r\n"), "\(mail.text)")
            #expect(String(decoding: mail.envelope.reversePath, as: UTF8.self) == "bo@example.net")
            #expect(mail.envelope.transmissionType.hasSuffix("LMTP"))
        }
        #expect(Set(desk.mail.map(\.peer)) == ["unix", "127.0.0.1"])
        // The refused one comes back to its sender as a report of Postfix's.
        let report = try #require(try await sink.waitForMessages(1).first)
        #expect(report.reversePath.isEmpty && report.recipients == ["bo@example.net"])
        #expect(report.text.contains("Final-Recipient: rfc822; nobody@r.example.com") && report.text.contains("Status: 5.1.1"))
        try await local.end()
        try await net.end()
        #expect(access(socket, F_OK) != 0)
    }

    @Test("Postfix relays into our SMTP listener under STARTTLS that it verifies")
    func smtp() async throws {
        let folder = try TemporaryFolder()
        let certificate = try await CertificateFiles.selfSigned(in: folder)
        let desk = KeepingDesk()
        let open = try await Open.start(.smtp, desk: desk, certificate: certificate)
        var configuration = PostfixProcess.Configuration(routes: ["*": .smtp(port: try open.port)])
        configuration.extra = [
            "smtp_tls_security_level": "secure", "smtp_tls_secure_cert_match": "localhost", "smtp_tls_CAfile": certificate.certificate,
            "smtp_tls_loglevel": "1",
        ]
        let postfix = try await PostfixProcess.start(configuration)
        try await Self.submit(to: postfix, from: "bo@example.net", recipients: ["reply+one@r.example.com"])
        try await postfix.waitUntilQueueIsEmpty()
        #expect(
            desk.mail.count == 1 && desk.mail.allSatisfy { $0.envelope.isEncrypted && $0.text.hasSuffix("\r\n\r\nYes.\r\n.\r\n..\r\n") })
        #expect(postfix.log.contains("Verified TLS connection established"), "\(postfix.log)")
        try await open.end()
    }

    @Test("a real bounce of Postfix reaches the null reverse-path's bounce address at our listener")
    func bounce() async throws {
        let desk = KeepingDesk()
        let open = try await Open.start(.smtp, desk: desk)
        let postfix = try await PostfixProcess.start(
            .init(routes: ["r.example.com": .smtp(port: open.port), "*": .bounce("5.1.1 User unknown")]))
        let folder = try TemporaryFolder()
        let certificate = try await CertificateFiles.selfSigned(in: folder)
        let route = Route(
            name: "office", kind: .submission(host: "127.0.0.1", port: postfix.port), tls: .none, level: .none,
            trust: try Peers.trust(certificate), helloName: "out.example.com")
        let report = await Peers.deliver(try Peers.message(to: "gone@example.net", from: "bounce+token@r.example.com"), over: route)
        #expect(report.word == "accepted", "\(report)")
        let mail = try await eventually("the bounce\n\(postfix.log)") { desk.mail.first }
        #expect(mail.recipients == ["bounce+token@r.example.com"] && mail.envelope.reversePath.isEmpty)
        for text in [
            "report-type=delivery-status", "Final-Recipient: rfc822; gone@example.net", "Original-Recipient: rfc822;gone@example.net",
            "Original-Envelope-Id: envelope-1", "Status: 5.1.1", "Message-ID: <one@example.com>",
        ] {
            #expect(mail.text.contains(text), "\(text) is not in\n\(mail.text)")
        }
        // RET=HDRS: the header came back, not the body.
        #expect(!mail.text.contains("A line that starts with a dot"))
        try await open.end()
    }

    @Test(
        "OpenSSL's s_client gets through STARTTLS, with each version of TLS we speak and none older",
        arguments: ["-tls1_2", "-tls1_3", "-tls1_1"])
    func sClient(_ version: String) async throws {
        let folder = try TemporaryFolder()
        let certificate = try await CertificateFiles.selfSigned(in: folder)
        let open = try await Open.start(.smtp, desk: KeepingDesk(), certificate: certificate)
        let client = try ChildProcess(
            Interop.require("openssl"),
            [
                "s_client", "-connect", "127.0.0.1:\(open.port)", "-starttls", "smtp", version, "-CAfile", certificate.certificate,
                "-verify_return_error", "-verify_hostname", "localhost", "-crlf", "-ign_eof",
            ], input: Array("EHLO client.example.net\n".utf8))
        if version == "-tls1_1" {
            #expect(try await client.waitForEnd() != .exited(0))
            #expect(!TextFile.read(client.outputFile).contains("250 "))
        } else {
            // The last line of the reply to EHLO.
            try await client.waitForLine(containing: "250 ")
            let output = TextFile.read(client.outputFile)
            #expect(output.contains("Verify return code: 0 (ok)") && output.contains("250-in.example.com"), "\(output)")
            // What TLS protects is not offered TLS again.
            #expect(!output.contains("STARTTLS"), "\(output)")
            client.kill()
            _ = try await client.waitForEnd()
        }
        try await open.end()
    }
}
