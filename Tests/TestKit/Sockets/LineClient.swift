import Synchronization

/// A raw client of a line protocol on 127.0.0.1: what goes over the wire is exactly what the test writes.
package final class LineClient: Sendable {
    private let socket: Socket
    /// Held by the one thread that reads.
    private let reader: Mutex<LineReader>

    private init(_ socket: Socket) {
        self.socket = socket
        reader = Mutex(LineReader(socket, within: 30_000))
    }

    package static func connect(port: Int) async throws -> LineClient {
        LineClient(try await onThread { try Socket.connect(port: port) })
    }

    /// Writes `text` and CRLF.
    package func send(_ text: String) async throws { try await sendRaw(Array(text.utf8) + [0x0d, 0x0a]) }

    /// Writes `bytes` as they are.
    package func sendRaw(_ bytes: [UInt8]) async throws {
        guard try await onThread({ [socket] in socket.write(bytes) }) else { throw SystemError("write") }
    }

    /// The next line without its CRLF; nil at the end of the stream. Throws when none comes within 30 seconds.
    package func readLine() async throws -> String? {
        let line = try await onThread { try self.reader.withLock { try $0.next() } }
        return line.map { String(decoding: $0, as: UTF8.self) }
    }

    /// Reads lines up to and with the first one for which `isLast` holds, and returns them all.
    package func readLines(until isLast: (String) -> Bool) async throws -> [String] {
        var lines: [String] = []
        while let line = try await readLine() {
            lines.append(line)
            if isLast(line) { return lines }
        }
        throw TimedOut(description: "the stream ended after \(lines)")
    }

    /// Sends an SMTP or LMTP command and returns its reply, all lines of it.
    package func command(_ text: String) async throws -> [String] {
        try await send(text)
        return try await readReply()
    }

    /// The next SMTP or LMTP reply, all lines of it.
    package func readReply() async throws -> [String] {
        try await readLines { line in line.utf8.count < 4 || Array(line.utf8)[3] != UInt8(ascii: "-") }
    }

    /// Says that nothing more will be written; replies can still be read.
    package func finish() { socket.finishWriting() }

    /// Closes the connection in both directions.
    package func close() { socket.shutdown() }
}
