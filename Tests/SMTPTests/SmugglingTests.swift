import NIOCore
import Testing

@testable import SMTP

/// End of data is exactly CRLF.CRLF; whatever else might pass for it ends the session with nothing stored.
struct SmugglingTests {
    static let endings = ["", "\r", "\n", "\r\n", "\n\n", "\r\r", "\n\r", "\r\0\n", "\0", "\u{B}", "\u{C}", "\u{85}", "\u{2028}"]

    struct Case: Sendable, CustomTestStringConvertible {
        let before: String
        let after: String
        var testDescription: String { (before + "." + after).debugDescription }
    }

    static let cases = endings.flatMap { before in endings.map { Case(before: before, after: $0) } }

    /// The oracle: split by hand, without the framer.
    static func isStray(_ bytes: [UInt8]) -> Bool {
        for (index, byte) in bytes.enumerated() {
            if byte == 0 { return true }
            if byte == 0x0D, index + 1 == bytes.count || bytes[index + 1] != 0x0A { return true }
            if byte == 0x0A, index == 0 || bytes[index - 1] != 0x0D { return true }
        }
        return false
    }

    @Test("a second transaction hidden behind a false end of data", arguments: cases)
    func smuggling(_ example: Case) {
        let hidden = "MAIL FROM:<evil@x>\r\nRCPT TO:<r@x>\r\nDATA\r\nSubject: smuggled\r\n\r\nx\r\n.\r\n"
        let stream = bytes("Subject: x\r\n\r\nbody" + example.before + "." + example.after + hidden)
        // Cuts within and around the false end; behind it the framing is that of any other dialogue.
        let around = bytes("Subject: x\r\n\r\nbo").count..<(stream.count - bytes(hidden).count + 6)
        let isTrueEnd = example.before == "\r\n" && example.after == "\r\n"
        for cut in [.whole, .everyByte] + around.map(Cut.at) {
            var driver = ServerDriver()
            driver.perform(driver.session.connected())
            for line in ["EHLO c\r\n", "MAIL FROM:<s@x>\r\nRCPT TO:<r@x>\r\nDATA\r\n"] { driver.receive(line) }
            _ = driver.look()
            for piece in cut.pieces(stream, from: 0) { driver.receive(piece) }
            let senders = driver.stored.map { text($0.envelope.reversePath) }
            if isTrueEnd {
                // Legal pipelining: the second DATA may not be followed by its content before the 354, and so ends the session.
                #expect(senders.first == "s@x", "\(cut)")
            } else if Self.isStray(stream) {
                #expect(senders.isEmpty, "\(cut)")
                #expect(
                    text(driver.written) == "<discard>\r\n550 5.6.11 Bare <CR>, bare <LF> or NUL in message\r\n<close strayControl>\r\n",
                    "\(cut)")
            } else {
                // No stray octet and no end: everything is content up to the end that stands behind the hidden part.
                #expect(senders == ["s@x"], "\(cut)")
                #expect(driver.stored.first.map { text($0.content).contains("MAIL FROM:<evil@x>") } == true)
                #expect(!driver.isClosed)
            }
        }
    }

    @Test("the dot alone right behind DATA is an empty message")
    func emptyMessage() {
        var driver = ServerDriver()
        driver.perform(driver.session.connected())
        for line in ["EHLO c\r\n", "MAIL FROM:<s@x>\r\nRCPT TO:<r@x>\r\nDATA\r\n", ".\r\n"] { driver.receive(line) }
        #expect(driver.stored.map(\.content) == [[]])
    }

    @Test(
        "stray controls in commands end the session",
        arguments: [
            "NOOP\n", "NOOP\r", "NO\0OP\r\n", "NOOP\r\rRSET\r\n", "NOOP\nRSET\r\n", "MAIL FROM:<a@x>\nRCPT TO:<b@x>\r\n", "\n", "\0",
        ])
    func commands(_ input: String) {
        for cut in Cut.all(input.utf8.count) {
            var driver = ServerDriver()
            driver.perform(driver.session.connected())
            _ = driver.look()
            for piece in cut.pieces(bytes(input), from: 0) { driver.receive(piece) }
            if input == "NOOP\r" {
                #expect(driver.look() == "")
            } else {
                #expect(driver.look() == "500 5.5.2 Commands end with <CR><LF> only\r\n<close strayControl>\r\n", "\(cut)")
            }
        }
    }

    @Test("a command line is bounded, whether its end comes or not")
    func longCommand() {
        let longest = "NOOP " + String(repeating: "x", count: 2043)
        for (input, expected) in [
            (longest + "\r\n", "250 2.0.0 Ok\r\n"), (longest + "x\r\n", "500 5.5.2 Line too long\r\n<close commandTooLong>\r\n"),
            (longest + "x", "500 5.5.2 Line too long\r\n<close commandTooLong>\r\n"), (longest, ""),
        ] {
            var driver = ServerDriver()
            driver.perform(driver.session.connected())
            _ = driver.look()
            driver.receive(input)
            #expect(driver.look() == expected)
        }
    }
}
