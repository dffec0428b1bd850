import NIOCore
import Testing

@testable import SMTP

/// Every client dialogue, fed whole, octet by octet, and cut once at every place.
struct ClientDialogueTests {
    static let dialogues = Dialogue.all(in: "Client")

    @Test("there are dialogues")
    func found() { #expect(ClientDialogueTests.dialogues.count >= 20) }

    @Test("client dialogue, however the input is cut", arguments: dialogues)
    func dialogue(_ dialogue: Dialogue) {
        for cut in Cut.all(dialogue.stream(.server).count) {
            var driver = ClientDriver(dialogue)
            driver.connect()
            var offset = 0
            for turn in dialogue.turns {
                switch turn.side {
                case .server:
                    for piece in cut.pieces(turn.bytes, from: offset) { driver.receive(piece) }
                    offset += turn.bytes.count
                case .client:
                    #expect(text(driver.written) == text(turn.bytes), "\(cut)")
                    driver.written = []
                }
            }
            #expect(driver.written.isEmpty, "written in the end: \(text(driver.written))")
            #expect(driver.results == dialogue.results, "\(cut)")
        }
    }

    /// Where in the server's stream the wait for the final reply begins, and where the final replies are complete.
    struct Landmarks {
        let dot: Int
        let ends: [Int]

        init(_ stream: [UInt8], replies: Int) {
            var lines: [(start: Int, end: Int)] = []
            var start = 0
            for index in stream.indices where stream[index] == 0x0A {
                lines.append((start, index + 1))
                start = index + 1
            }
            let go = lines.firstIndex { stream[$0.start..<$0.end].starts(with: bytes("354")) } ?? 0
            dot = lines[go].end
            ends = lines[(go + 1)...].prefix(replies).map(\.end)
        }
    }

    enum Loss: CaseIterable { case closed, timedOut }

    @Test(
        "loss after every byte: deferred before the dot, ambiguous at the dot, accepted after the complete reply",
        arguments: ["plain", "pipelined", "starttls-auth-plain", "lmtp", "helo-fallback"], Loss.allCases)
    func loss(_ name: String, _ loss: Loss) throws {
        let dialogue = try Dialogue.named(name, in: "Client")
        let stream = dialogue.stream(.server)
        let recipients = (dialogue.options["to"] ?? "one").split(separator: ",").count
        let marks = Landmarks(stream, replies: dialogue.options["dialect"] == "lmtp" ? recipients : 1)
        for length in 0...stream.count {
            var driver = ClientDriver(dialogue)
            driver.connect()
            driver.receive(Array(stream[..<0]))
            var fed = 0
            for turn in dialogue.turns where turn.side == .server && fed < length {
                driver.receive(Array(turn.bytes.prefix(length - fed)))
                fed += min(turn.bytes.count, length - fed)
            }
            switch loss {
            case .closed: driver.lose()
            case .timedOut: if let timer = driver.timer { driver.perform(driver.session.timedOut(timer)) }
            }
            #expect(driver.session.isClosed || loss == .timedOut)
            #expect(driver.dotWasWritten == (length >= marks.dot), "after \(length) octets")
            guard let outcomes = driver.outcomes.first else {
                // Before the transaction the session alone fails, and that is a deferral by its meaning.
                #expect(driver.sessionFailures.count == 1, "after \(length) octets")
                #expect(length < marks.dot)
                continue
            }
            #expect(driver.outcomes.count == 1 && outcomes.count == recipients)
            for (index, outcome) in outcomes.enumerated() {
                let end = marks.ends[min(index, marks.ends.count - 1)]
                let kind = describe(outcome.outcome).prefix { $0 != " " }
                let expected = length < marks.dot ? "deferred" : length < end ? "ambiguous" : "accepted"
                #expect(kind == expected, "after \(length) octets, recipient \(index)")
            }
        }
    }
}
