import Foundation
import Synchronization

/// A scripted SMTP or LMTP server that counts what it is given: the witness of what really left.
///
/// It shares no code with Postrider, so that both cannot be wrong in the same way. It takes everything unless a recipient is
/// scripted otherwise. Each connection has a thread; nothing here uses Swift's small pool.
package final class SinkSMTP: Sendable {
    /// What the sink does with a recipient's transaction.
    package enum Answer: Sendable {
        case accept
        /// Refuses the recipient at RCPT with this reply, such as `451 4.7.1 Greylisted`.
        case refuse(String)
        /// Takes the whole message, then refuses it with this reply.
        case refuseData(String)
        /// Drops the connection within DATA, after the first line and before the final dot.
        case dropWithinData
        /// Takes the whole message and drops the connection without a reply: the message is kept and not acknowledged.
        case dropAfterDot
        /// Takes the whole message and writes this much of its reply, such as `250 2.0.0 OK` without CRLF, then drops the connection.
        case cutReply(String)
        /// Replies after this time, unless the client goes away before.
        case delayReply(Duration)
        /// Replies when `releaseReplies()` is called.
        case holdReply
    }

    /// Which protocol is spoken: LMTP answers once for each recipient after the dot.
    package enum Dialect: Sendable { case smtp, lmtp }

    /// A message of which the final dot arrived.
    package struct Message: Sendable {
        /// Without angle brackets; empty for the null reverse-path.
        package let reversePath: String
        /// The accepted forward-paths, without angle brackets, as they were written.
        package let recipients: [String]
        /// The parameters after the addresses of MAIL and of the RCPTs, as they were written.
        package let parameters: [String]
        /// The message with its dots unstuffed and CRLF line ends.
        package let bytes: [UInt8]
        /// The Message-ID without angle brackets; empty when there is none.
        package let messageID: String
        /// Lone CR and LF bytes in the message: none in legal mail.
        package let bareLineEnds: Int
        /// True once a complete positive reply was written.
        package var isAcknowledged = false
        /// The name the client gave in EHLO, HELO or LHLO.
        package let heloName: String
        /// Connections count from 1.
        package let connection: Int

        package var text: String { String(decoding: bytes, as: UTF8.self) }
    }

    /// A recipient that was refused at RCPT.
    package struct Refusal: Sendable {
        package let recipient: String
        package let reply: String
    }

    struct State {
        var messages: [Message] = []
        var refusals: [Refusal] = []
        var scripts: [String: (next: [Answer], then: Answer)] = [:]
        var connections = 0
        var open: [Int: Socket] = [:]
        var holdsReplies = true
        var isStopped = false
    }

    package let port: Int
    package let dialect: Dialect
    let hostname: String
    let extensions: [String]
    let state = Mutex(State())
    private let listener: Socket

    /// Starts to listen on a port of 127.0.0.1, a free one when none is given. `extensions` are the lines of the EHLO reply.
    package init(
        _ dialect: Dialect = .smtp, port: Int? = nil, hostname: String = "sink.example.com",
        extensions: [String] = ["PIPELINING", "SIZE 20000000", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "DSN"]
    ) throws {
        self.dialect = dialect
        self.hostname = hostname
        self.extensions = extensions
        listener = try Self.listen(on: port)
        self.port = listener.port
        Thread.detachNewThread { [listener, weak self] in
            while let socket = listener.accept() {
                guard let number = self?.opened(socket) else { return }
                Thread.detachNewThread { [weak self] in
                    // The session holds the sink only while it runs; stop() ends it by closing its socket.
                    guard let sink = self else { return }
                    SinkSession(sink: sink, socket: socket, number: number).run()
                    sink.closed(number)
                }
            }
        }
    }

    deinit { stop() }

    /// Listens on `port`, a free one when nil.
    ///
    /// A free port may be taken for a moment more: a program that another test starts right now holds a copy of the socket that tried
    /// the port, until it is loaded.
    private static func listen(on port: Int?) throws -> Socket {
        if let port { return try Socket.listen(port: port) }
        for _ in 0..<20 {
            if let socket = try? Socket.listen(port: FreePort.next()) { return socket }
        }
        return try Socket.listen(port: FreePort.next())
    }

    /// Closes the listener and every connection.
    package func stop() {
        listener.shutdown()
        let open = state.withLock { state in
            state.isStopped = true
            state.holdsReplies = false
            return state.open.values
        }
        for socket in open { socket.shutdown() }
    }

    /// Gives `recipient` these answers for its next transactions, one for each RCPT, and `then` for all that follow.
    ///
    /// In a transaction with several accepted recipients the first one that is not `accept` decides what happens at the dot.
    package func script(_ recipient: String, _ next: Answer..., then: Answer = .accept) {
        state.withLock { $0.scripts[recipient.lowercased()] = (next, then) }
    }

    /// Lets all replies go that `holdReply` holds, now and from now on.
    package func releaseReplies() { state.withLock { $0.holdsReplies = false } }

    /// All messages of which the final dot arrived, in that order, acknowledged or not.
    package var messages: [Message] { state.withLock { $0.messages } }

    package func messages(to recipient: String) -> [Message] {
        messages.filter { $0.recipients.contains { $0.lowercased() == recipient.lowercased() } }
    }

    /// How often a message with this Message-ID (without angle brackets) was received whole.
    package func count(ofMessageID id: String) -> Int { messages.filter { $0.messageID == id }.count }

    /// The recipients refused at RCPT, in that order.
    package var refusals: [Refusal] { state.withLock { $0.refusals } }

    /// How many connections were opened so far.
    package var connections: Int { state.withLock { $0.connections } }

    /// Waits until at least `count` messages for which `matches` holds were received whole, and returns those.
    package func waitForMessages(
        _ count: Int, within limit: Duration = .seconds(90), where matches: @escaping @Sendable (Message) -> Bool = { _ in true }
    ) async throws -> [Message] {
        try await eventually("\(count) messages in the sink; it has \(messages.map(\.messageID)), refused \(refusals)", within: limit) {
            let found = self.messages.filter(matches)
            return found.count >= count ? found : nil
        }
    }

    func nextAnswer(for recipient: String) -> Answer {
        state.withLock { state in
            let key = recipient.lowercased()
            guard let script = state.scripts[key] else { return .accept }
            guard let first = script.next.first else { return script.then }
            state.scripts[key]?.next.removeFirst()
            return first
        }
    }

    private func opened(_ socket: Socket) -> Int? {
        state.withLock { state in
            guard !state.isStopped else { return nil }
            state.connections += 1
            state.open[state.connections] = socket
            return state.connections
        }
    }

    private func closed(_ number: Int) { state.withLock { _ = $0.open.removeValue(forKey: number) } }
}
