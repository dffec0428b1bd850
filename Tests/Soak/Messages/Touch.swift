import Glibc
import InternetMessage

/// Reads all that a message offers and holds it against the limits.
enum Touch {
    /// What was seen in one message.
    struct Finding {
        /// Processor time of this thread.
        var nanoseconds: Int64
        /// The sum of what was read, so that nothing is optimized away.
        var sum: Int
        /// What went beyond a limit, nil when nothing did.
        var beyond: String?
    }

    static func everything(_ bytes: ArraySlice<UInt8>) -> Finding {
        let start = now()
        let message = Message(parsing: bytes)
        var sum = message.allDefects().count
        let attachments = message.attachments
        sum += attachments.reduce(0) { $0 &+ $1.bytes.count }
        sum += (message.text?.utf8.count ?? 0) + (message.html?.utf8.count ?? 0)
        sum += message.from.count + message.to.count + message.cc.count + message.replyTo.count
        sum += message.references.count + message.inReplyTo.count + (message.subject?.utf8.count ?? 0)
        if message.date != nil, message.sender != nil, message.messageID != nil { sum += 1 }
        if message.report != nil || message.calendarReply != nil { sum += 1 }
        for field in message.header.fields { sum += field.text.utf8.count }
        let nanoseconds = now() - start
        return Finding(nanoseconds: nanoseconds, sum: sum, beyond: beyond(message, attachments))
    }

    private static func beyond(_ message: Message, _ attachments: [Attachment]) -> String? {
        let limits = Limits.default
        var parts = 0
        var stack = [(message.root, 1)]
        while let (part, depth) = stack.popLast() {
            parts += 1
            // The root and the innermost leaf stand outside the containers that are counted.
            if depth > limits.depth + 2 { return "depth \(depth)" }
            if part.header.count > limits.headerFields { return "header fields \(part.header.count)" }
            stack += part.children.map { ($0, depth + 1) }
        }
        if parts > limits.parts + 1 { return "parts \(parts)" }
        if let large = attachments.first(where: { $0.bytes.count > limits.decodedBytes }) { return "decoded \(large.bytes.count)" }
        return nil
    }

    private static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
