import NIOCore
import Testing

@testable import SMTP

/// Errors, clocks, floods, early talkers, TLS, pressure and shutdown.
struct ServerLimitTests {
    static func driver(_ options: [String: String] = [:], limits: ServerLimits = ServerLimits(), hearing lines: String...) -> ServerDriver {
        var driver = ServerDriver(options: options, limits: limits)
        driver.perform(driver.session.connected())
        for line in lines { driver.receive(line) }
        driver.written = []
        return driver
    }

    @Test("errors are answered, then slowly, then no more")
    func errors() {
        var driver = Self.driver(hearing: "EHLO c\r\n")
        for _ in 1...3 { driver.receive("FOO\r\n") }
        #expect(driver.look() == String(repeating: "500 5.5.2 Command not recognized\r\n", count: 3))
        for _ in 4...9 { driver.receive("FOO\r\n") }
        #expect(driver.look() == String(repeating: "<pause>\r\n500 5.5.2 Command not recognized\r\n", count: 6))
        driver.receive("FOO\r\n")
        #expect(driver.look() == "421 4.7.0 Too many errors\r\n<close tooManyErrors>\r\n")
    }

    @Test("unknown recipients are errors, deferrals are not")
    func probing() {
        var driver = Self.driver(hearing: "EHLO c\r\n", "MAIL FROM:<>\r\n")
        for _ in 1...30 { driver.receive("RCPT TO:<temp@x>\r\n") }
        #expect(!driver.isClosed)
        for _ in 1...10 { driver.receive("RCPT TO:<unknown@x>\r\n") }
        #expect(driver.closeReason == .tooManyErrors)
    }

    @Test("during a pause nothing is read")
    func pause() {
        var driver = Self.driver(hearing: "EHLO c\r\n", "FOO\r\n", "FOO\r\n", "FOO\r\n")
        driver.holds = true
        driver.receive("FOO\r\nNOOP\r\n")
        #expect(driver.look() == "")
        #expect(driver.session.isWaitingForDriver)
        #expect(driver.session.tick(elapsed: .seconds(100)).isEmpty)
        driver.answer()
        #expect(driver.look() == "<pause>\r\n500 5.5.2 Command not recognized\r\n250 2.0.0 Ok\r\n")
    }

    @Test("what waits while an answer is owed is bounded")
    func flood() {
        var driver = Self.driver(hearing: "EHLO c\r\n", "MAIL FROM:<>\r\n")
        driver.holds = true
        driver.receive("RCPT TO:<r@x>\r\n")
        for _ in 0..<10_000 where !driver.isClosed { driver.receive("NOOP xxxx\r\n") }
        #expect(driver.look() == "421 4.7.0 Too much input\r\n<close tooMuchInput>\r\n")
        #expect(driver.session.recipientVerdict(.accepted).isEmpty)
    }

    @Test("pipelined commands wait for the verdict and are then answered in order")
    func pipeliningBehindVerdict() {
        var driver = Self.driver(hearing: "EHLO c\r\n")
        driver.holds = true
        driver.receive("MAIL FROM:<>\r\nRCPT TO:<a@x>\r\nRCPT TO:<unknown@x>\r\nDATA\r\n")
        #expect(driver.look() == "250 2.1.0 Ok\r\n")
        driver.answer()
        #expect(driver.look() == "250 2.1.5 Ok\r\n")
        driver.answer()
        #expect(driver.look() == "550 5.1.1 No such mailbox here\r\n354 End data with <CR><LF>.<CR><LF>\r\n")
        driver.receive("x\r\n.\r\nMAIL FROM:<>\r\n")
        #expect(driver.look() == "")
        driver.answer()
        #expect(driver.look() == "<deliver >a@x 3 ESMTP>\r\n250 2.0.0 Ok: queued as Q1\r\n250 2.1.0 Ok\r\n")
    }

