import DNS
import Logging
import NIOCore
import SMTP
import Synchronization
import TestKit
import Testing

@testable import MailTransport

/// Connections by way of a proxy that names its clients.
@Suite("PROXY protocol")
struct ProxyTests {
    /// A header of version 2.
    private static func block(_ addresses: [UInt8], command: UInt8 = 0x21, family: UInt8 = 0x11, length: Int? = nil) -> [UInt8] {
        let size = length ?? addresses.count
        return [
            0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A, command, family, UInt8(size >> 8), UInt8(size & 0xFF),
        ]
            + addresses
    }

    private static let four: [UInt8] = [192, 0, 2, 7, 192, 0, 2, 1, 0xDC, 4, 0, 25]
    private static let six: [UInt8] =
        [0x20, 1, 0xD, 0xB8] + Array(repeating: 0, count: 11) + [9] + Array(repeating: 0, count: 16) + [1, 0, 0, 25]

    /// Headers with the client they name; nil for none.
    private static let samples: [(bytes: [UInt8], client: String?)] = [
        (Array("PROXY TCP4 192.0.2.7 192.0.2.1 56324 25\r\n".utf8), "192.0.2.7"),
        (Array("PROXY TCP6 2001:db8::9 2001:db8::1 65535 25\r\n".utf8), "2001:db8::9"),
        (Array("PROXY UNKNOWN\r\n".utf8), nil),
        (Array("PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n".utf8), nil),
        (block(four), "192.0.2.7"),
        (block(six, family: 0x21), "2001:db8::9"),
        // What a proxy tells of TLS stands behind the addresses.
        (block(four + [0x04, 0, 3, 1, 2, 3]), "192.0.2.7"),
        // The proxy itself, for a check of health.
        (block([], command: 0x20, family: 0x00), nil),
        (block(Array(repeating: 0, count: 216), family: 0x31), nil),
    ]

