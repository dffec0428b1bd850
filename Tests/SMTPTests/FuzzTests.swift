import NIOCore
import Testing

@testable import SMTP

/// Random octets and random events, from a seed: nothing traps, nothing is accepted without its complete reply, bounds hold.
struct FuzzTests {
    static let clientWords = [
        "220 mx\r\n", "250-mx\r\n", "250 PIPELINING\r\n", "250-STARTTLS\r\n", "250-AUTH PLAIN LOGIN\r\n",
        "250-SIZE 99999999999999999999\r\n", "250 Ok\r\n", "354 go\r\n",
        "334 \r\n", "334 eA==\r\n", "235 ok\r\n", "421 bye\r\n", "550 5.1.1 no\r\n", "451 later\r\n", "250", " ", "-", "\r\n", "\r", "\n",
        "\0", "é", "999 x\r\n", "25",
    ]
    static let serverWords = [
        "EHLO c\r\n", "LHLO c\r\n", "HELO c\r\n", "MAIL FROM:<s@x>", "MAIL FROM:<>\r\n", " SIZE=99999999999999999999", "RCPT TO:<r@x>\r\n",
        "RCPT TO:<unknown@x>\r\n", "DATA\r\n",
        ".\r\n", "\r\n.\r\n", "\r\n", "\r", "\n", "\0", ".", "x", "RSET\r\n", "NOOP\r\n", "QUIT\r\n", "STARTTLS\r\n", "AUTH PLAIN x\r\n",
        "BDAT 18446744073709551616 LAST\r\n",
        "VRFY x\r\n", "<", ">", "\"", "\\", "@", ":", "é", "[", "]",
    ]

    static func piece(_ words: [String], _ generator: inout SeededGenerator) -> [UInt8] {
        switch Int.random(in: 0..<10, using: &generator) {
        case 0: (0..<Int.random(in: 0...40, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator) }
        case 1: Array(repeating: UInt8.random(in: 0...255, using: &generator), count: Int.random(in: 0...5000, using: &generator))
        default: bytes(words.randomElement(using: &generator) ?? "")
        }
    }

    @Test("client sessions stand random input", arguments: 1...8)
    func client(_ seed: Int) {
        var generator = SeededGenerator(state: UInt64(seed))
        for _ in 0..<400 {
            var options = ["to": "a@x,b@x,c@x", "messages": "3", "initial": "x", "sasl": "u,p,q"]
            options["tls"] = ["none", "opportunistic", "required", "implicit"].randomElement(using: &generator)
            options["dialect"] = ["smtp", "lmtp"].randomElement(using: &generator)
            options["pipelining"] = ["on", "off"].randomElement(using: &generator)
            if Bool.random(using: &generator) { options["auth"] = "PLAIN" }
            var driver = ClientDriver(options: options)
            driver.holdsContent = Int.random(in: 0..<4, using: &generator) == 0
            driver.connect()
            var heard: [UInt8] = []
            // Half of the runs follow the server's part for some way, so that the deep states are reached.
            var script =
                Bool.random(using: &generator)
                ? [
                    "220 mx\r\n", "250-mx\r\n250 PIPELINING\r\n", "250 Ok\r\n", "250 Ok\r\n", "250 Ok\r\n", "250 Ok\r\n", "354 go\r\n",
                    "250 Ok\r\n",
                ] : []
            script = Array(script.prefix(Int.random(in: 0...8, using: &generator)))
            for step in 0..<40 where !driver.isClosed {
                switch Int.random(in: 0..<30, using: &generator) {
                case 0: if let timer = driver.timer { driver.perform(driver.session.timedOut(timer)) }
                case 1: driver.perform(driver.session.contentSent())
                case 2: driver.perform(driver.session.deadlineExpired())
                default:
                    let next = step < script.count ? bytes(script[step]) : Self.piece(Self.clientWords, &generator)
                    heard += next
                    driver.receive(next)
                }
            }
            driver.lose()
            for outcomes in driver.outcomes {
                #expect(outcomes.count == 3)
                for outcome in outcomes {
                    switch outcome.outcome {
                    case .accepted(let reply): #expect(driver.dotWasWritten && reply.isPositive && text(heard).utf8.count >= 5)
                    case .ambiguous: #expect(driver.dotWasWritten)
                    case .deferred, .rejected: break
                    }
                }
            }
        }
    }

    @Test("server sessions stand random input", arguments: 1...8)
    func server(_ seed: Int) {
        var generator = SeededGenerator(state: UInt64(seed) << 32)
        for _ in 0..<400 {
            var options = ["size": "4000"]
            options["dialect"] = ["smtp", "lmtp"].randomElement(using: &generator)
            if Bool.random(using: &generator) { options["tls"] = "yes" }
            var driver = ServerDriver(options: options)
            driver.holds = Int.random(in: 0..<4, using: &generator) == 0
            driver.perform(driver.session.connected())
            if Bool.random(using: &generator) {
                driver.receive(options["dialect"] == "lmtp" ? "LHLO c\r\n" : "EHLO c\r\n")
                driver.receive("MAIL FROM:<s@x>\r\nRCPT TO:<r@x>\r\n")
                if Bool.random(using: &generator) { driver.receive("DATA\r\n") }
            }
            for _ in 0..<60 where !driver.isClosed {
                switch Int.random(in: 0..<30, using: &generator) {
                case 0: driver.perform(driver.session.tick(elapsed: .seconds(Int64.random(in: 0...20, using: &generator))))
                case 1: driver.answer()
                default: driver.receive(Self.piece(Self.serverWords, &generator))
                }
            }
            driver.perform(driver.session.connectionClosed())
            #expect(driver.session.isClosed)
            for message in driver.stored {
                #expect(message.content.count <= 4000)
                #expect(!SmugglingTests.isStray(message.content))
                #expect(!message.envelope.recipients.isEmpty)
            }
        }
    }
}
