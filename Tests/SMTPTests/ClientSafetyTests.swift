import NIOCore
import Testing

@testable import SMTP

/// What a server may do to a client session, and what a driver may do to it.
struct ClientSafetyTests {
    static let plainGreeting = "220 mx ESMTP\r\n"

    /// A driver in a session whose server has answered so far.
    static func driver(_ options: [String: String] = [:], hearing replies: String...) -> ClientDriver {
        var driver = ClientDriver(options: options)
        driver.connect()
        for reply in replies { driver.receive(bytes(reply)) }
        return driver
    }

    static let toContent = ["220 mx\r\n", "250 mx\r\n", "250 Ok\r\n", "250 Ok\r\n"]

    @Test(
        "octets in clear behind the answer to STARTTLS end the session before the handshake",
        arguments: ["250 injected\r\n", "2", "\0", "220 go\r\n"])
    func injection(_ extra: String) {
        for pieces in [["220 go\r\n" + extra], ["220 go\r", "\n" + extra]] {
            var driver = Self.driver(["tls": "opportunistic"], hearing: "220 mx\r\n", "250-mx\r\n250 STARTTLS\r\n")
            driver.written = []
            for piece in pieces { driver.receive(bytes(piece)) }
            #expect(text(driver.written) == "<close>\r\n")
            #expect(
                driver.results == ["session startTLS session unsolicitedInput" + (extra.utf8.last == 0x0A ? " \(extra.prefix(3))" : "")])
        }
    }

    @Test("octets during the handshake end the session")
    func handshake() {
        var session = ClientSession(configuration: ClientConfiguration(helloName: "c", tls: .required))
        _ = session.connected()
        _ = session.received(buffer("220 mx\r\n"))
        _ = session.received(buffer("250-mx\r\n250 STARTTLS\r\n"))
        #expect(session.received(buffer("220 go\r\n")) == [.startTimer(.tls), .startTLS])
        #expect(
            session.received(buffer("2")) == [
                .sessionFailed(DeliveryFailure(stage: .tls, scope: .session, cause: .protocolError(.unsolicitedInput))), .cancelTimer,
                .close,
            ])
        #expect(session.tlsEstablished(verified: true).isEmpty)
    }

    @Test("a reply ahead of its command is never taken for an answer", arguments: ["220 mx\r\n250 mx\r\n", "220 mx\r\n2", "220 mx\r\n\0"])
    func ahead(_ greeting: String) {
        let driver = Self.driver(hearing: greeting)
        #expect(text(driver.written) == "<close>\r\n")
        #expect(driver.sessionFailures.count == 1)
    }

    @Test(
        "early replies in DATA defer",
        arguments: [
            ("250 Ok\r\n", "deferred content session unsolicitedInput 250"), ("421 bye\r\n", "deferred content session replyCode 421"),
            ("552 big\r\n", "deferred content session unsolicitedInput 552"),
            ("x\r\n", "deferred content session unreadable(SMTP.ReplyParser.Fault.malformedLine)"),
        ])
    func earlyReply(_ reply: String, _ expected: String) {
        // Together with the 354, while the content is written, and while the dot is made durable.
        for moment in 0..<3 {
            var driver = ClientDriver(options: [:])
            driver.holdsContent = moment == 1
            driver.holdsDot = moment == 2
            driver.connect()
            for line in Self.toContent { driver.receive(bytes(line)) }
            driver.receive(bytes("354 go\r\n" + (moment == 0 ? reply : "")))
            if moment > 0 { driver.receive(bytes(reply)) }
            #expect(driver.results == ["r@example.org " + expected], "\(moment)")
            #expect(!driver.dotWasWritten)
            #expect(driver.isClosed)
        }
    }

    @Test("half a reply that came in DATA is found before the dot is written")
    func halfReply() {
        for holdsContent in [true, false] {
            var driver = ClientDriver(options: [:])
            driver.holdsContent = holdsContent
            driver.holdsDot = true
            driver.connect()
            for line in Self.toContent + ["354 go\r\n", "25"] { driver.receive(bytes(line)) }
            driver.perform(holdsContent ? driver.session.contentSent() : driver.session.finalDotDurable())
            #expect(driver.results == ["r@example.org deferred content session unsolicitedInput"])
            #expect(!driver.dotWasWritten && driver.isClosed)
        }
    }

    @Test("what follows a complete 250 in the same packet does not undo it, and ends the session")
    func afterSuccess() {
        for extra in ["250 Ok\r\n", "421 bye\r\n", "2", "x\r\n"] {
            let driver = Self.driver(
                ["messages": "2"], hearing: "220 mx\r\n", "250 mx\r\n", "250 Ok\r\n", "250 Ok\r\n", "354 go\r\n", "250 Ok\r\n" + extra)
            #expect(driver.results.first == "r@example.org accepted 250")
            #expect(driver.outcomes.count == 1 && driver.isClosed)
        }
    }

    struct Replacement: Sendable {
        let stage: Int
        let reply: String
        let expected: String
    }

    /// Greeting, EHLO, MAIL, RCPT, DATA, final dot: what each reply makes of the recipient. Session-wide answers come as `session`.
    static let replacements: [Replacement] = {
        let names = ["greeting", "hello", "mail", "recipient", "data", "finalDot"]
        var table: [Replacement] = []
        for (stage, name) in names.enumerated() {
            let isSession = stage < 2
            let scope = isSession ? "session" : name == "recipient" ? "recipient" : "message"
            func add(_ reply: String, _ kind: String, _ scope: String, _ cause: String) {
                let who = isSession ? "session" : "r@example.org \(kind)"
                table.append(Replacement(stage: stage, reply: reply, expected: "\(who) \(name) \(scope) \(cause)"))
            }
            add("421 4.3.2 bye", "deferred", "session", "replyCode 421")
            add("451 4.7.1 later", "deferred", scope, "replyCode 451")
            if name != "hello" {
                add("550 5.7.1 no", "rejected", scope, "replyCode 550")
                add("535 5.7.8 who", "deferred", "session", "replyCode 535")
                add(
                    "503 5.5.1 what", name == "finalDot" ? "rejected" : "deferred", name == "finalDot" ? "message" : "session",
                    "replyCode 503")
                add("552 5.2.2 full", name == "recipient" ? "deferred" : "rejected", scope, "replyCode 552")
            }
            if name != "data" { add("354 go", name == "finalDot" ? "ambiguous" : "deferred", "session", "unexpectedReply 354") }
            if name == "data" || name == "greeting" { add("250 Ok", "deferred", "session", "unexpectedReply 250") }
            add("000 no", name == "finalDot" ? "ambiguous" : "deferred", "session", "unreadable(SMTP.ReplyParser.Fault.malformedLine)")
        }
        return table
    }()

    @Test("every kind of reply at every stage", arguments: replacements)
    func everyStage(_ replacement: Replacement) {
        var replies = ["220 mx", "250 mx", "250 Ok", "250 Ok", "354 go", "250 Ok"]
        replies[replacement.stage] = replacement.reply
        var driver = ClientDriver(options: [:])
        driver.connect()
        for reply in replies.prefix(replacement.stage + 1) { driver.receive(bytes(reply + "\r\n")) }
        // The farewell, where there is one; RSET where only the recipient was refused.
        driver.receive(bytes("250 Ok\r\n"))
        driver.receive(bytes("221 bye\r\n"))
        #expect(driver.results == [replacement.expected])
        #expect(driver.isClosed)
    }

    @Test("LMTP: recipients without a reply are ambiguous, the others keep theirs")
    func lmtpLoss() {
        let options = ["dialect": "lmtp", "to": "a@x,b@x,c@x"]
        let start = ["220 m\r\n", "250-m\r\n250 PIPELINING\r\n", "250 Ok\r\n250 Ok\r\n250 Ok\r\n250 Ok\r\n354 go\r\n"]
        for (ending, expected) in [
            (
                "250 Ok\r\n550 no\r\n25",
                ["a@x accepted 250", "b@x rejected finalDot recipient replyCode 550", "c@x ambiguous finalDot session connectionLost"]
            ),
            (
                "421 bye\r\n",
                [
                    "a@x deferred finalDot session replyCode 421", "b@x ambiguous finalDot session connectionLost",
                    "c@x ambiguous finalDot session connectionLost",
                ]
            ),
            (
                "250 Ok\r\n250-a\r\n251 b\r\n",
                ["a@x accepted 250"]
                    + ["b@x", "c@x"].map { "\($0) ambiguous finalDot session unreadable(SMTP.ReplyParser.Fault.mixedCodes)" }
            ),
        ] {
            var driver = ClientDriver(options: options)
            driver.connect()
            for piece in start + [ending] { driver.receive(bytes(piece)) }
            if !driver.isClosed { driver.lose() }
            #expect(driver.results == expected)
        }
    }

    @Test("a transaction can be taken back until the dot, not after")
    func abandon() {
        for moment in 0..<4 {
            var driver = ClientDriver(options: [:])
            driver.holdsContent = moment == 1
            driver.holdsDot = moment == 2
            driver.connect()
            for line in Self.toContent.prefix(moment == 0 ? 3 : 4) + (moment == 0 ? [] : ["354 go\r\n"]) { driver.receive(bytes(line)) }
            driver.perform(driver.session.abandon())
            if moment < 3 {
                #expect(driver.results.map { $0.hasSuffix("session abandoned") } == [true])
                #expect(!driver.dotWasWritten && driver.isClosed)
            } else {
                #expect(driver.results.isEmpty && driver.dotWasWritten)
                driver.receive(bytes("250 Ok\r\n"))
                #expect(driver.results == ["r@example.org accepted 250"])
            }
        }
    }

    @Test("the deadline ends a transaction before its dot and never the wait behind it")
    func deadline() {
        var driver = ClientDriver(options: [:])
        driver.holdsContent = true
        driver.connect()
        for line in Self.toContent + ["354 go\r\n"] { driver.receive(bytes(line)) }
        #expect(driver.deadline)
        driver.perform(driver.session.deadlineExpired())
        #expect(driver.results == ["r@example.org deferred content session timeout"])

        driver = ClientDriver(options: [:])
        driver.connect()
        for line in Self.toContent + ["354 go\r\n"] { driver.receive(bytes(line)) }
        #expect(!driver.deadline && driver.timer == .finalDot)
        #expect(driver.session.deadlineExpired().isEmpty)
    }

    @Test("a timer that was replaced has no effect")
    func staleTimer() {
        var driver = Self.driver(hearing: "220 mx\r\n", "250 mx\r\n")
        #expect(driver.timer == .mail)
        #expect(driver.session.timedOut(.hello).isEmpty)
        driver.perform(driver.session.timedOut(.mail))
        #expect(driver.results == ["r@example.org deferred mail session timeout"])
        #expect(driver.session.timedOut(.mail).isEmpty)
    }

    @Test("a transaction in a session that cannot take it is deferred and changes nothing")
    func notReady() {
        let envelope = Envelope(reversePath: [], recipients: [.init(bytes("r@x"))])
        func outcome(_ cause: DeliveryFailure.Cause) -> [ClientAction] {
            [
                .transactionFinished([
                    RecipientOutcome(
                        forwardPath: bytes("r@x"), outcome: .deferred(DeliveryFailure(stage: .mail, scope: .session, cause: cause)))
                ])
            ]
        }
        var session = ClientSession(configuration: ClientConfiguration(helloName: "c"))
        #expect(session.startTransaction(envelope) == outcome(.refusedForSafety(.sessionNotReady)))
        #expect(session.connected() == [.startTimer(.greeting)])
        _ = session.connectionClosed()
        #expect(session.startTransaction(envelope) == outcome(.connectionLost))
    }

    @Test("an idle session that hears 421 is over")
    func idle() {
        var session = ClientSession(configuration: ClientConfiguration(helloName: "c"))
        _ = session.connected()
        _ = session.received(buffer("220 mx\r\n"))
        let ready = session.received(buffer("250-mx\r\n250 DSN\r\n"))
        #expect(ready.first == .cancelTimer && ready.count == 2)
        #expect(session.capabilities.deliveryStatusNotifications)
        let reply = Reply(code: 421, lines: [bytes("idle too long")])
        #expect(
            session.received(buffer("421 idle too long\r\n")) == [
                .sessionFailed(DeliveryFailure(stage: .mail, scope: .session, cause: .replyCode, reply: reply)), .close,
            ])
    }

    @Test("an address that cannot be sent is rejected alone; a reverse-path that cannot be sent rejects the message")
    func unsafeAddresses() {
        let mixed = Self.driver(["to": "a>b@x,c@x"], hearing: "220 mx\r\n", "250 mx\r\n", "250 Ok\r\n")
        #expect(text(mixed.written).hasSuffix("MAIL FROM:<s@example.com>\r\nRCPT TO:<c@x>\r\n"))
        let sender = Self.driver(["from": "a\r\nDATA@x"], hearing: "220 mx\r\n", "250 mx\r\n")
        #expect(sender.results == ["r@example.org rejected mail message unsafeCommand"])
        #expect(text(sender.written).hasSuffix("EHLO client.example\r\nQUIT\r\n"))
    }

    @Test("an initial response too long for the AUTH line waits for the first, empty challenge")
    func longInitialResponse() {
        let token = String(repeating: "t", count: 600)
        var driver = Self.driver(
            ["tls": "implicit", "auth": "XOAUTH2", "initial": token], hearing: "220 s\r\n", "250-s\r\n250 AUTH XOAUTH2\r\n")
        #expect(text(driver.written).hasSuffix("AUTH XOAUTH2\r\n"))
        driver.written = []
        driver.receive(bytes("334 \r\n"))
        #expect(driver.written == Base64.encode(bytes(token)) + bytes("\r\n"))
        driver = Self.driver(
            ["tls": "implicit", "auth": "XOAUTH2", "initial": token], hearing: "220 s\r\n", "250-s\r\n250 AUTH XOAUTH2\r\n", "334 YQ==\r\n")
        #expect(driver.results == ["session authentication session malformedChallenge 334"])
    }

    @Test("credentials are marked as secret, and only they")
    func secrets() {
        var session = ClientSession(configuration: ClientConfiguration(helloName: "c", tls: .implicit, requiresAuthentication: true))
        _ = session.connected(over: .tls(verified: true))
        _ = session.received(buffer("220 s\r\n"))
        #expect(session.received(buffer("250-s\r\n250 AUTH PLAIN\r\n")).last == .startAuthentication(offered: ["PLAIN"]))
        #expect(
            session.authenticationResponse(mechanism: "PLAIN", initial: bytes("x")) == [
                .sendSecret(buffer("AUTH PLAIN eA==\r\n")), .startTimer(.authentication),
            ])
        #expect(session.received(buffer("235 ok\r\n")) == [.cancelTimer, .confirmAuthentication])
        // A server that did not prove itself is not believed.
        let actions = session.authenticationConfirmed(false)
        #expect(
            actions == [.sessionFailed(DeliveryFailure(stage: .authentication, scope: .session, cause: .authenticationFailed)), .close])
    }

    @Test("a mechanism that was not offered is not sent")
    func foreignMechanism() {
        let driver = Self.driver(
            ["tls": "implicit", "auth": "LOGIN\r\nMAIL", "initial": "x"], hearing: "220 s\r\n", "250-s\r\n250 AUTH PLAIN\r\n")
        #expect(text(driver.written) == "EHLO client.example\r\nQUIT\r\n")
    }

    @Test("an endless exchange of challenges ends")
    func endlessChallenges() {
        var driver = Self.driver(
            ["tls": "implicit", "auth": "LOGIN", "sasl": Array(repeating: "x", count: 100).joined(separator: ",")], hearing: "220 s\r\n",
            "250-s\r\n250 AUTH LOGIN\r\n")
        var rounds = 0
        while !driver.isClosed, rounds < 100 {
            driver.receive(bytes("334 eA==\r\n"))
            rounds += 1
        }
        #expect(rounds == 33)
        #expect(driver.results == ["session authentication session malformedChallenge 334"])
    }

    @Test("a reply without end is cut off")
    func flood() {
        var driver = Self.driver(hearing: "220 mx\r\n")
        for _ in 0..<10_000 where !driver.isClosed { driver.receive(bytes("250-X\r\n")) }
        #expect(driver.results == ["session hello session unreadable(SMTP.ReplyParser.Fault.replyTooLong)"])
    }

    @Test("implicit TLS is not taken on trust")
    func implicit() {
        var session = ClientSession(configuration: ClientConfiguration(helloName: "c", tls: .implicit))
        #expect(
            session.connected(over: .plaintext) == [
                .sessionFailed(DeliveryFailure(stage: .greeting, scope: .session, cause: .tlsUnavailable)), .close,
            ])
        session = ClientSession(configuration: ClientConfiguration(helloName: "c", tls: .implicit, requiresVerifiedTLS: true))
        #expect(
            session.connected(over: .tls(verified: false)) == [
                .sessionFailed(DeliveryFailure(stage: .greeting, scope: .session, cause: .tlsFailed)), .close,
            ])
    }

    @Test("TLS from the first octet has its timer from the first moment")
    func implicitHandshake() {
        var session = ClientSession(configuration: ClientConfiguration(helloName: "c", tls: .implicit))
        #expect(session.handshakeBegun() == [.startTimer(.tls)])
        #expect(session.handshakeBegun() == [])
        let failure = DeliveryFailure(stage: .tls, scope: .session, cause: .timeout)
        var late = session
        #expect(late.timedOut(.tls) == [.sessionFailed(failure), .cancelTimer, .close])
        var broken = session
        #expect(
            broken.tlsFailed() == [.sessionFailed(DeliveryFailure(stage: .tls, scope: .session, cause: .tlsFailed)), .cancelTimer, .close])
        #expect(session.tlsEstablished(verified: true) == [], "its channel is reported by connected(over:)")
        #expect(session.connected(over: .tls(verified: true)) == [.startTimer(.greeting)])
        #expect(session.connected(over: .tls(verified: true)) == [])
        var clear = ClientSession(configuration: ClientConfiguration(helloName: "c"))
        #expect(clear.handshakeBegun() == [])
    }
}
