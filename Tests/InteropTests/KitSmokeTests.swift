import Foundation
import Glibc
import TestKit
import Testing

/// The tools of the interop tests against the real servers: what they report must be what happened.
@Suite("the test kit")
struct KitSmokeTests {
    static let message = Array(
        """
        From: Ann <ann@example.com>\r
        To: bo@example.net\r
        Subject: Hello\r
        Date: Sat, 21 Nov 2026 04:00:00 +0000\r
        Message-ID: <one@example.com>\r
        \r
        .A line that starts with a dot\r

        """.utf8)

    /// Says one message to an SMTP or LMTP server in plain words, and returns the reply to the final dot.
    static func submit(
        to port: Int, hello: String = "EHLO client.example.com", from: String = "ann@example.com", recipients: [String],
        login: String? = nil
    ) async throws -> [String] {
        let client = try await LineClient.connect(port: port)
        defer { client.close() }
        var last = try await client.readReply()
        let commands = [hello] + [login].compactMap(\.self) + ["MAIL FROM:<\(from)>"] + recipients.map { "RCPT TO:<\($0)>" } + ["DATA"]
        for command in commands {
            last = try await client.command(command)
            guard last.last?.first == "2" || last.last?.first == "3" else { return last }
        }
        let stuffed = String(decoding: message, as: UTF8.self).replacing("\r\n.", with: "\r\n..")
        try await client.sendRaw(Array("\(stuffed).\r\n".utf8))
        last = []
        for _ in 0..<(hello.hasPrefix("LHLO") ? recipients.count : 1) { last += try await client.readReply() }
        _ = try? await client.command("QUIT")
        return last
    }

    // MARK: Dovecot

    @Test("Dovecot takes mail by LMTP and by doveadm, and gives it to a login in the clear and under TLS")
    func dovecot() async throws {
        let folder = try TemporaryFolder()
        let certificate = try await CertificateFiles.selfSigned(in: folder)
        let server = try await DovecotProcess.start(users: [.init("bo@example.net", password: "secret")], certificate: certificate)

        #expect(
            try await Self.submit(to: server.lmtpPort, hello: "LHLO client", recipients: ["bo@example.net"]).first?.hasPrefix("250 ")
                == true)
        try await server.deliver(Self.message, to: "bo@example.net")
        try await server.doveadm(["mailbox", "create", "-u", "bo@example.net", "Archive"])

        let client = try await LineClient.connect(port: server.imapPort)
        let greeting = try #require(try await client.readLine())
        #expect(greeting.contains("STARTTLS") && greeting.contains("AUTH=SCRAM-SHA-256") && greeting.contains("AUTH=PLAIN"))
        try await client.send("a LOGIN bo@example.net wrong")
        #expect(try await client.readLines { $0.hasPrefix("a ") }.last?.hasPrefix("a NO") == true)
        try await client.send("b LOGIN bo@example.net secret")
        #expect(try await client.readLines { $0.hasPrefix("b ") }.last?.hasPrefix("b OK") == true)
        try await client.send("c SELECT INBOX")
        #expect(try await client.readLines { $0.hasPrefix("c ") }.contains("* 2 EXISTS"))
        try await client.send("d FETCH 2 BODY.PEEK[]")
        #expect(try await client.readLines { $0.hasPrefix("d ") }.contains(".A line that starts with a dot"))
        try await client.send("e LIST \"\" *")
        #expect(try await client.readLines { $0.hasPrefix("e ") }.contains { $0.hasSuffix(" Archive") })