    @Test("a header is read wherever it is cut, and what stands behind it is handed on", arguments: samples.indices)
    func headers(_ index: Int) {
        let (bytes, client) = Self.samples[index]
        let rest = Array("EHLO x\r\n".utf8)
        for cut in 0...bytes.count {
            var header = ProxyHeader()
            let first = header.read(ByteBuffer(bytes: bytes[..<cut]))
            if cut == bytes.count {
                #expect(first == .done(client: client.flatMap { IPAddress($0) }, rest: ByteBuffer()))
            } else {
                #expect(first == .incomplete, "cut at \(cut)")
                #expect(
                    header.read(ByteBuffer(bytes: bytes[cut...] + rest))
                        == .done(client: client.flatMap { IPAddress($0) }, rest: ByteBuffer(bytes: rest)))
            }
        }
    }

    @Test(
        "what is no header is a fault",
        arguments: [
            Array("EHLO client.example.net\r\n".utf8), Array("PROXY\r\n".utf8), Array("PROXY TCP4 192.0.2.7\r\n".utf8),
            Array("PROXY TCP4 2001:db8::9 2001:db8::1 1 2\r\n".utf8), Array("PROXY TCP6 192.0.2.7 192.0.2.1 1 2\r\n".utf8),
            Array("PROXY TCP4 192.0.2.7 192.0.2.1 65536 25\r\n".utf8), Array("PROXY TCP4 192.0.2.7 192.0.2.1 025 25\r\n".utf8),
            Array("PROXY TCP4 192.0.2.7 192.0.2.1 1 25\n".utf8), Array("PROXY TCP4 192.0.2.7  192.0.2.1 1 25\r\n".utf8),
            Array("PROXY TCP4 evil 192.0.2.1 1 25\r\n".utf8), Array("PROXY UNKNOWN \(String(repeating: "x", count: 200))".utf8),
            block(four, command: 0x31), block(four, command: 0x22), block([192, 0, 2]), block(four, length: 4097), Array("PROXX".utf8),
            [0x0D, 0x0B],
        ])
    func faults(_ bytes: [UInt8]) {
        var header = ProxyHeader()
        #expect(header.read(ByteBuffer(bytes: bytes)) == .fault)
    }

    @Test(
        "an address is of a network or not",
        arguments: [
            ("192.0.2.0/24", "192.0.2.255", true), ("192.0.2.0/24", "192.0.3.0", false), ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false), ("0.0.0.0/0", "203.0.113.9", true), ("0.0.0.0/0", "2001:db8::1", false),
            ("2001:db8::/33", "2001:db8:7fff::1", true), ("2001:db8::/33", "2001:db8:8000::1", false),
            ("127.0.0.1", "::ffff:127.0.0.1", true),
        ])
    func networks(_ network: String, _ address: String, _ holds: Bool) throws {
        let networks = try #require(PeerNetworks([network]))
        #expect(networks.contains(try #require(IPAddress(address))) == holds)
    }

    @Test("texts that are no networks", arguments: ["192.0.2.0/33", "192.0.2.0/x", "192.0.2.0/-1", "localhost", "192.0.2/24", ""])
    func noNetworks(_ text: String) { #expect(PeerNetworks([text]) == nil) }

    private static func proxied(perAddress: Int = 20, _ desk: RecordingDesk) async throws -> OpenListener {
        try await OpenListener.start(desk: desk, perAddress: perAddress, proxies: try #require(PeerNetworks(["127.0.0.0/8"])))
    }

    @Test("the client that the proxy names is the peer, has its own cap, and is greeted only then")
    func listener() async throws {
        let desk = RecordingDesk()
        let open = try await Self.proxied(perAddress: 1, desk)
        let client = try await LineClient.connect(port: open.port)
        try await client.sendRaw(Self.block(Self.four))
        #expect(try await client.readReply().first?.hasPrefix("220 ") == true)
        for command in ["EHLO c.example.net", "MAIL FROM:<>", "RCPT TO:<reply@r.example.com>", "DATA"] {
            _ = try await client.command(command)
        }
        #expect(try await client.command("Subject: One\r\n\r\n.").last?.hasPrefix("250 ") == true)
        #expect(desk.mail.map(\.peer) == ["192.0.2.7"])
        let second = try await LineClient.connect(port: open.port)
        try await second.send("PROXY TCP4 192.0.2.7 192.0.2.1 5 25")
        #expect(try await second.readReply().last?.hasPrefix("421 ") == true)
        let other = try await LineClient.connect(port: open.port)
        try await other.send("PROXY TCP4 192.0.2.8 192.0.2.1 5 25")
        #expect(try await other.readReply().last?.hasPrefix("220 ") == true)
        for client in [client, second, other] { client.close() }
        try await open.end()
    }

    @Test("without its header a listed peer gets no word, and commands behind the header come too early")
    func refused() async throws {
        let open = try await Self.proxied(RecordingDesk())
        let silent = try await LineClient.connect(port: open.port)
        try await silent.send("EHLO c.example.net")
        #expect(try await silent.readLine() == nil)
        let early = try await LineClient.connect(port: open.port)
        try await early.send("PROXY TCP4 192.0.2.7 192.0.2.1 5 25\r\nEHLO c.example.net")
        #expect(try await early.readReply().last?.hasPrefix("554 5.5.0 ") == true)
        #expect(try await early.readLine() == nil)
        try await open.end()
    }

    private struct NotedLog: LogHandler {
        let note: @Sendable (String) -> Void
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) { note("\(event.message) \(event.metadata?["reason"] ?? "")") }
    }

    @Test(
        "a connection that ends for its header is told at level info, one in a minute, and no other is",
        arguments: [
            (["EHLO c.example.net", "GET / HTTP/1.1"], ["what it sent first is no PROXY header"]),
            (["PROXY TCP4 192.0.2.7 192.0.2.1 5 25", "PROXY UNKNOWN"], []),
        ])
    func told(_ first: [String], _ reasons: [String]) async throws {
        let lines = Mutex<[String]>([])
        let logger = Logger(label: "tests") { _ in NotedLog(note: { line in lines.withLock { $0.append(line) } }) }
        let open = try await OpenListener.start(
            desk: RecordingDesk(), proxies: try #require(PeerNetworks(["127.0.0.0/8"])), logger: logger)
        for line in first {
            let client = try await LineClient.connect(port: open.port)
            try await client.send(line)
            _ = try await client.readLine()
            client.close()
        }
        _ = try await eventually("told") { lines.withLock { $0.count { $0.contains("PROXY") } } >= reasons.count ? true : nil }
        try await open.end()
        let told = lines.withLock { $0.filter { $0.contains("PROXY") } }
        #expect(told.count == reasons.count && zip(told, reasons).allSatisfy { $0.hasSuffix($1) }, "\(told)")
    }

    @Test("of many lines one goes out in a minute, and says how many did not", arguments: [(59, [0]), (61, [0, 3])])
    func limited(_ later: Int, _ expected: [Int]) {
        let limit = LineLimit()
        let began = ContinuousClock.now
        var said: [Int] = []
        for seconds in [0, 1, 2, 3, later] { if let count = limit.next(at: began + .seconds(seconds)) { said.append(count) } }
        #expect(said == expected)
    }

    @Test("a peer that is not listed cannot name another")
    func stranger() async throws {
        let desk = RecordingDesk()
        let open = try await OpenListener.start(desk: desk, proxies: try #require(PeerNetworks(["192.0.2.0/24"])))
        let client = try await LineClient.connect(port: open.port)
        #expect(try await client.readReply().first?.hasPrefix("220 ") == true)
        #expect(try await client.command("PROXY TCP4 192.0.2.7 192.0.2.1 5 25").last?.hasPrefix("500 ") == true)
        client.close()
        try await open.end()
    }

    @Test("while the desk is under pressure MAIL waits, and what is under way is taken")
    func pressure() async throws {
        let desk = RecordingDesk()
        let open = try await OpenListener.start(desk: desk)
        let client = try await LineClient.connect(port: open.port)
        _ = try await client.readReply()
        for command in ["EHLO c.example.net", "MAIL FROM:<>", "RCPT TO:<reply@r.example.com>"] { _ = try await client.command(command) }
        desk.press(true)
        #expect(try await client.command("DATA").last?.hasPrefix("354 ") == true)
        #expect(try await client.command("Subject: One\r\n\r\n.").last?.hasPrefix("250 ") == true)
        #expect(try await client.command("MAIL FROM:<>").last?.hasPrefix("452 4.3.1 ") == true)
        desk.press(false)
        #expect(try await client.command("MAIL FROM:<>").last?.hasPrefix("250 ") == true)
        client.close()
        try await open.end()
    }
}
