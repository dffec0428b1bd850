import NIOCore
import Testing

@testable import SMTP

/// The two machines speak with each other, in packets cut at random.
struct MeetingTests {
    /// A wire between a client and a server, each served by the least of drivers.
    struct Wire {
        var client: ClientSession
        var server: ServerSession
        var toServer: [UInt8] = []
        var toClient: [UInt8] = []
        var waiting: [Envelope]
        let content: [UInt8]
        var outcomes: [RecipientOutcome] = []
        var failures: [DeliveryFailure] = []
        var stored: [[UInt8]] = []
        var gathered: [UInt8] = []
        var clientIsClosed = false
        var handshakes = 0

        mutating func perform(_ actions: [ClientAction]) throws {
            for action in actions {
                switch action {
                case .send(let bytes), .sendSecret(let bytes): toServer += Array(bytes.readableBytesView)
                case .startTLS: handshakes += 1
                case .sendContent:
                    toServer += Array(try DotStuffing.encoded(content).readableBytesView)
                    try perform(client.contentSent())
                case .announceFinalDot: try perform(client.finalDotDurable())
                case .ready: try perform(waiting.isEmpty ? client.quit() : client.startTransaction(waiting.removeFirst()))
                case .transactionFinished(let finished): outcomes += finished
                case .sessionFailed(let failure): failures.append(failure)
                case .close: clientIsClosed = true
                default: break
                }
            }
            if handshakes == 2 {
                handshakes = 0
                try perform(server.tlsEstablished())
                try perform(client.tlsEstablished(verified: true))
            }
        }

        mutating func perform(_ actions: [ServerAction]) throws {
            for action in actions {
                switch action {
                case .send(let bytes): toClient += Array(bytes.readableBytesView)
                case .startTLS:
                    handshakes += 1
                // The client learns of the 220 first.
                case .pause: try perform(server.resumed())
                case .validateRecipient(let address, _):
                    try perform(server.recipientVerdict(address.starts(with: bytes("no")) ? .unknownMailbox : .accepted))
                case .beginMessage, .discardMessage: gathered = []
                case .messageChunk(let chunk): gathered += Array(chunk.readableBytesView)
                case .deliver:
                    stored.append(gathered)
                    try perform(server.deliveryVerdict(.stored(id: "Q\(stored.count)")))
                case .close: break
                }
            }
        }

        mutating func run(_ generator: inout SeededGenerator) throws {
            try perform(client.connected())
            try perform(server.connected())
            var rounds = 0
            while !clientIsClosed, rounds < 100_000, !toServer.isEmpty || !toClient.isEmpty {
                rounds += 1
                if !toServer.isEmpty {
                    let count = Int.random(in: 1...min(toServer.count, 64), using: &generator)
                    let piece = Array(toServer.prefix(count))
                    toServer.removeFirst(count)
                    try perform(server.received(ByteBuffer(bytes: piece)))
                }
                if !toClient.isEmpty {
                    let count = Int.random(in: 1...min(toClient.count, 64), using: &generator)
                    let piece = Array(toClient.prefix(count))
                    toClient.removeFirst(count)
                    try perform(client.received(ByteBuffer(bytes: piece)))
                }
            }
        }
    }

    @Test("what the client sends, the server stores octet by octet", arguments: [Dialect.smtp, .lmtp], [true, false])
    func meeting(_ dialect: Dialect, _ pipelining: Bool) throws {
        var generator = SeededGenerator(state: 5)
        for round in 0..<60 {
            let words = [".", "..", "\r\n", "\r\n.\r\n", "\r\n.", "word", "é"]
            var content: [UInt8] = []
            for _ in 0..<Int.random(in: 0...60, using: &generator) { content += bytes(words.randomElement(using: &generator) ?? "") }
            content += bytes("\r\n")
            let usesTLS = round % 2 == 0
            let envelope = Envelope(
                reversePath: bytes("s@x"), recipients: ["a@x", "no@x", "b@x"].map { .init(bytes($0)) }, isEightBit: true,
                size: UInt64(content.count))
            let nobody = Envelope(reversePath: [], recipients: [.init(bytes("no@x"))])
            var wire = Wire(
                client: ClientSession(
                    configuration: ClientConfiguration(
                        dialect: dialect, helloName: "c", tls: usesTLS ? .required : .none, usesPipelining: pipelining)),
                server: ServerSession(
                    configuration: ServerConfiguration(dialect: dialect, hostname: "mx", offersTLS: usesTLS, requiresTLS: usesTLS)),
                waiting: [envelope, nobody, envelope], content: content)
            try wire.run(&generator)
            #expect(wire.clientIsClosed && wire.failures.isEmpty)
            #expect(wire.stored == [content, content])
            #expect(
                wire.outcomes.map { describe($0.outcome).prefix(8) } == [
                    "accepted", "rejected", "accepted", "rejected", "accepted", "rejected", "accepted",
                ])
            #expect(wire.server.isEncrypted == usesTLS)
        }
    }
}