        let dialogue = try await Command.run(
            Interop.require("openssl"),
            [
                "s_client", "-connect", "127.0.0.1:\(server.imapsPort)", "-CAfile", certificate.certificate, "-verify_return_error",
                "-quiet",
            ],
            input: Array("a LOGIN bo@example.net secret\r\nb LOGOUT\r\n".utf8))
        #expect(dialogue.outputText.contains("a OK") && dialogue.outputText.contains("* BYE"))
        await server.end()
    }

    // MARK: Postfix

    @Test("Postfix relays by route, into a sink and into Dovecot's LMTP")
    func postfixRelays() async throws {
        let folder = try TemporaryFolder()
        let sink = try SinkSMTP()
        let dovecot = try await DovecotProcess.start(
            users: [.init("bo@example.net", password: "secret")], certificate: .selfSigned(in: folder))
        let postfix = try await PostfixProcess.start(
            .init(routes: ["example.net": .lmtp(port: dovecot.lmtpPort), "*": .smtp(port: sink.port)]))

        #expect(try await Self.submit(to: postfix.port, recipients: ["cy@example.org", "bo@example.net"]).first?.hasPrefix("250 ") == true)
        let message = try #require(try await sink.waitForMessages(1).first)
        #expect(
            message.reversePath == "ann@example.com" && message.recipients == ["cy@example.org"] && message.messageID == "one@example.com")
        #expect(message.isAcknowledged && message.bareLineEnds == 0 && message.text.hasSuffix("\r\n\r\n.A line that starts with a dot\r\n"))
        try await postfix.waitForLog(containing: "to=<bo@example.net>, relay=127.0.0.1")
        try await postfix.waitUntilQueueIsEmpty()
        #expect(try await dovecot.doveadm(["fetch", "-u", "bo@example.net", "hdr.message-id", "all"]).contains("<one@example.com>"))
    }

    @Test("Postfix writes real bounces: of its own, and of a recipient that the next server refuses")
    func postfixBounces() async throws {
        let sink = try SinkSMTP()
        sink.script("refused@example.org", then: .refuse("550 5.1.1 No such user here"))
        sink.script("grey@example.org", .refuse("451 4.7.1 Greylisted"))
        let postfix = try await PostfixProcess.start(
            .init(routes: [
                "gone.example.org": .bounce("5.1.2 Domain is gone"), "no.example.org": .refuse("5.1.1 Not here"),
                "*": .smtp(port: sink.port),
            ]))

        #expect(try await Self.submit(to: postfix.port, recipients: ["x@no.example.org"]).last?.hasPrefix("550 5.1.1 ") == true)
        let recipients = ["x@gone.example.org", "refused@example.org", "grey@example.org"]
        #expect(
            try await Self.submit(to: postfix.port, from: "bounce+1@example.com", recipients: recipients).last?.hasPrefix("250 ") == true)
        _ = try await sink.waitForMessages(1) { $0.recipients == ["grey@example.org"] }
        try await postfix.waitUntilQueueIsEmpty()

        let bounces = sink.messages(to: "bounce+1@example.com")
        #expect(!bounces.isEmpty && bounces.allSatisfy { $0.reversePath.isEmpty && $0.text.contains("report-type=delivery-status") })
        let text = bounces.map(\.text).joined()
        #expect(text.contains("Final-Recipient: rfc822; x@gone.example.org") && text.contains("Status: 5.1.2"))
        #expect(
            text.contains("Final-Recipient: rfc822; refused@example.org")
                && text.contains("Diagnostic-Code: smtp; 550 5.1.1 No such user here"))
        #expect(!text.contains("Final-Recipient: rfc822; grey@example.org"))
        #expect(sink.refusals.map(\.recipient).sorted() == ["grey@example.org", "refused@example.org"])
    }

    @Test("Postfix as a smarthost takes mail from a login only, with Dovecot as its judge")
    func postfixAuthenticates() async throws {
        let folder = try TemporaryFolder()
        let sink = try SinkSMTP()
        let certificate = try await CertificateFiles.selfSigned(in: folder)
        let dovecot = try await DovecotProcess.start(users: [.init("ann@example.com", password: "secret")], certificate: certificate)
        var configuration = PostfixProcess.Configuration(routes: ["*": .smtp(port: sink.port)])
        configuration.certificate = certificate
        configuration.authSocket = dovecot.authSocket
        let postfix = try await PostfixProcess.start(configuration)

        func plain(_ password: String) -> String { "AUTH PLAIN \(Data("\0ann@example.com\0\(password)".utf8).base64EncodedString())" }
        let recipients = ["bo@example.net"]
        #expect(try await Self.submit(to: postfix.port, recipients: recipients).last?.hasPrefix("554 5.7.1 ") == true)
        #expect(
            try await Self.submit(to: postfix.port, recipients: recipients, login: plain("wrong")).last?.hasPrefix("535 5.7.8 ") == true)
        #expect(try await Self.submit(to: postfix.port, recipients: recipients, login: plain("secret")).last?.hasPrefix("250 ") == true)
        #expect(try await sink.waitForMessages(1).count == 1)

        let port = try #require(postfix.implicitTLSPort)
        let dialogue = try await Command.run(
            Interop.require("openssl"),
            ["s_client", "-connect", "127.0.0.1:\(port)", "-CAfile", certificate.certificate, "-verify_return_error", "-quiet"],
            input: Array("EHLO client\r\nQUIT\r\n".utf8))
        #expect(dialogue.outputText.contains("220 mx.example.com") && dialogue.outputText.contains("SCRAM-SHA-256"))
        let client = try await LineClient.connect(port: postfix.port)
        _ = try await client.readReply()
        #expect(try await client.command("EHLO client").contains("250-STARTTLS"))
    }

    // MARK: The sink

    @Test(
        "the sink keeps what arrived whole, and knows whether it said so",
        arguments: [
            (SinkSMTP.Answer.accept, "250 ", 1, 1), (.refuse("550 5.1.1 No"), "550 5.1.1 No", 0, 0),
            (.refuseData("554 5.7.1 No"), "554 5.7.1 No", 1, 0),
            (.delayReply(.milliseconds(50)), "250 ", 1, 1),
        ])
    func sinkAnswers(_ answer: SinkSMTP.Answer, reply: String, received: Int, acknowledged: Int) async throws {
        let sink = try SinkSMTP()
        sink.script("bo@example.net", answer, then: .refuse("452 4.2.2 Script is over"))
        #expect(try await Self.submit(to: sink.port, recipients: ["BO@example.net"]).last?.hasPrefix(reply) == true)
        #expect(sink.count(ofMessageID: "one@example.com") == received)
        #expect(sink.messages.filter(\.isAcknowledged).count == acknowledged)
        #expect(try await Self.submit(to: sink.port, recipients: ["bo@example.net"]) == ["452 4.2.2 Script is over"])
        #expect(sink.connections == 2)
    }

    @Test(
        "the sink breaks off where it is told to",
        arguments: [(SinkSMTP.Answer.dropWithinData, 0), (.dropAfterDot, 1), (.cutReply("250 2.0.0 O"), 1)])
    func sinkBreaksOff(_ answer: SinkSMTP.Answer, received: Int) async throws {
        let sink = try SinkSMTP()
        sink.script("bo@example.net", answer)
        await #expect(throws: (any Error).self) { try await Self.submit(to: sink.port, recipients: ["bo@example.net"]) }
        #expect(sink.messages.count == received && sink.messages.allSatisfy { !$0.isAcknowledged })
    }

    @Test("the sink holds replies until they are released, and speaks LMTP with one reply for each recipient")
    func sinkHoldsAndSpeaksLMTP() async throws {
        let sink = try SinkSMTP(.lmtp)
        sink.script("bo@example.net", .holdReply)
        let dialogue = Task {
            try await Self.submit(to: sink.port, hello: "LHLO client", recipients: ["bo@example.net", "cy@example.net"])
        }
        #expect(try await sink.waitForMessages(1).first?.isAcknowledged == false)
        sink.releaseReplies()
        #expect(try await dialogue.value.map { $0.prefix(4) } == ["250 ", "250 "])
        #expect(sink.messages.first?.isAcknowledged == true)
    }

    @Test("the sink counts line ends that no mail may have")
    func sinkCountsBareLineEnds() async throws {
        let sink = try SinkSMTP()
        let client = try await LineClient.connect(port: sink.port)
        _ = try await client.readReply()
        for command in ["HELO c", "MAIL FROM:<> SIZE=9", "RCPT TO:<bo@example.net> NOTIFY=NEVER", "DATA"] {
            _ = try await client.command(command)
        }
        try await client.sendRaw(Array("a\rb\nc\n.\n.\r\r\nd\r\n.\r\n".utf8))
        #expect(try await client.readReply().first?.hasPrefix("250 ") == true)
        let message = try #require(sink.messages.first)
        #expect(
            message.bareLineEnds == 5 && message.reversePath.isEmpty && message.heloName == "c"
                && message.parameters == ["SIZE=9", "NOTIFY=NEVER"])
    }

    // MARK: Verifiers

    @Test("dkimpy and OpenDKIM agree on a good and on a changed message")
    func verifiersAgree() async throws {
        let folder = try TemporaryFolder()
        let key = folder("key.pem")
        try await Command.succeed(Interop.require("openssl"), ["genrsa", "-traditional", "-out", key, "2048"])
        let public64 = try await Command.succeed(Interop.require("openssl"), ["rsa", "-in", key, "-pubout", "-outform", "DER"])
        let records = [
            DKIMRecord(name: "s1._domainkey.example.com", text: "v=DKIM1; k=rsa; p=\(Data(public64.output).base64EncodedString())")
        ]
        let good = try await DKIMPy.sign(Self.message, domain: "example.com", selector: "s1", keyFile: key)
        #expect(good.count > Self.message.count && good.suffix(Self.message.count) == Self.message[...])
        let changed = Array(String(decoding: good, as: UTF8.self).replacing("A line", with: "No line").utf8)

        for (message, isValid) in [(good, true), (changed, false)] {
            let expected = [DKIMVerdict(domain: "example.com", selector: "s1", algorithm: "rsa-sha256", isValid: isValid)]
            #expect(try await DKIMPy.verify(message, records: records) == expected)
            #expect(try await OpenDKIM.verify(message, records: records) == expected)
        }
        #expect(try await DKIMPy.verify(good, records: []).map(\.isValid) == [false])
        #expect(try await DKIMPy.verify(Self.message, records: records).isEmpty)
        #expect(try await OpenDKIM.verify(Self.message, records: records).isEmpty)
    }

    // MARK: Processes

    @Test("a child's outputs, status, input and environment are its own")
    func command() async throws {
        let outcome = try await Command.run(
            "/bin/sh", ["-c", "cat; echo $KIT_A-${HOME-none} >&2; pwd >&2; exit 3"], environment: ["KIT_A": "a", "HOME": nil],
            input: [0x68, 0x69],
            directory: "/usr")
        #expect(outcome.status == 3 && outcome.outputText == "hi" && outcome.errorText == "a-none\n/usr\n")
        await #expect(throws: TimedOut.self) { try await Command.run("/bin/sleep", ["60"], within: .milliseconds(50)) }
        await #expect(throws: SystemError.self) { try await Command.run("/nonexistent/program") }
        await #expect(throws: Command.Failed.self) { try await Command.succeed("/bin/false") }
    }

    @Test("a child is ended by SIGTERM, else by SIGKILL together with what it started")
    func childEnds() async throws {
        let polite = try ChildProcess("/bin/sleep", ["60"])
        #expect(await polite.end() == .killed(signal: SIGTERM))

        let stubborn = try ChildProcess("/bin/sh", ["-c", "trap '' TERM; sleep 60 & echo child $!; while :; do wait; done"])
        let grandchild = try #require(pid_t(try await stubborn.waitForLine(containing: "child ").dropFirst(6)))
        #expect(await stubborn.end(patience: .milliseconds(200)) == .killed(signal: SIGKILL))
        try await eventually("the end of the grandchild") {
            kill(grandchild, 0) != 0 || TextFile.read("/proc/\(grandchild)/stat").contains(") Z ")
        }

        let quick = try ChildProcess("/bin/sh", ["-c", "echo no; exit 1"])
        await #expect(throws: TimedOut.self) { try await quick.waitForPort(FreePort.next()) }

        var forgotten: ChildProcess? = try ChildProcess("/bin/sleep", ["60"])
        let id = try #require(forgotten?.id)
        forgotten = nil
        #expect(kill(id, 0) != 0)
    }

    @Test("a temporary folder goes with its last reference, and free ports differ")
    func folderAndPorts() async throws {
        var folder: TemporaryFolder? = try TemporaryFolder()
        let file = try #require(try folder?.write("a/b", text: "text", permissions: 0o600))
        #expect(TextFile.read(file) == "text")
        folder = nil
        #expect(!FileManager.default.fileExists(atPath: file))
        #expect(Set(try (0..<100).map { _ in try FreePort.next() }).count == 100)
    }
}
