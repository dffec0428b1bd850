import InternetMessage

/// How mail is named that goes to people of ours, which tells it apart from all else in the outbox: the last word before the `@` of its
/// Message-ID says what it is, and that of a forward begins with the reply that it sends on.
enum ForwardName {
    /// A reply that is sent on.
    static let forward = "forward"
    static let alert = "alert"

    /// - Parameter drawn: what nobody can guess.
    static func messageID(of reply: IncomingMessage.ID, drawn: String, hostname: String) -> MessageID? {
        MessageID("\(reply).\(drawn).\(forward)@\(hostname)")
    }

    /// The reply that a message of ours with such a Message-ID sends on; nil: it is no forward.
    static func reply(in messageID: MessageID) -> IncomingMessage.ID? {
        let words = words(of: messageID)
        guard words.count == 3, words[2].elementsEqual(forward.utf8) else { return nil }
        return IncomingMessage.ID(String(decoding: Array(words[0]), as: UTF8.self))
    }

    static func isOfOurs(_ messageID: MessageID) -> Bool {
        guard let last = words(of: messageID).last else { return false }
        return last.elementsEqual(forward.utf8) || last.elementsEqual(alert.utf8)
    }

    private static func words(of messageID: MessageID) -> [ArraySlice<UInt8>] {
        messageID.bytes.prefix { $0 != UInt8(ascii: "@") }.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    }
}

extension OutboxMessage {
    /// Whether it is for somebody of ours, a reply that is sent on or an alert: suppression is for people who are written to, and not for them.
    package var isToOurs: Bool { enrollment == nil && ForwardName.isOfOurs(messageID) }

    /// The reply that it sends on; nil: it is no forward.
    package var forwardedReply: IncomingMessage.ID? { enrollment == nil ? ForwardName.reply(in: messageID) : nil }
}

extension SentMessage {
    /// See `OutboxMessage.isToOurs`.
    package var isToOurs: Bool { enrollment == nil && ForwardName.isOfOurs(messageID) }

    /// The reply that it sent on; nil: it is no forward.
    package var forwardedReply: IncomingMessage.ID? { enrollment == nil ? ForwardName.reply(in: messageID) : nil }

    /// What it names when the one whose reply it sent on answers it: the conversation of that reply, under its own Message-ID.
    package func standing(for original: SentMessage) -> SentMessage {
        SentMessage(
            outbox: original.outbox, workspace: original.workspace, enrollment: original.enrollment, contact: original.contact,
            messageID: messageID, recipient: original.recipient)
    }
}
