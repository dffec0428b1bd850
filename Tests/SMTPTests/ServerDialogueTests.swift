import NIOCore
import Testing

@testable import SMTP

/// Every server dialogue, fed whole, octet by octet, and cut once at every place.
struct ServerDialogueTests {
    static let dialogues = Dialogue.all(in: "Server")

    @Test("there are dialogues")
    func found() { #expect(ServerDialogueTests.dialogues.count >= 15) }

    @Test("server dialogue, however the input is cut", arguments: dialogues)
    func dialogue(_ dialogue: Dialogue) {
        for cut in Cut.all(dialogue.stream(.client).count) {
            var driver = ServerDriver(options: dialogue.options)
            driver.perform(driver.session.connected())
            var offset = 0
            for turn in dialogue.turns {
                switch turn.side {
                case .client:
                    for piece in cut.pieces(turn.bytes, from: offset) { driver.receive(piece) }
                    offset += turn.bytes.count
                case .server: #expect(driver.look() == text(turn.bytes), "\(cut)")
                }
            }
            #expect(driver.written.isEmpty, "written in the end: \(text(driver.written))")
        }
    }

    @Test(
        "the connection lost after every byte: stored only what was complete, acknowledged only what was stored",
        arguments: ["plain", "pipelined", "lmtp"])
    func loss(_ name: String) throws {
        let dialogue = try Dialogue.named(name, in: "Server")
        let stream = dialogue.stream(.client)
        let end = (0..<stream.count).first { stream[$0...].starts(with: bytes("\r\n.\r\n")) }.map { $0 + 5 } ?? 0
        #expect(end > 0)
        for length in 0...stream.count {
            var driver = ServerDriver(options: dialogue.options)
            driver.perform(driver.session.connected())
            var fed = 0
            for turn in dialogue.turns where turn.side == .client && fed < length {
                driver.receive(Array(turn.bytes.prefix(length - fed)))
                fed += min(turn.bytes.count, length - fed)
            }
            let wasClosed = driver.isClosed
            driver.perform(driver.session.connectionClosed())
            #expect(driver.session.isClosed)
            #expect(driver.stored.count == (length >= end ? 1 : 0), "after \(length) octets")
            #expect(text(driver.written).contains("queued as") == (length >= end), "after \(length) octets")
            #expect(driver.session.received(buffer("NOOP\r\n")).isEmpty || wasClosed)
        }
    }

    @Test("content comes through whole, without the stuffing")
    func content() {
        var driver = ServerDriver()
        driver.perform(driver.session.connected())
        for line in ["EHLO c\r\n", "MAIL FROM:<>\r\nRCPT TO:<r@x>\r\nDATA\r\n"] { driver.receive(line) }
        driver.receive("Subject: x\r\n\r\n..\r\n..a\r\n.b\r\nend.\r\n.\r\n")
        #expect(driver.stored.map { text($0.content) } == ["Subject: x\r\n\r\n.\r\n.a\r\nb\r\nend.\r\n"])
    }
}