    @Test(
        "running ahead without leave ends the session",
        arguments: [
            ["EHLO c\r\nNOOP\r\n"], ["NOOP\r\nNOOP\r\n"], ["HELO c\r\n", "NOOP\r\nNOOP\r\n"],
            ["EHLO c\r\n", "MAIL FROM:<>\r\nRCPT TO:<r@x>\r\nDATA\r\nSubject: x\r\n\r\n.\r\n"],
        ])
    func ahead(_ packets: [String]) {
        var driver = Self.driver()
        for packet in packets { driver.receive(packet) }
        #expect(driver.look().hasSuffix("554 5.5.0 Protocol error: input before its turn\r\n<close talkedTooEarly>\r\n"))
        #expect(driver.stored.isEmpty)
    }

    @Test("a client that talks before the greeting is told so and left")
    func earlyTalker() {
        var limits = ServerLimits()
        limits.greetingPause = .seconds(2)
        var driver = ServerDriver(limits: limits)
        driver.holds = true
        driver.perform(driver.session.connected())
        driver.receive("E")
        #expect(driver.look() == "554 5.5.0 Protocol error: input before its turn\r\n<close talkedTooEarly>\r\n")
        var patient = ServerDriver(limits: limits)
        patient.perform(patient.session.connected())
        #expect(patient.look() == "<pause>\r\n220 mx.example.com ESMTP\r\n")
        var soon = ServerDriver()
        soon.receive("EHLO c\r\n")
        soon.perform(soon.session.connected())
        #expect(soon.closeReason == .talkedTooEarly)
    }

    @Test(
        "other protocols are shown the door",
        arguments: [
            "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "POST / HTTP/1.1\r\n", "CONNECT x:25 HTTP/1.0\r\n", "head / HTTP/1.1\r\n",
            "\u{16}\u{3}\u{1}\r\n", " NOOP\r\n", "{}\r\n",
        ])
    func foreign(_ input: String) {
        var driver = Self.driver()
        driver.receive(input)
        #expect(driver.look() == "521 5.5.1 Protocol error\r\n<close foreignProtocol>\r\n")
    }

    @Test(
        "octets behind STARTTLS, whole or half a command, end the session",
        arguments: ["STARTTLS\r\nEHLO x\r\n", "STARTTLS\r\nE", "STARTTLS\r\n\r\n"])
    func injection(_ input: String) {
        var driver = Self.driver(["tls": "yes"], hearing: "EHLO c\r\n")
        driver.receive(input)
        #expect(driver.look() == "554 5.5.0 Protocol error: input before its turn\r\n<close injectedBeforeTLS>\r\n")
    }

    @Test("octets in clear during the handshake end the session without a word")
    func handshake() {
        var driver = Self.driver(["tls": "yes"], hearing: "EHLO c\r\n")
        driver.holds = true
        driver.receive("STARTTLS\r\n")
        #expect(driver.look() == "220 2.0.0 Ready to start TLS\r\n")
        driver.receive("EHLO x\r\n")
        #expect(driver.look() == "<close injectedBeforeTLS>\r\n")
        var failing = Self.driver(["tls": "yes"], hearing: "EHLO c\r\n")
        failing.holds = true
        failing.receive("STARTTLS\r\n")
        failing.perform(failing.session.tlsFailed())
        #expect(failing.closeReason == .tlsFailed)
    }

    struct Clock: Sendable {
        let lines: [String]
        let ticks: Int
        let reason: CloseReason
        let isSilent: Bool
    }

    @Test(
        "clocks",
        arguments: [
            Clock(lines: [], ticks: 60, reason: .idleTimeout, isSilent: false),
            Clock(lines: ["EHLO c\r\n"], ticks: 60, reason: .idleTimeout, isSilent: false),
            Clock(lines: ["EHLO c\r\n", "STARTTLS\r\n"], ticks: 60, reason: .idleTimeout, isSilent: true),
            Clock(
                lines: ["EHLO c\r\n", "MAIL FROM:<>\r\n", "RCPT TO:<r@x>\r\n", "DATA\r\n"], ticks: 10, reason: .tooSlow, isSilent: false),
        ])
    func clocks(_ clock: Clock) {
        var driver = Self.driver(["tls": "yes"])
        for line in clock.lines {
            driver.holds = line == "STARTTLS\r\n"
            driver.receive(line)
        }
        driver.written = []
        for tick in 1...clock.ticks {
            #expect(!driver.isClosed, "tick \(tick)")
            driver.perform(driver.session.tick(elapsed: .seconds(1)))
        }
        #expect(driver.closeReason == clock.reason)
        #expect(driver.look().contains("421 4.4.2 Timeout\r\n") == !clock.isSilent)
    }

