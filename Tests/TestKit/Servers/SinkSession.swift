import Glibc
import Synchronization

/// One connection of a `SinkSMTP`, on a thread of its own.
struct SinkSession {
    private let sink: SinkSMTP
    private let socket: Socket
    private let number: Int
    private var reader: LineReader
    private var heloName = ""
    private var reversePath: String?
    private var recipients: [(path: String, answer: SinkSMTP.Answer)] = []
    private var parameters: [String] = []

    init(sink: SinkSMTP, socket: Socket, number: Int) {
        self.sink = sink
        self.socket = socket
        self.number = number
        reader = LineReader(socket, within: 120_000)
    }

    func run() {
        var session = self
        session.reply("220 \(sink.hostname) sink")
        while let line = try? session.reader.next(), session.obey(line) {}
        socket.shutdown()
    }

    /// Carries out one command; false when the connection is to end.
    private mutating func obey(_ line: [UInt8]) -> Bool {
        let text = String(decoding: line, as: UTF8.self)
        switch text.prefix(while: { $0 != " " && $0 != ":" }).uppercased() {
        case "EHLO" where sink.dialect == .smtp, "LHLO" where sink.dialect == .lmtp:
            greet(text)
            let lines = [sink.hostname] + sink.extensions
            return reply(lines.enumerated().map { "250\($0 == lines.count - 1 ? " " : "-")\($1)" }.joined(separator: "\r\n"))
        case "HELO" where sink.dialect == .smtp:
            greet(text)
            return reply("250 \(sink.hostname)")
        case "MAIL": return mail(line)
        case "RCPT": return rcpt(line)
        case "DATA": return data()
        case "RSET":
            reset()
            return reply("250 2.0.0 Reset")
        case "NOOP": return reply("250 2.0.0 OK")
        case "QUIT":
            reply("221 2.0.0 Bye")
            return false
        default: return reply("500 5.5.1 Unknown command")
        }
    }

    private mutating func greet(_ text: String) {
        heloName = text.split(separator: " ").dropFirst().first.map(String.init) ?? ""
        reset()
    }

    private mutating func reset() {
        reversePath = nil
        recipients = []
        parameters = []
    }

    private mutating func mail(_ line: [UInt8]) -> Bool {
        guard reversePath == nil, let (path, rest) = Self.path(in: line) else { return reply("503 5.5.1 Not now") }
        reversePath = path
        parameters.append(rest)
        return reply("250 2.1.0 Sender OK")
    }

    private mutating func rcpt(_ line: [UInt8]) -> Bool {
        guard reversePath != nil, let (path, rest) = Self.path(in: line) else { return reply("503 5.5.1 Not now") }
        let answer = sink.nextAnswer(for: path)
        if case .refuse(let text) = answer {
            sink.state.withLock { $0.refusals.append(.init(recipient: path, reply: text)) }
            return reply(text)
        }
        recipients.append((path, answer))
        parameters.append(rest)
        return reply("250 2.1.5 Recipient OK")
    }

    private mutating func data() -> Bool {
        guard !recipients.isEmpty else { return reply("503 5.5.1 No valid recipients") }
        let decisive = recipients.map(\.answer).first(where: { if case .accept = $0 { false } else { true } }) ?? .accept
        reply("354 End with a dot")
        var content: [UInt8] = []
        while true {
            guard let line = try? reader.next() else { return false }
            if line == [UInt8(ascii: ".")] { break }
            content += line.first == UInt8(ascii: ".") ? line.dropFirst() : line[...]
            content += [0x0d, 0x0a]
            if case .dropWithinData = decisive { return false }
        }
        let index = keep(content)
        defer { reset() }
        switch decisive {
        case .accept, .refuse, .dropWithinData: return accept(index)
        case .refuseData(let text): return replyToAll(text)
        case .dropAfterDot: return false
        case .cutReply(let text):
            socket.write(Array(text.utf8))
            return false
        case .delayReply(let time):
            return waitForReply(until: ContinuousClock.now + time) && accept(index)
        case .holdReply:
            return waitForReply(until: nil) && accept(index)
        }
    }

    /// Waits for the time, or for the release of held replies when nil; false when the client went away before.
    private func waitForReply(until time: ContinuousClock.Instant?) -> Bool {
        while time.map({ ContinuousClock.now < $0 }) ?? sink.state.withLock({ $0.holdsReplies }) {
            if socket.isClosedByPeer { return false }
            poll(nil, 0, 10)
        }
        return true
    }

    private func keep(_ content: [UInt8]) -> Int {
        let message = SinkSMTP.Message(
            reversePath: reversePath ?? "", recipients: recipients.map(\.path), parameters: parameters.filter { !$0.isEmpty },
            bytes: content,
            messageID: Self.messageID(of: content), bareLineEnds: Self.bareLineEnds(in: content), heloName: heloName, connection: number)
        return sink.state.withLock { state in
            state.messages.append(message)
            return state.messages.count - 1
        }
    }

    private func accept(_ index: Int) -> Bool {
        // Counted first: a client that has read the reply must find the message acknowledged.
        sink.state.withLock { $0.messages[index].isAcknowledged = true }
        let isWritten = replyToAll("250 2.0.0 OK \(index + 1)")
        if !isWritten { sink.state.withLock { $0.messages[index].isAcknowledged = false } }
        return isWritten
    }

    private func replyToAll(_ text: String) -> Bool {
        let count = sink.dialect == .lmtp ? recipients.count : 1
        return reply(Array(repeating: text, count: count).joined(separator: "\r\n"))
    }

    @discardableResult
    private func reply(_ text: String) -> Bool { socket.write(Array("\(text)\r\n".utf8)) }

    /// The path between angle brackets, and what follows it.
    private static func path(in line: [UInt8]) -> (path: String, rest: String)? {
        guard let open = line.firstIndex(of: UInt8(ascii: "<")), let close = line[open...].firstIndex(of: UInt8(ascii: ">")) else {
            return nil
        }
        let rest = line[(close + 1)...].drop { $0 == UInt8(ascii: " ") }
        return (String(decoding: line[(open + 1)..<close], as: UTF8.self), String(decoding: rest, as: UTF8.self))
    }

    private static func messageID(of content: [UInt8]) -> String {
        for line in content.split(separator: 0x0a, omittingEmptySubsequences: false) {
            if line == [0x0d] { break }
            guard String(decoding: line.prefix(11), as: UTF8.self).lowercased() == "message-id:" else { continue }
            return path(in: Array(line))?.path ?? ""
        }
        return ""
    }

    private static func bareLineEnds(in content: [UInt8]) -> Int {
        content.indices.filter { index in
            switch content[index] {
            case 0x0d: index + 1 == content.count || content[index + 1] != 0x0a
            case 0x0a: index == 0 || content[index - 1] != 0x0d
            default: false
            }
        }
        .count
    }
}