    @Test("one octet now and then does not keep a command open")
    func drip() {
        var driver = Self.driver(hearing: "EHLO c\r\n")
        var seconds = 0
        while !driver.isClosed, seconds < 1000 {
            driver.receive("N")
            driver.perform(driver.session.tick(elapsed: .seconds(1)))
            seconds += 1
        }
        #expect(seconds == 300)
        #expect(driver.closeReason == .commandTimeout)
    }

    @Test("commands now and then do not keep a session open")
    func longSession() {
        var limits = ServerLimits()
        limits.idleCommands = .max
        var driver = Self.driver(limits: limits, hearing: "EHLO c\r\n")
        var seconds = 0
        while !driver.isClosed, seconds < 1000 {
            driver.receive("NOOP\r\n")
            driver.perform(driver.session.tick(elapsed: .seconds(1)))
            seconds += 1
        }
        #expect(seconds == 600)
        #expect(driver.closeReason == .sessionTimeout)
    }

    @Test("content that flows fast enough is taken, and nothing is kept of content that does not")
    func dataRate() {
        for (octets, reason) in [(500, CloseReason.sessionTimeout), (499, .tooSlow)] {
            var driver = Self.driver(hearing: "EHLO c\r\n", "MAIL FROM:<>\r\nRCPT TO:<r@x>\r\nDATA\r\n")
            for _ in 0..<700 where !driver.isClosed {
                driver.receive(String(repeating: "x", count: octets))
                driver.perform(driver.session.tick(elapsed: .seconds(1)))
            }
            #expect(driver.closeReason == reason)
            #expect(driver.look() == "<discard>\r\n421 4.4.2 Timeout\r\n<close \(reason)>\r\n")
        }
    }

    @Test("no clock runs out while the message is being stored")
    func slowStore() {
        var driver = Self.driver(hearing: "EHLO c\r\n", "MAIL FROM:<>\r\nRCPT TO:<r@x>\r\nDATA\r\n")
        driver.holds = true
        driver.receive("x\r\n.\r\n")
        for _ in 0..<1000 { driver.perform(driver.session.tick(elapsed: .seconds(1))) }
        #expect(!driver.isClosed)
        driver.answer()
        #expect(driver.look().hasSuffix("250 2.0.0 Ok: queued as Q1\r\n"))
        driver.perform(driver.session.tick(elapsed: .seconds(1)))
        #expect(driver.closeReason == .sessionTimeout)
    }

    @Test("a clock that jumps does not trap", arguments: [Duration.seconds(Int64.max), .seconds(Int64.min), .zero])
    func jumps(_ elapsed: Duration) {
        var driver = Self.driver(hearing: "EHLO c\r\n", "MAIL FROM:<>\r\nRCPT TO:<r@x>\r\nDATA\r\n")
        for _ in 0..<3 where !driver.isClosed { driver.perform(driver.session.tick(elapsed: elapsed)) }
        #expect(driver.isClosed == (elapsed > .zero))
    }

    @Test("a message over the limit is read to its end and refused; far over it, the session ends")
    func oversize() {
        var driver = Self.driver(["size": "100"], hearing: "EHLO c\r\n", "MAIL FROM:<>\r\nRCPT TO:<r@x>\r\nDATA\r\n")
        driver.receive(String(repeating: "x", count: 98) + "\r\n.\r\n")
        #expect(driver.look() == "<deliver >r@x 100 ESMTP>\r\n250 2.0.0 Ok: queued as Q1\r\n")
        driver.receive("MAIL FROM:<>\r\nRCPT TO:<r@x>\r\nDATA\r\n")
        _ = driver.look()
        for _ in 0..<3 { driver.receive(String(repeating: "x", count: 98) + "\r\n") }
        #expect(driver.look() == "<discard>\r\n")
        driver.receive(".\r\nNOOP\r\n")
        #expect(driver.look() == "552 5.3.4 Message size exceeds fixed limit\r\n250 2.0.0 Ok\r\n")
        driver.receive("MAIL FROM:<>\r\nRCPT TO:<r@x>\r\nDATA\r\n")
        _ = driver.look()
        for _ in 0..<10 { driver.receive(String(repeating: "x", count: 98) + "\r\n") }
        #expect(driver.look() == "<discard>\r\n552 5.3.4 Message size exceeds fixed limit\r\n<close tooMuchInput>\r\n")
    }

    @Test(
        "messages in a session are bounded, and whoever asks with RSET whether more may come is told", arguments: ["MAIL FROM:<>", "RSET"])
    func messages(next: String) {
        var limits = ServerLimits()
        limits.messages = 2
        var driver = Self.driver(limits: limits, hearing: "EHLO c\r\n")
        for _ in 0..<2 {
            driver.receive("MAIL FROM:<>\r\nRCPT TO:<r@x>\r\nDATA\r\n")
            driver.receive("x\r\n.\r\n")
        }
        _ = driver.look()
        driver.receive("NOOP\r\n\(next)\r\n")
        #expect(driver.look() == "250 2.0.0 Ok\r\n421 4.7.0 Too many messages in this session\r\n<close tooManyMessages>\r\n")
        #expect(driver.stored.count == 2)
    }

    @Test("under pressure MAIL waits for better times")
    func pressure() {
        var driver = Self.driver(hearing: "EHLO c\r\n")
        driver.session.isUnderPressure = true
        for _ in 0..<20 { driver.receive("MAIL FROM:<>\r\n") }
        #expect(driver.look() == String(repeating: "452 4.3.1 Insufficient system storage\r\n", count: 20))
        driver.session.isUnderPressure = false
        driver.receive("MAIL FROM:<>\r\n")
        #expect(driver.look() == "250 2.1.0 Ok\r\n")
    }

    @Test("shutdown ends idle sessions at once and takes in the message that is coming")
    func shutdown() {
        var idle = Self.driver(hearing: "EHLO c\r\n", "MAIL FROM:<>\r\n")
        idle.perform(idle.session.shutdown())
        #expect(idle.look() == "421 4.3.2 Service not available, try again later\r\n<close unavailable>\r\n")
        var busy = Self.driver(hearing: "EHLO c\r\n", "MAIL FROM:<>\r\nRCPT TO:<r@x>\r\nDATA\r\n")
        busy.perform(busy.session.shutdown())
        busy.receive("x\r\n")
        #expect(busy.look() == "")
        busy.receive(".\r\nMAIL FROM:<>\r\n")
        #expect(
            busy.look()
                == "<deliver >r@x 3 ESMTP>\r\n250 2.0.0 Ok: queued as Q1\r\n421 4.3.2 Service not available, try again later\r\n<close unavailable>\r\n"
        )
    }

    @Test("a connection that finds no room is told so")
    func noRoom() {
        var driver = ServerDriver()
        driver.perform(driver.session.connected(hasRoom: false))
        #expect(driver.look() == "421 4.3.2 Service not available, try again later\r\n<close unavailable>\r\n")
    }

    @Test("verdicts on delivery, one for each recipient in LMTP, one for all in SMTP")
    func verdicts() {
        let table: [(DeliveryVerdict, String)] = [
            (.stored(id: "A\r\n250 b"), "250 2.0.0 Ok: queued as A250b"), (.unavailable, "451 4.3.0 Message not stored, try again later"),
            (.insufficientStorage, "452 4.3.1 Insufficient system storage"),
            (.unacceptable, "554 5.6.0 Message content not acceptable"), (.refusedByPolicy, "550 5.7.1 Message refused"),
        ]
        func wait(_ dialect: String) -> ServerDriver {
            var driver = Self.driver(["dialect": dialect, "recipients": "9"], hearing: dialect == "lmtp" ? "LHLO c\r\n" : "EHLO c\r\n")
            driver.receive("MAIL FROM:<>\r\n" + String(repeating: "RCPT TO:<r@x>\r\n", count: 6) + "DATA\r\n")
            driver.holds = true
            driver.receive(".\r\n")
            _ = driver.look()
            return driver
        }
        var lmtp = wait("lmtp")
        lmtp.perform(lmtp.session.deliveryVerdicts(table.map(\.0)))
        #expect(lmtp.look() == (table.map { $0.1 + "\r\n" }).joined() + "451 4.3.0 Message not stored, try again later\r\n")
        var smtp = wait("smtp")
        smtp.perform(smtp.session.deliveryVerdicts(Array(repeating: .stored(id: "A"), count: 5) + [.unacceptable]))
        #expect(smtp.look() == "554 5.6.0 Message content not acceptable\r\n")
        var short = wait("smtp")
        short.perform(short.session.deliveryVerdicts([.stored(id: "A")]))
        #expect(short.look() == "451 4.3.0 Message not stored, try again later\r\n")
    }

    @Test(
        "a hundred commands that lead to no mail are answered, one more ends the session",
        arguments: ["NOOP\r\n", "RSET\r\n", "VRFY a\r\n", "HELP\r\n", "EHLO c\r\n", "RCPT TO:<temp@x>\r\n"])
    func idleCommands(_ command: String) {
        var driver = Self.driver(hearing: "EHLO c\r\n", "MAIL FROM:<>\r\n")
        for _ in 1...100 { driver.receive(command) }
        #expect(!driver.isClosed)
        _ = driver.look()
        driver.receive(command)
        #expect(driver.look() == "421 4.7.0 Too many commands without mail\r\n<close tooManyIdleCommands>\r\n")
    }

    @Test("a message that is stored begins the count of such commands anew")
    func idleCommandsBetweenMessages() {
        var driver = Self.driver(hearing: "EHLO c\r\n")
        for _ in 1...5 {
            for _ in 1...90 { driver.receive("NOOP\r\n") }
            for line in ["MAIL FROM:<>\r\n", "RCPT TO:<r@x>\r\n", "DATA\r\n", "\r\n.\r\n"] { driver.receive(line) }
        }
        #expect(!driver.isClosed && driver.stored.count == 5)
    }

    @Test(
        "a message with more than 50 Received fields goes in a circle",
        arguments: [
            (50, "Received: x\r\n", true), (51, "Received: x\r\n", false), (51, "rEceived :\r\n y\r\n", false),
            (60, "X-Received: x\r\n", true),
        ])
    func loop(_ count: Int, _ field: String, isTaken: Bool) {
        for piece in [1, 7, 100_000] {
            var driver = Self.driver(hearing: "EHLO c\r\n", "MAIL FROM:<>\r\n", "RCPT TO:<r@x>\r\n", "DATA\r\n")
            _ = driver.look()
            // What a body says of others' headers does not count.
            let body = String(repeating: "Received: x\r\n", count: 60)
            let content = bytes(String(repeating: field, count: count) + "Subject: x\r\n\r\n" + body + ".\r\n")
            var rest = content[...]
            while !rest.isEmpty {
                driver.receive(Array(rest.prefix(piece)))
                rest = rest.dropFirst(piece)
            }
            #expect(driver.stored.count == (isTaken ? 1 : 0))
            #expect(driver.look().hasSuffix("554 5.4.6 Mail loop detected\r\n") == !isTaken)
            driver.receive("MAIL FROM:<>\r\n")
            #expect(driver.look() == "250 2.1.0 Ok\r\n", "in step again")
        }
    }
}
